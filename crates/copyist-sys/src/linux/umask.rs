//! The umask, read without setting that of the process.

use std::thread::Builder;

use rustix::fs::Mode;
use rustix::io::Errno;
use rustix::process::umask;
use rustix::thread::{UnshareFlags, unshare_unsafe};

/// The umask of the calling thread, without any effect on it: a short-lived thread inherits it, stops sharing
/// it (`unshare(CLONE_FS)`, which needs no privilege), and sets its own, which returns the old one.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/unshare.2.html)
///
/// # Errors
///
/// EAGAIN if no thread can be started; EPERM from a seccomp filter (Docker's refuses the call).
pub fn umask_by_thread() -> Result<u32, Errno> {
    let read = || {
        // SAFETY: the thread keeps sharing descriptors; only its directories and its umask become its own.
        unsafe { unshare_unsafe(UnshareFlags::FS) }?;
        Ok(umask(Mode::empty()).as_raw_mode())
    };
    let thread = Builder::new().stack_size(64 << 10).spawn(read);
    thread
        .map_err(|_| Errno::AGAIN)?
        .join()
        .unwrap_or(Err(Errno::AGAIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_umask_is_read_and_stays() -> rustix::io::Result<()> {
        let status = std::fs::read_to_string("/proc/thread-self/status").unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("Umask:"));
        let expected = line.and_then(|umask| u32::from_str_radix(umask.trim(), 8).ok());
        for _ in 0..2 {
            assert_eq!(Some(umask_by_thread()?), expected);
        }
        Ok(())
    }
}
