//! What the Unix systems have in common.

use std::os::fd::{IntoRawFd, OwnedFd};

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
