//! What a directory says of what is in it.

use std::ffi::OsStr;

use copyist_sys::Names;

use crate::words::stat::FileKind;

/// Names read from a directory at once. Cleared and filled again, it allocates nothing new.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    names: Names,
    kinds: Vec<Option<FileKind>>,
    /// Where the system tells.
    inodes: Vec<u64>,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.kinds.clear();
        self.inodes.clear();
    }

    /// Adds a name, and what the directory says of its kind.
    pub(crate) fn push(&mut self, name: &OsStr, kind: Option<FileKind>) {
        self.names.push(name);
        self.kinds.push(kind);
    }

    /// The same, where the directory says which inode it is.
    #[allow(dead_code)] // not every system's directories tell
    pub(crate) fn push_inode(&mut self, name: &OsStr, kind: Option<FileKind>, inode: u64) {
        self.push(name, kind);
        self.inodes.push(inode);
    }

    /// Adds all of another batch.
    pub(crate) fn append(&mut self, other: &Batch) {
        for (n, (name, kind)) in other.iter().enumerate() {
            self.push(name, kind);
            self.inodes.extend(other.inodes.get(n));
        }
    }

    /// The same in the order of the inodes: that in which GNU cp copies a directory. Where the
    /// inodes are not known, in the order of the directory.
    pub(crate) fn by_inode(&self) -> Batch {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&n| self.inodes.get(n));
        let mut sorted = Batch::default();
        for n in order {
            let (name, kind) = self.get(n);
            sorted.push(name, kind);
        }
        sorted
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    pub(crate) fn get(&self, n: usize) -> (&OsStr, Option<FileKind>) {
        (self.names.get(n), self.kinds[n])
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OsStr, Option<FileKind>)> {
        (0..self.len()).map(|n| self.get(n))
    }
}
