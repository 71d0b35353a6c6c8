//! What the kernel holds open: files, and listings of directories.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use fuser::{FileHandle, FileType, INodeNo};
use rustix::io::Errno;

use super::nodes::lock;

/// One name in a listing.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) ino: INodeNo,
    pub(super) kind: FileType,
    pub(super) name: OsString,
}

/// An open file, or an open directory with the listing that its reader is going through.
#[derive(Debug, Clone)]
pub(super) enum Handle {
    File(Arc<File>),
    Directory(Arc<Mutex<Vec<Listed>>>),
}

#[derive(Debug, Default)]
pub(super) struct Handles {
    table: Mutex<HashMap<u64, Handle>>,
    next: AtomicU64,
}

impl Handles {
    pub(super) fn insert(&self, handle: Handle) -> FileHandle {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.table).insert(number, handle);
        FileHandle(number)
    }

    pub(super) fn file(&self, handle: FileHandle) -> Result<Arc<File>, Errno> {
        match lock(&self.table).get(&handle.0) {
            Some(Handle::File(file)) => Ok(Arc::clone(file)),
            _ => Err(Errno::BADF),
        }
    }

    pub(super) fn directory(&self, handle: FileHandle) -> Result<Arc<Mutex<Vec<Listed>>>, Errno> {
        match lock(&self.table).get(&handle.0) {
            Some(Handle::Directory(listing)) => Ok(Arc::clone(listing)),
            _ => Err(Errno::BADF),
        }
    }

    pub(super) fn remove(&self, handle: FileHandle) {
        lock(&self.table).remove(&handle.0);
    }
}
