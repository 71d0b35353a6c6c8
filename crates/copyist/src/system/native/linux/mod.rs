//! Linux: each call of the waist is one system call, or the few that Linux splits it into.
//!
//! procfs may be missing, as in many a chroot. Attributes of names then need it not (`attributes`), nameless
//! files are named by their descriptor, or not made again where that is not permitted (`name`), and what
//! is only looked at is unknown: available memory, and the names of a mount.

use std::ffi::{CStr, OsStr, OsString};
use std::io::{IoSlice, IoSliceMut};
use std::num::NonZeroU64;
use std::ops::Range;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::sync::OnceLock;

use copyist_sys::linux;
use rustix::fs::{self, Advice, FallocateFlags, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::{Errno, ReadWriteFlags};

use crate::system::{
    At, Attribute, Batch, DirectAlignment, Extent, Mounted, Move, Node, NotMade, Open, Platform,
    Progress, Seek, Sys, Target, Used, WholeCopy,
};
use crate::words::facts::{Kernel, VolumeFacts};
use crate::words::method::Os;
use crate::words::options::Flush;
use crate::words::stat::{FileKind, KeptNames, Stat};

use super::unix;
use super::unix::{Umask, code, kind_of};

mod attributes;
mod look;
mod mounts;
#[cfg(feature = "sandbox")]
mod sandbox;
mod umask;
mod volume;

#[cfg(feature = "sandbox")]
pub(crate) use sandbox::enter as enter_sandbox;

/// Where a direct transfer's alignment can't be asked (before Linux 6.1, and on filesystems that
/// don't say), the page size is enough for every device in use.
const DEFAULT_ALIGNMENT: usize = 4096;

/// The buffer for getdents, bytes: the size that glibc uses.
const READ_DIR_BYTES: usize = 32 << 10;

/// Linux 6.14's flag of preadv2 and pwritev2 (linux/fs.h): what the call brings into the cache goes
/// when it is done, or written. EOPNOTSUPP from older kernels, and from filesystems without it.
const DONTCACHE: ReadWriteFlags = ReadWriteFlags::from_bits_retain(0x80);

/// This machine's Linux.
#[derive(Debug)]
pub(crate) struct Native {
    umask: Umask,
    privileged: OnceLock<bool>,
}

impl Native {
    pub(crate) fn new() -> Native {
        Native {
            umask: Umask::default(),
            privileged: OnceLock::new(),
        }
    }
}

/// The line "MemAvailable:    1234 kB" of /proc/meminfo, proc_meminfo(5).
fn available_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// "6.18.1-arch" -> (6, 18). A release that can't be read counts as old: fewer methods are used.
fn parse_kernel(release: &CStr) -> Kernel {
    let release = release.to_string_lossy();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    Kernel(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

impl Platform for Native {
    type Handle = OwnedFd;

    fn os(&self) -> Os {
        Os::Linux
    }

    fn kernel(&self) -> Kernel {
        static KERNEL: OnceLock<Kernel> = OnceLock::new();
        *KERNEL.get_or_init(|| parse_kernel(rustix::system::uname().release()))
    }

    fn umask(&self) -> u32 {
        self.umask.get(umask::read)
    }

    fn is_privileged(&self) -> bool {
        let is_root = || rustix::process::geteuid().is_root();
        *self.privileged.get_or_init(is_root)
    }

    fn memory_is_limited(&self) -> bool {
        unix::memory_is_limited()
    }

    fn available_memory(&self) -> Option<u64> {
        available_memory(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    fn open_file_limit(&self) -> Option<u64> {
        unix::open_file_limit()
    }

    fn used(&self) -> Used {
        unix::used()
    }

    fn current_dir(&self) -> Sys<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c".", flags, Mode::empty()).map_err(code)
    }

    fn root_dir(&self) -> Sys<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c"/", flags, Mode::empty()).map_err(code)
    }

    // What is always inlined here is called for each file: see `copyist_sys::linux`'s `direct`.
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
        // By way of procfs; without that, whoever opened the file may link it (Linux 6.10), and
        // before that who has CAP_DAC_READ_SEARCH: see open(2) and linkat(2).
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let follow = fs::AtFlags::SYMLINK_FOLLOW;
        match fs::linkat(fs::CWD, path.as_str(), at.dir, at.name, follow) {
            Err(Errno::NOENT) => fs::linkat(file, c"", at.dir, at.name, fs::AtFlags::EMPTY_PATH),
            named => named,
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

    fn has_copy_range(&self) -> Sys<()> {
        linux::has_copy_file_range().map_err(code)
    }

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
        // Advice: nothing is lost where it is not taken.
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
        // On a 32-bit system a call is asked for less; it says how much it moved.
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

    /// Linux gives a destination its name apart from its content.
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
        // It was only read: its close has nothing to say.
        let _ = linux::close(file);
    }

    fn processor(&self) -> Option<usize> {
        Some(linux::processor())
    }

    fn leave_processor(&self, number: usize) {
        let _ = linux::leave_processor(number);
    }

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

    fn release(&self) -> String {
        unix::release()
    }

    fn file_size_limit(&self) -> u64 {
        unix::file_size_limit()
    }

    fn describe(&self, handle: &OwnedFd) -> Sys<Mounted> {
        look::describe(handle)
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

fn nameless(dir: &OwnedFd, name: &OsStr, mode: u32) -> Sys<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::TMPFILE;
    match fs::openat(dir, name, flags, Mode::from_raw_mode(mode)) {
        // Not every filesystem has nameless files (FUSE, NFS).
        Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => Err(code(Errno::OPNOTSUPP)),
        opened => opened.map_err(code),
    }
}

fn size(file: &OwnedFd) -> Result<u64, Errno> {
    linux::fstat(file, |stat| stat.st_size.cast_unsigned())
}

/// One getdents: as many names as fit the buffer.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        let meminfo = "MemTotal:       24689764 kB\nMemAvailable:      1024 kB\nBuffers: 1 kB\n";
        assert_eq!(available_memory(meminfo), Some(1 << 20));
        assert_eq!(available_memory("MemTotal: 24689764 kB\n"), None);
    }

    #[test]
    fn kernel_releases_are_read_as_numbers() {
        assert_eq!(parse_kernel(c"6.18.1-arch1-1"), Kernel(6, 18));
        assert_eq!(parse_kernel(c"5.3"), Kernel(5, 3));
        assert_eq!(parse_kernel(c"5.19-rc1"), Kernel(5, 19));
        assert_eq!(parse_kernel(c"unheard-of"), Kernel(0, 0));
    }
}
