//! The files that stay accessible to a sandboxed process.

use std::path::PathBuf;

/// The access that a sandbox leaves.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// These files, and everything below these directories, can be read.
    pub(crate) read: Vec<PathBuf>,
    /// These files, and everything below these directories, can be changed in any way, but not executed.
    pub(crate) write: Vec<PathBuf>,
}
