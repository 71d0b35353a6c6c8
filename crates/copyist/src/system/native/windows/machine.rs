//! This machine's Windows, and the process.

use copyist_sys::windows as sys;

use super::handle::Handle;
use crate::system::{Machine, Sys, Used};
use crate::think::rules::windows::ERROR_NOT_SUPPORTED;
use crate::words::facts::Kernel;
use crate::words::method::Os;

/// This machine's Windows.
#[derive(Debug)]
pub(crate) struct Native {
    pub(super) kernel: Kernel,
}

impl Native {
    pub(crate) fn new() -> Native {
        let (major, build) = sys::version();
        let small = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        Native {
            kernel: Kernel(small(major), small(build)),
        }
    }

    /// The build number, which distinguishes the versions of Windows 10 and 11.
    pub(super) fn build(&self) -> u32 {
        self.kernel.1.into()
    }
}

impl Machine for Native {
    type Handle = Handle;

    fn os(&self) -> Os {
        Os::Windows
    }

    fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Windows has none: the ACL of a directory determines the rights to files created in it.
    fn umask(&self) -> u32 {
        0
    }

    /// Never: rights are checked call by call.
    fn is_privileged(&self) -> bool {
        false
    }

    fn memory_is_limited(&self) -> bool {
        false
    }

    fn used(&self) -> Used {
        Used {
            processor_time: sys::processor_time(),
            waits: None,
        }
    }

    fn has_copy_range(&self) -> Sys<()> {
        Err(ERROR_NOT_SUPPORTED)
    }
}
