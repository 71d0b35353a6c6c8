//! The umask, read without setting it.

use std::fs::File;
use std::io::Read;

use copyist_sys::linux;

/// The umask of the calling thread, which the workers share (a thread can also have its own). Before Linux 4.7, and
/// where /proc is missing (a chroot) or not readable (a sandbox), it is read in a separate thread.
pub(super) fn read() -> Option<u32> {
    from_proc().or_else(|| linux::umask_by_thread().ok())
}

fn from_proc() -> Option<u32> {
    let mut start = [0; 512]; // it is the second of some sixty lines
    let mut file = File::open("/proc/thread-self/status").ok()?;
    let bytes = file.read(&mut start).ok()?;
    of_status(&String::from_utf8_lossy(&start[..bytes]))
}

/// The line "Umask:  0022", proc_pid_status(5).
fn of_status(status: &str) -> Option<u32> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("Umask:"))?;
    u32::from_str_radix(line.trim(), 8).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_umask_is_the_same_both_ways() {
        let umask = from_proc();
        assert!(umask.is_some());
        assert_eq!(umask, linux::umask_by_thread().ok());
    }

    #[test]
    fn the_umask_is_a_line_of_the_status() {
        let status = "Name:\tcp\nUmask:\t0027\nState:\tR (running)\n";
        assert_eq!(of_status(status), Some(0o027));
        assert_eq!(of_status("Name:\tcp\nState:\tR (running)\n"), None);
    }
}
