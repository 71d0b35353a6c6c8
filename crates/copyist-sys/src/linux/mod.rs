//! Linux.

mod by_name;
mod copy_file_range;
#[cfg(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64"
))]
mod direct;
/// Elsewhere the C library makes them.
#[cfg(not(all(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    target_pointer_width = "64"
)))]
mod direct {
    use std::ffi::OsStr;
    use std::os::fd::OwnedFd;

    pub use crate::unix::close;
    pub use rustix::fs::{copy_file_range, flistxattr, futimens, ioctl_ficlone, openat};
    pub use rustix::io::{pread, pwrite};

    use rustix::fs::{self, AtFlags, Mode, OFlags, Stat};
    use rustix::io::Errno;

    /// Whether something stands in for the C library's functions is not known.
    pub(super) fn is_replaced() -> bool {
        true
    }

    /// `fstat(fd)`; `look` takes from the result what is wanted.
    ///
    /// # Errors
    ///
    /// The call's errno.
    pub fn fstat<T>(file: &OwnedFd, look: impl FnOnce(&Stat) -> T) -> Result<T, Errno> {
        fs::fstat(file).map(|it| look(&it))
    }

    /// `statx(fd, "", AT_EMPTY_PATH, mask)`: not made here.
    ///
    /// # Errors
    ///
    /// ENOSYS.
    pub fn statx<T>(
        _: &OwnedFd,
        _mask: u32,
        _look: impl FnOnce(&libc::statx) -> T,
    ) -> Result<T, Errno> {
        Err(Errno::NOSYS)
    }

    /// `open(path, flags, mode)`
    ///
    /// # Errors
    ///
    /// The call's errno.
    pub fn open(name: &OsStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
        fs::open(name, flags, mode)
    }

    /// `stat(path)` or `lstat(path)`, as [`fstat`].
    ///
    /// # Errors
    ///
    /// The call's errno.
    pub fn stat<T>(
        name: &OsStr,
        flags: AtFlags,
        look: impl FnOnce(&Stat) -> T,
    ) -> Result<T, Errno> {
        fs::statat(fs::CWD, name, flags).map(|it| look(&it))
    }

    /// `fstatat(dir, name, flags)`, as [`fstat`].
    ///
    /// # Errors
    ///
    /// The call's errno.
    pub fn statat<T>(
        dir: &OwnedFd,
        name: &OsStr,
        flags: AtFlags,
        look: impl FnOnce(&Stat) -> T,
    ) -> Result<T, Errno> {
        fs::statat(dir, name, flags).map(|it| look(&it))
    }
}
mod ficlonerange;
mod fiemap;
mod landlock;
mod processor;
mod sync_file_range;
mod umask;

pub use by_name::{fchmodat2, getxattrat, inside, listxattrat, removexattrat, setxattrat};
pub use copy_file_range::has_copy_file_range;
pub use direct::{
    close, copy_file_range, flistxattr, fstat, futimens, ioctl_ficlone, open, openat, pread,
    pwrite, stat, statat, statx,
};
pub use ficlonerange::ficlonerange;
pub use fiemap::{FiemapExtent, fiemap};
pub use landlock::{Landlock, access};
/// The kernel's `struct statx`.
pub use libc::statx as Statx;
pub use processor::{leave_processor, processor};
pub use sync_file_range::sync_file_range;
pub use umask::umask_by_thread;

use rustix::io::Errno;

/// The errno of the call that has just failed on this thread.
fn last_error() -> Errno {
    let code = std::io::Error::last_os_error().raw_os_error();
    Errno::from_raw_os_error(code.unwrap_or(libc::EIO))
}
