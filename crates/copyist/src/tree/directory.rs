//! Directories: made before what is in them, finished after.

use crate::tree::engine::ends_in_separator;
use crate::tree::engine::is_separator;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::dir::{Dir, DirPair, Entry, OpenDir, OpenDst, Role, TreePath};
use super::walk::{Job, Worker};
use crate::file::attributes::{Attributes, CreateMode, CreatedState};
use crate::system::parent::parent_dir;
use crate::system::{At, Attribute, Node, Open, Platform, Target};
use crate::think::recipe::{Sides, recipe};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer;
use crate::words::observer::{Event, PathSource};
use crate::words::options::{Backup, Make, NewMode, Update, Want};
use crate::words::stat::{FileKind, Stat};
use crate::words::xattr_names::inherited_acl;

/// A directory of the walk, and its halves.
type Opened<P> = (Arc<Dir<P>>, Arc<DirPair<P>>);

impl<P: Platform> Worker<'_, '_, P> {
    /// Makes a directory, and lets its content be copied.
    pub(super) fn enter(&mut self, entry: Entry<'_, P>) {
        match self.try_enter(&entry) {
            Ok(None) => {}
            Ok(Some(dir)) => {
                self.session.remember_made(&entry);
                let dir = Arc::new(dir);
                let within = !self.session.options.one_file_system
                    || dir
                        .src_stat
                        .is_some_and(|stat| stat.id.volume == dir.root_volume);
                if within {
                    self.push(Job::Read(dir));
                } else {
                    self.release(dir);
                }
            }
            Err(error) => self.session.fail(error),
        }
    }

    /// A directory on the way to an operand (`--parents`): made, but not walked.
    pub(super) fn open_parent(&mut self, entry: Entry<'_, P>) -> Result<Opened<P>, Error> {
        let session = self.session;
        self.resolve_below(&entry);
        let failed = |code| session.error(&entry, Operation::StatParent, Cause::System(code));
        let open = |how| session.platform.open(entry.src_at(), how);
        let (src, is_place) = match open(Open::Directory { follow: true }) {
            // What may not be listed can be gone through.
            Err(code) if rules::is_access_denied(session.platform.os(), code) => {
                (open(Open::Path { follow: true }).map_err(failed)?, true)
            }
            src => (src.map_err(failed)?, false),
        };
        let stat = session.platform.stat_open(&src).map_err(failed)?;
        let (dir, open) = self.open_dir(&entry, src, stat)?;
        Ok((Arc::new(dir.with_src_place(is_place)), open))
    }

    fn resolve_below(&self, entry: &Entry<'_, P>) {
        if self.session.descriptors.is_short() {
            self.close_idle(entry.dir);
        }
    }

    fn try_enter(&mut self, entry: &Entry<'_, P>) -> Result<Option<Dir<P>>, Error> {
        let session = self.session;
        let follow = self.follows(entry);
        self.resolve_below(entry);
        let (src, stat) = match self.open_source_dir(entry, follow) {
            Ok(opened) => opened,
            Err(error) => {
                self.make_unreadable(entry, follow, error)?;
                return Ok(None);
            }
        };
        if session.is_root(stat.id) {
            return Err(session.refuse(entry, Refusal::IntoItself));
        }
        if entry.dir.is_within(&stat) {
            self.find_there(entry)?;
            return Err(session.refuse(entry, Refusal::Loop));
        }
        if entry.is_operand() {
            // What is in the way is told of each time.
            self.find_there(entry)?;
            if session.was_given(entry, &stat, false) {
                return Ok(None);
            }
            let never = matches!(session.options.update, Update::None | Update::NoneFail);
            if !never && self.is_same_dir(entry, &stat) {
                return match session.options.make {
                    // The hard links that are wanted are there.
                    Make::HardLink => Ok(None),
                    _ => Err(session.refuse(entry, Refusal::SameFile)),
                };
            }
            self.check_not_into_itself(entry, &stat)?;
        }
        if self.clone_directory(entry, &stat)? {
            return Ok(None);
        }
        let (dir, open) = self.open_dir(entry, src, stat)?;
        if entry.is_operand()
            && let Ok(made) = session.platform.stat_open(&open.dst)
        {
            session.add_root(made.id);
        }
        Ok(Some(dir))
    }

    /// Whether the destination is the source itself.
    fn is_same_dir(&self, entry: &Entry<'_, P>, src: &Stat) -> bool {
        let dst = self.session.platform.stat(entry.dst_at(), false);
        dst.is_ok_and(|dst| dst.is_same_file(src))
    }

    /// A directory that may not be read is made all the same, with its attributes: what is known
    /// of it is kept.
    fn make_unreadable(
        &mut self,
        entry: &Entry<'_, P>,
        follow: bool,
        error: Error,
    ) -> Result<(), Error> {
        let session = self.session;
        let denied = error
            .code()
            .is_some_and(|code| rules::is_access_denied(session.platform.os(), code));
        let stat = match session.platform.stat(entry.src_at(), follow) {
            Ok(stat) if denied && stat.kind == FileKind::Directory => stat,
            _ => return Err(error),
        };
        if entry.is_operand() && self.is_same_dir(entry, &stat) {
            return Err(session.refuse(entry, Refusal::SameFile));
        }
        let (dst, made) = self.open_destination_dir(entry, &stat)?;
        session.fail(error);
        let mut options = session.options.clone();
        options.preserve.xattrs = Want::No; // which may not be read either
        Attributes {
            platform: session.platform,
            options: &options,
            src: Target::Named(entry.src_at()),
            src_stat: &stat,
            dst: dst.target(entry.dst_at()),
            made,
            buffers: &mut self.buffers,
        }
        .apply(&mut |failed| {
            session.fail(session.error(entry, failed.operation, Cause::System(failed.code)));
        });
        Ok(())
    }

    fn open_source_dir(
        &self,
        entry: &Entry<'_, P>,
        follow: bool,
    ) -> Result<(P::Handle, Stat), Error> {
        let session = self.session;
        let failed = |code| session.error(entry, Operation::OpenDirectory, Cause::System(code));
        let src = self
            .open_on_way(entry.dir, entry.src_at(), Open::Directory { follow })
            .map_err(|code| self.unseen(entry, follow).unwrap_or_else(|| failed(code)))?;
        let stat = session.platform.stat_open(&src).map_err(failed)?;
        Ok((src, stat))
    }

    /// Goes up from the destination: if the source is on that way, the copy would contain itself.
    /// A copy that stays on the source's volume never meets a destination on another.
    fn check_not_into_itself(&self, entry: &Entry<'_, P>, src: &Stat) -> Result<(), Error> {
        let session = self.session;
        let platform = session.platform;
        let tree_path = Open::Path { follow: true };
        let Ok(mut dir) = platform.open(parent_dir(entry.dst_at()), tree_path) else {
            return Ok(()); // making the directory will say why
        };
        let mut last: Option<Stat> = None;
        while let Ok(stat) = platform.stat_open(&dir) {
            let elsewhere = session.options.one_file_system
                && last.is_none()
                && stat.id.volume != src.id.volume;
            if elsewhere || last.is_some_and(|last| last.is_same_file(&stat)) {
                break;
            }
            if stat.is_same_file(src) {
                return Err(session.refuse(entry, Refusal::IntoItself));
            }
            last = Some(stat);
            match platform.open(
                At {
                    dir: &dir,
                    name: OsStr::new(".."),
                },
                tree_path,
            ) {
                Ok(up) => dir = up,
                Err(_) => break,
            }
        }
        Ok(())
    }

    fn open_dir(
        &mut self,
        entry: &Entry<'_, P>,
        src: P::Handle,
        src_stat: Stat,
    ) -> Result<(Dir<P>, Arc<DirPair<P>>), Error> {
        let session = self.session;
        let (dst, made) = self.open_destination_dir(entry, &src_stat)?;
        let known = entry.dir.pair.as_ref().filter(|_| made.is_empty());
        let pair = match known {
            Some(pair) if pair.src.id == src_stat.id.volume => Arc::clone(pair),
            _ => session
                .pairs
                .of_files(
                    session.platform,
                    session.options,
                    (&src, src_stat.id.volume),
                    &dst.handle,
                )
                .map_err(|code| session.error(entry, Operation::Volume, Cause::System(code)))?,
        };
        if pair.dst.kind.serialises_metadata() && session.options.jobs.is_none() {
            session.concurrency.fix();
            session.schedule.set_most(1);
        }
        session.note_volume_of(entry, pair.dst.id, &dst.handle)?;
        if made.is_empty() {
            session.flush_name(entry)?;
        } else {
            session.remove_leftovers(&dst.handle);
        }
        let cares =
            session.options.preserve.mode || session.options.new_mode == NewMode::SystemDefault;
        // A new directory has what the one that it is in has.
        let asks = cares || !made.is_empty() || entry.is_operand();
        let gives_acl = if asks {
            self.has_default_acl(&dst.handle)
        } else {
            entry.dir.gives_acl
        };
        let tree_path = TreePath::below(&entry.dir.tree_path, entry.src_name, entry.dst_name);
        let tree_path = Arc::new(tree_path);
        self.summary.dirs += 1;
        session.context.observer.event(Event::Entry {
            paths: entry,
            what: observer::Made::Directory,
        });
        let sides = Sides {
            os: session.platform.os(),
            is_new: made.is_empty(),
            // On a dry run none is copied.
            files: pair.small_files().filter(|_| !session.platform.is_dry()),
        };
        let open = OpenDir {
            recipe: recipe(sides, session.options),
            src,
            dst,
            src_stat,
            pair,
            made,
            gives_acl,
            is_parent: entry.role == Role::Parent,
        };
        session.descriptors.opened();
        Ok(Dir::child(entry.dir, tree_path, open))
    }

    fn has_default_acl(&mut self, dst: &P::Handle) -> bool {
        let value = &mut self.buffers.xattr_value;
        let target = Target::Open(dst);
        let platform = self.session.platform;
        // Where it can't be told, it may have one: what is made in it is looked at then.
        platform
            .xattr(target, inherited_acl(platform.os()), value)
            .unwrap_or_else(|code| !rules::is_unsupported(platform.os(), code))
    }

    /// Makes the directory, or opens the one that is there.
    fn open_destination_dir(
        &self,
        entry: &Entry<'_, P>,
        src: &Stat,
    ) -> Result<(OpenDst<P>, CreatedState), Error> {
        // `.` and `..` (of `--parents`) are there even in a directory that was made just now.
        let is_dots = Path::new(entry.dst_name).file_name().is_none();
        let may_be_there = !entry.dir.made.is_empty() || is_dots;
        let found = if may_be_there {
            self.find_there(entry)?
        } else {
            None
        };
        if found == Some(There::Directory) {
            let follow = self.follows_dir_links(entry) || names_a_dir(entry.dst_name);
            let made = self.made_before(entry, src)?;
            return Ok((self.open_made(entry, follow)?, made));
        }
        let session = self.session;
        let backup = match found {
            Some(_) => Some(self.move_aside(entry, src)?),
            None => None,
        };
        let plan = CreateMode::new(session.platform, session.options, (src.kind, src.mode));
        let node = Node::Directory { mode: plan.mode };
        self.make_node(entry.dst_at(), node).map_err(|code| {
            if let Some(backup) = &backup {
                self.move_back(entry, backup);
            }
            let taken = rules::is_taken(session.platform.os(), code);
            if taken && entry.dir.made.is_empty() {
                session.refuse(entry, Refusal::JustCreated)
            } else {
                let operation = match entry.role {
                    Role::Parent => Operation::CreateParent,
                    _ => Operation::CreateDirectory,
                };
                session.error(entry, operation, Cause::System(code))
            }
        })?;
        // As cp has it, after: a directory is there at once.
        self.begin(entry, None, FileKind::Directory);
        if let Some(mode) = plan.chmod_after {
            session
                .platform
                .set(Target::Named(entry.dst_at()), Attribute::Mode(mode))
                .map_err(|code| session.error(entry, Operation::SetMode, Cause::System(code)))?;
        }
        let mut made = plan.made(entry.dir.gives_acl);
        if plan.chmod_after.is_none() && entry.dir.gives_acl {
            made.temporary_bits |= self.make_writable(entry)?;
        }
        Ok((self.open_made(entry, false)?, made))
    }

    /// What is known of how an existing directory came to be: an earlier run of this copy may have
    /// made it, and not have finished it.
    fn made_before(&self, entry: &Entry<'_, P>, src: &Stat) -> Result<CreatedState, Error> {
        let session = self.session;
        let Some(journal) = &session.journal else {
            return Ok(CreatedState::before());
        };
        let dst = entry.dst();
        if !journal.made(&dst) {
            journal.existed(&dst)?;
            return Ok(CreatedState::before());
        }
        let plan = CreateMode::new(session.platform, session.options, (src.kind, src.mode));
        let mut made = plan.made(entry.dir.gives_acl);
        made.is_resumed = true;
        made.temporary_bits |= self.make_writable(entry)?;
        Ok(made)
    }

    /// What a default access control list has kept from the owner is needed for the time of the
    /// copy. Answers those permission bits.
    fn make_writable(&self, entry: &Entry<'_, P>) -> Result<u32, Error> {
        let platform = self.session.platform;
        let failed = |code| {
            self.session
                .error(entry, Operation::SetMode, Cause::System(code))
        };
        let mode = platform.stat(entry.dst_at(), false).map_err(failed)?.mode;
        let lacking = 0o700 & !mode;
        if lacking != 0 {
            let mode = Attribute::Mode(mode | lacking);
            platform
                .set(Target::Named(entry.dst_at()), mode)
                .map_err(failed)?;
        }
        Ok(lacking)
    }

    fn open_made(&self, entry: &Entry<'_, P>, follow: bool) -> Result<OpenDst<P>, Error> {
        let platform = self.session.platform;
        let failed = |code: Code| {
            self.session
                .error(entry, Operation::OpenDestination, Cause::System(code))
        };
        let open = |how| self.open_on_way(entry.dir, entry.dst_at(), how);
        let is_place = match open(Open::Directory { follow }) {
            Ok(handle) => {
                return Ok(OpenDst {
                    handle,
                    is_place: false,
                });
            }
            // One that may be written to and not be read is good enough to copy into.
            Err(code) => rules::is_access_denied(platform.os(), code),
        };
        let how = if is_place {
            Open::Path { follow }
        } else {
            Open::Directory { follow }
        };
        let handle = open(how).map_err(failed)?;
        Ok(OpenDst { handle, is_place })
    }

    /// Whether a symbolic link to a directory will do as the directory.
    fn follows_dir_links(&self, entry: &Entry<'_, P>) -> bool {
        self.session.options.keep_directory_symlink || entry.role == Role::Parent
    }

    /// What has the destination's name already. What is no directory can make room for one if it is
    /// kept as a backup.
    fn find_there(&self, entry: &Entry<'_, P>) -> Result<Option<There>, Error> {
        let session = self.session;
        let stat = |follow| session.platform.stat(entry.dst_at(), follow);
        let found = match stat(false) {
            Ok(found) => found,
            Err(code) if rules::is_not_found(session.platform.os(), code) => return Ok(None),
            // Making it will say why.
            Err(_) if entry.role == Role::Parent => return Ok(None),
            Err(code) => {
                let cause = Cause::System(code);
                return Err(session.error(entry, Operation::StatDestination, cause));
            }
        };
        let is_dir = found.kind == FileKind::Directory
            || (found.kind == FileKind::Symlink
                && self.follows_dir_links(entry)
                && stat(true).is_ok_and(|it| it.kind == FileKind::Directory));
        if is_dir {
            return Ok(Some(There::Directory));
        }
        if entry.role == Role::Parent {
            return Err(session.refuse(entry, Refusal::ParentNotDirectory));
        }
        if session.options.backup == Backup::None {
            return Err(session.refuse(entry, Refusal::DirectoryOverFile));
        }
        if session.was_made(found.id, entry) {
            return Err(session.refuse(entry, Refusal::JustCreated));
        }
        Ok(Some(There::Other))
    }
}

/// What has the name that a directory is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Directory,
    /// Something else, which is to become a backup.
    Other,
}

/// `dir/.` and `dir/` are the directory itself, whatever `dir` is.
fn names_a_dir(name: &OsStr) -> bool {
    let itself = name.as_encoded_bytes().strip_suffix(b".");
    let is_dot = |rest: &[u8]| rest.last().is_none_or(|byte| is_separator(*byte));
    ends_in_separator(name) || itself.is_some_and(is_dot)
}
