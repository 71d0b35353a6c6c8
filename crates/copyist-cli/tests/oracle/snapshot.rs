//! A full picture of a tree, by directory descriptors, and the differences between two.

use std::collections::BTreeMap;
use std::hash::Hasher;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, SeekFrom, Statx, StatxFlags, StatxTimestamp, getxattr,
    listxattr, openat, readlinkat, seek, statx,
};
use rustix::io::Errno;

use super::plan::Time;

/// When the run took place, by the clock of the files: a time within was made by the run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The first second.
    pub(crate) from: i64,
    /// The last second.
    pub(crate) to: i64,
}

/// A time as it can be compared between two runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Set during the run.
    Fresh,
    /// Any other time: it was there before, or was copied.
    At(Time),
}

/// Everything that is compared of one entry.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) kind: FileType,
    pub(crate) mode: u32,
    pub(crate) owner: (u32, u32),
    /// Bytes, of regular files; else 0.
    pub(crate) size: u64,
    pub(crate) modified: Stamp,
    pub(crate) accessed: Stamp,
    /// The names of a file that has several: their number, and the first of those in the tree.
    pub(crate) links: Option<(u32, Vec<u8>)>,
    /// Where a symbolic link leads.
    pub(crate) target: Vec<u8>,
    /// Major and minor, of devices.
    pub(crate) device: (u32, u32),
    pub(crate) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// A hash of the content.
    pub(crate) content: u64,
    /// Bytes that SEEK_HOLE calls holes.
    pub(crate) hole_bytes: u64,
    /// How many pieces of data SEEK_DATA finds.
    pub(crate) pieces: u64,
}

/// A picture of a tree: every entry by its path from the root, the root itself left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Snapshot {
    pub(crate) entries: BTreeMap<Vec<u8>, Entry>,
}

/// A directory still to be visited.
struct Level {
    path: Vec<u8>,
    fd: OwnedFd,
    names: Vec<Vec<u8>>,
}

/// Takes a picture of what is below `root`.
pub(crate) fn take(root: OwnedFd, window: Window) -> io::Result<Snapshot> {
    let mut first_names: BTreeMap<(u32, u32, u64), Vec<u8>> = BTreeMap::new();
    let mut inodes: BTreeMap<Vec<u8>, (u32, u32, u64)> = BTreeMap::new();
    let mut snapshot = Snapshot::default();
    let mut levels = vec![Level {
        path: Vec::new(),
        names: names_in(&root)?,
        fd: root,
    }];
    while let Some(level) = levels.last_mut() {
        let Some(name) = level.names.pop() else {
            levels.pop();
            continue;
        };
        let mut path = level.path.clone();
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend(&name);
        let (entry, stat) = look(&level.fd, &name, window)?;
        if entry.kind == FileType::Directory {
            let fd = open_dir(&level.fd, &name)?;
            levels.push(Level {
                path: path.clone(),
                names: names_in(&fd)?,
                fd,
            });
        } else if stat.stx_nlink > 1 {
            let inode = (stat.stx_dev_major, stat.stx_dev_minor, stat.stx_ino);
            let first = first_names.entry(inode).or_insert_with(|| path.clone());
            if path < *first {
                first.clone_from(&path);
            }
            inodes.insert(path.clone(), inode);
        }
        snapshot.entries.insert(path, entry);
    }
    for (path, inode) in inodes {
        if let Some((_, first)) = snapshot
            .entries
            .get_mut(&path)
            .and_then(|entry| entry.links.as_mut())
        {
            first.clone_from(&first_names[&inode]);
        }
    }
    Ok(snapshot)
}

fn open_dir(parent: &OwnedFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(parent, name, flags, Mode::empty())?)
}

fn names_in(dir: &OwnedFd) -> io::Result<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(name.to_vec());
        }
    }
    Ok(names)
}

/// Looks at one entry, whatever it is, without opening devices or pipes.
fn look(dir: &OwnedFd, name: &[u8], window: Window) -> io::Result<(Entry, Statx)> {
    let wanted = StatxFlags::BASIC_STATS;
    let stat = statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, wanted)?;
    let kind = FileType::from_raw_mode(stat.stx_mode.into());
    let stamp = |time: StatxTimestamp| {
        let fresh = (window.from..=window.to).contains(&time.tv_sec);
        if fresh {
            Stamp::Fresh
        } else {
            Stamp::At(Time {
                sec: time.tv_sec,
                nsec: time.tv_nsec,
            })
        }
    };
    let is_file = kind == FileType::RegularFile;
    let mut entry = Entry {
        kind,
        mode: u32::from(stat.stx_mode) & 0o7777,
        owner: (stat.stx_uid, stat.stx_gid),
        size: if is_file { stat.stx_size } else { 0 },
        modified: stamp(stat.stx_mtime),
        accessed: stamp(stat.stx_atime),
        links: (kind != FileType::Directory && stat.stx_nlink > 1)
            .then(|| (stat.stx_nlink, Vec::new())),
        target: Vec::new(),
        device: (stat.stx_rdev_major, stat.stx_rdev_minor),
        xattrs: xattrs_of(dir, name)?,
        content: 0,
        hole_bytes: 0,
        pieces: 0,
    };
    if kind == FileType::Symlink {
        entry.target = readlinkat(dir, name, Vec::new())?.into_bytes();
    }
    if is_file {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = std::fs::File::from(openat(dir, name, flags, Mode::empty())?);
        (entry.hole_bytes, entry.pieces) = holes_of(&file, stat.stx_size)?;
        entry.content = hash_of(&file)?;
    }
    Ok((entry, stat))
}

/// All extended attributes of an entry; none where the filesystem has no such thing.
fn xattrs_of(dir: &OwnedFd, name: &[u8]) -> io::Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let entry = openat(dir, name, flags, Mode::empty())?;
    let path = format!("/proc/self/fd/{}", entry.as_raw_fd());
    let mut list = vec![0; 1 << 16];
    let len = match listxattr(path.as_str(), list.as_mut_slice()) {
        Ok(len) => len,
        Err(Errno::OPNOTSUPP | Errno::NOSYS) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let mut xattrs = BTreeMap::new();
    for attr in list[..len]
        .split(|byte| *byte == 0)
        .filter(|attr| !attr.is_empty())
    {
        let mut value = vec![0; 1 << 16];
        let len = getxattr(path.as_str(), attr, value.as_mut_slice())?;
        value.truncate(len);
        xattrs.insert(attr.to_vec(), value);
    }
    Ok(xattrs)
}

/// The bytes in holes, and the number of pieces of data.
fn holes_of(file: &std::fs::File, size: u64) -> io::Result<(u64, u64)> {
    let (mut at, mut holes, mut pieces) = (0, 0, 0);
    while at < size {
        let data = match seek(file, SeekFrom::Data(at)) {
            Ok(data) => data,
            Err(Errno::NXIO) => size,
            Err(Errno::INVAL | Errno::OPNOTSUPP) => at,
            Err(error) => return Err(error.into()),
        };
        holes += data.min(size) - at;
        if data >= size {
            break;
        }
        pieces += 1;
        at = seek(file, SeekFrom::Hole(data)).unwrap_or(size);
    }
    Ok((holes, pieces))
}

fn hash_of(file: &std::fs::File) -> io::Result<u64> {
    let mut hasher = std::hash::DefaultHasher::new();
    let (mut buffer, mut at) = (vec![0; 256 << 10], 0);
    loop {
        // Whole buffers, so that the hash does not depend on how much each read returns.
        let mut len = 0;
        while len < buffer.len() {
            match file.read_at(&mut buffer[len..], at + len as u64)? {
                0 => break,
                more => len += more,
            }
        }
        hasher.write(&buffer[..len]);
        if len < buffer.len() {
            return Ok(hasher.finish());
        }
        at += len as u64;
    }
}
