//! The calls of which a small file takes most, by the C library.

#![allow(
    unreachable_pub,
    reason = "where there are no direct ones, these are the public ones"
)]

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, Mode, OFlags, Stat, Timestamps};
use rustix::io::{self, Errno};

/// `openat(dir, name, flags, mode)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/open.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn openat(dir: &OwnedFd, name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    fs::openat(dir, name, flags, mode)
}

/// `fstat(fd)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn fstat(file: &OwnedFd) -> Result<Stat, Errno> {
    fs::fstat(file)
}

/// `fstatat(dir, name, flags)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/stat.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn fstatat(dir: &OwnedFd, name: &OsStr, flags: AtFlags) -> Result<Stat, Errno> {
    fs::statat(dir, name, flags)
}

/// `futimens(fd, times)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man3/futimens.3.html)
///
/// # Errors
///
/// The call's errno.
pub fn futimens(file: &OwnedFd, times: &Timestamps) -> Result<(), Errno> {
    fs::futimens(file, times)
}

/// `flistxattr(fd, names)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/listxattr.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn flistxattr(file: &OwnedFd, names: &mut [u8]) -> Result<usize, Errno> {
    fs::flistxattr(file, names)
}

/// `pread(fd, buffer, offset)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/pread.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn pread(file: &OwnedFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    io::pread(file, buffer, offset)
}

/// `pwrite(fd, data, offset)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/pwrite.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn pwrite(file: &OwnedFd, data: &[u8], offset: u64) -> Result<usize, Errno> {
    io::pwrite(file, data, offset)
}

/// `copy_file_range(src, offset, dst, offset, len, 0)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/copy_file_range.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn copy_file_range(
    src: &OwnedFd,
    dst: &OwnedFd,
    offset: u64,
    len: usize,
) -> Result<usize, Errno> {
    let (mut from, mut to) = (offset, offset);
    fs::copy_file_range(src, Some(&mut from), dst, Some(&mut to), len)
}

/// `ioctl(dst, FICLONE, src)`
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/ioctl_ficlonerange.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn ficlone(src: &OwnedFd, dst: &OwnedFd) -> Result<(), Errno> {
    fs::ioctl_ficlone(dst, src)
}

/// `close(fd)`, see [`crate::unix::close`].
///
/// # Errors
///
/// The call's errno.
pub fn close(file: OwnedFd) -> Result<(), Errno> {
    crate::unix::close(file)
}
