//! What the Unix systems have in common.

use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};

use rustix::fs::Mode;
use rustix::io::Errno;

/// `close(fd)`, with its error: a write error may arrive only here (NFS, quotas).
///
/// The descriptor is gone whatever the answer: on Linux it is so even after EINTR, and there must
/// be no second try.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/close.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn close(fd: OwnedFd) -> Result<(), Errno> {
    // SAFETY: the descriptor was owned, and `into_raw_fd` has given up that ownership to us.
    let result = unsafe { libc::close(fd.into_raw_fd()) };
    if result == 0 {
        return Ok(());
    }
    let code = std::io::Error::last_os_error()
        .raw_os_error()
        .unwrap_or(libc::EIO);
    Err(Errno::from_raw_os_error(code))
}

/// `fchmod(fd, mode)`, by the C library's function: programs that run others in a world of their
/// own making (fakeroot) stand in for that, and rustix calls the kernel past it.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/fchmod.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn fchmod(fd: impl AsFd, mode: Mode) -> Result<(), Errno> {
    // SAFETY: the descriptor is borrowed for the time of the call, which touches no memory.
    let result = unsafe { libc::fchmod(fd.as_fd().as_raw_fd(), mode.as_raw_mode()) };
    if result == 0 {
        return Ok(());
    }
    let code = std::io::Error::last_os_error().raw_os_error();
    Err(Errno::from_raw_os_error(code.unwrap_or(libc::EIO)))
}
