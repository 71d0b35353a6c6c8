//! Hard links between the copied files: the first name of a file is copied, the others are linked
//! to that copy.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use super::dir::TreePath;
use crate::words::stat::FileId;

/// Where the copy of a file is.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) tree_path: Arc<TreePath>,
    pub(crate) dst_name: OsString,
}

/// The files with several names that the run has met.
#[derive(Debug, Default)]
pub(crate) struct Links {
    files: Mutex<HashMap<FileId, Met>>,
    /// How many files there are: most trees have none, and then nothing is locked.
    count: AtomicUsize,
    changed: Condvar,
    /// See [`Links::abandon`].
    abandoned: AtomicBool,
}

#[derive(Debug)]
struct Met {
    /// `None` while the first name is being copied.
    copied: Option<Copied>,
    /// Names that have not been met. At 0 the file is forgotten: the table is as large as the
    /// set of files that are half way.
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
    /// Link it to this.
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

    /// Meets a name of a file that has `names` of them. Waits while the first is being copied.
    ///
    /// That wait ends: whoever copies is running, and waits for nobody but those who write large files, who
    /// claim nothing meanwhile.
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

    /// A worker is gone without having settled what it had claimed: nobody waits for it any more. The run
    /// has failed, and is being stopped.
    pub(crate) fn abandon(&self) {
        let files = self.lock();
        self.abandoned.store(true, Ordering::Release);
        drop(files);
        self.changed.notify_all();
    }

    /// The copy can have no more names. One worker copies the file again, and calls [`Links::replace`]; others that
    /// come meanwhile wait, and link to that.
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

    /// Another name was copied, as it could not be a link: later ones become links to that.
    pub(crate) fn replace(&self, file: FileId, copied: Copied) {
        if let Some(met) = self.lock().get_mut(&file) {
            met.copied = Some(copied);
        }
        self.changed.notify_all();
    }

    /// The first name was copied to this path, or (`None`) could not be: then the next that is
    /// met is the first.
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
