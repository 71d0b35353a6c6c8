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

/// `fchflags(fd, flags)`: sets the flags of chflags(1).
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/chflags.2.html)
///  - [FreeBSD](https://man.freebsd.org/cgi/man.cgi?query=chflags&sektion=2)
///
/// # Errors
///
/// The call's errno.
#[cfg(any(target_os = "macos", target_os = "freebsd"))]
pub fn fchflags(file: impl std::os::fd::AsFd, flags: u32) -> Result<(), Errno> {
    use std::os::fd::AsRawFd;
    #[allow(clippy::useless_conversion)] // FreeBSD's flags are an unsigned long
    let flags = flags.into();
    // SAFETY: the descriptor is borrowed until the call returns, which touches no memory.
    let result = unsafe { libc::fchflags(file.as_fd().as_raw_fd(), flags) };
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    }
}
