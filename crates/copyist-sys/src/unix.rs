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
    done(unsafe { libc::close(fd.into_raw_fd()) })
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
    done(unsafe { libc::fchmod(fd.as_fd().as_raw_fd(), mode.as_raw_mode()) })
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
pub fn fchflags(file: impl AsFd, flags: u32) -> Result<(), Errno> {
    #[allow(clippy::useless_conversion)] // FreeBSD's flags are an unsigned long
    let flags = flags.into();
    // SAFETY: the descriptor is borrowed until the call returns, which touches no memory.
    done(unsafe { libc::fchflags(file.as_fd().as_raw_fd(), flags) })
}

/// The error of a call that answered -1.
fn done(result: libc::c_int) -> Result<(), Errno> {
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    }
}
