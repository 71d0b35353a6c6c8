//! This machine's Linux, and the process.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;

use copyist_sys::linux;

use super::umask;
use crate::system::native::unix::{self, Umask, code};
use crate::system::{Machine, Sys, Used};
use crate::words::facts::Kernel;
use crate::words::method::Os;

/// This machine's Linux.
#[derive(Debug)]
pub(crate) struct Native {
    pub(super) umask: Umask,
    pub(super) privileged: OnceLock<bool>,
}

impl Native {
    pub(crate) fn new() -> Native {
        Native {
            umask: Umask::default(),
            privileged: OnceLock::new(),
        }
    }
}

/// The line "MemAvailable:    1234 kB" of /proc/meminfo, proc_meminfo(5).
fn available_memory(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

/// "6.18.1-arch" -> (6, 18). A release that can't be parsed counts as old: fewer methods are used.
fn parse_kernel(release: &CStr) -> Kernel {
    let release = release.to_string_lossy();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    Kernel(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

impl Machine for Native {
    type Handle = OwnedFd;

    fn os(&self) -> Os {
        Os::Linux
    }

    fn kernel(&self) -> Kernel {
        static KERNEL: OnceLock<Kernel> = OnceLock::new();
        *KERNEL.get_or_init(|| parse_kernel(rustix::system::uname().release()))
    }

    fn umask(&self) -> u32 {
        self.umask.get(umask::read)
    }

    fn is_privileged(&self) -> bool {
        let is_root = || rustix::process::geteuid().is_root();
        *self.privileged.get_or_init(is_root)
    }

    fn memory_is_limited(&self) -> bool {
        unix::memory_is_limited()
    }

    fn available_memory(&self) -> Option<u64> {
        available_memory(&std::fs::read_to_string("/proc/meminfo").ok()?)
    }

    fn open_file_limit(&self) -> Option<u64> {
        unix::open_file_limit()
    }

    fn used(&self) -> Used {
        unix::used()
    }

    fn has_copy_range(&self) -> Sys<()> {
        linux::has_copy_file_range().map_err(code)
    }

    fn processor(&self) -> Option<usize> {
        Some(linux::processor())
    }

    fn leave_processor(&self, number: usize) {
        let _ = linux::leave_processor(number);
    }

    fn release(&self) -> String {
        unix::release()
    }

    fn file_size_limit(&self) -> u64 {
        unix::file_size_limit()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn available_memory_is_read_from_meminfo() {
        let meminfo = "MemTotal:       24689764 kB\nMemAvailable:      1024 kB\nBuffers: 1 kB\n";
        assert_eq!(available_memory(meminfo), Some(1 << 20));
        assert_eq!(available_memory("MemTotal: 24689764 kB\n"), None);
    }

    #[test]
    fn kernel_releases_are_read_as_numbers() {
        assert_eq!(parse_kernel(c"6.18.1-arch1-1"), Kernel(6, 18));
        assert_eq!(parse_kernel(c"5.3"), Kernel(5, 3));
        assert_eq!(parse_kernel(c"5.19-rc1"), Kernel(5, 19));
        assert_eq!(parse_kernel(c"unheard-of"), Kernel(0, 0));
    }
}
