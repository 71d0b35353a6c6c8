//! What to do where the destination's name is taken.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use copyist_sys::name_prefix;

use super::backup;
use super::dir::{Entry, Role};
use super::engine::base_name;
use super::walk::Worker;
use crate::file::follow::resolve;
use crate::file::target::Existing;
use crate::file::temp_file::Temporary;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Open, Platform};
use crate::think::rules;
use crate::think::same_file;
use crate::think::same_file::{Relation, Sameness};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer::{Event, PathSource, Question};
use crate::words::options::{Backup, Force, Make, Update};
use crate::words::stat::{FileKind, Stat};

/// What is to be copied, as it was looked at.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceStat {
    pub(super) stat: Stat,
    /// Symbolic links were followed.
    pub(super) follow: bool,
}

/// How the destination stands.
#[derive(Debug)]
pub(super) enum Disposition {
    /// The name is free, or was made free; the old version may have been moved to a backup.
    Free { backup: Option<OsString> },
    /// What has the name is replaced by a new file, in one step ([`crate::Options::atomic`]); the
    /// old version may have a backup's name too.
    Anew { backup: Option<OsString> },
    /// There is a file to write into.
    Into(Existing),
    /// It is to be left as it is.
    Leave,
    /// It is not older than the source, and left; but it counts as the source's copy, for other
    /// names of the source to be linked to.
    Newer,
}

impl<P: Platform> Worker<'_, '_, P> {
    /// Looks at the destination of something that is not a directory, and makes room for it.
    #[inline(always)] // as `Worker::try_plain`
    pub(super) fn resolve_destination(
        &self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
    ) -> Result<Disposition, Error> {
        if entry.dir.made.is_empty() {
            return Ok(Disposition::Free { backup: None });
        }
        let Some(link) = self.stat_destination(entry, false)? else {
            return Ok(Disposition::Free { backup: None });
        };
        let is_link = link.kind == FileKind::Symlink;
        let followed = is_link && !self.replaces_link(entry, src.stat.kind);
        let was_made = followed && self.session.was_made(link.id, entry);
        let through = || {
            let refusal = Refusal::ThroughJustCreatedSymlink;
            Err(self.session.refuse(entry, refusal))
        };
        let target = if followed {
            self.stat_behind_link(entry, &link)?
        } else {
            Some(link)
        };
        // A link to nothing: making the file will tell what to do about it.
        let Some(dst) = target else {
            if was_made {
                return through();
            }
            let by_hand = self.session.options.write_through_dangling;
            if followed && by_hand && self.is_foreign(entry, &link, None) {
                return Err(self.session.refuse(entry, Refusal::ForeignSymlink));
            }
            return Ok(Disposition::Free { backup: None });
        };
        let never = matches!(self.session.options.update, Update::None | Update::NoneFail);
        match self.sameness(entry, src, &link, &dst) {
            // What is never replaced need not be different.
            _ if never => {}
            Sameness::Done => return Ok(Disposition::Leave),
            Sameness::Same => return Err(self.session.refuse(entry, Refusal::SameFile)),
            Sameness::Distinct => {}
        }
        if let Some(left) = self.is_left(entry, src, &dst)? {
            self.session
                .context
                .observer
                .event(Event::Skipped { paths: entry });
            return Ok(left);
        }
        if was_made {
            return through();
        }
        if dst.kind == FileKind::Directory {
            // With backups cp lets the system say that a directory is in the way.
            return match self.session.options.backup {
                Backup::None => Err(self.session.refuse(entry, Refusal::FileOverDirectory)),
                _ => Ok(Disposition::Into(Existing::File)),
            };
        }
        if self.session.options.backup != Backup::Numbered && self.session.was_made(dst.id, entry) {
            return Err(self.session.refuse(entry, Refusal::JustCreated));
        }
        self.replace(entry, src, &link, &dst)
    }

    /// The destination; `None` if nothing has its name.
    #[inline(always)] // as `Worker::try_plain`
    fn stat_destination(&self, entry: &Entry<'_, P>, follow: bool) -> Result<Option<Stat>, Error> {
        let session = self.session;
        match session.platform.stat(entry.dst_at(), follow) {
            Ok(stat) => Ok(Some(stat)),
            Err(code) if rules::is_not_found(session.platform.os(), code) => Ok(None),
            Err(code) => Err(session.error(entry, Operation::StatDestination, Cause::System(code))),
        }
    }

    /// What a symbolic link at the destination leads to. One that leads nowhere but to itself can
    /// be removed, with `-f`, like anything else that can't be opened.
    fn stat_behind_link(&self, entry: &Entry<'_, P>, link: &Stat) -> Result<Option<Stat>, Error> {
        let platform = self.session.platform;
        match platform.stat(entry.dst_at(), true) {
            Err(code)
                if rules::is_link_loop(platform.os(), code)
                    && self.session.options.force == Force::IfNeeded =>
            {
                Ok(Some(*link))
            }
            _ => self.stat_destination(entry, true),
        }
    }

    /// Whether a symbolic link at the destination is itself replaced, rather than written through.
    fn replaces_link(&self, entry: &Entry<'_, P>, src: FileKind) -> bool {
        let options = self.session.options;
        !self.reads_content(entry, src)
            || options.make != Make::Copy
            || options.backup != Backup::None
            || options.force == Force::RemoveFirst
    }

    /// Whether copying this means reading it, and not making another of its kind.
    pub(super) fn reads_content(&self, entry: &Entry<'_, P>, kind: FileKind) -> bool {
        let options = self.session.options;
        match kind {
            FileKind::Regular => true,
            FileKind::Directory | FileKind::Symlink => false,
            _ => !options.recursive || options.copy_contents || self.reads_open_file(entry),
        }
    }

    fn sameness(
        &self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        link: &Stat,
        dst: &Stat,
    ) -> Sameness {
        let platform = self.session.platform;
        let src_link = if src.follow {
            platform.stat(entry.src_at(), false).unwrap_or(src.stat)
        } else {
            src.stat
        };
        let resolve = |at, stat: Stat| {
            if stat.kind == FileKind::Symlink {
                platform.stat(at, true).ok()
            } else {
                Some(stat)
            }
        };
        let (src_end, dst_end) = (
            resolve(entry.src_at(), src_link),
            resolve(entry.dst_at(), *link),
        );
        let same_target = match (src_end, dst_end) {
            (Some(src), Some(dst)) => src.is_same_file(&dst),
            _ => false,
        };
        let same_inode = src_link.is_same_file(link);
        let relation = Relation {
            follows: src.follow,
            same_file: src.stat.is_same_file(dst),
            same_inode,
            same_entry: same_inode && self.is_same_entry(entry),
            same_target,
            src_is_link: src_link.kind == FileKind::Symlink,
            dst_is_link: link.kind == FileKind::Symlink,
            dst_names: link.links,
        };
        same_file::judge(relation, self.session.options)
    }

    /// Whether source and destination are one name in one directory.
    fn is_same_entry(&self, entry: &Entry<'_, P>) -> bool {
        let platform = self.session.platform;
        let place = |at| platform.stat(parent_dir(at), true);
        base_name(entry.src_name) == base_name(entry.dst_name)
            && matches!(
                (place(entry.src_at()), place(entry.dst_at())),
                (Ok(src), Ok(dst)) if src.is_same_file(&dst)
            )
    }

    /// Whether the options, or the user, want the existing destination left alone.
    fn is_left(
        &self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        dst: &Stat,
    ) -> Result<Option<Disposition>, Error> {
        let options = self.session.options;
        match options.update {
            Update::Older
                if dst.modified >= src.stat.modified || self.is_as_kept(entry, &src.stat, dst) =>
            {
                return Ok(Some(Disposition::Newer));
            }
            Update::None => return Ok(Some(Disposition::Leave)),
            Update::NoneFail => return Err(self.session.refuse(entry, Refusal::NotReplacing)),
            Update::All | Update::Older => {}
        }
        if options.interactive && !self.is_allowed(entry, dst) {
            return Err(self.session.refuse(entry, Refusal::Declined));
        }
        Ok(None)
    }

    fn is_allowed(&self, entry: &Entry<'_, P>, dst: &Stat) -> bool {
        let session = self.session;
        let writable = dst.kind == FileKind::Symlink || session.platform.may_write(entry.dst_at());
        session.context.observer.may_replace(Question {
            paths: entry,
            unwritable_mode: (!writable).then_some(dst.mode),
            removes: session.options.force != Force::No,
        })
    }

    fn replace(
        &self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
        link: &Stat,
        dst: &Stat,
    ) -> Result<Disposition, Error> {
        let options = self.session.options;
        let replaces = Event::Replaces { paths: entry };
        self.session.context.observer.event(replaces);
        let publishes = options.atomic.wanted()
            && options.make == Make::Copy
            && !options.attributes_only
            && !options.write_through_dangling
            && self.reads_content(entry, src.stat.kind);
        if publishes
            && options.backup != Backup::None
            && let Some(backup) = self.link_aside(entry, &src.stat, link)?
        {
            return Ok(Disposition::Anew {
                backup: Some(backup),
            });
        }
        if options.backup != Backup::None {
            let backup = self.move_aside(entry, &src.stat)?;
            return Ok(Disposition::Free {
                backup: Some(backup),
            });
        }
        // A link can't be made under a name that is taken, and no FIFO can be written into one;
        // writing into a file of several names would change them all.
        let is_link = link.kind == FileKind::Symlink;
        let has_names = options.preserve.links && dst.links > 1;
        let makes_anew = !options.attributes_only
            && ((has_names && !(is_link && self.leads_to_open_file(entry)))
                || (!src.follow && src.stat.kind != FileKind::Regular));
        let links_by_force = options.make != Make::Copy && options.force != Force::No;
        if publishes && (options.force == Force::RemoveFirst || makes_anew) {
            return Ok(Disposition::Anew { backup: None });
        }
        if options.force == Force::RemoveFirst || makes_anew || links_by_force {
            self.remove_existing(entry)?;
            return Ok(Disposition::Free { backup: None });
        }
        if is_link && self.is_foreign(entry, link, Some(dst)) {
            return Err(self.session.refuse(entry, Refusal::ForeignSymlink));
        }
        Ok(Disposition::Into(match dst.kind {
            FileKind::Regular if is_link => Existing::LinkToFile(dst.id),
            FileKind::Regular | FileKind::Directory | FileKind::Symlink => Existing::File,
            _ if entry.role == Role::Found => {
                return Err(self.session.refuse(entry, Refusal::NotRegularFile));
            }
            _ => Existing::Stream { follow: is_link },
        }))
    }

    /// Whether a symbolic link leads to an open file, which is written into: what has its name, if
    /// it has one, is no business of the link's.
    fn leads_to_open_file(&self, entry: &Entry<'_, P>) -> bool {
        matches!(resolve(self.session.platform, entry.dst_at()), Ok(None))
    }

    /// Whether a symbolic link in a tree was put there by somebody who could not write to what it
    /// leads to himself: a superuser must not do it for him. Who copies into a directory of another
    /// user would otherwise overwrite whatever that user likes.
    fn is_foreign(&self, entry: &Entry<'_, P>, link: &Stat, target: Option<&Stat>) -> bool {
        let is_root = self.session.platform.is_privileged();
        let is_owners = target.is_some_and(|target| target.uid == link.uid);
        is_root && entry.role == Role::Found && link.uid != 0 && !is_owners
    }

    pub(super) fn remove_existing(&self, entry: &Entry<'_, P>) -> Result<(), Error> {
        let failed = |code| {
            self.session
                .error(entry, Operation::Remove, Cause::System(code))
        };
        self.take_away(entry).map_err(failed)
    }

    /// `-f` was given.
    pub(super) fn forces(&self) -> bool {
        self.session.options.force == Force::IfNeeded
    }

    pub(super) fn take_away(&self, entry: &Entry<'_, P>) -> Result<(), Code> {
        let session = self.session;
        match session.platform.remove(entry.dst_at(), false) {
            Ok(()) => {
                let removed = Event::Removed { paths: entry };
                session.context.observer.event(removed);
                Ok(())
            }
            Err(code) if rules::is_not_found(session.platform.os(), code) => Ok(()),
            Err(code) => Err(code),
        }
    }

    /// Makes something under the destination's name. With `replaces`, what has that name is removed.
    pub(super) fn make_or_replace(
        &self,
        entry: &Entry<'_, P>,
        operation: Operation,
        replaces: bool,
        make: impl Fn() -> Result<(), Code>,
    ) -> Result<(), Error> {
        let made = match make() {
            Err(code) if rules::is_taken(self.session.platform.os(), code) && replaces => {
                self.take_away(entry).and_then(|()| make())
            }
            made => made,
        };
        made.map_err(|code| self.session.error(entry, operation, Cause::System(code)))
    }

    /// Renames the destination to its backup, whose name (with the destination's path) it answers.
    pub(super) fn move_aside(&self, entry: &Entry<'_, P>, src: &Stat) -> Result<OsString, Error> {
        let backup = self.backup_name(entry, src)?;
        let backup_at = At {
            dir: &entry.open.dst,
            name: &backup,
        };
        let renamed = self.session.platform.rename(entry.dst_at(), backup_at);
        renamed.map_err(|code| {
            let cause = Cause::System(code);
            self.session.error(entry, Operation::MakeBackup, cause)
        })?;
        Ok(backup)
    }

    /// Gives the destination its backup's name too, so that it has its own until it is replaced;
    /// `None` where a file can't have two, or not lose one again.
    fn link_aside(
        &self,
        entry: &Entry<'_, P>,
        src: &Stat,
        old: &Stat,
    ) -> Result<Option<OsString>, Error> {
        let platform = self.session.platform;
        if platform.kept_names(parent_dir(entry.dst_at())).has(old) {
            return Ok(None);
        }
        let backup = self.backup_name(entry, src)?;
        let at = |name| At {
            dir: &entry.open.dst,
            name,
        };
        let link = Node::HardLink {
            to: entry.dst_at(),
            follow: false,
        };
        if platform.make(at(&backup), link).is_ok() {
            return Ok(Some(backup));
        }
        let temporary = Temporary::new().beside(&backup);
        // An older backup of that name is replaced.
        if platform.make(at(&temporary), link).is_err() {
            return Ok(None);
        }
        let renamed = platform.rename(at(&temporary), at(&backup));
        // Two names of one file are left both by a rename.
        let _ = platform.remove(at(&temporary), false);
        renamed.map_err(|code| {
            let cause = Cause::System(code);
            self.session.error(entry, Operation::MakeBackup, cause)
        })?;
        Ok(Some(backup))
    }

    /// The destination was not replaced after all: it needs no second name.
    pub(super) fn forget_backup(&self, entry: &Entry<'_, P>, backup: &OsString) {
        let at = At {
            dir: &entry.open.dst,
            name: backup,
        };
        let platform = self.session.platform;
        let of = |at| platform.stat(at, false);
        // The failure of the copy is reported; a backup too many loses nothing.
        if matches!((of(at), of(entry.dst_at())), (Ok(a), Ok(b)) if a.is_same_file(&b)) {
            let _ = platform.remove(at, false);
        }
    }

    /// The name that the destination's backup gets, with the destination's path.
    fn backup_name(&self, entry: &Entry<'_, P>, src: &Stat) -> Result<OsString, Error> {
        let session = self.session;
        let failed = |code: Code| session.error(entry, Operation::MakeBackup, Cause::System(code));
        let name = base_name(entry.dst_name);
        let place = parent_dir(entry.dst_at());
        let (path, parent) = (Path::new(entry.dst_name), Path::new(place.name));
        let dir = session
            .platform
            .open(place, Open::Directory { follow: true });
        let backup = backup::name(
            session.platform,
            dir.as_ref().map_err(|code| *code),
            &name,
            session.options,
        )
        .map_err(failed)?;
        let backup = if parent == Path::new(".") && !path.starts_with(".") {
            backup
        } else {
            parent.join(backup).into_os_string()
        };
        let backup_at = At {
            dir: &entry.open.dst,
            name: &backup,
        };
        let numbered = backup.as_encoded_bytes().ends_with(b"~")
            && matches!(session.options.backup, Backup::Numbered);
        if numbered && session.platform.stat(backup_at, false).is_ok() {
            // Only a shortened name is taken. Earlier versions are not for us to replace.
            return Err(failed(rules::taken(session.platform.os())));
        }
        let of_source = session.platform.stat(backup_at, true);
        if session.options.backup != Backup::Numbered
            && let Ok(old) = of_source
            && old.is_same_file(src)
            && self.names_source(entry, &backup, &old)
        {
            return Err(session.refuse(entry, Refusal::BackupDestroysSource));
        }
        Ok(backup)
    }

    /// Whether the name that the backup gets, which leads to the source's file, is what the source is
    /// reached by. Another hard link of that file stays when the name is taken.
    fn names_source(&self, entry: &Entry<'_, P>, backup: &OsStr, old: &Stat) -> bool {
        let platform = self.session.platform;
        let is_link = |stat: Stat| stat.kind == FileKind::Symlink;
        base_name(entry.src_name) == base_name(backup)
            || old.links <= 1
            || platform.stat(entry.src_at(), false).is_ok_and(is_link)
    }

    /// What was moved aside for a copy that then failed gets its name back.
    pub(super) fn move_back(&self, entry: &Entry<'_, P>, backup: &OsString) {
        let backup_at = At {
            dir: &entry.open.dst,
            name: backup,
        };
        // The failure of the copy is reported; if this fails too, the backup keeps its own name.
        let moved = self.session.platform.rename(backup_at, entry.dst_at());
        if moved.is_ok() {
            let backup = Self::backup_path(entry, backup);
            let event = Event::MovedBack {
                paths: entry,
                backup: &backup,
            };
            self.session.context.observer.event(event);
        }
    }

    /// The backup's path, for whoever watches.
    pub(super) fn backup_path(entry: &Entry<'_, P>, backup: &OsStr) -> PathBuf {
        let backup = base_name(backup);
        let dst = entry.dst().into_os_string();
        // Byte for byte as it was named: `dir/./file` has its backup in `dir/.`.
        let name = base_name(&dst);
        let dir = dst.len().saturating_sub(name.len());
        let mut path = name_prefix(&dst, dir).to_os_string();
        path.push(backup);
        path.into()
    }
}
