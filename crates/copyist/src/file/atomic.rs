//! Atomic copies: a file gets its name when it is complete, so no other process sees a part of it, and a file that it
//! replaces keeps its content until then.
//!
//! ```text
//! name is free:     nameless file ---------------------- name ----> the name
//! name is taken:    nameless file -- lock, name --> temporary -- rename --> the name
//! not possible:     temporary, locked ------------------ rename --> the name
//! ```
//!
//! A magic link (`/dev/stdout`, `/proc/self/fd/3`) refers to an open file, which can't be replaced: it is written into.
//!
//! A temporary that a killed run has left is not locked: the next run removes it ([`crate::tree`]).

use crate::run::step::since;
use crate::system::parent::parent_dir;
use std::ffi::OsStr;
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use super::attributes::{Attributes, CreateMode, CreatedState, Failed, remove_capability};
use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::follow::resolve;
use super::journal::PartialJournal;
use super::source::Source;
use super::target::{Destination, Existing, Opened, ResumeState};
use super::temp_file::{Temporary, remove_closed};
use super::verify::report_unchecked;
use super::verify_draft::Complete;
use crate::run::progress_sink::ProgressSink;
use crate::system::{At, Attribute, Open, Platform, Target};
use crate::think::rules;
use crate::words::error::{Operation, Refusal};
use crate::words::facts::FsKind;
use crate::words::options::{Force, Options, Preserve, Want};
use crate::words::report::Report;
use crate::words::stat::{FileKind, Stat};

/// The number of temporary names that are tried if one exists already.
const NAMES: u32 = 8;

/// A file that is not complete.
struct Draft<P: Platform> {
    opened: Opened<P>,
    /// `None` while it has no name.
    temporary: Option<Temporary>,
    /// Everything before this offset is in place, from an earlier run.
    offset: u64,
}

/// What has the name that the file will get.
pub(super) enum Old {
    /// Nothing: then nothing may be replaced.
    Nothing,
    /// Anything, which is replaced.
    Any,
    /// A file whose attributes are kept where the source's are not wanted, as if it were written into.
    Kept(Stat),
}

/// Where the file is published.
struct Published<'a, 'd, P: Platform> {
    at: At<'a, P>,
    old: Old,
    dst: &'a Destination<'d, P>,
}

/// What became of an attempt to give a file its name.
enum Naming {
    Done,
    /// The file has its temporary name too.
    Linked,
    /// Not possible with a nameless file.
    NotNameless,
}

impl<'a, P: Platform> FileCopier<'a, P> {
    /// [`FileCopier::copy`], where the destination is a file or nothing.
    pub(super) fn copy_atomic(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let start = self.context.now();
        let dst = file.dst;
        let name = match dst.existing {
            Existing::LinkToFile(_) => resolve(self.platform, dst.at)
                .map_err(|code| FileError::system(Operation::OpenDestination, code))?,
            _ => Some(dst.at.name.to_os_string()),
        };
        let Some(name) = name else {
            return self.copy_in_place(file);
        };
        let at = At {
            dir: dst.at.dir,
            name: &name,
        };
        let Some(old) = self.look_at_replaced(&file.src.stat, at, dst)? else {
            return self.copy_in_place(file);
        };
        if !matches!(old, Old::Nothing) {
            self.check_names(at)?;
        }
        let published = Published { at, old, dst };
        let mut result = Ok(Naming::NotNameless);
        while let Ok(Naming::NotNameless) = result {
            *file.report = Report::default();
            let (draft, progress_sink) = self.begin_draft(&file.src.stat, &published)?;
            let progress_sink = progress_sink.map(Mutex::new);
            let draft = (draft, progress_sink.as_ref());
            result = self.finish_draft(file, draft, &published);
        }
        file.report.elapsed = since(start);
        result.map(|_| ())
    }

    /// What will be replaced; `None` if it must be written into.
    pub(super) fn look_at_replaced(
        &self,
        src: &Stat,
        at: At<'_, P>,
        dst: &Destination<'_, P>,
    ) -> Result<Option<Old>, FileError> {
        if matches!(dst.existing, Existing::Stream { .. }) {
            return Ok(None);
        }
        if dst.existing == Existing::Nothing {
            return Ok(Some(if dst.replaces { Old::Any } else { Old::Nothing }));
        }
        let os = self.platform.os();
        let stat = match self.platform.stat(at, false) {
            // It was removed meanwhile, so a new file is made.
            Err(code) if rules::is_not_found(os, code) => return Ok(Some(Old::Nothing)),
            stat => stat.map_err(|code| FileError::system(Operation::StatDestination, code))?,
        };
        if stat.kind != FileKind::Regular {
            return Ok(None); // a device or a FIFO takes the data
        }
        if matches!(dst.existing, Existing::LinkToFile(id) if id != stat.id) {
            return Err(FileError::refused(Refusal::Replaced));
        }
        if stat.is_same_file(src) {
            return Err(FileError::refused(Refusal::SameFile));
        }
        // A file that may not be written to is protected, although its directory allows a replacement.
        if self.platform.may_write(at) {
            return Ok(Some(Old::Kept(stat)));
        }
        match self.options.force {
            Force::No => Err(FileError::system(
                Operation::OpenDestination,
                rules::access_denied(os),
            )),
            Force::IfNeeded | Force::RemoveFirst => Ok(Some(Old::Any)),
        }
    }

    /// Opens a new file in the directory of the destination, or the part that an earlier run has left.
    fn begin_draft(
        &self,
        src: &Stat,
        to: &Published<'_, '_, P>,
    ) -> Result<(Draft<P>, Option<PartialJournal<'a, P>>), FileError> {
        let Published { at, ref old, dst } = *to;
        let plan = self.create_mode(src);
        let (Some(journal), Some(path)) = (self.journal, &dst.path) else {
            // If the nameless file can't get a name, the source is read again.
            let is_readable_again = src.kind == FileKind::Regular;
            let mut draft = self.open_draft(plan, to, is_readable_again)?;
            self.expect_old(old, &mut draft);
            return Ok((draft, None));
        };
        let mut progress_sink = PartialJournal::new(journal, path, src);
        let mut draft = match progress_sink.resume(at, path) {
            Some(resumed) => Draft {
                opened: Opened {
                    handle: resumed.handle,
                    made: plan.private().made(dst.may_have_acl),
                    streams: false,
                    old: None,
                },
                temporary: Some(resumed.temporary),
                offset: resumed.offset,
            },
            None => self.open_named(plan, to)?,
        };
        self.expect_old(old, &mut draft);
        if let Some(temporary) = draft.temporary {
            progress_sink.keeps(temporary);
        }
        Ok((draft, Some(progress_sink)))
    }

    /// A new file that gets the permissions of an old one is not given others first.
    fn expect_old(&self, old: &Old, draft: &mut Draft<P>) {
        if matches!(old, Old::Kept(_)) && !self.options.preserve.mode {
            draft.opened.made = draft.opened.made.without_mode();
        }
    }

    /// Opens a new file in the directory of the destination, nameless if possible.
    fn open_draft(
        &self,
        plan: CreateMode,
        to: &Published<'_, '_, P>,
        is_readable_again: bool,
    ) -> Result<Draft<P>, FileError> {
        let (at, may_have_acl) = (to.at, to.dst.may_have_acl);
        let no_nameless = &self.temp_files.no_nameless;
        if !is_readable_again || no_nameless.load(Ordering::Relaxed) {
            return self.open_named(plan, to);
        }
        let nameless = match to.old {
            Old::Kept(_) => plan, // it gets the permissions of the old file
            Old::Nothing | Old::Any => plan.nameless(may_have_acl),
        };
        let how = Open::Nameless {
            mode: nameless.mode,
        };
        if let Ok(handle) = self.platform.open(parent_dir(at), how) {
            return self.as_draft(handle, None, nameless, may_have_acl);
        }
        // Whatever the reason: an error that is not about nameless files occurs with a named one too.
        let draft = self.open_named(plan, to)?;
        no_nameless.store(true, Ordering::Relaxed);
        Ok(draft)
    }

    /// Opens a new file with a temporary name there.
    fn open_named(
        &self,
        plan: CreateMode,
        to: &Published<'_, '_, P>,
    ) -> Result<Draft<P>, FileError> {
        let os = self.platform.os();
        let (at, may_have_acl) = (to.at, to.dst.may_have_acl);
        if matches!(to.old, Old::Nothing) {
            self.check_names(at)?; // otherwise checked before
        }
        let plan = match to.old {
            Old::Kept(_) => plan.private(),
            Old::Nothing | Old::Any => plan.for_new_draft(),
        };
        for _ in 0..NAMES {
            let made = Temporary::new();
            let name = made.beside(at.name);
            let temporary = At {
                dir: at.dir,
                name: &name,
            };
            let how = Open::CreateDraft { mode: plan.mode };
            match self.platform.open(temporary, how) {
                Err(code) if rules::is_taken(os, code) => {}
                opened => {
                    let handle = opened.map_err(|code| self.explain_create(at, code))?;
                    if self.holds(&handle, temporary) {
                        let draft = self.as_draft(handle, Some(made), plan, may_have_acl);
                        return draft.inspect_err(|_| self.remove_draft(at.dir, &name));
                    }
                    self.platform.close_quietly(handle);
                    self.remove_draft(at.dir, &name);
                }
            }
        }
        Err(FileError::system(Operation::CreateFile, rules::taken(os)))
    }

    /// Locks a new temporary. It is not held if another run took it for a leftover, and removed it before it was
    /// locked; some filesystems don't count the names of a file. Where files can't be locked, none is taken for a
    /// leftover.
    fn holds(&self, handle: &P::Handle, at: At<'_, P>) -> bool {
        match self.platform.lock(handle) {
            Ok(false) => false,
            Ok(true) => self
                .platform
                .stat_open(handle)
                .is_ok_and(|stat| stat.links > 0 || self.platform.stat(at, false).is_ok()),
            Err(_) => true,
        }
    }

    fn as_draft(
        &self,
        handle: P::Handle,
        temporary: Option<Temporary>,
        plan: CreateMode,
        may_have_acl: bool,
    ) -> Result<Draft<P>, FileError> {
        let opened = Opened {
            handle,
            made: plan.made(may_have_acl),
            streams: false,
            old: None,
        };
        if let Some(mode) = plan.chmod_after {
            self.platform
                .set(Target::Open(&opened.handle), Attribute::Mode(mode))
                .map_err(|code| FileError::system(Operation::SetMode, code))?;
        }
        Ok(Draft {
            opened,
            temporary,
            offset: 0,
        })
    }

    /// Fills the new file and gives it its name. A file that can't be completed is removed.
    fn finish_draft(
        &mut self,
        file: &mut OneFile<'_, P>,
        (draft, progress_sink): (Draft<P>, Option<&Mutex<PartialJournal<'a, P>>>),
        to: &Published<'_, '_, P>,
    ) -> Result<Naming, FileError> {
        let (opened, offset) = (draft.opened, draft.offset);
        let name = draft.temporary.map(|it| it.beside(to.at.name));
        let kept = ResumeState {
            progress_sink: progress_sink.map(|it| it as &dyn ProgressSink<P>),
            offset,
        };
        let filled = self.fill(file, &opened, kept).and_then(|hash| {
            let src = &*file.src;
            let unfit = self.copy_draft_attributes(src, &opened, to, file.failures);
            self.flush(&opened.handle, to.dst)?;
            self.prove(src, &opened, file.report);
            let read_back = self.prepare_read_back(src, &opened, hash, file.report)?;
            let known = file.known_pair.as_ref().map(|it| it.dst.kind);
            if !known.is_some_and(FsKind::closes_without_errors) {
                self.platform
                    .check_close_errors(&opened.handle)
                    .map_err(|code| FileError::system(Operation::CloseDestination, code))?;
            }
            Ok((read_back, unfit))
        });
        let temporary = name.as_deref().map(|name| At {
            dir: to.at.dir,
            name,
        });
        let complete = match filled {
            Ok((it, unfit)) => self
                .check_draft(file, (opened, temporary), it.as_deref())
                .map(|(draft, checked)| (draft, checked, unfit)),
            Err(error) => {
                // The earlier failure is reported.
                let _ = self.close(opened);
                Err(error)
            }
        };
        let has_noted = progress_sink.is_some_and(PartialJournal::has_noted);
        match complete {
            Ok((draft, checked, unfit)) => {
                let draft = (draft, has_noted, unfit);
                let named = self.name_draft(file, draft, to);
                if matches!(named, Ok(Naming::Done | Naming::Linked)) {
                    report_unchecked(checked, file.report, file.failures)?;
                }
                named
            }
            Err(error) => {
                if let (Some(temporary), true) = (temporary, error.is_bad_copy() || !has_noted) {
                    self.remove_draft(temporary.dir, temporary.name);
                }
                Err(error)
            }
        }
    }

    /// Gives a draft the source's attributes, and those of the file it replaces that are kept. Returns the reason if
    /// it can't replace that file.
    fn copy_draft_attributes(
        &mut self,
        src: &Source<P>,
        draft: &Opened<P>,
        to: &Published<'_, '_, P>,
        failures: &mut Vec<FileError>,
    ) -> Option<FileError> {
        let before = failures.len();
        let refused = self.copy_attributes(src, draft, failures);
        let unfit = match &to.old {
            Old::Kept(old) => {
                let dst = Target::Open(&draft.handle);
                let kept = self.keep_old((Target::Named(to.at), old), dst, failures);
                let refused = kept.or(refused);
                refused.and_then(|it| self.unfit(it, (to.at, old), dst))
            }
            Old::Nothing | Old::Any => None,
        };
        // Attributes that a rejected draft lacks don't matter.
        if unfit.is_some() {
            failures.truncate(before);
        }
        unfit
    }

    /// Gives a complete draft its name, unless it is unfit, and closes it. A draft that gets no name is removed,
    /// unless the journal has it. If the source was a stream, which can't be read again, the draft is then copied in
    /// place.
    fn name_draft(
        &mut self,
        file: &mut OneFile<'_, P>,
        (draft, has_noted, unfit): (Complete<'_, P>, bool, Option<FileError>),
        to: &Published<'_, '_, P>,
    ) -> Result<Naming, FileError> {
        let result = match (unfit, &draft) {
            (Some(error), _) => Err(error),
            (None, Complete::Nameless(handle)) => self.publish_nameless(handle, to),
            (None, Complete::Named(at, handle)) => self.publish_named(*at, handle.is_some(), to),
        };
        let in_place = result.as_ref().err();
        let in_place = in_place.and_then(|error| self.in_place_instead(error));
        let (temporary, handle) = match draft {
            Complete::Nameless(handle) => (None, Some(handle)),
            Complete::Named(at, handle) => (Some(at), handle),
        };
        // The next run resumes a draft in the journal, unless it was published under a second name.
        let is_kept = has_noted && in_place.is_none() && result.is_err();
        let unneeded = temporary.filter(|_| !matches!(result, Ok(Naming::Done)) && !is_kept);
        let remove = |it: &Self| {
            if let Some(at) = unneeded {
                it.remove_draft(at.dir, at.name);
            }
        };
        let is_stream = file.src.stat.kind != FileKind::Regular;
        let handle = match (in_place, handle) {
            (Some(code), Some(handle)) if is_stream => {
                let written = self.write_from_draft(file, (handle, code));
                remove(self);
                return written.map(|()| Naming::Done);
            }
            (_, handle) => handle,
        };
        // Closed first: some mounts can't remove the name of an open file.
        let closed = match handle {
            Some(handle) if in_place.is_some() => {
                self.platform.close_quietly(handle); // not the copy
                Ok(())
            }
            Some(handle) => self.platform.close(handle),
            None => Ok(()),
        };
        remove(self);
        if matches!(result, Ok(Naming::Done | Naming::Linked)) {
            closed.map_err(|code| FileError::system(Operation::CloseDestination, code))?;
            self.sync_parent_dir(to.at, to.dst)?;
        }
        result
    }

    /// Renames a complete draft. One that could not be opened for reading may not be visible yet.
    fn publish_named(
        &self,
        at: At<'_, P>,
        was_found: bool,
        to: &Published<'_, '_, P>,
    ) -> Result<Naming, FileError> {
        let replaces = !matches!(to.old, Old::Nothing);
        let renamed = if was_found {
            self.rename(at, to.at, replaces)
        } else {
            self.rename_late(at, to.at, replaces)
        };
        match renamed {
            Err(error) if !replaces && self.links_instead(at, to.at, &error) => Ok(Naming::Linked),
            renamed => renamed.map(|()| Naming::Done),
        }
    }

    fn publish_nameless(
        &self,
        file: &P::Handle,
        to: &Published<'_, '_, P>,
    ) -> Result<Naming, FileError> {
        let os = self.platform.os();
        let replaces = !matches!(to.old, Old::Nothing);
        let failed = |code| FileError::system(Operation::Replace, code);
        let temporary = replaces.then(|| Temporary::new().beside(to.at.name));
        let at = At {
            dir: to.at.dir,
            name: temporary.as_deref().unwrap_or(to.at.name),
        };
        if replaces {
            // Where files can't be locked, none is taken for a leftover.
            let _ = self.platform.lock(file);
        }
        match self.platform.name(file, at) {
            Ok(()) => {}
            Err(code) if rules::is_taken(os, code) => return Err(self.explain_create(at, code)),
            // Without procfs, or where the filesystem refuses, files get a temporary name from the start.
            Err(code)
                if rules::is_unsupported(os, code)
                    || rules::is_not_permitted(os, code)
                    || rules::is_not_found(os, code) =>
            {
                // Another worker may have found that in the meantime. From now on no file is nameless.
                self.temp_files.no_nameless.store(true, Ordering::Relaxed);
                return Ok(Naming::NotNameless);
            }
            Err(code) => return Err(failed(code)),
        }
        if replaces {
            self.platform.rename(at, to.at).map_err(|code| {
                self.remove_draft(at.dir, at.name);
                self.note_irreplaceable(to.at, code);
                failed(code)
            })?;
        }
        Ok(Naming::Done)
    }

    /// Removes a closed file. The earlier failure is reported; if this fails too, the next run removes the file.
    pub(super) fn remove_draft(&self, dir: &P::Handle, name: &OsStr) {
        let _ = remove_closed(self.platform, At { dir, name });
    }

    /// Gives a new file the attributes that an old one keeps when it is written into: all that are not the source's,
    /// except set-id bits and capabilities, which belong to the old content. Returns the failure to set the
    /// permissions, if there was one.
    pub(super) fn keep_old(
        &mut self,
        (old, stat): (Target<'_, P>, &Stat),
        dst: Target<'_, P>,
        failures: &mut Vec<FileError>,
    ) -> Option<Failed> {
        let wanted = self.options.preserve;
        let kept = Options {
            preserve: Preserve {
                mode: !wanted.mode,
                acl: !wanted.mode,
                owner: !wanted.owner,
                xattrs: if wanted.xattrs.wanted() {
                    Want::No
                } else {
                    Want::BestEffort
                },
                ..Preserve::default()
            },
            ..self.options.clone()
        };
        let refused = Attributes {
            platform: self.platform,
            options: &kept,
            src: old,
            src_stat: &Stat {
                mode: stat.mode & 0o1777,
                ..*stat
            },
            dst,
            made: CreatedState::before(),
            buffers: self.buffers,
        }
        .apply(&mut |failed| failures.push(failed.into()));
        if kept.preserve.xattrs.wanted() {
            remove_capability(self.platform, dst, self.buffers)
                .unwrap_or_else(|failed| failures.push(failed.into()));
        }
        refused
    }
}
