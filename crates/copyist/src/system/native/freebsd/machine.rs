//! This machine's FreeBSD, and the process.

use std::os::fd::OwnedFd;

use crate::system::native::unix::{self, Umask};
use crate::system::{Machine, Sys, Used};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::facts::Kernel;
use crate::words::method::Os;

/// This machine's FreeBSD.
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

pub(super) fn unsupported() -> Code {
    rules::not_supported(Os::Freebsd)
}

impl Machine for Native {
    type Handle = OwnedFd;

    fn os(&self) -> Os {
        Os::Freebsd
    }

    /// No decision depends on it.
    fn kernel(&self) -> Kernel {
        Kernel(0, 0)
    }

    fn umask(&self) -> u32 {
        self.umask.get(|| copyist_sys::freebsd::umask().ok())
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
        Err(unsupported())
    }

    fn release(&self) -> String {
        unix::release()
    }

    fn file_size_limit(&self) -> u64 {
        unix::file_size_limit()
    }
}
