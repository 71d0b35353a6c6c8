//! Which two files are one.

use super::{FileId, Stat};

impl FileId {
    /// Whether it tells files apart. A server that has no number to give (some FUSE servers) gives 0 to
    /// every file, and no filesystem means that number.
    pub(crate) const fn is_known(self) -> bool {
        self.inode != 0
    }
}

impl Stat {
    /// Whether both are of one file. Without a number that tells, whether they agree in everything that a
    /// read doesn't change: two files hardly changed at the same nanosecond.
    pub(crate) fn is_same_file(&self, other: &Stat) -> bool {
        let known = self.id.is_known();
        self.id == other.id
            && (known
                || *self
                    == Stat {
                        accessed: self.accessed,
                        ..*other
                    })
    }
}
