//! The calls of which a small file takes most, by the C library.

#![allow(
    unreachable_pub,
    reason = "where there are no direct ones, these are the public ones"
)]

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, Mode, OFlags, Stat, Timestamps};
use rustix::io::{self, Errno};

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn openat(dir: &OwnedFd, name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    fs::openat(dir, name, flags, mode)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn fstat(file: &OwnedFd) -> Result<Stat, Errno> {
    fs::fstat(file)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn fstatat(dir: &OwnedFd, name: &OsStr, flags: AtFlags) -> Result<Stat, Errno> {
    fs::statat(dir, name, flags)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn futimens(file: &OwnedFd, times: &Timestamps) -> Result<(), Errno> {
    fs::futimens(file, times)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn flistxattr(file: &OwnedFd, names: &mut [u8]) -> Result<usize, Errno> {
    fs::flistxattr(file, names)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn pread(file: &OwnedFd, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    io::pread(file, buffer, offset)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn pwrite(file: &OwnedFd, data: &[u8], offset: u64) -> Result<usize, Errno> {
    io::pwrite(file, data, offset)
}

/// By the C library's function.
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

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn ficlone(src: &OwnedFd, dst: &OwnedFd) -> Result<(), Errno> {
    fs::ioctl_ficlone(dst, src)
}

/// By the C library's function.
///
/// # Errors
///
/// The call's errno.
pub fn close(file: OwnedFd) -> Result<(), Errno> {
    crate::unix::close(file)
}
