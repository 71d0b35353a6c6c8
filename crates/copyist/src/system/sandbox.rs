//! What a process that copies keeps access to.

use std::path::PathBuf;

/// What a sandbox leaves.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// These files, and what is below these directories, can be read.
    pub(crate) read: Vec<PathBuf>,
    /// Everything can be done to these files and below these directories, but run programs.
    pub(crate) write: Vec<PathBuf>,
}
