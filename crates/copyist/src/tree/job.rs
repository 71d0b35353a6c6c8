//! The jobs of the workers.

use super::dir::Dir;
use crate::system::{Batch, Platform};
use crate::words::operand::Operand;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A job.
pub(super) enum Job<P: Platform> {
    /// Copy an operand.
    Operand(Operand),
    /// Read the next names of a directory, and copy them.
    Read(Arc<Dir<P>>),
    /// Copy a part of a batch. (The walk has gone down into a directory before it, or another worker shares it.)
    Rest(Rest<P>),
}

/// Names of a directory that are not copied yet.
pub(super) struct Rest<P: Platform> {
    pub(super) dir: Arc<Dir<P>>,
    pub(super) batch: Arc<SharedBatch>,
    /// Names that were taken from the batch.
    pub(super) names: Range<usize>,
}

/// Names that workers share: each takes a few at a time, so that all of them are at about the same place of the disk.
pub(super) struct SharedBatch {
    pub(super) batch: Batch,
    /// The first name that was not taken.
    next: AtomicUsize,
    /// More names of the directory follow, and no job reads them yet.
    has_unread: AtomicBool,
}

/// The number of names that a worker takes at a time.
const TAKEN: usize = 8;

/// The names that follow are read when so few are left that another worker would have none.
const FEW_LEFT: usize = 64;

impl SharedBatch {
    /// `has_unread`: other names of the directory follow.
    pub(super) fn new(batch: Batch, has_unread: bool) -> SharedBatch {
        SharedBatch {
            batch,
            next: AtomicUsize::new(0),
            has_unread: AtomicBool::new(has_unread),
        }
    }

    fn left(&self) -> usize {
        let next = self.next.load(Ordering::Relaxed);
        self.batch.len().saturating_sub(next)
    }

    /// Whether a name was not taken yet.
    pub(super) fn has_more(&self) -> bool {
        self.left() > 0
    }

    /// Takes the next names, in their order.
    pub(super) fn take(&self) -> Range<usize> {
        let len = self.batch.len();
        if !self.has_more() {
            return len..len;
        }
        let first = self.next.fetch_add(TAKEN, Ordering::Relaxed);
        first.min(len)..len.min(first + TAKEN)
    }

    /// Whether a job must now be made that reads the names that follow: `true` once.
    pub(super) fn must_read_on(&self) -> bool {
        self.has_unread.load(Ordering::Relaxed)
            && self.left() <= FEW_LEFT
            && self.has_unread.swap(false, Ordering::Relaxed)
    }
}
