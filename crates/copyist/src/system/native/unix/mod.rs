//! The parts that the Unix systems have in common: each call that is the same on all of them.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;

use rustix::fs::{self, AtFlags, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use crate::system::{Open, Seek, Sys, Used};
use crate::words::code::Code;
use crate::words::stat::FileKind;

mod attributes;
mod look;
mod stat;
mod umask;
#[cfg(any(target_os = "linux", target_os = "macos"))]
mod xattrs;

#[cfg(target_os = "linux")]
pub(super) use attributes::timestamps;
pub(super) use attributes::{set_by_name, set_open};
pub(super) use look::describe;
#[cfg(target_os = "linux")]
pub(super) use stat::kind_of;
pub(super) use stat::of_stat;
pub(super) use umask::Umask;
#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) use xattrs::grow;

pub(super) fn code(errno: Errno) -> Code {
    Code(errno.raw_os_error())
}

/// Raises the soft limit on open files to the hard one: see getrlimit(2).
pub(super) fn raise_open_file_limit() -> Sys<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // macOS reports "no limit", and accepts at most OPEN_MAX: see its setrlimit(2).
    let most = maximum.unwrap_or(10_240);
    if current.is_none_or(|current| current >= most) {
        return Ok(());
    }
    let all = Rlimit {
        current: Some(most),
        maximum,
    };
    setrlimit(Resource::Nofile, all).map_err(code)
}

pub(super) fn memory_is_limited() -> bool {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::As).current.is_some()
}

pub(super) fn release() -> String {
    let system = rustix::system::uname();
    system.release().to_string_lossy().into_owned()
}

pub(super) fn file_size_limit() -> u64 {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Fsize).current.unwrap_or(u64::MAX)
}

pub(super) fn open_file_limit() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    getrlimit(Resource::Nofile).current
}

pub(super) fn used() -> Used {
    let (processor_time, waits) = copyist_sys::unix::usage().unwrap_or_default(); // it fails for bad arguments only
    Used {
        processor_time,
        waits: Some(waits),
    }
}

pub(super) fn mode(bits: u32) -> Mode {
    // The umask bits fit in the smallest mode_t, of 16 bits.
    #[allow(clippy::unnecessary_fallible_conversions, clippy::useless_conversion)]
    Mode::from_raw_mode(bits.try_into().unwrap_or(0))
}

fn no_follow(follow: bool) -> OFlags {
    if follow {
        OFlags::empty()
    } else {
        OFlags::NOFOLLOW
    }
}

/// The flags of open(2); `place` are the flags for a directory that need not be readable.
#[inline(always)] // with a constant `how`, the whole match is evaluated at compile time
pub(super) fn open_flags(how: Open, place: OFlags) -> Sys<(OFlags, Mode)> {
    let (flags, bits) = match how {
        Open::Read { follow } => (
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | no_follow(follow),
            0,
        ),
        Open::ReadStream { follow } => (OFlags::RDONLY | OFlags::NOCTTY | no_follow(follow), 0),
        Open::Write { follow } => (
            OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | no_follow(follow),
            0,
        ),
        Open::WriteEmptied { follow } => (
            OFlags::WRONLY | OFlags::TRUNC | OFlags::NONBLOCK | OFlags::NOCTTY | no_follow(follow),
            0,
        ),
        Open::WriteStream { follow } => (OFlags::WRONLY | OFlags::NOCTTY | no_follow(follow), 0),
        Open::Create { mode } => (OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode),
        Open::CreateThrough { mode } => (OFlags::WRONLY | OFlags::CREATE, mode),
        // Linux has them, and opens them by itself.
        Open::Nameless { .. } => return Err(code(Errno::OPNOTSUPP)),
        Open::CreateDraft { mode } => (OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, mode),
        Open::Draft => (
            OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::NOFOLLOW,
            0,
        ),
        Open::Directory { follow } => (OFlags::RDONLY | OFlags::DIRECTORY | no_follow(follow), 0),
        Open::Path { follow } => (place | OFlags::DIRECTORY | no_follow(follow), 0),
    };
    Ok((flags | OFlags::CLOEXEC, mode(bits)))
}

/// Opens a name.
#[cfg(not(target_os = "linux"))]
pub(super) fn open(dir: &OwnedFd, name: &OsStr, how: Open, place: OFlags) -> Sys<OwnedFd> {
    let (flags, mode) = open_flags(how, place)?;
    fs::openat(dir, name, flags, mode).map_err(code)
}

pub(super) fn stat_flags(follow: bool) -> AtFlags {
    if follow {
        AtFlags::empty()
    } else {
        AtFlags::SYMLINK_NOFOLLOW
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn stat(dir: &OwnedFd, name: &OsStr, follow: bool) -> Sys<crate::words::stat::Stat> {
    let stat = fs::statat(dir, name, stat_flags(follow)).map_err(code)?;
    Ok(of_stat(&stat))
}

pub(super) fn hard_link(
    to: (&OwnedFd, &OsStr),
    at: (&OwnedFd, &OsStr),
    follow: bool,
) -> Result<(), Errno> {
    let flags = if follow {
        AtFlags::SYMLINK_FOLLOW
    } else {
        AtFlags::empty()
    };
    fs::linkat(to.0, to.1, at.0, at.1, flags)
}

pub(super) fn read_link(dir: &OwnedFd, name: &OsStr) -> Sys<OsString> {
    let target = fs::readlinkat(dir, name, Vec::new()).map_err(code)?;
    Ok(OsString::from_vec(target.into_bytes()))
}

pub(super) fn remove(dir: &OwnedFd, name: &OsStr, is_dir: bool) -> Sys<()> {
    let flags = if is_dir {
        AtFlags::REMOVEDIR
    } else {
        AtFlags::empty()
    };
    fs::unlinkat(dir, name, flags).map_err(code)
}

#[cfg(any(target_os = "linux", target_os = "macos"))]
pub(super) fn rename_new(from: (&OwnedFd, &OsStr), to: (&OwnedFd, &OsStr)) -> Sys<()> {
    let flags = fs::RenameFlags::NOREPLACE;
    match fs::renameat_with(from.0, from.1, to.0, to.1, flags) {
        // The codes of a filesystem without such a call.
        Err(Errno::INVAL | Errno::NOSYS) => Err(code(Errno::OPNOTSUPP)),
        renamed => renamed.map_err(code),
    }
}

/// By flock, which belongs to the open file and not to the process, and ends with it.
pub(super) fn lock(file: &OwnedFd) -> Sys<bool> {
    match fs::flock(file, fs::FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(errno) => Err(code(errno)),
    }
}

/// Closing a duplicate writes out the data that NFS, CIFS and FUSE hold until a close, and reports quota errors.
pub(super) fn check_close_errors(file: &OwnedFd) -> Sys<()> {
    let duplicate = rustix::io::fcntl_dupfd_cloexec(file, 0).map_err(code)?;
    copyist_sys::unix::close(duplicate).map_err(code)
}

/// The names that can't be removed from a directory: all if it is append-only.
#[cfg(not(target_os = "linux"))]
pub(super) fn kept_names(
    dir: &OwnedFd,
    name: &OsStr,
    is_privileged: bool,
) -> crate::words::stat::KeptNames {
    /// UF_APPEND and SF_APPEND of sys/stat.h.
    const APPEND: u32 = 0x4 | 0x4_0000;
    let Ok(found) = stat(dir, name, true) else {
        return crate::words::stat::KeptNames::None;
    };
    let is_append_only = found.flags.unwrap_or(0) & APPEND != 0;
    let uid = (!is_privileged).then(|| rustix::process::geteuid().as_raw());
    crate::words::stat::KeptNames::new(is_append_only, (found.mode, found.uid), uid)
}

pub(super) fn may_write(dir: &OwnedFd, name: &OsStr) -> bool {
    fs::accessat(dir, name, fs::Access::WRITE_OK, AtFlags::EACCESS).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(super) fn read(file: &OwnedFd, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
    match offset {
        Some(offset) => rustix::io::pread(file, buffer, offset),
        None => rustix::io::read(file, buffer),
    }
    .map_err(code)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn write(file: &OwnedFd, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
    match offset {
        Some(offset) => rustix::io::pwrite(file, data, offset),
        None => rustix::io::write(file, data),
    }
    .map_err(code)
}

pub(super) fn seek(file: &OwnedFd, offset: u64, what: Seek) -> Sys<Option<u64>> {
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

/// mknod's constant for a file type.
pub(super) fn file_type(kind: FileKind) -> fs::FileType {
    match kind {
        FileKind::Fifo => fs::FileType::Fifo,
        FileKind::Socket => fs::FileType::Socket,
        FileKind::CharDevice => fs::FileType::CharacterDevice,
        FileKind::BlockDevice => fs::FileType::BlockDevice,
        _ => fs::FileType::Unknown,
    }
}
