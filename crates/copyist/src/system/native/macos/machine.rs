//! This machine's macOS, and the process.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{self, Mode, OFlags};

use crate::system::native::unix::{self, Umask};
use crate::system::{Machine, Sys, Used};
use crate::think::rules::macos::ENOTSUP;
use crate::words::facts::Kernel;
use crate::words::method::Os;

/// For a directory in which names are looked up, and which need not be readable: `O_SEARCH` of open(2).
pub(super) const SEARCH: OFlags = OFlags::from_bits_retain(0x4000_0000);

/// This machine's macOS.
#[derive(Debug)]
pub(crate) struct Native {
    pub(super) umask: Umask,
    pub(super) privileged: bool,
}

impl Native {
    pub(crate) fn new() -> Native {
        Native {
            umask: Umask::default(),
            privileged: rustix::process::geteuid().is_root(),
        }
    }
}

/// No call returns the umask: a file is created with all permissions, and its mode is read.
fn umask() -> Option<u32> {
    static CREATED: AtomicU64 = AtomicU64::new(0);
    let number = CREATED.fetch_add(1, Ordering::Relaxed);
    let name = format!(".copyist-umask-{}-{number}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let file = fs::open(&path, flags, Mode::from_raw_mode(0o777)).ok()?;
    let stat = fs::fstat(&file);
    fs::unlink(&path).ok()?;
    Some(!u32::from(stat.ok()?.st_mode) & 0o777)
}

impl Machine for Native {
    type Handle = OwnedFd;

    fn os(&self) -> Os {
        Os::Macos
    }

    /// No decision depends on it: a call that a version lacks returns an error.
    fn kernel(&self) -> Kernel {
        Kernel(0, 0)
    }

    fn umask(&self) -> u32 {
        self.umask.get(umask)
    }

    fn is_privileged(&self) -> bool {
        self.privileged
    }

    fn memory_is_limited(&self) -> bool {
        unix::memory_is_limited()
    }

    fn open_file_limit(&self) -> Option<u64> {
        unix::open_file_limit()
    }

    fn used(&self) -> Used {
        unix::used()
    }

    fn has_copy_range(&self) -> Sys<()> {
        Err(ENOTSUP)
    }

    fn release(&self) -> String {
        unix::release()
    }

    fn file_size_limit(&self) -> u64 {
        unix::file_size_limit()
    }
}
