//! macOS: each method of the platform is one system call, or the few that macOS needs for it.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;

use copyist_sys::macos::{self as sys, EntryKind};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;

use super::unix;
use super::unix::code;
use crate::system::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Extent, Mounted, Move, Names, Node,
    NotMade, Open, Progress, Seek, Sys, Target, WholeCopy,
};
use crate::think::rules::macos::{EINVAL, ENOTSUP};
use crate::words::facts::VolumeFacts;
use crate::words::options::Flush;
use crate::words::stat::{FileKind, KeptNames, Stat};

mod attributes;
mod by_path;
mod look;
mod machine;
mod volume;

pub(crate) use machine::Native;
use machine::SEARCH;

/// The buffer for getattrlistbulk, bytes: some three hundred entries.
const READ_DIR_BYTES: usize = 32 << 10;

/// Transfers around the page cache consist of whole pages, of at most this many bytes (Apple silicon); others work,
/// but go through the cache.
const PAGE_BYTES: usize = 16 << 10;

impl Names for Native {
    fn current_dir(&self) -> Sys<OwnedFd> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c".", flags, Mode::empty()).map_err(code)
    }

    fn root_dir(&self) -> Sys<OwnedFd> {
        let flags = SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c"/", flags, Mode::empty()).map_err(code)
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        unix::stat(at.dir, at.name, follow)
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<OwnedFd> {
        unix::open(at.dir, at.name, how, SEARCH)
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        match node {
            Node::Directory { mode } => fs::mkdirat(at.dir, at.name, unix::mode(mode)),
            Node::Symlink { target, .. } => fs::symlinkat(target, at.dir, at.name),
            Node::HardLink { to, follow } => {
                unix::hard_link((to.dir, to.name), (at.dir, at.name), follow)
            }
            // Only bind(2) creates a socket, for a process that listens on it.
            Node::Special {
                kind: FileKind::Socket,
                ..
            } => Err(Errno::OPNOTSUPP),
            Node::Special { kind, mode, device } => {
                let kind = u32::from(unix::file_type(kind).as_raw_mode());
                sys::mknod(at.dir, at.name, kind | mode, device)
            }
        }
        .map_err(code)
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        unix::read_link(at.dir, at.name)
    }

    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()> {
        unix::remove(at.dir, at.name, is_dir)
    }

    fn kept_names(&self, dir: At<'_, Self>) -> KeptNames {
        unix::kept_names(dir.dir, dir.name, self.privileged)
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        unix::may_write(at.dir, at.name)
    }

    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        fs::renameat(from.dir, from.name, to.dir, to.name).map_err(code)
    }

    fn rename_new(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        unix::rename_new((from.dir, from.name), (to.dir, to.name))
    }

    fn read_dir(&self, dir: &OwnedFd, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        batch.clear();
        buffer.resize(READ_DIR_BYTES, 0);
        let add = |name: &OsStr, kind| batch.push(name, entry_kind(kind));
        sys::getattrlistbulk(dir, buffer, add)
            .map(|_| ())
            .map_err(code)
    }
}

impl Data for Native {
    fn stat_open(&self, handle: &OwnedFd) -> Sys<Stat> {
        let stat = fs::fstat(handle).map_err(code)?;
        Ok(unix::of_stat(&stat))
    }

    fn volume(&self, handle: &OwnedFd) -> Sys<VolumeFacts> {
        volume::facts(handle)
    }

    fn read(&self, file: &OwnedFd, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        unix::read(file, offset, buffer)
    }

    fn write(&self, file: &OwnedFd, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        unix::write(file, offset, data)
    }

    /// macOS moves data between open files only with its copier, which copies whole files: see `copy_by_path`. (Its
    /// sendfile writes to sockets only.)
    fn move_data(&self, _: Move, _: &OwnedFd, _: &OwnedFd, _: u64, _: u64) -> Sys<u64> {
        Err(ENOTSUP)
    }

    fn copy_by_path(
        &self,
        copy: &WholeCopy<'_, Self>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        by_path::copy(copy, progress)
    }

    fn seek(&self, file: &OwnedFd, offset: u64, what: Seek) -> Sys<Option<u64>> {
        unix::seek(file, offset, what)
    }

    fn allocate(&self, file: &OwnedFd, offset: u64, len: u64) -> Sys<()> {
        if offset > 0 {
            return Err(EINVAL); // space is reserved after what the file has
        }
        sys::preallocate(file, len).map_err(code)
    }

    fn set_len(&self, file: &OwnedFd, len: u64) -> Sys<()> {
        fs::ftruncate(file, len).map_err(code)
    }

    /// No alignment is required. The kernel's read-ahead is turned off, since it would fill the cache; the transfer
    /// reads ahead by itself.
    fn direct_on(&self, file: &OwnedFd) -> Sys<DirectAlignment> {
        sys::nocache(file, true)
            .and_then(|()| sys::rdahead(file, false))
            .map_err(code)?;
        Ok(DirectAlignment {
            memory: PAGE_BYTES,
            offset: 1,
        })
    }

    fn direct_off(&self, file: &OwnedFd) -> Sys<()> {
        sys::rdahead(file, true)
            .and_then(|()| sys::nocache(file, false))
            .map_err(code)
    }

    fn uncache(&self, file: &OwnedFd) -> Sys<()> {
        sys::nocache(file, true).map_err(code)
    }

    /// On a volume without the call (a network volume), fsync is used, which guarantees less.
    fn flush(&self, file: &OwnedFd, how: Flush) -> Sys<()> {
        let flushed = match how {
            Flush::Ordered => sys::barrierfsync(file).or_else(|_| sys::fullfsync(file)),
            Flush::Durable => sys::fullfsync(file),
        };
        match flushed {
            Err(Errno::NOTSUP | Errno::OPNOTSUPP | Errno::NOTTY | Errno::INVAL) => fs::fsync(file),
            flushed => flushed,
        }
        .map_err(code)
    }

    fn lock(&self, file: &OwnedFd) -> Sys<bool> {
        unix::lock(file)
    }

    fn check_close_errors(&self, file: &OwnedFd) -> Sys<()> {
        unix::check_close_errors(file)
    }

    fn close(&self, file: OwnedFd) -> Sys<()> {
        copyist_sys::unix::close(file).map_err(code)
    }

    fn describe(&self, handle: &OwnedFd) -> Sys<Mounted> {
        look::describe(handle)
    }

    fn extents(&self, file: &OwnedFd, from: u64, found: &mut Vec<Extent>) -> Sys<bool> {
        look::extents(file, from, found).map_err(code)
    }
}

impl Attributes for Native {
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()> {
        attributes::set(target, attribute).map_err(code)
    }

    fn flags(&self, file: &OwnedFd) -> Sys<u32> {
        let stat = fs::fstat(file).map_err(code)?;
        Ok(stat.st_flags)
    }

    fn xattr_names(&self, target: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()> {
        attributes::xattr_names(target, names).map_err(code)
    }

    fn xattr(&self, target: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
        attributes::xattr(target, name, value).map_err(code)
    }

    fn set_xattr(&self, target: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()> {
        attributes::set_xattr(target, name, value).map_err(code)
    }

    fn remove_xattr(&self, target: Target<'_, Self>, name: &[u8]) -> Sys<()> {
        attributes::remove_xattr(target, name).map_err(code)
    }
}

fn entry_kind(kind: EntryKind) -> Option<FileKind> {
    Some(match kind {
        EntryKind::Regular => FileKind::Regular,
        EntryKind::Directory => FileKind::Directory,
        EntryKind::BlockDevice => FileKind::BlockDevice,
        EntryKind::CharDevice => FileKind::CharDevice,
        EntryKind::Symlink => FileKind::Symlink,
        EntryKind::Socket => FileKind::Socket,
        EntryKind::Fifo => FileKind::Fifo,
        EntryKind::Unknown => return None,
    })
}
