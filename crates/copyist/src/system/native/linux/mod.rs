//! Linux: each method of the platform is one system call, or the few that Linux needs for it.
//!
//! procfs may be missing, as in many a chroot. Then attributes of names are set without it (`attributes`), a nameless
//! file is named through its descriptor or, where that is not permitted, not used again (`name`), and what can't be
//! queried is unknown: available memory, and the names of a mount.

use std::ffi::{OsStr, OsString};
use std::io::{IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicBool, Ordering};

use copyist_sys::linux;
use rustix::fs::{self, Advice, FallocateFlags, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::{Errno, ReadWriteFlags};

use crate::system::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Extent, Machine, Mounted, Move, Names,
    Node, NotMade, Open, Progress, Seek, Sys, Target, WholeCopy,
};
use crate::words::facts::{Known, VolumeFacts};
use crate::words::options::Flush;
use crate::words::stat::{FileKind, KeptNames, Stat};

use super::unix;
use super::unix::{code, kind_of};

mod attributes;
mod look;
mod machine;
mod mounts;
#[cfg(feature = "sandbox")]
mod sandbox;
mod umask;
mod volume;

pub(crate) use machine::Native;

#[cfg(feature = "sandbox")]
pub(crate) use sandbox::enter as enter_sandbox;

/// The buffer for getdents, bytes: the size that glibc uses.
const READ_DIR_BYTES: usize = 32 << 10;

/// Linux 6.14's flag of preadv2 and pwritev2 (linux/fs.h): pages that the call brings into the cache are evicted when
/// it is done, or when they are written back. EOPNOTSUPP from older kernels, and from filesystems without it.
const DONTCACHE: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);

impl Names for Native {
    fn current_dir(&self) -> Sys<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c".", flags, Mode::empty()).map_err(code)
    }

    fn root_dir(&self) -> Sys<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c"/", flags, Mode::empty()).map_err(code)
    }

    // The functions that are always inlined are called for each file: see `copyist_sys::linux`'s `direct`.
    #[inline(always)]
    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        let flags = unix::stat_flags(follow);
        linux::statat(at.dir, at.name, flags, unix::of_stat).map_err(code)
    }

    #[inline(always)]
    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<OwnedFd> {
        if let Open::Nameless { mode } = how {
            return nameless(at.dir, at.name, mode);
        }
        let (flags, mode) = unix::open_flags(how, OFlags::PATH)?;
        linux::openat(at.dir, at.name, flags, mode).map_err(code)
    }

    #[inline(always)]
    fn stat_path(&self, path: &OsStr, follow: bool) -> Sys<Stat> {
        linux::stat(path, unix::stat_flags(follow), unix::of_stat).map_err(code)
    }

    #[inline(always)]
    fn open_path(&self, path: &OsStr, how: Open) -> Sys<OwnedFd> {
        let (flags, mode) = unix::open_flags(how, OFlags::PATH)?;
        linux::open(path, flags, mode).map_err(code)
    }

    fn remove_path(&self, path: &OsStr) -> Sys<()> {
        fs::unlink(path).map_err(code)
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        match node {
            Node::Directory { mode } => fs::mkdirat(at.dir, at.name, Mode::from_raw_mode(mode)),
            Node::Symlink { target, .. } => fs::symlinkat(target, at.dir, at.name),
            Node::Special { kind, mode, device } => fs::mknodat(
                at.dir,
                at.name,
                unix::file_type(kind),
                Mode::from_raw_mode(mode),
                device,
            ),
            Node::HardLink { to, follow } => {
                unix::hard_link((to.dir, to.name), (at.dir, at.name), follow)
            }
        }
        .map_err(code)
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        unix::read_link(at.dir, at.name)
    }

    fn is_magic_link(&self, at: At<'_, Self>) -> Sys<bool> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let link = fs::openat(at.dir, at.name, flags, Mode::empty()).map_err(code)?;
        volume::is_procfs(&link)
    }

    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()> {
        unix::remove(at.dir, at.name, is_dir)
    }

    fn kept_names(&self, dir: At<'_, Self>) -> KeptNames {
        look::kept_names(dir.dir, dir.name, self.is_privileged())
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

    fn name(&self, file: &OwnedFd, at: At<'_, Self>) -> Sys<()> {
        // AT_EMPTY_PATH fails with ENOENT unless the process has CAP_DAC_READ_SEARCH, or (Linux 6.10) has the credentials
        // that it opened the file with: see linkat(2). procfs works for all, and is not always mounted.
        static NEEDS_PROC: AtomicBool = AtomicBool::new(false);
        let empty_path = || fs::linkat(file, c"", at.dir, at.name, fs::AtFlags::EMPTY_PATH);
        if !NEEDS_PROC.load(Ordering::Relaxed) {
            match empty_path() {
                Err(Errno::NOENT) => {}
                named => return named.map_err(code),
            }
        }
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let follow = fs::AtFlags::SYMLINK_FOLLOW;
        match fs::linkat(fs::CWD, path.as_str(), at.dir, at.name, follow) {
            Err(Errno::NOENT) => empty_path(),
            named => {
                NEEDS_PROC.fetch_or(named.is_ok(), Ordering::Relaxed);
                named
            }
        }
        .map_err(code)
    }

    fn read_dir(&self, dir: &OwnedFd, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        batch.clear();
        buffer.clear();
        buffer.reserve(READ_DIR_BYTES);
        fill(dir, buffer, batch)
    }

    fn scratch(&self, dir: &OwnedFd) -> Sys<OwnedFd> {
        nameless(dir, OsStr::new("."), 0o600)
    }
}

impl Data for Native {
    #[inline(always)]
    fn stat_open(&self, handle: &OwnedFd) -> Sys<Stat> {
        linux::fstat(handle, unix::of_stat).map_err(code)
    }

    fn volume(&self, handle: &OwnedFd) -> Sys<VolumeFacts> {
        volume::facts(handle, &self.stat_open(handle)?)
    }

    fn stat_and_volume(&self, handle: &OwnedFd) -> Sys<(Stat, VolumeFacts)> {
        mounts::stat_and_volume(self, handle)
    }

    #[inline(always)]
    fn volume_of(&self, handle: &OwnedFd, stat: &Stat) -> Sys<VolumeFacts> {
        volume::facts(handle, stat)
    }

    #[inline(always)]
    fn read(&self, file: &OwnedFd, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        match offset {
            Some(offset) => linux::pread(file, buffer, offset),
            None => rustix::io::read(file, buffer),
        }
        .map_err(code)
    }

    #[inline(always)]
    fn write(&self, file: &OwnedFd, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        match offset {
            Some(offset) => linux::pwrite(file, data, offset),
            None => rustix::io::write(file, data),
        }
        .map_err(code)
    }

    fn read_uncached(&self, file: &OwnedFd, offset: u64, buffer: &mut [u8]) -> Sys<usize> {
        let mut buffers = [IoSliceMut::new(buffer)];
        rustix::io::preadv2(file, &mut buffers, offset, DONTCACHE).map_err(code)
    }

    fn write_uncached(&self, file: &OwnedFd, offset: u64, data: &[u8]) -> Sys<usize> {
        rustix::io::pwritev2(file, &[IoSlice::new(data)], offset, DONTCACHE).map_err(code)
    }

    fn write_back(&self, file: &OwnedFd, range: Range<u64>, wait: bool) -> Sys<()> {
        let len = range.end - range.start;
        linux::sync_file_range(file, range.start, len, wait).map_err(code)
    }

    fn drop_cached(&self, file: &OwnedFd, range: Range<u64>) {
        let len = NonZeroU64::new(range.end - range.start);
        // It is advice: an error loses nothing.
        let _ = fs::fadvise(file, range.start, len, Advice::DontNeed);
    }

    #[inline(always)]
    fn move_data(
        &self,
        how: Move,
        src: &OwnedFd,
        dst: &OwnedFd,
        offset: u64,
        len: u64,
    ) -> Sys<u64> {
        // On a 32-bit system the call is limited to a smaller count; it returns how much it moved.
        let call_len = usize::try_from(len).unwrap_or(1 << 30);
        match how {
            Move::Unbuffered => Err(Errno::OPNOTSUPP),
            Move::CloneFile => linux::ioctl_ficlone(dst, src).and_then(|()| size(dst)),
            Move::CloneRange => linux::ficlonerange(src, offset, len, dst, offset)
                .and_then(|()| size(dst))
                .map(|end| end.saturating_sub(offset).min(len)),
            Move::CopyRange => {
                let (mut from, mut to) = (offset, offset);
                linux::copy_file_range(src, Some(&mut from), dst, Some(&mut to), call_len)
                    .map(|moved| moved as u64)
            }
            Move::Sendfile => {
                let mut from = offset;
                fs::seek(dst, SeekFrom::Start(offset))
                    .and_then(|_| fs::sendfile(dst, src, Some(&mut from), call_len))
                    .map(|moved| moved as u64)
            }
        }
        .map_err(code)
    }

    /// On Linux no single call creates a destination together with its content.
    fn copy_by_path(&self, _: &WholeCopy<'_, Self>, _: &mut Progress<'_>) -> Result<u64, NotMade> {
        Err(code(Errno::NOSYS).into())
    }

    fn seek(&self, file: &OwnedFd, offset: u64, what: Seek) -> Sys<Option<u64>> {
        unix::seek(file, offset, what)
    }

    fn allocate(&self, file: &OwnedFd, offset: u64, len: u64) -> Sys<()> {
        fs::fallocate(file, FallocateFlags::KEEP_SIZE, offset, len).map_err(code)
    }

    fn set_len(&self, file: &OwnedFd, len: u64) -> Sys<()> {
        fs::ftruncate(file, len).map_err(code)
    }

    fn direct_on(&self, file: &OwnedFd) -> Sys<DirectAlignment> {
        let alignment = volume::direct_alignment(file)?;
        let flags = fs::fcntl_getfl(file).map_err(code)?;
        fs::fcntl_setfl(file, flags | OFlags::DIRECT).map_err(code)?;
        Ok(alignment)
    }

    fn direct_off(&self, file: &OwnedFd) -> Sys<()> {
        let flags = fs::fcntl_getfl(file).map_err(code)?;
        fs::fcntl_setfl(file, flags - OFlags::DIRECT).map_err(code)
    }

    fn flush(&self, file: &OwnedFd, how: Flush) -> Sys<()> {
        match how {
            Flush::Ordered => fs::fdatasync(file),
            Flush::Durable => fs::fsync(file),
        }
        .map_err(code)
    }

    fn flush_volume(&self, handle: &OwnedFd) -> Sys<()> {
        fs::syncfs(handle).map_err(code)
    }

    fn lock(&self, file: &OwnedFd) -> Sys<bool> {
        unix::lock(file)
    }

    fn check_close_errors(&self, file: &OwnedFd) -> Sys<()> {
        unix::check_close_errors(file)
    }

    #[inline(always)]
    fn close(&self, file: OwnedFd) -> Sys<()> {
        linux::close(file).map_err(code)
    }

    #[inline(always)]
    fn close_quietly(&self, file: OwnedFd) {
        // The file was only read: its close reports no error.
        let _ = linux::close(file);
    }

    fn describe(&self, handle: &OwnedFd) -> Sys<Mounted> {
        look::describe(handle)
    }

    fn has_mounts_below(&self, dir: &OwnedFd) -> Known {
        look::has_mounts_below(dir)
    }

    fn extents(&self, file: &OwnedFd, from: u64, found: &mut Vec<Extent>) -> Sys<bool> {
        look::extents(file, from, found).map_err(code)
    }

    fn uncache(&self, file: &OwnedFd) -> Sys<()> {
        look::uncache(file).map_err(code)
    }

    fn is_cached(&self, file: &OwnedFd, offset: u64) -> Sys<bool> {
        look::is_cached(file, offset).map_err(code)
    }
}

impl Attributes for Native {
    #[inline(always)]
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()> {
        match (target, attribute) {
            (Target::Open(file), Attribute::Times { accessed, modified }) => {
                linux::futimens(file, &unix::timestamps(accessed, modified))
            }
            _ => attributes::set(target, attribute),
        }
        .map_err(code)
    }

    fn flags(&self, file: &OwnedFd) -> Sys<u32> {
        fs::ioctl_getflags(file)
            .map(|flags| flags.bits())
            .map_err(code)
    }

    #[inline(always)]
    fn xattr_names(&self, target: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()> {
        attributes::xattr_names(target, names).map_err(code)
    }

    fn xattr(&self, target: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
        match attributes::xattr(target, OsStr::from_bytes(name), value) {
            Ok(()) => Ok(true),
            Err(Errno::NODATA) => Ok(false),
            Err(errno) => Err(code(errno)),
        }
    }

    fn set_xattr(&self, target: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()> {
        attributes::set_xattr(target, OsStr::from_bytes(name), value).map_err(code)
    }

    fn remove_xattr(&self, target: Target<'_, Self>, name: &[u8]) -> Sys<()> {
        match attributes::remove_xattr(target, OsStr::from_bytes(name)) {
            Ok(()) | Err(Errno::NODATA) => Ok(()),
            Err(errno) => Err(code(errno)),
        }
    }
}

fn nameless(dir: &OwnedFd, name: &OsStr, mode: u32) -> Sys<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::TMPFILE;
    match fs::openat(dir, name, flags, Mode::from_raw_mode(mode)) {
        // Not every filesystem has O_TMPFILE (FUSE, NFS).
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Err(code(Errno::OPNOTSUPP)),
        opened => opened.map_err(code),
    }
}

fn size(file: &OwnedFd) -> Result<u64, Errno> {
    linux::fstat(file, |stat| stat.st_size.cast_unsigned())
}

/// One getdents: as many names as fit in the buffer.
fn fill(dir: &OwnedFd, raw: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
    let mut names = RawDir::new(dir.as_fd(), raw.spare_capacity_mut());
    while let Some(entry) = names.next() {
        let entry = entry.map_err(code)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            let kind = kind_of(entry.file_type());
            batch.push_inode(
                OsStr::from_bytes(name),
                (kind != FileKind::Unknown).then_some(kind),
                entry.ino(),
            );
        }
        // A batch of only "." and ".." would look like the end of the directory.
        if names.is_buffer_empty() && !batch.is_empty() {
            break;
        }
    }
    Ok(())
}
