//! One source, and the destination that it is copied to.

use std::path::PathBuf;

/// One thing to copy, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operand {
    /// The source.
    pub src: PathBuf,
    /// The destination itself (not the directory that it goes into).
    pub dst: PathBuf,
    /// If set, `dst` is `src` below this directory, and the directories between are made like
    /// those of the source (`--parents`).
    pub parents_below: Option<PathBuf>,
}
