//! How many threads work, how they are started, and which of them one file may take besides the worker that copies it.

use std::io;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder, Scope};

use crate::system::Platform;

/// The most threads that work on one file: beyond that they wait for the file's lock.
const MOST_FOR_ONE: usize = 4;

/// A file of so many bytes may well be the last one that is worked at: it takes threads though other workers have
/// something to do. Where a smaller one did, there were more threads than processors, and the system was
/// seen to leave one of two processors idle for tens of milliseconds.
const LONG_BYTES: u64 = 64 << 20;

/// The most workers that are started without being asked for.
const MOST_WORKERS: usize = 8;

/// How many threads work at a time, if nobody says.
///
/// Asked for only where there is work for more than one: on Linux the answer takes some 15 system calls,
/// as containers limit it by files, and three such questions took an eighth of the time of `cp` of a small
/// file.
fn processors() -> usize {
    static FOUND: OnceLock<usize> = OnceLock::new();
    *FOUND.get_or_init(|| thread::available_parallelism().map_or(1, |n| n.get().min(MOST_WORKERS)))
}

/// How many threads work at a time: as many as were asked for, else [`processors`].
pub(crate) fn workers(jobs: Option<NonZeroUsize>) -> usize {
    jobs.map_or_else(processors, NonZeroUsize::get)
}

/// Starts a thread. Linux often leaves a new one on the processor of its maker for 1 to 25 ms, although others
/// have nothing to do (docs/measurements.md): so its maker lets it run, and it goes to another one.
pub(crate) fn start<'s, P: Platform>(
    builder: Builder,
    scope: &'s Scope<'s, '_>,
    platform: &'s P,
    work: impl FnOnce() + Send + 's,
) -> io::Result<()> {
    let makers = platform.processor();
    builder.spawn_scoped(scope, move || {
        if let Some(makers) = makers {
            platform.leave_processor(makers);
        }
        work();
    })?;
    if makers.is_some() {
        thread::yield_now();
    }
    Ok(())
}

/// How many threads of a run are not in use. Two large files at a time share them.
#[derive(Debug)]
pub(crate) struct ThreadBudget {
    jobs: Option<NonZeroUsize>,
    /// Known when the first file asks.
    free: OnceLock<AtomicUsize>,
}

impl ThreadBudget {
    /// For a run of so many workers; without a number, one for each processor.
    pub(crate) fn new(jobs: Option<NonZeroUsize>) -> ThreadBudget {
        ThreadBudget {
            jobs,
            free: OnceLock::new(),
        }
    }

    fn free(&self) -> &AtomicUsize {
        self.free
            .get_or_init(|| AtomicUsize::new(workers(self.jobs) - 1))
    }

    /// Takes what there is for a file of so many bytes, which may be nothing, while so many workers besides
    /// its own have something to do. They are free again when the answer is dropped.
    pub(crate) fn take(&self, bytes: u64, others_at_work: usize) -> ThreadLease<'_> {
        let busy = if bytes < LONG_BYTES {
            others_at_work
        } else {
            0
        };
        let mut taken = 0;
        // The closure never declines, so that the result says nothing more.
        let _ = self
            .free()
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |free| {
                taken = free.saturating_sub(busy).min(MOST_FOR_ONE - 1);
                Some(free - taken)
            });
        ThreadLease {
            thread_budget: self,
            taken,
        }
    }
}

/// Threads that were taken.
#[derive(Debug)]
pub(crate) struct ThreadLease<'a> {
    thread_budget: &'a ThreadBudget,
    taken: usize,
}

impl ThreadLease<'_> {
    /// With the worker itself.
    pub(crate) fn threads(&self) -> usize {
        self.taken + 1
    }
}

impl Drop for ThreadLease<'_> {
    fn drop(&mut self) {
        self.thread_budget
            .free()
            .fetch_add(self.taken, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_are_shared_and_given_back() {
        let thread_budget = ThreadBudget::new(NonZeroUsize::new(6));
        let take = || thread_budget.take(1, 0);
        let first = take();
        let second = take();
        assert_eq!((first.threads(), second.threads()), (4, 3));
        assert_eq!(take().threads(), 1);
        drop(first);
        assert_eq!(take().threads(), 4);
        assert_eq!(
            ThreadBudget::new(NonZeroUsize::new(1)).take(1, 0).threads(),
            1
        );
    }

    #[test]
    fn where_others_work_only_a_long_file_takes_their_threads() {
        let thread_budget = ThreadBudget::new(NonZeroUsize::new(2));
        assert_eq!(thread_budget.take(LONG_BYTES - 1, 1).threads(), 1);
        assert_eq!(thread_budget.take(LONG_BYTES - 1, 0).threads(), 2);
        assert_eq!(thread_budget.take(LONG_BYTES, 1).threads(), 2);
    }
}
