//! The calls that the Unix systems have in common.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};
use std::time::Duration;

use rustix::fs::Mode;
use rustix::io::Errno;

/// `close(fd)`, with its error: a write error may arrive only here (NFS, quotas).
///
/// The descriptor is closed whatever the result: on Linux even after EINTR, so the call must not be repeated.
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

/// `fchmod(fd, mode)`, through the C library's function: programs that emulate the system for others (fakeroot)
/// replace that function, and rustix bypasses it.
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

/// `getrusage(RUSAGE_SELF)`: the processor time of this process, and its number of voluntary context switches.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/getrusage.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn usage() -> Result<(Duration, u64), Errno> {
    let mut usage = MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call writes the structure that it is given.
    done(unsafe { libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) })?;
    // SAFETY: the call has written it; and zeros, of which it was made, are numbers too.
    let usage = unsafe { usage.assume_init() };
    // Neither is ever negative, and there is less than a second of microseconds.
    let time = |time: libc::timeval| {
        let seconds = Duration::from_secs(time.tv_sec.try_into().unwrap_or(0));
        seconds + Duration::from_micros(time.tv_usec.try_into().unwrap_or(0))
    };
    let waits = usage.ru_nvcsw.try_into().unwrap_or(0);
    Ok((time(usage.ru_utime) + time(usage.ru_stime), waits))
}

/// The error of a call that returned -1.
fn done(result: libc::c_int) -> Result<(), Errno> {
    if result == 0 {
        Ok(())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    }
}
