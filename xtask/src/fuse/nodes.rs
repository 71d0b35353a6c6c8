//! The inodes that the kernel remembers: how a number leads to a file.
//!
//! An inode is held by an `O_PATH` descriptor of the backing file, so it survives renames and its
//! own removal. The kernel remembers more inodes than a process may have descriptors, so the oldest
//! are closed, and opened again by their place in the tree when they are asked for.

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileType, INodeNo};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use crate::error::{Context, Result};

/// All known inodes by number. The numbers are those of the backing files, except the root's.
#[derive(Debug)]
pub(super) struct Nodes {
    table: Mutex<Table>,
    root: Arc<File>,
    root_ino: u64,
    device: u64,
    /// How many descriptors may be held here.
    max_open: usize,
}

#[derive(Debug, Default)]
struct Table {
    nodes: HashMap<u64, Node>,
    /// Numbers of open inodes, the oldest first; some may have been closed or forgotten since.
    opened: VecDeque<u64>,
}

#[derive(Debug)]
struct Node {
    /// None if closed.
    file: Option<Arc<File>>,
    /// None if there is no way back to it, and so it has to stay open.
    place: Option<Place>,
    lookups: u64,
}

/// A name in a directory that the kernel knows, because it knows something in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) parent: INodeNo,
    pub(super) name: OsString,
}

impl Place {
    pub(super) fn new(parent: INodeNo, name: &OsStr) -> Self {
        let name = name.to_owned();
        Self { parent, name }
    }
}

impl Nodes {
    /// `max_open` must leave descriptors for the files that are open.
    pub(super) fn new(backing: &Path, max_open: usize) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(backing, flags, Mode::empty()).at("open", backing)?;
        let root = File::from(root);
        let metadata = root.metadata().at("stat", backing)?;
        Ok(Self {
            table: Mutex::default(),
            root: Arc::new(root),
            root_ino: metadata.ino(),
            device: metadata.dev(),
            max_open,
        })
    }

    pub(super) fn get(&self, ino: INodeNo) -> Result<Arc<File>, Errno> {
        if ino == INodeNo::ROOT {
            return Ok(Arc::clone(&self.root));
        }
        let place = match self.table().nodes.get(&ino.0) {
            None => return Err(Errno::STALE),
            Some(Node {
                file: Some(file), ..
            }) => return Ok(Arc::clone(file)),
            Some(Node { place, .. }) => place.clone().ok_or(Errno::STALE)?,
        };
        let directory = self.get(place.parent)?;
        let file = Arc::new(open_inode(&directory, &place.name)?);
        if self.attr(&file)?.ino != ino {
            return Err(Errno::STALE);
        }
        let mut table = self.table();
        if let Some(node) = table.nodes.get_mut(&ino.0) {
            node.file = Some(Arc::clone(&file));
            table.opened(ino.0, self.max_open);
        }
        Ok(file)
    }

    /// Counts one more reference of the kernel to this file, and describes it.
    pub(super) fn remember(&self, file: File, place: Place) -> Result<FileAttr, Errno> {
        let attr = self.attr(&file)?;
        if attr.ino == INodeNo::ROOT {
            return Ok(attr);
        }
        // The kernel may go on using a file by one of its names and forget the directory of
        // another, so a file with several names stays open.
        let has_one_name = attr.nlink == 1 || attr.kind == FileType::Directory;
        let mut table = self.table();
        let node = table.nodes.entry(attr.ino.0).or_insert(Node {
            file: None,
            place: None,
            lookups: 0,
        });
        node.lookups += 1;
        node.place = has_one_name.then_some(place);
        if node.file.is_none() {
            node.file = Some(Arc::new(file));
            table.opened(attr.ino.0, self.max_open);
        }
        Ok(attr)
    }

    pub(super) fn forget(&self, ino: INodeNo, lookups: u64) {
        let mut table = self.table();
        if let Some(node) = table.nodes.get_mut(&ino.0) {
            node.lookups = node.lookups.saturating_sub(lookups);
            if node.lookups == 0 {
                table.nodes.remove(&ino.0);
            }
        }
    }

    /// Prepares for a name to go: what it leads to stays open from now on, if the kernel knows it.
    /// Returns its number, for [`Nodes::place`] to tell where it went.
    pub(super) fn displace(&self, place: &Place) -> Option<INodeNo> {
        let directory = self.get(place.parent).ok()?;
        let file = open_inode(&directory, &place.name).ok()?;
        let ino = self.attr(&file).ok()?.ino;
        let mut table = self.table();
        let node = table.nodes.get_mut(&ino.0)?;
        node.file.get_or_insert(Arc::new(file));
        node.place.take().map(|_| ino)
    }

    /// The inode can be found there now.
    pub(super) fn place(&self, ino: Option<INodeNo>, place: Place) {
        let Some(ino) = ino else { return };
        let mut table = self.table();
        if let Some(node) = table.nodes.get_mut(&ino.0) {
            node.place = Some(place);
            table.opened(ino.0, self.max_open);
        }
    }

    /// Two filesystems could have two files of one number, so the backing directory may not hold a
    /// mount point.
    pub(super) fn attr(&self, file: &File) -> Result<FileAttr, Errno> {
        let metadata = file.metadata().map_err(errno_of)?;
        if metadata.dev() != self.device {
            return Err(Errno::XDEV);
        }
        let ino = if metadata.ino() == self.root_ino {
            INodeNo::ROOT.0
        } else {
            metadata.ino()
        };
        describe(&metadata, INodeNo(ino))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        lock(&self.table)
    }
}

impl Table {
    /// Notes that an inode was opened, and closes old ones that can be opened again.
    fn opened(&mut self, ino: u64, max_open: usize) {
        self.opened.push_back(ino);
        while self.opened.len() > max_open {
            let Some(oldest) = self.opened.pop_front() else {
                return;
            };
            if let Some(node) = self.nodes.get_mut(&oldest)
                && node.place.is_some()
            {
                node.file = None;
            }
        }
    }
}

/// Opens what a name leads to, even a symlink, without the right to read or write it.
pub(super) fn open_inode(directory: &File, name: &OsStr) -> Result<File, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(directory, name, flags, Mode::empty()).map(File::from)
}

/// No code here can panic half-way through a change, so a poisoned lock still guards sound data.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn errno_of(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// The way to what an `O_PATH` descriptor stands for, for calls that want a path. It ends at the
/// file itself, even at a symlink.
pub(super) fn proc_path(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

fn describe(metadata: &Metadata, ino: INodeNo) -> Result<FileAttr, Errno> {
    Ok(FileAttr {
        ino,
        size: metadata.size(),
        blocks: metadata.blocks(),
        atime: time(metadata.atime(), metadata.atime_nsec()),
        mtime: time(metadata.mtime(), metadata.mtime_nsec()),
        ctime: time(metadata.ctime(), metadata.ctime_nsec()),
        crtime: UNIX_EPOCH,
        kind: FileType::from_std(metadata.file_type()).ok_or(Errno::IO)?,
        perm: (metadata.mode() & 0o7777) as u16,
        nlink: u32::try_from(metadata.nlink()).unwrap_or(u32::MAX),
        uid: metadata.uid(),
        gid: metadata.gid(),
        // The low 32 bits of a device number are laid out as the kernel's protocol wants them.
        rdev: metadata.rdev() as u32,
        blksize: u32::try_from(metadata.blksize()).unwrap_or(4096),
        flags: 0,
    })
}

/// Seconds may be negative; nanoseconds always count forwards.
fn time(seconds: i64, nanoseconds: i64) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let base = match seconds {
        0.. => UNIX_EPOCH.checked_add(whole),
        _ => UNIX_EPOCH.checked_sub(whole),
    };
    base.and_then(|base| base.checked_add(Duration::from_nanos(nanoseconds.unsigned_abs())))
        .unwrap_or(UNIX_EPOCH)
}
