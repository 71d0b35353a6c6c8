//! The state of a simulated system: volumes, inodes, names, open files.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path};

use super::codes::Codes;
use super::data::{BLOCK, Data};
use super::faults::{Call, Effect, Faults};
use super::panics::Planned;
use super::volume::Volume;
use crate::system::Sys;
use crate::words::facts::Kernel;
use crate::words::method::Os;
use crate::words::stat::{FileId, FileKind, Stat, Timestamp};

/// More symbolic links than this on one path are a loop, as in Linux.
const MOST_LINKS: u32 = 40;

/// The inode of the root directory.
pub(super) const ROOT: u64 = 1;

#[derive(Clone, Debug)]
pub(super) enum Body {
    File(Data),
    /// `parent` is itself for the root.
    Dir {
        names: BTreeMap<OsString, u64>,
        parent: u64,
    },
    Link(OsString),
    /// A magic link: its text, and the inode that it leads to.
    MagicLink(OsString, u64),
    /// What is in the pipe; its writers have gone.
    Fifo(Vec<u8>),
    Other(FileKind),
}

#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) volume: usize,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) links: u64,
    pub(super) device: u64,
    pub(super) accessed: Timestamp,
    pub(super) modified: Timestamp,
    pub(super) created: Timestamp,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) flags: u32,
    /// What of its data is on the medium.
    pub(super) flushed: Data,
}

impl Node {
    pub(super) fn kind(&self) -> FileKind {
        match self.body {
            Body::File(_) => FileKind::Regular,
            Body::Dir { .. } => FileKind::Directory,
            Body::Link(_) | Body::MagicLink(..) => FileKind::Symlink,
            Body::Fifo(_) => FileKind::Fifo,
            Body::Other(kind) => kind,
        }
    }
}

/// An open file.
#[derive(Clone, Debug)]
pub(super) struct OpenFile {
    pub(super) ino: u64,
    pub(super) reads: bool,
    pub(super) writes: bool,
    /// Names that [`crate::system::Names::read_dir`] has still to tell.
    pub(super) names: Option<Vec<(OsString, u64)>>,
    pub(super) position: u64,
    pub(super) direct: bool,
    pub(super) locked: bool,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) os: Os,
    pub(super) codes: Codes,
    pub(super) kernel: Kernel,
    pub(super) seed: u64,
    pub(super) privileged: bool,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) umask: u32,
    pub(super) volumes: Vec<Volume>,
    pub(super) nodes: BTreeMap<u64, Node>,
    pub(super) open: BTreeMap<u64, OpenFile>,
    /// Files of late volumes that were written: how many more tries to read them fail.
    pub(super) unseen: BTreeMap<u64, u32>,
    /// Names that go when their files are closed.
    pub(super) pending: BTreeMap<u64, super::open_names::Pending>,
    /// Size and time of files before they were emptied, for [`super::buggy::Bug::ShowsOld`].
    pub(super) overwritten: BTreeMap<u64, (u64, Timestamp)>,
    pub(super) faults: Faults,
    /// What no engine may do, whatever the calls return.
    pub(super) violations: Vec<String>,
    /// A run that makes more calls hangs.
    pub(super) most_calls: u64,
    /// How many files can be open at a time, and how many the system says it is.
    pub(super) most_open: usize,
    pub(super) says_most_open: Option<u64>,
    /// From this call on, calls have no effect: the process was killed.
    pub(super) dead_from: u64,
    /// How often the volumes were mounted again.
    pub(super) mounts: u128,
    clock: i64,
    next_ino: u64,
    next_handle: u64,
}

impl World {
    pub(super) fn new(os: Os, seed: u64, root: Volume) -> World {
        let mut world = World {
            os,
            codes: Codes::of(os),
            kernel: match os {
                Os::Windows => Kernel(10, 26_100),
                _ => Kernel(6, 12),
            },
            seed,
            privileged: true,
            uid: 0,
            gid: 0,
            umask: match os {
                Os::Windows => 0,
                _ => 0o022,
            },
            volumes: vec![root],
            nodes: BTreeMap::new(),
            open: BTreeMap::new(),
            unseen: BTreeMap::new(),
            overwritten: BTreeMap::new(),
            pending: BTreeMap::new(),
            faults: Faults::default(),
            violations: Vec::new(),
            most_calls: u64::MAX,
            most_open: usize::MAX,
            says_most_open: None,
            dead_from: u64::MAX,
            mounts: 0,
            clock: 1_700_000_000,
            next_ino: ROOT,
            next_handle: 0,
        };
        let body = Body::Dir {
            names: BTreeMap::new(),
            parent: ROOT,
        };
        let root = world.add(body, 0, 0o755);
        world.node_mut(root).links = 2;
        world
    }

    pub(super) fn node(&self, ino: u64) -> &Node {
        &self.nodes[&ino]
    }

    pub(super) fn node_mut(&mut self, ino: u64) -> &mut Node {
        self.nodes
            .get_mut(&ino)
            .expect("an inode that is named or open exists")
    }

    pub(super) fn has_mounts_below(&self, dir: u64) -> bool {
        let Body::Dir { names, .. } = &self.node(dir).body else {
            return false;
        };
        names.values().any(|&ino| {
            self.node(ino).volume != self.node(dir).volume || self.has_mounts_below(ino)
        })
    }

    pub(super) fn volume_of(&self, ino: u64) -> &Volume {
        &self.volumes[self.node(ino).volume]
    }

    /// The time, which advances each time it is read.
    pub(super) fn now(&mut self) -> Timestamp {
        self.clock += 1;
        Timestamp {
            seconds: self.clock,
            nanos: 123_456_700, // Windows counts in units of 100
        }
    }

    /// A new inode without a name.
    pub(super) fn add(&mut self, body: Body, volume: usize, mode: u32) -> u64 {
        let ino = self.next_ino;
        self.next_ino += 1;
        let now = self.now();
        let (uid, gid) = (self.uid, self.gid);
        self.nodes.insert(
            ino,
            Node {
                body,
                volume,
                mode,
                uid,
                gid,
                links: 0,
                device: 0,
                accessed: now,
                modified: now,
                created: now,
                xattrs: BTreeMap::new(),
                flags: 0,
                flushed: Data::default(),
            },
        );
        ino
    }

    pub(super) fn open_file(&mut self, file: OpenFile) -> u64 {
        if let Some(late) = self.volume_of(file.ino).odd.late
            && file.writes
        {
            self.unseen.insert(file.ino, late);
        }
        self.next_handle += 1;
        self.open.insert(self.next_handle, file);
        self.next_handle
    }

    /// Whether a file can be opened to be read: see [`super::volume::Odd::late`].
    pub(super) fn check_seen(&mut self, ino: u64) -> Sys<()> {
        let is_open = self.open.values().any(|it| it.ino == ino && it.writes);
        match self.unseen.get_mut(&ino) {
            Some(_) if is_open => Err(self.codes.noent),
            Some(left) if *left > 0 => {
                *left -= 1;
                Err(self.codes.noent)
            }
            _ => Ok(()),
        }
    }

    pub(super) fn close_file(&mut self, handle: u64) {
        if let Some(file) = self.open.remove(&handle) {
            self.remove_pending(file.ino);
            self.forget_if_unused(file.ino);
        }
    }

    /// Locks a file, unless another handle holds the lock.
    pub(super) fn lock_file(&mut self, handle: u64) -> Sys<bool> {
        let ino = self.file(handle)?.ino;
        let taken = |(id, file): (&u64, &OpenFile)| *id != handle && file.ino == ino && file.locked;
        if self.open.iter().any(taken) {
            return Ok(false);
        }
        if let Some(file) = self.open.get_mut(&handle) {
            file.locked = true;
        }
        Ok(true)
    }

    /// A file without a name lives on for as long as it is open.
    pub(super) fn forget_if_unused(&mut self, ino: u64) {
        let is_open = self.open.values().any(|file| file.ino == ino);
        let is_named = self.node(ino).links > 0;
        if !is_open
            && !is_named
            && let Some(node) = self.nodes.remove(&ino)
        {
            let data = match &node.body {
                Body::File(data) => data.allocated_bytes(),
                _ => 0,
            };
            self.volumes[node.volume].free_bytes += BLOCK + data;
        }
    }

    pub(super) fn stat(&self, ino: u64) -> Stat {
        let node = self.node(ino);
        let volume = self.volume_of(ino);
        let is_pseudo = volume.kind == crate::words::facts::FsKind::Pseudo;
        let (size, allocated_bytes) = match &node.body {
            Body::File(_) if is_pseudo => (0, 0),
            Body::File(data) if data.size() > 0 => (
                volume.says_size.unwrap_or(data.size()),
                if volume.hides_numbers {
                    0
                } else {
                    data.allocated_bytes()
                },
            ),
            Body::File(_) => (0, 0),
            Body::Link(_) if volume.hides_numbers => (0, 0),
            Body::Link(target) | Body::MagicLink(target, _) => (target.len() as u64, 0),
            _ => (0, 0),
        };
        Stat {
            id: FileId {
                volume: volume.id,
                inode: match volume.hides_numbers {
                    true => 0,
                    false => volume.one_number.unwrap_or(ino).into(),
                },
            },
            kind: node.kind(),
            mode: match (self.os, node.kind()) {
                (Os::Windows, FileKind::Directory | FileKind::Symlink) => 0o777,
                // There is one bit: whether it may be written to.
                (Os::Windows, _) if node.mode & 0o200 == 0 => 0o444,
                (Os::Windows, _) => 0o666,
                _ => node.mode,
            },
            uid: node.uid,
            gid: node.gid,
            size,
            allocated_bytes,
            links: match (self.os, node.kind()) {
                _ if volume.hides_numbers => 0,
                (Os::Windows, FileKind::Directory) => 1, // `..` is no name there
                _ => node.links,
            },
            device: node.device,
            accessed: node.accessed,
            modified: node.modified,
            // No process can set it to an earlier time; that matters where it distinguishes files.
            changed: match volume.hides_numbers {
                true => node.created.max(node.modified),
                false => volume.changed(node.modified),
            },
            created: (self.os != Os::Linux).then_some(node.created),
            flags: matches!(self.os, Os::Macos | Os::Windows).then_some(node.flags),
        }
    }

    /// UF_IMMUTABLE and UF_APPEND of macOS: nothing of such a file can be changed.
    pub(super) fn check_unlocked(&self, ino: u64) -> Sys<()> {
        if self.os == Os::Macos && self.node(ino).flags & 0x6 != 0 {
            Err(self.codes.perm)
        } else {
            Ok(())
        }
    }

    /// Whether the process may do what the permission bits `wanted` (4, 2, 1) stand for.
    pub(super) fn may(&self, ino: u64, wanted: u32) -> bool {
        let node = self.node(ino);
        let shift = match node {
            _ if self.privileged => return true,
            node if node.uid == self.uid => 6,
            node if node.gid == self.gid => 3,
            _ => 0,
        };
        node.mode >> shift & wanted == wanted
    }

    pub(super) fn check(&self, ino: u64, wanted: u32) -> Sys<()> {
        if self.may(ino, wanted) {
            Ok(())
        } else {
            Err(self.codes.acces)
        }
    }

    /// The names of a directory.
    pub(super) fn names(&self, dir: u64) -> Sys<&BTreeMap<OsString, u64>> {
        match &self.node(dir).body {
            Body::Dir { names, .. } => Ok(names),
            _ => Err(self.codes.notdir),
        }
    }

    /// What has this name in a directory: the name as it is stored, and the inode.
    pub(super) fn find(&self, dir: u64, name: &OsStr) -> Sys<Option<(OsString, u64)>> {
        let names = self.names(dir)?;
        self.check(dir, 1)?;
        if name.len() > self.volume_of(dir).name_max {
            return Err(self.codes.nametoolong);
        }
        let found = if self.volume_of(dir).folds_case {
            let folded = name.to_string_lossy().to_lowercase();
            names
                .iter()
                .find(|(it, _)| it.to_string_lossy().to_lowercase() == folded)
        } else {
            names.get_key_value(name)
        };
        Ok(found.map(|(name, ino)| (name.clone(), *ino)))
    }

    /// Follows a path from `dir` to the directory that its last name is in, and that name.
    pub(super) fn resolve(&self, dir: u64, path: &OsStr, follow: bool) -> Sys<Resolved> {
        let mut left = MOST_LINKS;
        self.resolve_in(dir, path, follow, &mut left)
    }

    fn resolve_in(&self, from: u64, path: &OsStr, follow: bool, left: &mut u32) -> Sys<Resolved> {
        let bytes = path.as_encoded_bytes();
        if bytes.is_empty() {
            return Err(self.codes.noent);
        }
        let path = Path::new(path);
        let mut dir = if path.has_root() { ROOT } else { from };
        let wants_dir = bytes.ends_with(b"/") || bytes.ends_with(b"/.");
        let parts: Vec<Component<'_>> = path
            .components()
            .filter(|part| *part != Component::RootDir)
            .collect();
        let mut resolved = Resolved {
            dir,
            name: OsString::from("."),
            ino: Some(dir),
        };
        for (n, part) in parts.iter().enumerate() {
            let is_last = n + 1 == parts.len();
            let name = part.as_os_str();
            let found = self.step(dir, name)?;
            resolved = Resolved {
                dir,
                name: name.to_os_string(),
                ino: found,
            };
            let Some(ino) = found else {
                return if is_last {
                    Ok(resolved)
                } else {
                    Err(self.codes.noent)
                };
            };
            if let Body::Link(target) = &self.node(ino).body
                && (follow || !is_last || wants_dir)
            {
                *left = left.checked_sub(1).ok_or(self.codes.link_loop)?;
                resolved = self.resolve_in(dir, target, true, left)?;
            }
            if let Body::MagicLink(_, to) = self.node(ino).body
                && (follow || !is_last || wants_dir)
            {
                resolved.ino = Some(to);
            }
            match resolved.ino {
                Some(ino) if !is_last || wants_dir => {
                    self.names(ino)?;
                    dir = ino;
                }
                None if !is_last => return Err(self.codes.noent),
                _ => {}
            }
        }
        Ok(resolved)
    }

    fn step(&self, dir: u64, name: &OsStr) -> Sys<Option<u64>> {
        match (name.as_encoded_bytes(), &self.node(dir).body) {
            (b"." | b"..", Body::Dir { .. }) if !self.may(dir, 1) => Err(self.codes.acces),
            (b".", Body::Dir { .. }) => Ok(Some(dir)),
            (b"..", Body::Dir { parent, .. }) => Ok(Some(*parent)),
            _ => Ok(self.find(dir, name)?.map(|(_, ino)| ino)),
        }
    }

    /// Gives an inode a name.
    pub(super) fn name(&mut self, dir: u64, name: &OsStr, ino: u64) {
        let now = self.now();
        let is_dir = self.node(ino).kind() == FileKind::Directory;
        self.node_mut(ino).links += if is_dir { 2 } else { 1 };
        let parent = self.node_mut(dir);
        parent.modified = now;
        parent.links += u64::from(is_dir);
        if let Body::Dir { names, .. } = &mut parent.body {
            names.insert(name.to_os_string(), ino);
        }
        if let Body::Dir { parent, .. } = &mut self.node_mut(ino).body {
            *parent = dir;
        }
    }

    /// Removes a name; returns its inode.
    pub(super) fn unname(&mut self, dir: u64, name: &OsStr) -> Sys<u64> {
        let (stored, ino) = self.find(dir, name)?.ok_or(self.codes.noent)?;
        let now = self.now();
        let is_dir = self.node(ino).kind() == FileKind::Directory;
        self.node_mut(ino).links -= if is_dir { 2 } else { 1 };
        let parent = self.node_mut(dir);
        parent.modified = now;
        parent.links -= u64::from(is_dir);
        if let Body::Dir { names, .. } = &mut parent.body {
            names.remove(&stored);
        }
        Ok(ino)
    }

    pub(super) fn data(&self, ino: u64) -> Option<&Data> {
        match &self.node(ino).body {
            Body::File(data) => Some(data),
            _ => None,
        }
    }

    /// Enters a call into the log, and fails it if that is planned. What is left to do about it,
    /// the call itself sees to.
    pub(super) fn enter(&mut self, call: Call) -> Sys<Option<Effect>> {
        if self.faults.log.len() as u64 >= self.dead_from {
            self.faults.at(call);
            return Err(self.codes.io);
        }
        if self.faults.log.len() as u64 >= self.most_calls {
            if self.faults.log.len() as u64 == self.most_calls {
                self.violations
                    .push(format!("hangs: more than {} calls", self.most_calls));
            }
            self.faults.at(call);
            return Err(self.codes.io);
        }
        match self.faults.at(call) {
            Some(Effect::Fail(code)) => Err(code),
            Some(Effect::Panic) => std::panic::resume_unwind(Box::new(Planned)),
            Some(Effect::First(deed)) => {
                self.does(&deed);
                Ok(None)
            }
            effect => Ok(effect),
        }
    }
}

/// Where a path leads.
#[derive(Clone, Debug)]
pub(super) struct Resolved {
    pub(super) dir: u64,
    pub(super) name: OsString,
    /// `None` if nothing has that name.
    pub(super) ino: Option<u64>,
}
