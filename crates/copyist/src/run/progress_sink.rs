//! Who is told how far a file has come.

use crate::system::Platform;
use crate::words::code::Code;

/// Records how far a file has come.
pub(crate) trait ProgressSink<P: Platform>: Sync {
    /// Everything before `offset` is in place.
    fn passed(&self, file: &P::Handle, offset: u64) -> Result<(), Code>;
}
