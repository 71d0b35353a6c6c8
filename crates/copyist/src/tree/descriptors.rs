//! The number of open directories, and what is closed when descriptors run short.
//!
//! The walk goes deep before it goes wide, so the directories nearest to its start are needed last. They are closed first,
//! and opened again on the way back:
//!
//! ```text
//! a/b/c/d    a and b are closed when there is no room for d
//! a/b/c      done with d; c was not closed
//! a/b        done with c: opened by "..", as seen from c; else by its name, from what is open above
//! ```
//!
//! Another worker may copy the rest of a and b meanwhile. It comes from below, so none of what it opens is above it: where
//! descriptors are short, it closes each directory again after use.
//!
//! A directory that is opened again must be the same, by device and inode number. If one was moved or replaced, that is an
//! error, and nothing in the other directory is touched.

use std::sync::atomic::{AtomicUsize, Ordering};

/// Descriptors for other purposes: standard streams, a report, the current directory.
const OTHERS: usize = 16;

/// Descriptors for each worker besides the directories of its walk: a file on both sides, a directory that is read,
/// examined or opened again, and the directory of the last link target.
const FOR_A_WORKER: usize = 8;

/// Stands for a limit that is unknown or does not exist.
const NO_LIMIT: u64 = 1 << 20;

/// The minimum number of directories that stay open, whatever the limit.
const FEWEST: usize = 2;

/// Counts the open directories of a walk.
#[derive(Debug)]
pub(super) struct Descriptors {
    open: AtomicUsize,
    most: AtomicUsize,
    most_workers: usize,
}

impl Descriptors {
    /// For a process with this limit of open files, and up to so many workers.
    pub(super) fn new(limit: Option<u64>, most_workers: usize) -> Descriptors {
        let limit = limit.unwrap_or(NO_LIMIT).min(NO_LIMIT);
        // A usize may have 32 bits; the limit has 20.
        let limit = usize::try_from(limit)
            .unwrap_or(usize::MAX)
            .saturating_sub(OTHERS);
        let most_workers = most_workers.min(limit / (2 * FOR_A_WORKER)).max(1);
        let directories = limit.saturating_sub(FOR_A_WORKER * most_workers) / 2;
        Descriptors {
            open: AtomicUsize::new(0),
            most: AtomicUsize::new(directories.max(FEWEST)),
            most_workers,
        }
    }

    /// The number of workers that the descriptors suffice for.
    pub(super) fn most_workers(&self) -> usize {
        self.most_workers
    }

    /// Counts a directory that was opened on both sides.
    pub(super) fn opened(&self) {
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn closed(&self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether a directory must be closed before another is opened.
    pub(super) fn is_short(&self) -> bool {
        self.open.load(Ordering::Relaxed) >= self.most.load(Ordering::Relaxed)
    }

    /// The system has none left although the count says otherwise: other code of the process uses some.
    pub(super) fn are_fewer(&self) {
        let open = self.open.load(Ordering::Relaxed);
        let fewer = open.saturating_sub(FOR_A_WORKER).max(FEWEST);
        self.most.fetch_min(fewer, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_low_limit_is_shared_between_workers_and_directories() {
        let shared = |limit, workers| {
            let descriptors = Descriptors::new(limit, workers);
            let most = descriptors.most.load(Ordering::Relaxed);
            (descriptors.most_workers(), most)
        };
        assert_eq!(shared(Some(64), 64), (3, 12));
        assert_eq!(shared(Some(64), 1), (1, 20));
        assert_eq!(shared(Some(1024), 64), (63, 252));
        assert_eq!(shared(Some(8), 2), (1, FEWEST));
        let (workers, most) = shared(None, 64);
        assert!(workers == 64 && most > 100_000, "{most}");
    }
}
