//! Requests about files that the kernel already knows: attributes, contents, listings.

use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use fuser::{FileAttr, FileHandle, FileType, INodeNo, OpenFlags, TimeOrNow};
use rustix::fs::{AtFlags, CWD, Mode, OFlags, SeekFrom, Timespec, Timestamps, XattrFlags};
use rustix::io::Errno;

use super::behaviour::{Behaviour, Op};
use super::handles::{Handle, Handles, Listed};
use super::nodes::{Nodes, errno_of, lock, proc_path};

/// The backing directory, seen through the behaviour that was asked for.
#[derive(Debug)]
pub(super) struct Mirror {
    pub(super) nodes: Nodes,
    pub(super) handles: Handles,
    pub(super) behaviour: Behaviour,
    /// Files that were written and can't be read yet.
    unseen: Mutex<HashMap<u64, Unseen>>,
}

/// See [`Behaviour::late`].
#[derive(Debug, Default)]
struct Unseen {
    /// How many handles write to it.
    writers: u64,
    /// How many tries to read it are still to fail.
    left: u64,
}

/// The most that one copy_file_range moves, bytes.
const MOST_COPIED: usize = 1 << 20;

/// The attributes that one `setattr` request changes.
#[derive(Debug)]
pub(super) struct Changes {
    pub(super) mode: Option<u32>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) size: Option<u64>,
    pub(super) atime: Option<TimeOrNow>,
    pub(super) mtime: Option<TimeOrNow>,
}

impl Mirror {
    pub(super) fn new(
        backing: &Path,
        behaviour: Behaviour,
        max_open_nodes: usize,
    ) -> crate::error::Result<Self> {
        Ok(Self {
            nodes: Nodes::new(backing, max_open_nodes)?,
            handles: Handles::default(),
            behaviour,
            unseen: Mutex::default(),
        })
    }

    /// A file is opened; an error if it can't be read yet.
    pub(super) fn enter_late(&self, ino: INodeNo, flags: i32) -> Result<(), Errno> {
        let Some(late) = self.behaviour.late else {
            return Ok(());
        };
        let mut unseen = lock(&self.unseen);
        if writes(flags) {
            let file = unseen.entry(ino.0).or_default();
            file.writers += 1;
            file.left = late;
            return Ok(());
        }
        match unseen.get_mut(&ino.0) {
            Some(file) if file.writers > 0 => Err(Errno::NOENT),
            Some(file) if file.left > 0 => {
                file.left -= 1;
                Err(Errno::NOENT)
            }
            _ => Ok(()),
        }
    }

    /// A file is closed.
    pub(super) fn release(&self, ino: INodeNo, handle: FileHandle, flags: i32) {
        self.handles.remove(handle);
        if writes(flags)
            && let Some(file) = lock(&self.unseen).get_mut(&ino.0)
        {
            file.writers = file.writers.saturating_sub(1);
        }
    }

    pub(super) fn getattr(&self, ino: INodeNo) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Getattr)?;
        self.nodes.attr(&*self.nodes.get(ino)?)
    }

    pub(super) fn setattr(
        &self,
        ino: INodeNo,
        handle: Option<FileHandle>,
        changes: &Changes,
    ) -> Result<FileAttr, Errno> {
        self.behaviour.enter(Op::Setattr)?;
        let file = self.nodes.get(ino)?;
        // A change of owner clears set-user-id, so it comes before the mode.
        if changes.uid.is_some() || changes.gid.is_some() {
            let uid = changes.uid.map(rustix::fs::Uid::from_raw);
            let gid = changes.gid.map(rustix::fs::Gid::from_raw);
            rustix::fs::chownat(&*file, "", uid, gid, AtFlags::EMPTY_PATH)?;
        }
        if let Some(mode) = changes.mode {
            rustix::fs::chmod(proc_path(&file), Mode::from_raw_mode(mode & 0o7777))?;
        }
        if let Some(size) = changes.size {
            let writable = match handle {
                Some(handle) => self.handles.file(handle)?,
                None => Arc::new(reopen(&file, OFlags::WRONLY)?),
            };
            rustix::fs::ftruncate(&*writable, size)?;
        }
        if changes.atime.is_some() || changes.mtime.is_some() {
            let kept = |time| self.behaviour.keeps(timespec(time));
            let times = Timestamps {
                last_access: kept(changes.atime),
                last_modification: kept(changes.mtime),
            };
            rustix::fs::utimensat(&*file, "", &times, AtFlags::EMPTY_PATH)?;
        }
        self.nodes.attr(&file)
    }

    pub(super) fn readlink(&self, ino: INodeNo) -> Result<Vec<u8>, Errno> {
        self.behaviour.enter(Op::Readlink)?;
        let target = rustix::fs::readlinkat(&*self.nodes.get(ino)?, "", Vec::new())?;
        Ok(target.into_bytes())
    }

    pub(super) fn statfs(&self) -> Result<rustix::fs::StatVfs, Errno> {
        self.behaviour.enter(Op::Statfs)?;
        rustix::fs::fstatvfs(&*self.nodes.get(INodeNo::ROOT)?)
    }

    pub(super) fn open(&self, ino: INodeNo, flags: OpenFlags) -> Result<FileHandle, Errno> {
        self.behaviour.enter(Op::Open)?;
        let file = reopen(&*self.nodes.get(ino)?, access_mode(flags.0))?;
        self.enter_late(ino, flags.0)?;
        Ok(self.handles.insert(Handle::File(Arc::new(file))))
    }

    /// Short only at the end of the file.
    pub(super) fn read(
        &self,
        handle: FileHandle,
        offset: u64,
        size: u32,
    ) -> Result<Vec<u8>, Errno> {
        self.behaviour.enter(Op::Read)?;
        let file = self.handles.file(handle)?;
        let mut data = vec![0; self.behaviour.moves(size as usize)];
        let mut filled = 0;
        while filled < data.len() {
            match file
                .read_at(&mut data[filled..], offset + filled as u64)
                .map_err(errno_of)?
            {
                0 => break,
                count => filled += count,
            }
        }
        data.truncate(filled);
        Ok(data)
    }

    /// Returns how much was written; an error after a part of it is reported by the next request.
    pub(super) fn write(&self, handle: FileHandle, offset: u64, data: &[u8]) -> Result<u32, Errno> {
        self.behaviour.enter(Op::Write)?;
        let file = self.handles.file(handle)?;
        let data = &data[..self.behaviour.moves(data.len())];
        let mut written = 0;
        while written < data.len() {
            match file
                .write_at(&data[written..], offset + written as u64)
                .map_err(errno_of)
            {
                Ok(count) => written += count,
                Err(errno) if written == 0 => return Err(errno),
                Err(_) => break,
            }
        }
        // A request carries at most 16 MiB.
        Ok(written as u32)
    }

    /// Moves data between two files without telling the kernel what it is.
    pub(super) fn copy_file_range(
        &self,
        (src, src_offset): (FileHandle, u64),
        (dst, dst_offset): (FileHandle, u64),
        bytes: u64,
    ) -> Result<u32, Errno> {
        self.behaviour.enter(Op::CopyFileRange)?;
        if !self.behaviour.short && !self.behaviour.corrupt_copies {
            return Err(Errno::NOSYS);
        }
        let (src, dst) = (self.handles.file(src)?, self.handles.file(dst)?);
        let asked = usize::try_from(bytes)
            .unwrap_or(MOST_COPIED)
            .min(MOST_COPIED);
        let mut data = vec![0; self.behaviour.moves(asked)];
        let read = src.read_at(&mut data, src_offset).map_err(errno_of)?;
        if self.behaviour.corrupt_copies
            && let Some(last) = data[..read].last_mut()
        {
            *last ^= 1;
        }
        dst.write_all_at(&data[..read], dst_offset)
            .map_err(errno_of)?;
        Ok(read as u32) // at most MOST_COPIED
    }

    pub(super) fn fsync(&self, handle: FileHandle, data_only: bool) -> Result<(), Errno> {
        self.behaviour.enter(Op::Fsync)?;
        let file = self.handles.file(handle)?;
        if data_only {
            rustix::fs::fdatasync(&*file)
        } else {
            rustix::fs::fsync(&*file)
        }
    }

    pub(super) fn fsync_directory(&self, ino: INodeNo) -> Result<(), Errno> {
        self.behaviour.enter(Op::Fsync)?;
        let directory = reopen(&*self.nodes.get(ino)?, OFlags::RDONLY | OFlags::DIRECTORY)?;
        rustix::fs::fsync(&directory)
    }

    /// Only `SEEK_DATA` and `SEEK_HOLE` come here; the kernel does the others itself.
    pub(super) fn lseek(&self, handle: FileHandle, offset: i64, whence: i32) -> Result<i64, Errno> {
        self.behaviour.enter(Op::Lseek)?;
        let file = self.handles.file(handle)?;
        let offset = u64::try_from(offset).map_err(|_| Errno::NXIO)?;
        let size = file.metadata().map_err(errno_of)?.len();
        let found = match whence {
            _ if offset >= size => return Err(Errno::NXIO),
            libc::SEEK_DATA if self.behaviour.lie_holes => return Err(Errno::NXIO),
            libc::SEEK_HOLE if self.behaviour.lie_holes => offset,
            libc::SEEK_DATA => rustix::fs::seek(&*file, SeekFrom::Data(offset))?,
            libc::SEEK_HOLE => rustix::fs::seek(&*file, SeekFrom::Hole(offset))?,
            _ => return Err(Errno::INVAL),
        };
        i64::try_from(found).map_err(|_| Errno::OVERFLOW)
    }

    pub(super) fn opendir(&self) -> Result<FileHandle, Errno> {
        self.behaviour.enter(Op::Opendir)?;
        Ok(self
            .handles
            .insert(Handle::Directory(Arc::new(Mutex::new(Vec::new())))))
    }

    /// Gives the entries from number `offset` on to `take`, until it is full.
    ///
    /// The whole listing is taken when reading begins, so that it is consistent while entries
    /// come and go, and again after a rewind.
    pub(super) fn readdir(
        &self,
        ino: INodeNo,
        handle: FileHandle,
        offset: u64,
        mut take: impl FnMut(u64, &Listed) -> bool,
    ) -> Result<(), Errno> {
        self.behaviour.enter(Op::Readdir)?;
        let listing = self.handles.directory(handle)?;
        let mut listing = lock(&listing);
        if offset == 0 {
            *listing = list(&*self.nodes.get(ino)?)?;
        }
        let rest = listing
            .iter()
            .enumerate()
            .skip(usize::try_from(offset).unwrap_or(usize::MAX));
        for (index, listed) in rest {
            if take(index as u64 + 1, listed) {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn getxattr(&self, ino: INodeNo, name: &OsStr) -> Result<Vec<u8>, Errno> {
        self.behaviour.enter(Op::Getxattr)?;
        let path = proc_path(&*self.nodes.get(ino)?);
        sized(|buffer| rustix::fs::getxattr(&path, name, buffer))
    }

    pub(super) fn listxattr(&self, ino: INodeNo) -> Result<Vec<u8>, Errno> {
        self.behaviour.enter(Op::Listxattr)?;
        let path = proc_path(&*self.nodes.get(ino)?);
        sized(|buffer| rustix::fs::listxattr(&path, buffer))
    }

    pub(super) fn setxattr(
        &self,
        ino: INodeNo,
        name: &OsStr,
        value: &[u8],
        flags: i32,
    ) -> Result<(), Errno> {
        self.behaviour.enter(Op::Setxattr)?;
        let flags = XattrFlags::from_bits_truncate(flags.cast_unsigned());
        rustix::fs::setxattr(proc_path(&*self.nodes.get(ino)?), name, value, flags)
    }

    pub(super) fn removexattr(&self, ino: INodeNo, name: &OsStr) -> Result<(), Errno> {
        self.behaviour.enter(Op::Removexattr)?;
        rustix::fs::removexattr(proc_path(&*self.nodes.get(ino)?), name)
    }
}

/// Opens for reading or writing what an `O_PATH` descriptor stands for.
fn reopen(file: &File, flags: OFlags) -> Result<File, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    rustix::fs::openat(CWD, proc_path(file), flags, Mode::empty()).map(File::from)
}

/// All that the backing file is to know of the caller's flags: `O_DIRECT` would ask our buffers to
/// be aligned, and the kernel has already turned `O_APPEND` into offsets.
pub(super) fn access_mode(flags: i32) -> OFlags {
    OFlags::from_bits_truncate(flags.cast_unsigned()) & OFlags::RWMODE
}

fn writes(flags: i32) -> bool {
    access_mode(flags) != OFlags::RDONLY
}

fn list(directory: &File) -> Result<Vec<Listed>, Errno> {
    let readable = reopen(directory, OFlags::RDONLY | OFlags::DIRECTORY)?;
    let mut listing = Vec::new();
    for entry in rustix::fs::Dir::read_from(&readable)? {
        let entry = entry?;
        let kind = match entry.file_type() {
            rustix::fs::FileType::Unknown => kind_of(&readable, entry.file_name())?,
            kind => kind,
        };
        listing.push(Listed {
            ino: INodeNo(entry.ino()),
            kind: protocol_kind(kind).ok_or(Errno::IO)?,
            name: OsStr::from_bytes(entry.file_name().to_bytes()).to_owned(),
        });
    }
    Ok(listing)
}

fn kind_of(directory: &File, name: &CStr) -> Result<rustix::fs::FileType, Errno> {
    let stat = rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(rustix::fs::FileType::from_raw_mode(stat.st_mode))
}

fn protocol_kind(kind: rustix::fs::FileType) -> Option<FileType> {
    use rustix::fs::FileType as Backing;
    Some(match kind {
        Backing::RegularFile => FileType::RegularFile,
        Backing::Directory => FileType::Directory,
        Backing::Symlink => FileType::Symlink,
        Backing::Fifo => FileType::NamedPipe,
        Backing::Socket => FileType::Socket,
        Backing::CharacterDevice => FileType::CharDevice,
        Backing::BlockDevice => FileType::BlockDevice,
        Backing::Unknown => return None,
    })
}

/// Linux limits values and lists of names to 64 KiB, so one try with that much is always enough.
fn sized(call: impl FnOnce(&mut [u8]) -> Result<usize, Errno>) -> Result<Vec<u8>, Errno> {
    const XATTR_SIZE_MAX: usize = 64 * 1024;
    let mut buffer = vec![0; XATTR_SIZE_MAX];
    let length = call(&mut buffer)?;
    buffer.truncate(length);
    Ok(buffer)
}

fn timespec(time: Option<TimeOrNow>) -> Timespec {
    match time {
        None => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_OMIT,
        },
        Some(TimeOrNow::Now) => Timespec {
            tv_sec: 0,
            tv_nsec: rustix::fs::UTIME_NOW,
        },
        Some(TimeOrNow::SpecificTime(time)) => since_epoch(time),
    }
}

/// Gives back the seconds and nanoseconds that the kernel sent.
///
/// fuser 0.18 takes both for negative before 1970, where only the seconds are: -1 s and 0.2 s
/// become 1.2 s before 1970 instead of 0.8 s. Upgrading it may end this; the FUSE tests will tell.
fn since_epoch(time: SystemTime) -> Timespec {
    let (sign, distance) = match time.duration_since(UNIX_EPOCH) {
        Ok(after) => (1, after),
        Err(error) => (-1, error.duration()),
    };
    let seconds = sign * distance.as_secs().cast_signed();
    Timespec {
        tv_sec: seconds,
        tv_nsec: distance.subsec_nanos().into(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_are_as_the_kernel_sent_them() {
        let as_fuser_has_it = since_epoch(UNIX_EPOCH - Duration::new(1, 200_000_000));
        assert_eq!(
            (as_fuser_has_it.tv_sec, as_fuser_has_it.tv_nsec),
            (-1, 200_000_000)
        );
        let after = since_epoch(UNIX_EPOCH + Duration::new(1, 5));
        assert_eq!((after.tv_sec, after.tv_nsec), (1, 5));
    }
}
