//! One source, and the destination that it is copied to.

use std::path::PathBuf;

/// One thing to copy, and where to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operand {
    /// The source.
    pub src: PathBuf,
    /// The destination's own path (not that of the directory that it goes into).
    pub dst: PathBuf,
    /// If set, `dst` is `src` below this directory, and the directories between are created with the attributes of
    /// the source's (`--parents`).
    pub parents_below: Option<PathBuf>,
}

impl Operand {
    /// Copies `src` to `dst`, which is the path of the copy itself.
    ///
    /// ```
    /// use copyist::Operand;
    ///
    /// let operand = Operand::new("photos", "backup/photos");
    /// # let _ = operand;
    /// ```
    pub fn new(src: impl Into<PathBuf>, dst: impl Into<PathBuf>) -> Operand {
        Operand {
            src: src.into(),
            dst: dst.into(),
            parents_below: None,
        }
    }

    /// Creates the directories between `directory` and the destination with the attributes of the source's
    /// (`--parents`). The destination is the source's path below `directory`.
    ///
    /// ```
    /// use copyist::Operand;
    ///
    /// let operand = Operand::new("a/b/file", "backup/a/b/file").parents_below("backup");
    /// assert_eq!(operand.parents_below.as_deref(), Some("backup".as_ref()));
    /// ```
    #[must_use]
    pub fn parents_below(mut self, directory: impl Into<PathBuf>) -> Operand {
        self.parents_below = Some(directory.into());
        self
    }
}
