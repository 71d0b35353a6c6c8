//! Requests about a name in a directory: look up, create, link, rename, remove.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

use fuser::{FileAttr, FileHandle, INodeNo, Request};
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, RenameFlags, Uid};
use rustix::io::Errno;

use super::behaviour::Op;
use super::handles::Handle;
use super::mirror::{Mirror, access_mode};
use super::nodes::{Place, open_inode, proc_path};

/// Who creates a file, and with which permissions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Creator {
    uid: u32,
    gid: u32,
    mode: u32,
    umask: u32,
}

impl Creator {
    pub(super) fn new(request: &Request, mode: u32, umask: u32) -> Self {
        Self {
            uid: request.uid(),
            gid: request.gid(),
            mode,
            umask,
        }
    }
}

impl Mirror {
    pub(super) fn lookup(&self, parent: INodeNo, name: &OsStr) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Lookup)?;
        let directory = self.nodes.get(parent)?;
        self.remember(parent, &directory, &self.stored(&directory, name)?)
    }

    pub(super) fn mknod(
        &self,
        parent: INodeNo,
        name: &OsStr,
        creator: Creator,
        device: u32,
    ) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Mknod)?;
        let directory = self.nodes.get(parent)?;
        let name = self.stored(&directory, name)?;
        let kind = FileType::from_raw_mode(creator.mode);
        let mode = permissions(&directory, creator);
        rustix::fs::mknodat(&*directory, &*name, kind, mode, device.into())?;
        hand_over(&directory, &name, creator, Some(mode))?;
        self.remember(parent, &directory, &name)
    }

    pub(super) fn mkdir(
        &self,
        parent: INodeNo,
        name: &OsStr,
        creator: Creator,
    ) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Mkdir)?;
        let directory = self.nodes.get(parent)?;
        let name = self.stored(&directory, name)?;
        rustix::fs::mkdirat(&*directory, &*name, permissions(&directory, creator))?;
        hand_over(&directory, &name, creator, None)?;
        self.remember(parent, &directory, &name)
    }

    pub(super) fn symlink(
        &self,
        parent: INodeNo,
        name: &OsStr,
        target: &Path,
        creator: Creator,
    ) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Symlink)?;
        let directory = self.nodes.get(parent)?;
        let name = self.stored(&directory, name)?;
        rustix::fs::symlinkat(target, &*directory, &*name)?;
        hand_over(&directory, &name, creator, None)?;
        self.remember(parent, &directory, &name)
    }

    pub(super) fn create(
        &self,
        parent: INodeNo,
        name: &OsStr,
        creator: Creator,
        flags: i32,
    ) -> Result<(FileAttr, FileHandle), Errno> {
        self.behaviour.enter(Op::Create)?;
        let directory = self.nodes.get(parent)?;
        let name = self.stored(&directory, name)?;
        let asked = OFlags::from_bits_truncate(flags.cast_unsigned());
        let access = access_mode(flags) | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = permissions(&directory, creator);
        let new = access | OFlags::CREATE | OFlags::EXCL;
        let file = match rustix::fs::openat(&*directory, &*name, new, mode) {
            Ok(file) => {
                hand_over(&directory, &name, creator, Some(mode))?;
                file
            }
            // It appeared after the kernel looked: an open without O_EXCL takes it as it is.
            Err(Errno::EXIST) if !asked.contains(OFlags::EXCL) => {
                let existing = access | (asked & OFlags::TRUNC);
                rustix::fs::openat(&*directory, &*name, existing, Mode::empty())?
            }
            Err(errno) => return Err(errno),
        };
        let file = File::from(file);
        let flags = OFlags::PATH | OFlags::CLOEXEC;
        let inode = rustix::fs::openat(CWD, proc_path(&file), flags, Mode::empty())?;
        let attr = self
            .nodes
            .remember(File::from(inode), Place::new(parent, &name))?;
        self.enter_late(attr.ino, asked.bits().cast_signed())?;
        Ok((attr, self.handles.insert(Handle::File(Arc::new(file)))))
    }

    pub(super) fn link(
        &self,
        ino: INodeNo,
        parent: INodeNo,
        name: &OsStr,
    ) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Link)?;
        let file = self.nodes.get(ino)?;
        let directory = self.nodes.get(parent)?;
        let name = self.stored(&directory, name)?;
        let follow = AtFlags::SYMLINK_FOLLOW;
        rustix::fs::linkat(CWD, proc_path(&file), &*directory, &*name, follow)?;
        self.remember(parent, &directory, &name)
    }

    pub(super) fn unlink(&self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        self.behaviour.enter(Op::Unlink)?;
        self.remove(parent, name, AtFlags::empty())
    }

    pub(super) fn rmdir(&self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        self.behaviour.enter(Op::Rmdir)?;
        self.remove(parent, name, AtFlags::REMOVEDIR)
    }

    /// A change of case alone does not come here: the kernel takes two spellings for two links
    /// to one file, and renaming one onto the other does nothing.
    pub(super) fn rename(
        &self,
        (parent, name): (INodeNo, &OsStr),
        (new_parent, new_name): (INodeNo, &OsStr),
        flags: u32,
    ) -> Result<(), Errno> {
        self.behaviour.enter(Op::Rename)?;
        let from = self.nodes.get(parent)?;
        let into = self.nodes.get(new_parent)?;
        let old = Place::new(parent, &self.stored(&from, name)?);
        let new = Place::new(new_parent, &self.stored(&into, new_name)?);
        let moved = self.nodes.displace(&old);
        let target = self.nodes.displace(&new);
        let flags = RenameFlags::from_bits_retain(flags);
        let outcome = rustix::fs::renameat_with(&*from, &old.name, &*into, &new.name, flags);
        match outcome {
            Ok(()) if flags.contains(RenameFlags::EXCHANGE) => {
                self.nodes.place(moved, new);
                self.nodes.place(target, old);
            }
            // What was there before is gone.
            Ok(()) => self.nodes.place(moved, new),
            Err(_) => {
                self.nodes.place(moved, old);
                self.nodes.place(target, new);
            }
        }
        outcome
    }

    fn remember(&self, parent: INodeNo, directory: &File, name: &OsStr) -> Result<FileAttr, Errno> {
        let file = open_inode(directory, name)?;
        self.nodes.remember(file, Place::new(parent, name))
    }

    fn remove(&self, parent: INodeNo, name: &OsStr, flags: AtFlags) -> Result<(), Errno> {
        let directory = self.nodes.get(parent)?;
        let name = self.stored(&directory, name)?;
        let place = Place::new(parent, &name);
        let removed = self.nodes.displace(&place);
        let outcome = rustix::fs::unlinkat(&*directory, &*name, flags);
        if outcome.is_err() {
            self.nodes.place(removed, place);
        }
        outcome
    }

    /// The name under which the backing directory has this entry: another spelling of it if case
    /// is folded, and the name itself if there is none yet.
    fn stored<'a>(&self, directory: &File, name: &'a OsStr) -> Result<Cow<'a, OsStr>, Errno> {
        if !self.behaviour.fold_case {
            return Ok(Cow::Borrowed(name));
        }
        match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => {}
            _ => return Ok(Cow::Borrowed(name)),
        }
        let wanted = folded(name);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let readable = rustix::fs::openat(CWD, proc_path(directory), flags, Mode::empty())?;
        for entry in rustix::fs::Dir::new(readable)? {
            let entry = entry?;
            let candidate = OsStr::from_bytes(entry.file_name().to_bytes());
            if folded(candidate) == wanted {
                return Ok(Cow::Owned(candidate.to_owned()));
            }
        }
        Ok(Cow::Borrowed(name))
    }
}

/// A name that is not UTF-8 has only one spelling, as on ext4.
fn folded(name: &OsStr) -> OsString {
    match name.to_str() {
        Some(text) => text.to_lowercase().into(),
        None => name.to_owned(),
    }
}

/// The umask applies unless the directory has a default ACL, which replaces it (see acl(5)).
fn permissions(directory: &File, creator: Creator) -> Mode {
    let path = proc_path(directory);
    let mut probe = [0; 0];
    let has_default = rustix::fs::getxattr(path, "system.posix_acl_default", &mut probe).is_ok();
    let masked = if has_default {
        creator.mode
    } else {
        creator.mode & !creator.umask
    };
    Mode::from_raw_mode(masked & 0o7777)
}

/// What this process creates belongs to root; it has to belong to the caller.
fn hand_over(
    directory: &File,
    name: &OsStr,
    creator: Creator,
    mode: Option<Mode>,
) -> Result<(), Errno> {
    if (creator.uid, creator.gid) == (0, 0) {
        return Ok(());
    }
    let parent = rustix::fs::fstat(directory)?;
    let inherits_group = Mode::from_raw_mode(parent.st_mode).contains(Mode::SGID);
    let group = (!inherits_group).then_some(Gid::from_raw(creator.gid));
    let owner = Some(Uid::from_raw(creator.uid));
    rustix::fs::chownat(directory, name, owner, group, AtFlags::SYMLINK_NOFOLLOW)?;
    match mode {
        // The change of owner has just cleared these.
        Some(mode) if mode.intersects(Mode::SUID | Mode::SGID) => {
            rustix::fs::chmodat(directory, name, mode, AtFlags::empty())
        }
        _ => Ok(()),
    }
}
