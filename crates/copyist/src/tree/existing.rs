//! An existing destination: queries what [`decide`] needs, and does what it decides. The decision, and the order of
//! the queries, are in `think/disposition.rs`.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use copyist_sys::name_prefix;

use super::backup;
use super::dir::Entry;
use super::paths::base_name;
use super::worker::Worker;
use crate::file::follow::resolve;
use crate::file::temp_file::Temporary;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Open, Platform, filesystem};
use crate::think::disposition::{
    BackupName, Disposition, Existing, Known, Looked, Need, Product, Replace, Skip, decide, product,
};
use crate::think::policy::Policy;
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation};
use crate::words::observer::{Event, PathSource, Question};
use crate::words::options::Backup;
use crate::words::stat::{KeptNames, Stat};

/// The source, as it was examined.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceStat {
    pub(super) stat: Stat,
    /// Symbolic links were followed.
    pub(super) follow: bool,
}

/// The destination after its disposition was carried out.
#[derive(Debug)]
pub(super) enum Onto {
    /// The name is free; the old version may have been renamed to a backup.
    Free { backup: Option<OsString> },
    /// A new file replaces what has the name, in one step ([`crate::Options::atomic`]); the old version may also have
    /// the name of a backup.
    Over { backup: Option<OsString> },
    /// A file to write into.
    Into(Existing),
}

/// What to do with an entry.
#[derive(Debug)]
pub(super) enum Resolved {
    /// Nothing.
    Skip(Skip),
    /// It is a directory, and its destination is one already.
    Enter { follow: bool },
    /// It is to be created.
    Make(Onto),
}

/// What is known so far.
struct Looking {
    known: Known,
    policy: Policy,
    /// The name of the destination's backup, and the destination's path.
    backup: Option<OsString>,
    /// The source was examined before, and not copied.
    again: bool,
}

impl<P: Platform> Worker<'_, '_, P> {
    /// Examines the destination, and makes its name free.
    pub(super) fn resolve_destination(
        &self,
        entry: &Entry<'_, P>,
        known: Known,
        again: bool,
    ) -> Result<Resolved, Error> {
        let mut looking = Looking {
            known,
            policy: Policy::of(self.session.options),
            backup: None,
            again,
        };
        loop {
            match decide(&looking.known, &looking.policy) {
                Err(need) => self.look_up(entry, need, &mut looking)?,
                Ok(Disposition::Create) => {
                    return Ok(Resolved::Make(Onto::Free { backup: None }));
                }
                Ok(disposition) => {
                    if let Some(done) = self.carry_out(entry, disposition, &mut looking)? {
                        return Ok(done);
                    }
                }
            }
        }
    }

    /// What is known when only the source was examined.
    pub(super) fn known(&self, entry: &Entry<'_, P>, src: &SourceStat) -> Known {
        Known {
            dir_is_empty: entry.dir.made.is_empty(),
            is_privileged: self.session.platform.is_privileged(),
            ..Known::new(src.stat, src.follow, entry.role)
        }
    }

    /// Carries out a disposition. `None` if that failed because something has changed: then it is decided again.
    fn carry_out(
        &self,
        entry: &Entry<'_, P>,
        disposition: Disposition,
        looking: &mut Looking,
    ) -> Result<Option<Resolved>, Error> {
        let session = self.session;
        let onto = match disposition {
            Disposition::Skip(why) => {
                if why.is_told() {
                    let skipped = Event::Skipped { paths: entry };
                    session.context.observer.event(skipped);
                }
                return Ok(Some(Resolved::Skip(why)));
            }
            Disposition::Refuse(refusal) => return Err(session.refuse(entry, refusal)),
            Disposition::Fail(operation, code) => {
                return Err(session.error(entry, operation, Cause::System(code)));
            }
            Disposition::Enter { follow } => return Ok(Some(Resolved::Enter { follow })),
            Disposition::Create => Onto::Free { backup: None },
            Disposition::WriteInto(existing) => Onto::Into(existing),
            Disposition::Replace(Replace::Atomically) => Onto::Over { backup: None },
            // The creation of the link will find that the name exists, and replace it.
            Disposition::Replace(Replace::ByLink) => Onto::Free { backup: None },
            Disposition::Replace(Replace::Remove) => {
                self.remove_existing(entry)?;
                Onto::Free { backup: None }
            }
            Disposition::Replace(Replace::MoveToBackup) => {
                let backup = looking.backup.take();
                if let Some(backup) = &backup {
                    self.move_aside(entry, backup)?;
                }
                Onto::Free { backup }
            }
            Disposition::Replace(Replace::LinkToBackup) => {
                let backup = looking.backup.as_deref();
                if !backup.map_or(Ok(false), |backup| self.link_aside(entry, backup))? {
                    looking.known.no_second_name = true;
                    return Ok(None);
                }
                Onto::Over {
                    backup: looking.backup.take(),
                }
            }
        };
        Ok(Some(Resolved::Make(onto)))
    }

    /// Queries, asks the user, or reports what the decision needs.
    fn look_up(
        &self,
        entry: &Entry<'_, P>,
        need: Need,
        looking: &mut Looking,
    ) -> Result<(), Error> {
        let (session, platform) = (self.session, self.session.platform);
        let known = &mut looking.known;
        let src = known.src;
        match need {
            Need::Given => known.given = Some(session.was_given(entry, &src, looking.again)),
            Need::Finished => known.finished = Some(self.is_done(entry, &src)),
            Need::SourceLink => {
                let link = platform.stat(entry.src_at(), false);
                known.src_link = Some(link.unwrap_or(src));
            }
            Need::SourceEnd => known.src_end = Some(platform.stat(entry.src_at(), true).ok()),
            Need::ReadsOpenFile => known.reads_open_file = Some(self.reads_open_file(entry)),
            Need::Destination => known.dst = Some(self.look(entry, false)),
            Need::BehindLink => known.behind = Some(self.look(entry, true)),
            Need::LeadsToOpenFile => {
                let target = resolve(platform, entry.dst_at());
                known.leads_to_open_file = Some(matches!(target, Ok(None)));
            }
            Need::SameEntry => known.same_entry = Some(self.is_same_entry(entry)),
            Need::LinkWasMade(id) => known.link_was_made = Some(session.was_made(id, entry)),
            Need::DestinationWasMade(id) => known.dst_was_made = Some(session.was_made(id, entry)),
            Need::FsKind { volume } => {
                known.fs = Some(filesystem::kind_at(platform, entry.dst_at(), volume));
            }
            Need::TimeUnit { volume } => {
                known.time_unit = Some(self.unit_of_volume(entry, volume));
            }
            Need::Writable => known.writable = Some(platform.may_write(entry.dst_at())),
            Need::Answer {
                unwritable_mode,
                removes,
            } => {
                known.answer = Some(session.context.observer.may_replace(Question {
                    paths: entry,
                    unwritable_mode,
                    removes,
                }));
            }
            Need::Tell => {
                let replaces = Event::Replaces { paths: entry };
                session.context.observer.event(replaces);
                known.is_told = true;
            }
            Need::KeptNames => {
                known.kept_names = Some(platform.kept_names(parent_dir(entry.dst_at())));
            }
            Need::BackupName => {
                let name = self.backup_name(entry)?;
                known.backup = Some(self.look_at_backup(entry, &name));
                looking.backup = Some(name);
            }
            Need::IsAbove => known.walk.is_above = Some(self.is_above(entry, &src)),
        }
        Ok(())
    }

    fn look(&self, entry: &Entry<'_, P>, follow: bool) -> Looked {
        let platform = self.session.platform;
        let os = platform.os();
        match platform.stat(entry.dst_at(), follow) {
            Ok(stat) => Looked::Found(stat),
            Err(code) if rules::is_not_found(os, code) => Looked::Nothing,
            Err(code) if follow && rules::is_link_loop(os, code) => Looked::Loop(code),
            Err(code) => Looked::Failed(code),
        }
    }

    /// What is to be made of a source.
    pub(super) fn product(&self, entry: &Entry<'_, P>, src: &SourceStat) -> Product {
        let policy = Policy::of(self.session.options);
        let mut known = Known::new(src.stat, src.follow, entry.role);
        loop {
            match product(&known, &policy) {
                Ok(product) => return product,
                // The decision needs nothing else in that case.
                Err(_) => known.reads_open_file = Some(self.reads_open_file(entry)),
            }
        }
    }

    /// Whether source and destination are the same name in the same directory.
    fn is_same_entry(&self, entry: &Entry<'_, P>) -> bool {
        let platform = self.session.platform;
        let place = |at| platform.stat(parent_dir(at), true);
        base_name(entry.src_name) == base_name(entry.dst_name)
            && matches!(
                (place(entry.src_at()), place(entry.dst_at())),
                (Ok(src), Ok(dst)) if src.is_same_file(&dst)
            )
    }

    fn remove_existing(&self, entry: &Entry<'_, P>) -> Result<(), Error> {
        let failed = |code| {
            self.session
                .error(entry, Operation::Remove, Cause::System(code))
        };
        self.take_away(entry).map_err(failed)
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

    /// Creates something under the destination's name, or replaces what has the name.
    pub(super) fn make_or_replace(
        &self,
        entry: &Entry<'_, P>,
        operation: Operation,
        product: Product,
        make: impl Fn(At<'_, P>) -> Result<(), Code>,
    ) -> Result<(), Error> {
        let replaces = product.replaces_taken(&Policy::of(self.session.options));
        let made = match make(entry.dst_at()) {
            Err(code) if rules::is_taken(self.session.platform.os(), code) && replaces => {
                self.make_over(entry, make)
            }
            made => made,
        };
        made.map_err(|code| self.session.error(entry, operation, Cause::System(code)))
    }

    /// Creates something under a temporary name, and renames it to the destination: if the creation fails, nothing was
    /// replaced.
    fn make_over(
        &self,
        entry: &Entry<'_, P>,
        make: impl Fn(At<'_, P>) -> Result<(), Code>,
    ) -> Result<(), Code> {
        let platform = self.session.platform;
        let kept_names = platform.kept_names(parent_dir(entry.dst_at()));
        if kept_names == KeptNames::None {
            let temporary = Temporary::new().beside(entry.dst_name);
            let at = At {
                dir: &entry.open.dst,
                name: &temporary,
            };
            make(at)?;
            let renamed = platform.rename(at, entry.dst_at());
            // A rename of one name of a file to another name of it does nothing, and leaves both.
            let _ = platform.remove(at, false);
            match renamed {
                Err(code) if rules::is_irreplaceable(platform.os(), code) => {}
                renamed => return renamed,
            }
        }
        // Where nothing can be renamed, or the temporary might remain.
        self.take_away(entry)?;
        make(entry.dst_at())
    }

    /// Renames the destination to its backup.
    fn move_aside(&self, entry: &Entry<'_, P>, backup: &OsStr) -> Result<(), Error> {
        let backup_at = At {
            dir: &entry.open.dst,
            name: backup,
        };
        let renamed = self.session.platform.rename(entry.dst_at(), backup_at);
        renamed.map_err(|code| {
            let cause = Cause::System(code);
            self.session.error(entry, Operation::MakeBackup, cause)
        })
    }

    /// Links the destination to its backup's name, so that it keeps its own name until it is replaced; `false` where a
    /// file can't have two names.
    fn link_aside(&self, entry: &Entry<'_, P>, backup: &OsStr) -> Result<bool, Error> {
        let platform = self.session.platform;
        let at = |name| At {
            dir: &entry.open.dst,
            name,
        };
        let link = Node::HardLink {
            to: entry.dst_at(),
            follow: false,
        };
        if platform.make(at(backup), link).is_ok() {
            return Ok(true);
        }
        let temporary = Temporary::new().beside(backup);
        // An older backup of that name is replaced.
        if platform.make(at(&temporary), link).is_err() {
            return Ok(false);
        }
        let renamed = platform.rename(at(&temporary), at(backup));
        // A rename of one name of a file to another name of it does nothing, and leaves both.
        let _ = platform.remove(at(&temporary), false);
        renamed.map_err(|code| {
            let cause = Cause::System(code);
            self.session.error(entry, Operation::MakeBackup, cause)
        })?;
        Ok(true)
    }

    /// Removes the backup's name: the destination was not replaced.
    pub(super) fn forget_backup(&self, entry: &Entry<'_, P>, backup: &OsString) {
        let at = At {
            dir: &entry.open.dst,
            name: backup,
        };
        let platform = self.session.platform;
        let of = |at| platform.stat(at, false);
        // The failure of the copy is reported; a surplus backup loses nothing.
        if matches!((of(at), of(entry.dst_at())), (Ok(a), Ok(b)) if a.is_same_file(&b)) {
            let _ = platform.remove(at, false);
        }
    }

    /// The name of the destination's backup, and the destination's path.
    fn backup_name(&self, entry: &Entry<'_, P>) -> Result<OsString, Error> {
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
        Ok(if parent == Path::new(".") && !path.starts_with(".") {
            backup
        } else {
            parent.join(backup).into_os_string()
        })
    }

    fn look_at_backup(&self, entry: &Entry<'_, P>, name: &OsStr) -> BackupName {
        let (platform, options) = (self.session.platform, self.session.options);
        let at = At {
            dir: &entry.open.dst,
            name,
        };
        let is_taken = options.backup == Backup::Numbered && platform.stat(at, false).is_ok();
        BackupName {
            taken: is_taken.then(|| rules::taken(platform.os())),
            old: platform.stat(at, true).ok(),
            is_source_name: base_name(entry.src_name) == base_name(name),
        }
    }

    /// Renames a backup to the destination after a failed copy.
    pub(super) fn move_back(&self, entry: &Entry<'_, P>, backup: &OsString) {
        let backup_at = At {
            dir: &entry.open.dst,
            name: backup,
        };
        // The failure of the copy is reported; if this fails too, the backup keeps its name.
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

    /// The backup's path, for the observer.
    pub(super) fn backup_path(entry: &Entry<'_, P>, backup: &OsStr) -> PathBuf {
        let backup = base_name(backup);
        let dst = entry.dst().into_os_string();
        // Appended byte for byte: the backup of `dir/./file` is in `dir/.`.
        let name = base_name(&dst);
        let dir = dst.len().saturating_sub(name.len());
        let mut path = name_prefix(&dst, dir).to_os_string();
        path.push(backup);
        path.into()
    }
}
