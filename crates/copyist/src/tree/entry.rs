//! One entry: what it is, what its destination is, and what is made of it.

use crate::file::follow;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::dir::{Entry, Role};
use super::existing::{Onto, Resolved, SourceStat};
use super::links::{Claim, Copied};
use super::space_retry::LARGE_BYTES;
use super::worker::Outcome;
use super::worker::Worker;
use crate::file::attributes;
use crate::file::change::CHANGE_RETRIES;
use crate::file::copier::{FileCopier, OneFile};
use crate::file::failure::FileError;
use crate::file::journal::PART_BYTES;
use crate::file::source::{Source, open_source};
use crate::file::target::{Destination, Existing};
use crate::system::Platform;
use crate::think::disposition::{Product, enters};
use crate::think::policy::Policy;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::facts::NoLink;
use crate::words::observer::{Event, Made, PathSource, Warning};
use crate::words::options::{Follow, Make, OnChange};
use crate::words::report::Report;
use crate::words::stat::{FileKind, Stat};

/// The result of one attempt to copy a file.
#[derive(Default)]
struct AttemptOutcome {
    report: Report,
    /// Attributes that could not be kept.
    failures: Vec<FileError>,
}

impl<P: Platform> Worker<'_, '_, P> {
    /// Copies an entry, unless it is a directory.
    #[inline(never)] // apart from the loop of `fast`
    pub(super) fn entry_by_name(&mut self, entry: Entry<'_, P>) -> Outcome {
        let mut retries = 0;
        loop {
            match self.try_entry(entry, retries > 0) {
                Ok(outcome) => {
                    if let Outcome::Done = outcome {
                        self.session.remember_made(&entry);
                    }
                    return outcome;
                }
                Err(error) if retries < CHANGE_RETRIES && self.is_tried_again(&error) => {
                    retries += 1;
                }
                Err(error) => {
                    self.session.fail(error);
                    return Outcome::Done;
                }
            }
        }
    }

    /// Copies a file that a recipe has opened and does not cover.
    #[inline(never)] // apart from the loop of `fast`
    pub(super) fn copy_opened(&mut self, entry: Entry<'_, P>, source: Source<P>) -> Outcome {
        self.copy_as_new(entry, source.stat, Some(source))
    }

    /// Links another name of a file of which a name was met: its source need not be open.
    #[inline(never)] // apart from the loop of `fast`
    pub(super) fn link_met(&mut self, entry: Entry<'_, P>) -> Outcome {
        match self.session.platform.stat(entry.src_at(), false) {
            Ok(stat) if stat.kind == FileKind::Regular => self.copy_as_new(entry, stat, None),
            _ => self.entry_by_name(entry),
        }
    }

    /// Copies or links a regular file to a name that does not exist.
    fn copy_as_new(
        &mut self,
        entry: Entry<'_, P>,
        stat: Stat,
        opened: Option<Source<P>>,
    ) -> Outcome {
        let src = SourceStat {
            stat,
            follow: false,
        };
        let free = Onto::Free { backup: None };
        match self.with_links(&entry, &src, free, opened) {
            Ok(()) => {}
            Err(error) if self.is_tried_again(&error) => return self.entry_by_name(entry),
            Err(error) => self.session.fail(error),
        }
        Outcome::Done
    }

    /// Whether to decide again about a file that was replaced after it was examined (`--on-change=retry`). Nothing was
    /// made of it, and a backup was undone.
    fn is_tried_again(&self, error: &Error) -> bool {
        let was_replaced = matches!(error.cause(), Cause::Refused(Refusal::Replaced));
        was_replaced && self.session.options.on_change == OnChange::Retry
    }

    fn try_entry(&mut self, entry: Entry<'_, P>, again: bool) -> Result<Outcome, Error> {
        let follow = self.follows(&entry);
        let stat = self
            .session
            .platform
            .stat(entry.src_at(), follow)
            .map_err(|code| {
                self.session
                    .error(&entry, Operation::StatSource, Cause::System(code))
            })?;
        if stat.kind == FileKind::Directory {
            let policy = Policy::of(self.session.options);
            enters(&policy).map_err(|refusal| self.session.refuse(&entry, refusal))?;
            return Ok(Outcome::Directory);
        }
        let looked = SourceStat { stat, follow };
        let mut known = self.known(&entry, &looked);
        if self.session.journal.is_none() {
            known.finished = Some(false);
        }
        match self.resolve_destination(&entry, known, again)? {
            Resolved::Make(onto) => self.with_links(&entry, &looked, onto, None)?,
            Resolved::Enter { .. } => return Ok(Outcome::Directory),
            Resolved::Skip(why) => {
                self.summary.skipped += u64::from(why.is_counted());
                if why.is_copy() {
                    self.keep_newer(&entry, &looked)?;
                }
            }
        }
        Ok(Outcome::Done)
    }

    /// Whether a file could not be opened for lack of descriptors, and some have been freed.
    pub(super) fn retry_after_emfile(
        &self,
        entry: &Entry<'_, P>,
        operation: Operation,
        cause: &Cause,
    ) -> bool {
        let opens = matches!(
            operation,
            Operation::OpenSource | Operation::OpenDestination | Operation::CreateFile
        );
        opens
            && matches!(*cause, Cause::System(code) if self.has_freed_descriptors(entry.dir, code))
    }

    /// Whether an earlier run has completed this copy.
    pub(super) fn is_done(&self, entry: &Entry<'_, P>, src: &Stat) -> bool {
        let session = self.session;
        let Some(journal) = session.journal.as_ref().filter(|it| it.is_resumed()) else {
            return false;
        };
        if src.kind != FileKind::Regular || session.options.make != Make::Copy {
            return false;
        }
        let copy = session.platform.stat(entry.dst_at(), false);
        copy.is_ok_and(|it| {
            let (src, copy) = session.as_journaled(entry, (src, &it));
            it.kind == FileKind::Regular && journal.is_done(&entry.dst(), &src, &copy)
        })
    }

    /// If a file that can't be opened can't be examined by stat either, that error is reported.
    pub(super) fn unseen(&self, entry: &Entry<'_, P>, follow: bool) -> Option<Error> {
        let code = self.session.platform.stat(entry.src_at(), follow).err()?;
        let cause = Cause::System(code);
        Some(self.session.error(entry, Operation::StatSource, cause))
    }

    /// Copies an entry, or links it to the copy of another name of the same file.
    fn with_links(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        onto: Onto,
        opened: Option<Source<P>>,
    ) -> Result<(), Error> {
        if !self.keeps_links(entry, &src.stat) {
            return self.make(entry, src, onto, opened);
        }
        match self
            .session
            .links
            .claim(src.stat.id, self.names(entry, &src.stat))
        {
            Claim::Copy => {
                let result = self.make(entry, src, onto, opened);
                let copied = result
                    .is_ok()
                    .then_some((&entry.dir.tree_path, entry.dst_name));
                self.session.links.record_copy(src.stat.id, copied);
                result
            }
            Claim::Link(copied) => self.link_or_copy(entry, src, onto, opened, copied),
        }
    }

    /// Links a name to an earlier copy, or copies it where no link can be made.
    fn link_or_copy(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        mut onto: Onto,
        opened: Option<Source<P>>,
        mut copied: Copied,
    ) -> Result<(), Error> {
        let links = &self.session.links;
        let why = loop {
            let Some((again, why)) = self.link_to_copy(entry, &copied, onto)? else {
                return Ok(());
            };
            onto = again;
            match why {
                NoLink::TooMany => match links.claim_again(src.stat.id, &copied) {
                    Claim::Link(newer) => copied = newer,
                    Claim::Copy => break why,
                },
                _ => break why,
            }
        };
        let result = self.make(entry, src, onto, opened);
        // Later names are not linked to a copy that was written in place.
        if result.is_ok() && why != NoLink::NotReplaceable {
            copied = Copied {
                tree_path: Arc::clone(&entry.dir.tree_path),
                dst_name: entry.dst_name.to_os_string(),
            };
        }
        links.replace(src.stat.id, copied);
        result?;
        self.tell_no_link(entry, Made::HardLink, why);
        Ok(())
    }

    /// An existing destination that is kept counts as the copy of its source: other names of the source become links
    /// to it, and it becomes a link to an earlier copy.
    fn keep_newer(&mut self, entry: &Entry<'_, P>, src: &SourceStat) -> Result<(), Error> {
        if !self.keeps_links(entry, &src.stat) {
            return Ok(());
        }
        match self
            .session
            .links
            .claim(src.stat.id, self.names(entry, &src.stat))
        {
            Claim::Copy => {
                let copied = (&entry.dir.tree_path, entry.dst_name);
                self.session.links.record_copy(src.stat.id, Some(copied));
                Ok(())
            }
            Claim::Link(copied) => {
                // If it can't be made a link it is kept: it is newer.
                let onto = Onto::Into(Existing::File);
                if let Some((_, why)) = self.link_to_copy(entry, &copied, onto)? {
                    self.tell_no_link(entry, Made::HardLink, why);
                }
                Ok(())
            }
        }
    }

    pub(super) fn keeps_links(&self, entry: &Entry<'_, P>, src: &Stat) -> bool {
        let options = self.session.options;
        options.preserve.links
            && options.make == Make::Copy
            && src.id.is_known()
            && self.names(entry, src) > 1
    }

    /// The number of names of a file that the walk will meet; no limit if symbolic links are followed, or operands may
    /// lead to a name twice.
    fn names(&self, entry: &Entry<'_, P>, src: &Stat) -> u64 {
        let twice = src.links > 1 && self.session.made.is_some();
        if twice || self.follows(entry) {
            u64::MAX
        } else {
            src.links
        }
    }

    /// Whether a symbolic link under this name is followed.
    pub(super) fn follows(&self, entry: &Entry<'_, P>) -> bool {
        match self.session.options.follow {
            Follow::Never => self.reads_open_file(entry),
            Follow::Operands => entry.is_operand(),
            Follow::Always => true,
        }
    }

    /// Whether this is a symbolic link to an open file, whose content is to be copied.
    pub(super) fn reads_open_file(&self, entry: &Entry<'_, P>) -> bool {
        let session = self.session;
        entry.is_operand()
            && follow::reads_open_file(session.platform, session.options, entry.src_at())
    }

    /// Makes what the options ask for of the source. If that fails, a backup is undone.
    fn make(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        onto: Onto,
        opened: Option<Source<P>>,
    ) -> Result<(), Error> {
        let replaces = matches!(onto, Onto::Over { .. });
        let (existing, backup) = match onto {
            Onto::Free { backup } | Onto::Over { backup } => (Existing::Nothing, backup),
            Onto::Into(existing) => (existing, None),
        };
        self.begin(entry, backup.as_ref(), src.stat.kind);
        let result = match self.product(entry, src) {
            Product::HardLinkTo => self.link_to_source(entry, src),
            Product::SymlinkTo => self.symlink_to_source(entry, src),
            Product::Content => self.copy_content(entry, src, (existing, replaces), opened),
            Product::Symlink => self.copy_symlink(entry, &src.stat),
            Product::Special => self.copy_special(entry, &src.stat),
        };
        if let (Err(_), Some(backup)) = (&result, &backup) {
            if replaces {
                self.forget_backup(entry, backup);
            } else {
                self.move_back(entry, backup);
            }
        }
        result
    }

    pub(super) fn begin(&self, entry: &Entry<'_, P>, backup: Option<&OsString>, kind: FileKind) {
        let backup = backup.map(|it| Self::backup_path(entry, it));
        let is_parent = entry.role == Role::Parent;
        let event = Event::Begin {
            paths: entry,
            backup: backup.as_ref(),
            kind,
            is_parent,
        };
        self.session.context.observer.event(event);
    }

    /// Copies a file, and retries if what it lacked (descriptors, space) is available now. Only the last attempt
    /// counts.
    fn copy_content(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        how: (Existing, bool),
        mut opened: Option<Source<P>>,
    ) -> Result<(), Error> {
        let space_retry = &self.session.space_retry;
        let mut tries = space_retry.tries();
        loop {
            let writing = (src.stat.size >= LARGE_BYTES).then(|| space_retry.write());
            let mut tried = AttemptOutcome::default();
            let mut copied = self.open_and_copy(entry, src, how, opened.take(), &mut tried);
            if let Err(error) = &copied
                && self.retry_after_emfile(entry, error.operation(), error.cause())
            {
                tried = AttemptOutcome::default();
                copied = self.open_and_copy(entry, src, how, None, &mut tried);
            }
            drop(writing);
            match copied {
                Err(error)
                    if self.retry_after_enospc(entry, (&src.stat, how.0), &error, &mut tries) => {}
                copied => {
                    self.finish_entry(entry, tried);
                    return copied;
                }
            }
        }
    }

    /// Counts the result of the last attempt, and reports the attributes that could not be kept.
    fn finish_entry(&mut self, entry: &Entry<'_, P>, mut tried: AttemptOutcome) {
        self.tell_failures(entry, std::mem::take(&mut tried.failures));
        self.summary.add_report(&tried.report);
    }

    /// Reports the attributes that could not be kept. The same failure is reported once: some attributes are set
    /// twice, on a draft and in place, or before and after a copy is read back.
    pub(super) fn tell_failures(&self, entry: &Entry<'_, P>, failures: Vec<FileError>) {
        let mut told: Vec<FileError> = Vec::new();
        for error in failures {
            if !told.iter().any(|it| it.says_as_much(&error)) {
                told.push(error);
            }
        }
        for error in told {
            self.session.fail(self.session.file_error(entry, error));
        }
    }

    /// Copies a file that was examined, and opens it unless it is open.
    fn open_and_copy(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        how: (Existing, bool),
        opened: Option<Source<P>>,
        tried: &mut AttemptOutcome,
    ) -> Result<(), Error> {
        let mut source = match opened {
            Some(source) => source,
            None => {
                let kind = Some(src.stat.kind);
                let opening = open_source(self.session.platform, entry.src_at(), src.follow, kind);
                opening.map_err(|error| self.session.file_error(entry, error))?
            }
        };
        if source.stat.id != src.stat.id {
            return Err(self.session.refuse(entry, Refusal::Replaced));
        }
        if source.stat.kind != FileKind::Regular {
            source.stat = src.stat; // opening a FIFO lets its writer continue, which changes its times
        }
        if source.stat.size >= LARGE_BYTES {
            self.leave_rest();
        }
        self.session.remove_leftovers_beside(entry);
        self.session.note_volume_beside(entry)?;
        self.copy_file(entry, &mut source, how, tried)?;
        self.session.platform.close_quietly(source.handle);
        Ok(())
    }

    fn copy_file(
        &mut self,
        entry: &Entry<'_, P>,
        source: &mut Source<P>,
        (existing, replaces): (Existing, bool),
        tried: &mut AttemptOutcome,
    ) -> Result<(), Error> {
        let session = self.session;
        let is_elsewhere = attributes::is_elsewhere(session.platform.os(), &source.stat);
        if is_elsewhere && !entry.is_operand() && !session.options.attributes_only {
            return Err(session.refuse(entry, Refusal::NotLocal));
        }
        let destination = Destination {
            at: entry.dst_at(),
            existing,
            replaces,
            may_have_acl: entry.dir.gives_acl,
            is_operand: entry.is_operand(),
            path: (session.journal.is_some() && source.stat.size >= PART_BYTES)
                .then(|| entry.dst()),
        };
        let mut copier = FileCopier {
            platform: session.platform,
            options: session.options,
            context: session.context,
            pairs: &session.pairs,
            buffers: &mut self.buffers,
            thread_budget: &session.thread_budget,
            others_at_work: session.schedule.others_at_work(),
            temp_files: &session.temp_files,
            journal: session.journal.as_ref(),
        };
        let stays = matches!(existing, Existing::Nothing | Existing::File);
        let volume = source.stat.id.volume;
        let known_pair = entry.dir.pair.as_ref();
        let AttemptOutcome { report, failures } = tried;
        let result = copier.copy(&mut OneFile {
            src: source,
            dst: &destination,
            known_pair: known_pair.filter(|it| stays && it.src.id == volume),
            report,
            failures,
        });
        result.map_err(|error| {
            session
                .file_error(entry, error)
                .with_attempts(&report.attempts)
        })?;
        self.summary.files += 1;
        let mut is_checked = true;
        if !tried.failures.is_empty() {
            is_checked = !tried.failures.iter().any(FileError::is_about_checking);
            self.tell_failures(entry, std::mem::take(&mut tried.failures));
        }
        let is_whole = source.stat.kind == FileKind::Regular && is_checked;
        self.tell_copied(entry, (existing, is_whole), &source.stat, &tried.report);
        Ok(())
    }

    /// The file is complete: notes it in the journal, and reports it.
    fn tell_copied(
        &self,
        entry: &Entry<'_, P>,
        (existing, is_whole): (Existing, bool),
        src: &Stat,
        report: &Report,
    ) {
        let session = self.session;
        let is_whole = is_whole && report.changed.is_none();
        let is_noted = session.journal.is_some() && !matches!(existing, Existing::LinkToFile(_));
        if is_whole && is_noted {
            session.note_done(entry, src);
        }
        if let Some(code) = report.in_place
            && !session.in_place_told.swap(true, Ordering::Relaxed)
        {
            let warning = Warning::WroteInPlace {
                dst: entry.dst(),
                code,
            };
            session.context.observer.event(Event::Warning(&warning));
        }
        if let Some(changed) = report.changed {
            session
                .context
                .observer
                .event(Event::Warning(&Warning::Changed {
                    src: entry.src(),
                    size_before: changed.size_before,
                    size_after: changed.size_after,
                }));
        }
        session.context.observer.event(Event::File {
            paths: entry,
            report,
        });
    }
}
