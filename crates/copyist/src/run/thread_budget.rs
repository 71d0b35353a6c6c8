//! The number of threads of a run, how they are started, and how many of them one file may use besides its worker.

use std::io;
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, Builder, Scope};

use crate::system::Platform;

/// The most threads that work on one file: more would wait for the file's lock.
const MOST_FOR_ONE: usize = 4;

/// A file of at least this size may well be the last one of a run: it gets threads even though other workers are
/// busy. When smaller files did, there were more threads than processors, and the kernel was seen to leave one of two
/// processors idle for tens of milliseconds.
const LONG_BYTES: u64 = 64 << 20;

/// The most workers that are started by default.
const MOST_WORKERS: usize = 8;

/// The default number of threads.
///
/// Queried only where there is work for more than one: on Linux it takes some 15 system calls, as containers limit
/// processors through files, and three such queries took an eighth of the time of `cp` of a small file.
fn processors() -> usize {
    static FOUND: OnceLock<usize> = OnceLock::new();
    *FOUND.get_or_init(|| thread::available_parallelism().map_or(1, |n| n.get().min(MOST_WORKERS)))
}

/// The number of threads: as many as the options say, otherwise [`processors`].
pub(crate) fn workers(jobs: Option<NonZeroUsize>) -> usize {
    jobs.map_or_else(processors, NonZeroUsize::get)
}

/// Starts a thread. Linux often leaves a new thread on its creator's processor for 1 to 25 ms, although others are
/// idle (docs/measurements.md): so the creator yields, and the thread moves itself away.
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

/// The unused threads of a run. Two large files at a time share them.
#[derive(Debug)]
pub(crate) struct ThreadBudget {
    jobs: Option<NonZeroUsize>,
    /// Set when the first file needs it.
    free: OnceLock<AtomicUsize>,
}

impl ThreadBudget {
    /// For a run of `jobs` workers; with `None`, one for each processor.
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

    /// Takes the available threads, possibly none, for a file of so many bytes, while so many other workers are busy.
    /// They are returned when the lease is dropped.
    pub(crate) fn take(&self, bytes: u64, others_at_work: usize) -> ThreadLease<'_> {
        let busy = if bytes < LONG_BYTES {
            others_at_work
        } else {
            0
        };
        let mut taken = 0;
        // The closure never returns `None`, so the result can be ignored.
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

/// Threads taken from the budget.
#[derive(Debug)]
pub(crate) struct ThreadLease<'a> {
    thread_budget: &'a ThreadBudget,
    taken: usize,
}

impl ThreadLease<'_> {
    /// Including the worker itself.
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
