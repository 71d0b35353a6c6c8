//! Directories: created before their entries, completed after them.

use crate::tree::paths::ends_in_separator;
use crate::tree::paths::is_separator;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::dir::{Dir, DirPair, Entry, OpenDir, OpenDst, Role, TreePath};
use super::existing::{Onto, Resolved, SourceStat};
use super::job::Job;
use super::worker::Worker;
use crate::file::attributes::{Attributes, CreateMode, CreatedState};
use crate::system::parent::parent_dir;
use crate::system::{At, Attribute, Node, Open, Platform, Target};
use crate::think::disposition::{Known, Walk};
use crate::think::recipe::{Sides, recipe};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer;
use crate::words::observer::{Event, PathSource};
use crate::words::options::{NewMode, Want};
use crate::words::stat::{FileKind, Stat};
use crate::words::xattr_names::inherited_acl;

/// A directory of the walk, and its handles.
type Opened<P> = (Arc<Dir<P>>, Arc<DirPair<P>>);

impl<P: Platform> Worker<'_, '_, P> {
    /// Creates a directory, and queues its entries.
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

    /// Creates a directory on the way to an operand (`--parents`), which is not walked.
    pub(super) fn open_parent(&mut self, entry: Entry<'_, P>) -> Result<Opened<P>, Error> {
        let session = self.session;
        self.resolve_below(&entry);
        let failed = |code| session.error(&entry, Operation::StatParent, Cause::System(code));
        let open = |how| session.platform.open(entry.src_at(), how);
        let (src, is_place) = match open(Open::Directory { follow: true }) {
            // A directory that may not be listed may still be searched.
            Err(code) if rules::is_access_denied(session.platform.os(), code) => {
                (open(Open::Path { follow: true }).map_err(failed)?, true)
            }
            src => (src.map_err(failed)?, false),
        };
        let stat = session.platform.stat_open(&src).map_err(failed)?;
        let resolved = self.resolve_directory(&entry, (&stat, true), Walk::default())?;
        let (dir, open) = self.open_dir(&entry, src, stat, resolved)?;
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
        let walk = Walk {
            is_destination: session.is_root(stat.id),
            is_entered: entry.dir.is_within(&stat),
            ..Walk::default()
        };
        let resolved = self.resolve_directory(entry, (&stat, follow), walk)?;
        if let Resolved::Skip(_) = resolved {
            return Ok(None);
        }
        if self.clone_directory(entry, &stat)? {
            return Ok(None);
        }
        let (dir, open) = self.open_dir(entry, src, stat, resolved)?;
        if entry.is_operand()
            && let Ok(made) = session.platform.stat_open(&open.dst)
        {
            session.add_root(made.id);
        }
        Ok(Some(dir))
    }

    /// Examines the destination of a directory, and makes its name free.
    fn resolve_directory(
        &self,
        entry: &Entry<'_, P>,
        (src, follow): (&Stat, bool),
        walk: Walk,
    ) -> Result<Resolved, Error> {
        // `.` and `..` (in `--parents`) exist even in a directory that was just created.
        let is_dots = Path::new(entry.dst_name).file_name().is_none();
        let src = SourceStat { stat: *src, follow };
        let known = self.known(entry, &src);
        let known = Known {
            dir_is_empty: known.dir_is_empty && !is_dots,
            walk: Walk {
                names_a_dir: names_a_dir(entry.dst_name),
                ..walk
            },
            ..known
        };
        self.resolve_destination(entry, known, false)
    }

    /// Creates the copy of a directory that may not be read, with the attributes that stat reports.
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
        let walk = Walk {
            is_unreadable: true,
            ..Walk::default()
        };
        let resolved = self.resolve_directory(entry, (&stat, follow), walk)?;
        let (dst, made) = self.open_destination_dir(entry, &stat, resolved)?;
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

    /// Whether the source is the destination's parent or further up, so that the copy would contain itself. A copy
    /// that stays on the source's volume can't reach a destination on another.
    pub(super) fn is_above(&self, entry: &Entry<'_, P>, src: &Stat) -> bool {
        let session = self.session;
        let platform = session.platform;
        let tree_path = Open::Path { follow: true };
        let Ok(mut dir) = platform.open(parent_dir(entry.dst_at()), tree_path) else {
            return false; // creating the directory will report why
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
                return true;
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
        false
    }

    fn open_dir(
        &mut self,
        entry: &Entry<'_, P>,
        src: P::Handle,
        src_stat: Stat,
        resolved: Resolved,
    ) -> Result<(Dir<P>, Arc<DirPair<P>>), Error> {
        let session = self.session;
        let (dst, made) = self.open_destination_dir(entry, &src_stat, resolved)?;
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
        // A new directory inherits this from its parent.
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
            // A dry run copies no file.
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
        // If the list can't be queried there may be one: files created in the directory are then examined.
        platform
            .xattr(target, inherited_acl(platform.os()), value)
            .unwrap_or_else(|code| !rules::is_unsupported(platform.os(), code))
    }

    /// Creates the directory, or opens an existing one.
    fn open_destination_dir(
        &self,
        entry: &Entry<'_, P>,
        src: &Stat,
        resolved: Resolved,
    ) -> Result<(OpenDst<P>, CreatedState), Error> {
        let session = self.session;
        if let Resolved::Enter { follow } = resolved {
            let made = self.made_before(entry, src)?;
            return Ok((self.open_made(entry, follow)?, made));
        }
        let backup = match resolved {
            Resolved::Make(Onto::Free { backup }) => backup,
            _ => None,
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
        // After the creation, as in GNU cp: a directory is complete at once.
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

    /// How an existing directory was created: an earlier run of this copy may have created it, and not completed it.
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

    /// Adds the permission bits that the copy needs and a default access control list has removed. Returns them; they
    /// are removed again at the end.
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
            // A directory that may be written but not read suffices as a destination.
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
}

/// `dir/.` and `dir/` are the directory itself, whatever `dir` is.
fn names_a_dir(name: &OsStr) -> bool {
    let itself = name.as_encoded_bytes().strip_suffix(b".");
    let is_dot = |rest: &[u8]| rest.last().is_none_or(|byte| is_separator(*byte));
    ends_in_separator(name) || itself.is_some_and(is_dot)
}
