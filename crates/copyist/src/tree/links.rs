//! Hard links among the copied files: the first name of a file is copied, the others are linked to that copy.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::dir::TreePath;
use crate::words::stat::FileId;

/// The directory and name of a copy.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) tree_path: Arc<TreePath>,
    pub(crate) dst_name: OsString,
}

/// The files with several names that were met.
#[derive(Debug, Default)]
pub(crate) struct Links {
    files: Mutex<HashMap<FileId, Met>>,
    /// The number of files: in most trees it is 0, and no lock is needed.
    count: AtomicUsize,
    changed: Condvar,
    /// See [`Links::abandon`].
    abandoned: AtomicBool,
}

#[derive(Debug)]
struct Met {
    /// `None` while the first name is being copied.
    copied: Option<Copied>,
    /// Names that were not met yet. At 0 the entry is removed: the table contains only files that are incomplete.
    names_left: u64,
}

impl Copied {
    fn is(&self, other: &Copied) -> bool {
        Arc::ptr_eq(&self.tree_path, &other.tree_path) && self.dst_name == other.dst_name
    }
}

/// What to do with a name.
#[derive(Debug)]
pub(crate) enum Claim {
    /// It is the first: copy it, and call [`Links::record_copy`].
    Copy,
    /// Link it to this copy.
    Link(Copied),
}

impl Links {
    fn lock(&self) -> MutexGuard<'_, HashMap<FileId, Met>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a name of the file was met, and others are expected.
    pub(crate) fn has_met(&self, file: FileId) -> bool {
        self.count.load(Ordering::Relaxed) > 0 && self.lock().contains_key(&file)
    }

    fn forget(&self, files: &mut HashMap<FileId, Met>, file: FileId) {
        files.remove(&file);
        self.count.store(files.len(), Ordering::Relaxed);
    }

    /// Claims a name of a file that has `names` names. Waits while the first is being copied.
    ///
    /// The wait ends: the worker that copies the first name waits only for writers of large files, and these claim
    /// nothing at the same time.
    pub(crate) fn claim(&self, file: FileId, names: u64) -> Claim {
        let mut files = self.lock();
        loop {
            let Some(met) = files.get_mut(&file) else {
                let names_left = names.saturating_sub(1);
                files.insert(
                    file,
                    Met {
                        copied: None,
                        names_left,
                    },
                );
                self.count.store(files.len(), Ordering::Relaxed);
                return Claim::Copy;
            };
            if let Some(copied) = &met.copied {
                let copied = copied.clone();
                met.names_left = met.names_left.saturating_sub(1);
                if met.names_left == 0 {
                    self.forget(&mut files, file);
                }
                return Claim::Link(copied);
            }
            if self.abandoned.load(Ordering::Acquire) {
                return Claim::Copy;
            }
            files = self
                .changed
                .wait(files)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// A worker has panicked without settling its claims: no worker waits for them any more. The run has failed.
    pub(crate) fn abandon(&self) {
        let files = self.lock();
        self.abandoned.store(true, Ordering::Release);
        drop(files);
        self.changed.notify_all();
    }

    /// The copy has the maximum number of links. One worker copies the file again, and calls [`Links::replace`]; the
    /// others wait, and link to the new copy.
    pub(crate) fn claim_again(&self, file: FileId, full: &Copied) -> Claim {
        let mut files = self.lock();
        while let Some(met) = files.get_mut(&file)
            && !self.abandoned.load(Ordering::Acquire)
        {
            match &met.copied {
                Some(copied) if copied.is(full) => {
                    met.copied = None;
                    break;
                }
                Some(newer) => return Claim::Link(newer.clone()),
                None => {
                    files = self
                        .changed
                        .wait(files)
                        .unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        Claim::Copy
    }

    /// Another name was copied because it could not be linked: later names are linked to that copy.
    pub(crate) fn replace(&self, file: FileId, copied: Copied) {
        if let Some(met) = self.lock().get_mut(&file) {
            met.copied = Some(copied);
        }
        self.changed.notify_all();
    }

    /// The first name was copied to this path, or (`None`) the copy failed: then the next name is the first.
    pub(crate) fn record_copy(&self, file: FileId, copied: Option<(&Arc<TreePath>, &OsStr)>) {
        let mut files = self.lock();
        match (files.get_mut(&file), copied) {
            (Some(met), Some((tree_path, name))) if met.names_left > 0 => {
                met.copied = Some(Copied {
                    tree_path: Arc::clone(tree_path),
                    dst_name: name.to_os_string(),
                });
            }
            _ => self.forget(&mut files, file),
        }
        drop(files);
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: FileId = FileId {
        volume: 1,
        inode: 2,
    };

    #[test]
    fn a_file_is_forgotten_with_its_last_name() {
        let links = Links::default();
        assert!(matches!(links.claim(FILE, 2), Claim::Copy));
        links.record_copy(FILE, Some((&Arc::default(), OsStr::new("a"))));
        assert!(matches!(links.claim(FILE, 2), Claim::Link(it) if it.dst_name == "a"));
        assert!(links.lock().is_empty());
    }

    #[test]
    fn after_a_failure_the_next_name_is_copied() {
        let links = Links::default();
        assert!(matches!(links.claim(FILE, 3), Claim::Copy));
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| matches!(links.claim(FILE, 3), Claim::Copy));
            links.record_copy(FILE, None);
            assert!(waiting.join().unwrap());
        });
    }

    #[test]
    fn a_copy_with_all_its_names_is_made_again_once() {
        let links = Links::default();
        let tree_path = Arc::default();
        assert!(matches!(links.claim(FILE, 5), Claim::Copy));
        links.record_copy(FILE, Some((&tree_path, OsStr::new("a"))));
        let Claim::Link(full) = links.claim(FILE, 5) else {
            panic!("it is copied already");
        };
        assert!(matches!(links.claim_again(FILE, &full), Claim::Copy));
        std::thread::scope(|scope| {
            let again = || links.claim_again(FILE, &full);
            let waiting =
                scope.spawn(move || matches!(again(), Claim::Link(it) if it.dst_name == "b"));
            let newer = Copied {
                tree_path,
                dst_name: "b".into(),
            };
            links.replace(FILE, newer);
            assert!(waiting.join().unwrap());
        });
    }
}
