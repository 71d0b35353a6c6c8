//! The receiver of a file's progress.

use crate::system::Platform;
use crate::words::code::Code;

/// Records how much of a file is complete.
pub(crate) trait ProgressSink<P: Platform>: Sync {
    /// Everything before `offset` is complete.
    fn passed(&self, file: &P::Handle, offset: u64) -> Result<(), Code>;
}
