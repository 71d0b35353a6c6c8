//! What the calls about names do in a simulated world.

use std::ffi::{OsStr, OsString};

use super::data::{BLOCK, Data};
use super::faults::Deed;
use super::world::{Body, OpenFile, ROOT, Resolved, World};
use crate::system::{Batch, Open, Sys};
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::stat::{FileKind, KeptNames};
use crate::words::xattr_names::{access_acl, inherited_acl};

/// FS_APPEND_FL of linux/fs.h.
pub(super) const APPEND: u32 = 0x20;

/// How many names one call reads from a directory.
const BATCH: usize = 3;

/// What to make under a new name; a hard link's inode has been found already.
pub(super) enum Make<'a> {
    Directory {
        mode: u32,
    },
    Symlink {
        target: &'a OsStr,
    },
    Special {
        kind: FileKind,
        mode: u32,
        device: u64,
    },
    HardLink {
        ino: u64,
    },
}

impl World {
    pub(super) fn lookup(&self, dir: u64, name: &OsStr, follow: bool) -> Sys<u64> {
        self.resolve(dir, name, follow)?.ino.ok_or(self.codes.noent)
    }

    pub(super) fn open_name(&mut self, dir: u64, name: &OsStr, how: Open) -> Sys<u64> {
        let (follow, reads, writes) = match how {
            Open::Read { follow } | Open::ReadStream { follow } => (follow, true, false),
            Open::Write { follow }
            | Open::WriteStream { follow }
            | Open::WriteEmptied { follow } => (follow, false, true),
            Open::Create { mode } => return self.create(dir, name, mode, true),
            Open::CreateThrough { mode } => return self.create(dir, name, mode, false),
            Open::CreateDraft { mode } => {
                let id = self.create(dir, name, mode, true)?;
                return Ok(self.reads_too(id));
            }
            Open::Draft => (false, true, true),
            Open::Nameless { mode } => return self.create_nameless(dir, name, mode),
            Open::Directory { follow } => (follow, true, false),
            Open::Path { follow } => (follow, false, false),
        };
        let ino = self.lookup(dir, name, follow)?;
        let kind = self.node(ino).kind();
        let wants_dir = matches!(how, Open::Directory { .. } | Open::Path { .. });
        if kind == FileKind::Symlink {
            return Err(if wants_dir {
                self.codes.notdir
            } else {
                self.codes.link_loop
            });
        }
        if wants_dir && kind != FileKind::Directory {
            return Err(self.codes.notdir);
        }
        if writes && kind == FileKind::Directory {
            return Err(self.codes.isdir);
        }
        self.check(ino, if reads { 4 } else { 0 } | if writes { 2 } else { 0 })?;
        if reads && kind == FileKind::Regular {
            self.check_seen(ino)?;
        }
        let empties = matches!(how, Open::WriteEmptied { .. });
        if writes && !empties && self.volume_of(ino).wants_emptied {
            return Err(self.codes.perm);
        }
        let id = self.open_inode(ino, reads, writes);
        if empties {
            self.set_file_len(id, 0)?;
            self.change(ino, |data| data.set_len(0));
        }
        Ok(id)
    }

    pub(super) fn open_inode(&mut self, ino: u64, reads: bool, writes: bool) -> u64 {
        self.open_file(OpenFile {
            ino,
            reads,
            writes,
            names: None,
            position: 0,
            direct: false,
            locked: false,
        })
    }

    fn reads_too(&mut self, id: u64) -> u64 {
        if let Some(file) = self.open.get_mut(&id) {
            file.reads = true;
        }
        id
    }

    fn create_nameless(&mut self, dir: u64, name: &OsStr, mode: u32) -> Sys<u64> {
        let dir = self.lookup(dir, name, true)?;
        self.names(dir)?;
        if !self.volume_of(dir).nameless || self.os != Os::Linux {
            let code = self.volume_of(dir).odd.nameless_code;
            return Err(code.unwrap_or(self.codes.notsup));
        }
        let at = Resolved {
            dir,
            name: OsString::from("\0"),
            ino: None,
        };
        // Made as any other is, but for the name.
        let modified = self.node(dir).modified;
        let ino = self.make_named(&at, Body::File(Data::default()), mode & !self.umask)?;
        self.unname(dir, &at.name)?;
        self.node_mut(dir).modified = modified;
        Ok(self.open_inode(ino, true, true))
    }

    fn create(&mut self, dir: u64, name: &OsStr, mode: u32, exclusive: bool) -> Sys<u64> {
        let at = self.resolve(dir, name, !exclusive)?;
        match at.ino {
            Some(_) if exclusive => Err(self.codes.exist),
            Some(ino) if self.node(ino).kind() == FileKind::Directory => Err(self.codes.isdir),
            Some(ino) => {
                self.check(ino, 2)?;
                Ok(self.open_inode(ino, false, true))
            }
            None => {
                let mode = mode & !self.umask;
                let ino = self.make_named(&at, Body::File(Data::default()), mode)?;
                Ok(self.open_inode(ino, false, true))
            }
        }
    }

    pub(super) fn make_node(&mut self, dir: u64, name: &OsStr, make: &Make<'_>) -> Sys<()> {
        let at = self.resolve(dir, name, false)?;
        if at.ino.is_some() {
            return Err(self.codes.exist);
        }
        let (body, mode, device) = match *make {
            Make::Directory { mode } => (
                Body::Dir {
                    names: Default::default(),
                    parent: at.dir,
                },
                mode & !self.umask,
                0,
            ),
            Make::Symlink { target } => (Body::Link(target.to_os_string()), 0o777, 0),
            Make::Special {
                kind: FileKind::Fifo,
                mode,
                ..
            } => (Body::Fifo(Vec::new()), mode & !self.umask, 0),
            Make::Special {
                kind: FileKind::Socket,
                mode,
                ..
            } => (Body::Other(FileKind::Socket), mode & !self.umask, 0),
            Make::Special { .. } if !self.privileged => return Err(self.codes.perm),
            Make::Special { kind, mode, device } => (Body::Other(kind), mode & !self.umask, device),
            Make::HardLink { ino } => return self.hard_link(&at, ino),
        };
        let is_file = !matches!(body, Body::Link(_) | Body::Dir { .. });
        let foreign = matches!(self.volume_of(at.dir).kind, FsKind::Fat | FsKind::ExFat);
        if foreign && (is_file || matches!(body, Body::Link(_))) {
            return Err(self.codes.perm); // vfat has neither links nor devices
        }
        let ino = self.make_named(&at, body, mode)?;
        self.node_mut(ino).device = device;
        Ok(())
    }

    /// A new inode with a name, which gets what its directory gives to new files.
    pub(super) fn make_named(&mut self, at: &Resolved, body: Body, mode: u32) -> Sys<u64> {
        self.check(at.dir, 3)?;
        let (volume, is_dir) = (self.node(at.dir).volume, matches!(body, Body::Dir { .. }));
        let inherits = !matches!(body, Body::Link(_));
        self.take_room(volume, BLOCK)?;
        let ino = self.add(body, volume, mode);
        let (gives, access) = (inherited_acl(self.os), access_acl(self.os));
        if let Some(acl) = self.node(at.dir).xattrs.get(gives).filter(|_| inherits) {
            let acl = acl.clone();
            let node = self.node_mut(ino);
            node.xattrs.insert(access.to_vec(), acl.clone());
            if is_dir {
                node.xattrs.insert(gives.to_vec(), acl);
            }
        }
        self.name(at.dir, &at.name, ino);
        Ok(ino)
    }

    fn hard_link(&mut self, at: &Resolved, ino: u64) -> Sys<()> {
        self.check(at.dir, 3)?;
        if self.node(ino).kind() == FileKind::Directory {
            return Err(self.codes.perm);
        }
        if self.node(ino).volume != self.node(at.dir).volume {
            return Err(self.codes.xdev);
        }
        if matches!(self.volume_of(ino).kind, FsKind::Fat | FsKind::ExFat) {
            return Err(self.codes.perm);
        }
        self.name(at.dir, &at.name, ino);
        Ok(())
    }

    pub(super) fn remove_name(&mut self, dir: u64, name: &OsStr, is_dir: bool) -> Sys<()> {
        let at = self.resolve(dir, name, false)?;
        let ino = at.ino.ok_or(self.codes.noent)?;
        self.check(at.dir, 3)?;
        self.check_kept(at.dir, ino)?;
        self.check_unlocked(ino)?;
        match &self.node(ino).body {
            Body::Dir { .. } if !is_dir => return Err(self.codes.isdir),
            Body::Dir { names, .. } if !names.is_empty() => return Err(self.codes.notempty),
            Body::Dir { .. } => {}
            _ if is_dir => return Err(self.codes.notdir),
            _ => {}
        }
        if self.removes_now(&at, ino)? {
            self.unname(at.dir, &at.name)?;
            self.forget_if_unused(ino);
        }
        Ok(())
    }

    /// The names that a directory keeps.
    pub(super) fn kept_names(&self, dir: u64) -> KeptNames {
        let node = self.node(dir);
        let is_append_only = self.os == Os::Linux && node.flags & APPEND != 0;
        let uid = (self.os != Os::Windows && !self.privileged).then_some(self.uid);
        KeptNames::new(is_append_only, (node.mode, node.uid), uid)
    }

    /// Whether this file's name can't be removed from a directory.
    fn check_kept(&self, dir: u64, ino: u64) -> Sys<()> {
        match self.kept_names(dir).has(&self.stat(ino)) {
            true => Err(self.codes.perm),
            false => Ok(()),
        }
    }

    /// Whether there can be a rename to this name only if it is free, and it is.
    pub(super) fn check_free(&self, to: (u64, &OsStr)) -> Sys<()> {
        if !self.volume_of(to.0).renames_new {
            return Err(self.codes.notsup);
        }
        match self.resolve(to.0, to.1, false)?.ino {
            Some(_) => Err(self.codes.exist),
            None => Ok(()),
        }
    }

    pub(super) fn rename_node(&mut self, from: (u64, &OsStr), to: (u64, &OsStr)) -> Sys<()> {
        let from = self.resolve(from.0, from.1, false)?;
        let to = self.resolve(to.0, to.1, false)?;
        let ino = from.ino.ok_or(self.codes.noent)?;
        self.check_seen(ino)?;
        self.check(from.dir, 3)?;
        self.check(to.dir, 3)?;
        if self.node(from.dir).volume != self.node(to.dir).volume {
            return Err(self.codes.xdev);
        }
        if let Some(code) = self.volume_of(to.dir).refuses_rename {
            return Err(code);
        }
        if to.ino == Some(ino) {
            return Ok(()); // two names of one file: POSIX leaves both
        }
        self.check_kept(from.dir, ino)?;
        if let Some(old) = to.ino {
            self.check_kept(to.dir, old)?;
            if self.node(old).kind() == FileKind::Directory {
                return Err(self.codes.isdir);
            }
            self.unname(to.dir, &to.name)?;
            self.forget_if_unused(old);
        }
        self.unname(from.dir, &from.name)?;
        self.name(to.dir, &to.name, ino);
        Ok(())
    }

    pub(super) fn read_names(&mut self, handle: u64, batch: &mut Batch) -> Sys<()> {
        batch.clear();
        let file = self.open.get(&handle).ok_or(self.codes.badf)?;
        if !file.reads {
            return Err(self.codes.badf);
        }
        let ino = file.ino;
        let mut names = match file.names.clone() {
            Some(names) => names,
            None => self.ordered_names(ino)?,
        };
        let says_kind = self.volume_of(ino).names_kinds;
        for (name, ino) in names.drain(..names.len().min(BATCH)) {
            let kind = self
                .nodes
                .get(&ino)
                .filter(|_| says_kind)
                .map(super::world::Node::kind);
            batch.push_inode(&name, kind, ino);
        }
        if let Some(file) = self.open.get_mut(&handle) {
            file.names = Some(names);
        }
        Ok(())
    }

    /// The order of a directory is unspecified: here, the seed determines it.
    fn ordered_names(&self, dir: u64) -> Sys<Vec<(OsString, u64)>> {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let names = self.names(dir)?;
        let mut names: Vec<_> = names
            .iter()
            .map(|(name, ino)| (name.clone(), *ino))
            .collect();
        names.sort_by_key(|(name, _)| {
            let mut hasher = DefaultHasher::new();
            (self.seed, name).hash(&mut hasher);
            hasher.finish()
        });
        Ok(names)
    }

    /// Takes free space of a volume.
    pub(super) fn take_room(&mut self, volume: usize, bytes: u64) -> Sys<()> {
        let volume = &mut self.volumes[volume];
        volume.free_bytes = volume
            .free_bytes
            .checked_sub(bytes)
            .ok_or(self.codes.nospc)?;
        Ok(())
    }

    /// The action of another process between two calls. If its path does not exist (any more), nothing happens.
    pub(super) fn does(&mut self, deed: &Deed) {
        let now = self.now();
        match *deed {
            Deed::SwapForLink { path, target } => {
                self.swap(path, Body::Link(target.into()));
            }
            Deed::PutLink { path, target } => {
                if let Ok(at) = self.resolve(ROOT, OsStr::new(path), false)
                    && at.ino.is_none()
                {
                    let volume = self.node(at.dir).volume;
                    let link = self.add(Body::Link(target.into()), volume, 0o777);
                    self.name(at.dir, &at.name, link);
                }
            }
            Deed::SwapForFifo { path } => self.swap(path, Body::Fifo(Vec::new())),
            Deed::SwapForFile { path, bytes } => {
                let mut data = Data::default();
                data.write(0, &vec![b'!'; usize::try_from(bytes).unwrap_or(0)]);
                self.swap(path, Body::File(data));
            }
            Deed::Exchange { path, with } => self.exchange([path, with]),
            Deed::Unlock { path, finished } => {
                if let Ok(at) = self.resolve(ROOT, OsStr::new(path), false)
                    && let Some(ino) = at.ino
                {
                    for file in self.open.values_mut().filter(|file| file.ino == ino) {
                        file.locked = false;
                    }
                    if finished {
                        // It was found just now.
                        let _ = self.unname(at.dir, &at.name);
                    }
                }
            }
            Deed::Remove { path } => {
                if let Ok(at) = self.resolve(ROOT, OsStr::new(path), false) {
                    // It was removed already, then.
                    let _ = self.unname(at.dir, &at.name);
                }
            }
            Deed::Grow { path, .. } | Deed::Shrink { path, .. } | Deed::Rewrite { path } => {
                let Ok(ino) = self.lookup(ROOT, OsStr::new(path), true) else {
                    return;
                };
                let node = self.node_mut(ino);
                node.modified = now;
                let Body::File(data) = &mut node.body else {
                    return;
                };
                let size = data.size();
                match *deed {
                    Deed::Grow { bytes, .. } => {
                        data.write(size, &vec![b'+'; usize::try_from(bytes).unwrap_or(0)]);
                    }
                    Deed::Shrink { len, .. } => data.set_len(len.min(size)),
                    _ => data.write(0, &vec![b'!'; usize::try_from(size).unwrap_or(0)]),
                }
            }
        }
    }

    fn exchange(&mut self, paths: [&str; 2]) {
        let [one, other] = paths.map(|path| self.resolve(ROOT, OsStr::new(path), false));
        if let (Ok(one), Ok(other)) = (one, other)
            && let (Some(first), Some(second)) = (one.ino, other.ino)
            && self.unname(one.dir, &one.name).is_ok()
            && self.unname(other.dir, &other.name).is_ok()
        {
            self.name(one.dir, &one.name, second);
            self.name(other.dir, &other.name, first);
        }
    }

    fn swap(&mut self, path: &str, body: Body) {
        let Ok(at) = self.resolve(ROOT, OsStr::new(path), false) else {
            return;
        };
        let Some(old) = at.ino else { return };
        let mut aside = at.name.clone();
        aside.push(".aside");
        if self.find(at.dir, &aside).is_ok_and(|there| there.is_some()) {
            return;
        }
        let volume = self.node(old).volume;
        if self.unname(at.dir, &at.name).is_err() {
            return;
        }
        self.name(at.dir, &aside, old);
        let new = self.add(body, volume, 0o644);
        self.name(at.dir, &at.name, new);
    }
}
