//! Directory entries, as read from a directory.

use std::ffi::OsStr;

use copyist_sys::Names;

use crate::words::stat::FileKind;

/// Names read from a directory at once. It is cleared and filled again without a new allocation.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    names: Names,
    kinds: Vec<Option<FileKind>>,
    /// Empty where the system doesn't report inode numbers.
    inodes: Vec<u64>,
}

impl Batch {
    pub(crate) fn clear(&mut self) {
        self.names.clear();
        self.kinds.clear();
        self.inodes.clear();
    }

    /// Adds a name, with its type if the directory entry has one.
    pub(crate) fn push(&mut self, name: &OsStr, kind: Option<FileKind>) {
        self.names.push(name);
        self.kinds.push(kind);
    }

    /// The same, with the inode number of the directory entry.
    #[allow(dead_code, reason = "not every system's directory entries have it")]
    pub(crate) fn push_inode(&mut self, name: &OsStr, kind: Option<FileKind>, inode: u64) {
        self.push(name, kind);
        self.inodes.push(inode);
    }

    /// Adds all entries of another batch.
    pub(crate) fn append(&mut self, other: &Batch) {
        for (n, (name, kind)) in other.iter().enumerate() {
            self.push(name, kind);
            self.inodes.extend(other.inodes.get(n));
        }
    }

    /// Fills `sorted` with the same entries in the order of their inode numbers, in which GNU cp copies a directory.
    /// Without inode numbers, in the order of the directory.
    pub(crate) fn sort_by_inode(&self, sorted: &mut Batch) {
        self.sort_by_key(sorted, |n| self.inodes.get(n));
    }

    /// The same, in the order of their names.
    #[cfg(feature = "verify")]
    pub(crate) fn sort_by_name(&self, sorted: &mut Batch) {
        self.sort_by_key(sorted, |n| self.names.get(n));
    }

    fn sort_by_key<'a, K: Ord>(&'a self, sorted: &mut Batch, key: impl Fn(usize) -> K + 'a) {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_by_key(|&n| key(n));
        sorted.clear();
        for n in order {
            let (name, kind) = self.get(n);
            sorted.push(name, kind);
            sorted.inodes.extend(self.inode(n));
        }
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

    /// The inode number of a directory entry, where the system reports it.
    pub(crate) fn inode(&self, n: usize) -> Option<u64> {
        self.inodes.get(n).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&OsStr, Option<FileKind>)> {
        (0..self.len()).map(|n| self.get(n))
    }
}
