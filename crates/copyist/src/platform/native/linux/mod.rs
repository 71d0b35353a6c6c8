//! Linux: each call of the waist is one system call, or the few that Linux splits it into.

use std::ffi::{CStr, OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use rustix::fs::{self, AtFlags, FallocateFlags, Mode, OFlags, RawDir, SeekFrom};
use rustix::io::Errno;

use crate::error::Code;
use crate::facts::{Kernel, VolumeFacts};
use crate::method::Os;
use crate::platform::{
    At, Attribute, Batch, DirectAlignment, FileKind, Move, Node, Open, Platform, Seek, Stat, Sys,
    Target,
};

mod attributes;
mod volume;

/// Where a direct transfer's alignment can't be asked (before Linux 6.1, and on filesystems that
/// don't say), the page size is enough for every device in use.
const DEFAULT_ALIGNMENT: usize = 4096;

/// The buffer for getdents, bytes: the size that glibc uses.
const READ_DIR_BYTES: usize = 32 << 10;

/// This machine's Linux.
#[derive(Debug)]
pub(crate) struct Native {
    kernel: Kernel,
    umask: u32,
    privileged: bool,
}

impl Native {
    pub(crate) fn new() -> Native {
        // There is no call that reads the umask without setting it.
        let umask = rustix::process::umask(Mode::from_raw_mode(0o077));
        rustix::process::umask(umask);
        Native {
            kernel: parse_kernel(rustix::system::uname().release()),
            umask: umask.as_raw_mode(),
            privileged: rustix::process::geteuid().is_root(),
        }
    }
}

/// "6.18.1-arch" -> (6, 18). A release that can't be read counts as old: fewer methods are used.
fn parse_kernel(release: &CStr) -> Kernel {
    let release = release.to_string_lossy();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    Kernel(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

pub(super) fn code(errno: Errno) -> Code {
    Code(errno.raw_os_error())
}

fn no_follow(follow: bool) -> OFlags {
    if follow {
        OFlags::empty()
    } else {
        OFlags::NOFOLLOW
    }
}

fn kind(mode: u32) -> FileKind {
    kind_of(fs::FileType::from_raw_mode(mode))
}

fn kind_of(file_type: fs::FileType) -> FileKind {
    match file_type {
        fs::FileType::RegularFile => FileKind::Regular,
        fs::FileType::Directory => FileKind::Directory,
        fs::FileType::Symlink => FileKind::Symlink,
        fs::FileType::Fifo => FileKind::Fifo,
        fs::FileType::Socket => FileKind::Socket,
        fs::FileType::CharacterDevice => FileKind::CharDevice,
        fs::FileType::BlockDevice => FileKind::BlockDevice,
        fs::FileType::Unknown => FileKind::Unknown,
    }
}

fn file_type(kind: FileKind) -> fs::FileType {
    match kind {
        FileKind::Fifo => fs::FileType::Fifo,
        FileKind::Socket => fs::FileType::Socket,
        FileKind::CharDevice => fs::FileType::CharacterDevice,
        FileKind::BlockDevice => fs::FileType::BlockDevice,
        _ => fs::FileType::Unknown,
    }
}

impl Platform for Native {
    type Handle = OwnedFd;

    fn os(&self) -> Os {
        Os::Linux
    }

    fn kernel(&self) -> Kernel {
        self.kernel
    }

    fn umask(&self) -> u32 {
        self.umask
    }

    fn is_privileged(&self) -> bool {
        self.privileged
    }

    fn current_dir(&self) -> Sys<OwnedFd> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        fs::open(c".", flags, Mode::empty()).map_err(code)
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        let flags = if follow {
            AtFlags::empty()
        } else {
            AtFlags::SYMLINK_NOFOLLOW
        };
        let stat = fs::statat(at.dir, at.name, flags).map_err(code)?;
        Ok(volume::stat(&stat))
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<OwnedFd> {
        let (flags, mode) = match how {
            Open::Read { follow } => (
                OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | no_follow(follow),
                0,
            ),
            Open::ReadStream { follow } => (OFlags::RDONLY | OFlags::NOCTTY | no_follow(follow), 0),
            Open::Write { follow } => (OFlags::WRONLY | OFlags::NOCTTY | no_follow(follow), 0),
            Open::Create { mode } => (OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode),
            Open::CreateThrough { mode } => (OFlags::WRONLY | OFlags::CREATE, mode),
            Open::Directory { follow } => {
                (OFlags::RDONLY | OFlags::DIRECTORY | no_follow(follow), 0)
            }
            Open::Place { follow } => (OFlags::PATH | OFlags::DIRECTORY | no_follow(follow), 0),
        };
        fs::openat(
            at.dir,
            at.name,
            flags | OFlags::CLOEXEC,
            Mode::from_raw_mode(mode),
        )
        .map_err(code)
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        match node {
            Node::Directory { mode } => fs::mkdirat(at.dir, at.name, Mode::from_raw_mode(mode)),
            Node::Symlink { target } => fs::symlinkat(target, at.dir, at.name),
            Node::Special { kind, mode, device } => fs::mknodat(
                at.dir,
                at.name,
                file_type(kind),
                Mode::from_raw_mode(mode),
                device,
            ),
            Node::HardLink { to, follow } => {
                let flags = if follow {
                    AtFlags::SYMLINK_FOLLOW
                } else {
                    AtFlags::empty()
                };
                fs::linkat(to.dir, to.name, at.dir, at.name, flags)
            }
        }
        .map_err(code)
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        let target = fs::readlinkat(at.dir, at.name, Vec::new()).map_err(code)?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()> {
        let flags = if is_dir {
            AtFlags::REMOVEDIR
        } else {
            AtFlags::empty()
        };
        fs::unlinkat(at.dir, at.name, flags).map_err(code)
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        fs::accessat(at.dir, at.name, fs::Access::WRITE_OK, AtFlags::EACCESS).is_ok()
    }

    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        fs::renameat(from.dir, from.name, to.dir, to.name).map_err(code)
    }

    fn read_dir(&self, dir: &OwnedFd, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        batch.clear();
        buffer.clear();
        buffer.reserve(READ_DIR_BYTES);
        fill(dir, buffer, batch)
    }

    fn scratch(&self, dir: &OwnedFd) -> Sys<OwnedFd> {
        let mode = Mode::from_raw_mode(0o600);
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        match fs::openat(dir, c".", flags | OFlags::TMPFILE, mode) {
            Ok(file) => Ok(file),
            // Not every filesystem has nameless files (FUSE, NFS): one that loses its name at once.
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL) => {
                let name = format!(".copyist-probe-{}", std::process::id());
                let create = flags | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
                let file = fs::openat(dir, name.as_str(), create, mode).map_err(code)?;
                fs::unlinkat(dir, name.as_str(), AtFlags::empty()).map_err(code)?;
                Ok(file)
            }
            Err(errno) => Err(code(errno)),
        }
    }

    fn has_copy_range(&self) -> Sys<()> {
        copyist_sys::linux::has_copy_file_range().map_err(code)
    }

    fn stat_open(&self, handle: &OwnedFd) -> Sys<Stat> {
        let stat = fs::fstat(handle).map_err(code)?;
        Ok(volume::stat(&stat))
    }

    fn volume(&self, handle: &OwnedFd) -> Sys<VolumeFacts> {
        volume::facts(handle)
    }

    fn read(&self, file: &OwnedFd, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        match offset {
            Some(offset) => rustix::io::pread(file, buffer, offset),
            None => rustix::io::read(file, buffer),
        }
        .map_err(code)
    }

    fn write(&self, file: &OwnedFd, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        match offset {
            Some(offset) => rustix::io::pwrite(file, data, offset),
            None => rustix::io::write(file, data),
        }
        .map_err(code)
    }

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
            Move::CloneFile => fs::ioctl_ficlone(dst, src).and_then(|()| size(dst)),
            Move::CloneRange => {
                copyist_sys::linux::ficlonerange(src, offset, len, dst, offset).map(|()| len)
            }
            Move::CopyRange => {
                let (mut from, mut to) = (offset, offset);
                fs::copy_file_range(src, Some(&mut from), dst, Some(&mut to), call_len)
                    .map(|moved| moved as u64)
            }
            Move::Sendfile => {
                let mut from = offset;
                fs::seek(dst, SeekFrom::Start(offset))
                    .and_then(|_| fs::sendfile(dst, src, Some(&mut from), call_len))
                    .map(|moved| moved as u64)
            }
            Move::SystemCopy => Err(Errno::NOSYS), // Linux has no copier of its own
        }
        .map_err(code)
    }

    fn seek(&self, file: &OwnedFd, offset: u64, what: Seek) -> Sys<Option<u64>> {
        let position = match what {
            Seek::Data => SeekFrom::Data(offset),
            Seek::Hole => SeekFrom::Hole(offset),
        };
        match fs::seek(file, position) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NXIO) => Ok(None),
            Err(errno) => Err(code(errno)),
        }
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

    fn close(&self, file: OwnedFd) -> Sys<()> {
        copyist_sys::unix::close(file).map_err(code)
    }

    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()> {
        attributes::set(target, attribute).map_err(code)
    }

    fn flags(&self, file: &OwnedFd) -> Sys<u32> {
        fs::ioctl_getflags(file)
            .map(|flags| flags.bits())
            .map_err(code)
    }

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

fn size(file: &OwnedFd) -> Result<u64, Errno> {
    fs::fstat(file).map(|stat| stat.st_size.cast_unsigned())
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
    fn kernel_releases_are_read_as_numbers() {
        assert_eq!(parse_kernel(c"6.18.1-arch1-1"), Kernel(6, 18));
        assert_eq!(parse_kernel(c"5.3"), Kernel(5, 3));
        assert_eq!(parse_kernel(c"5.19-rc1"), Kernel(5, 19));
        assert_eq!(parse_kernel(c"unheard-of"), Kernel(0, 0));
    }
}
