//! Threads that one file may take besides the worker that copies it.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The most threads that work on one file: beyond that they wait for the file's lock.
const MOST_FOR_ONE: usize = 4;

/// How many threads of a run are not in use. Two large files at a time share them.
#[derive(Debug)]
pub(crate) struct Spare(AtomicUsize);

impl Spare {
    /// For a run of so many workers.
    pub(crate) fn new(workers: usize) -> Spare {
        Spare(AtomicUsize::new(workers.saturating_sub(1)))
    }

    /// Takes what there is, which may be nothing. They are free again when the answer is dropped.
    pub(crate) fn take(&self) -> Taken<'_> {
        let mut taken = 0;
        // The closure never declines, so that the result says nothing more.
        let _ = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                taken = free.min(MOST_FOR_ONE - 1);
                Some(free - taken)
            });
        Taken { spare: self, taken }
    }
}

/// Threads that were taken.
#[derive(Debug)]
pub(crate) struct Taken<'a> {
    spare: &'a Spare,
    taken: usize,
}

impl Taken<'_> {
    /// With the worker itself.
    pub(crate) fn threads(&self) -> usize {
        self.taken + 1
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.spare.0.fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared_and_given_back() {
        let spare = Spare::new(6);
        let first = spare.take();
        let second = spare.take();
        assert_eq!((first.threads(), second.threads()), (4, 3));
        assert_eq!(spare.take().threads(), 1);
        drop(first);
        assert_eq!(spare.take().threads(), 4);
        assert_eq!(Spare::new(0).take().threads(), 1);
    }
}
