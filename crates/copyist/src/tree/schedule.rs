//! Who does what next: one stack of jobs, and workers that are started as there is work to share.
//!
//! Last in, first out makes the walk go deep before it goes wide, so that only the directories on
//! the way down are open, and no list of a whole tree is ever made. A directory is read in
//! batches, and the rest of it is a job as well: so several workers share one large directory.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The jobs of a run.
pub(crate) struct Schedule<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
}

struct State<J> {
    jobs: Vec<J>,
    /// Workers that have been started, the first included.
    workers: usize,
    /// Workers that wait for a job.
    idle: usize,
    /// As many workers are started.
    most_workers: usize,
}

/// What a worker that had pushed a job should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Help {
    /// Go on.
    Enough,
    /// Start another worker: it is counted already.
    Start,
}

impl<J> Schedule<J> {
    pub(crate) fn new(most_workers: usize) -> Schedule<J> {
        Schedule {
            state: Mutex::new(State {
                jobs: Vec::new(),
                workers: 1,
                idle: 0,
                most_workers,
            }),
            changed: Condvar::new(),
        }
    }

    // Every critical section leaves the state whole, so a panic elsewhere can't have broken it.
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job, to be done before those that are there.
    pub(crate) fn push(&self, job: J) -> Help {
        let mut state = self.lock();
        state.jobs.push(job);
        if state.idle > 0 {
            drop(state);
            self.changed.notify_one();
        } else if state.workers < state.most_workers {
            state.workers += 1;
            return Help::Start;
        }
        Help::Enough
    }

    /// Adds a job before any worker has begun.
    pub(crate) fn push_for_later(&self, job: J) {
        self.lock().jobs.push(job);
    }

    /// Before the first worker begins: nobody works yet.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.workers = 1;
        state.idle = 0;
    }

    /// A worker is to be started because there is more to do than who does it.
    pub(crate) fn wants_help(&self) -> bool {
        let mut state = self.lock();
        let wanted =
            state.idle == 0 && !state.jobs.is_empty() && state.workers < state.most_workers;
        state.workers += usize::from(wanted);
        wanted
    }

    /// From now on no more than so many workers are started; those that are go on.
    pub(crate) fn limit(&self, most_workers: usize) {
        let mut state = self.lock();
        state.most_workers = state.most_workers.min(most_workers);
    }

    /// A worker that was counted could not be started.
    pub(crate) fn worker_failed(&self) {
        let mut state = self.lock();
        state.workers -= 1;
        let all_idle = state.idle == state.workers;
        drop(state);
        if all_idle {
            self.changed.notify_all();
        }
    }

    /// The next job, waiting for one while others work; `None` when everything is done.
    pub(crate) fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.jobs.pop() {
                return Some(job);
            }
            if state.idle + 1 == state.workers {
                state.idle += 1;
                drop(state);
                self.changed.notify_all();
                return None;
            }
            state.idle += 1;
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            if state.idle == state.workers {
                return None;
            }
            state.idle -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[test]
    fn the_last_job_is_done_first() {
        let schedule = Schedule::new(1);
        for job in 0..3 {
            assert_eq!(schedule.push(job), Help::Enough);
        }
        assert_eq!(
            [schedule.pop(), schedule.pop(), schedule.pop()],
            [Some(2), Some(1), Some(0)]
        );
        assert_eq!(schedule.pop(), None);
    }

    #[test]
    fn a_limit_starts_no_more_workers() {
        let schedule = Schedule::new(4);
        assert_eq!(schedule.push(0), Help::Start);
        schedule.limit(1);
        assert_eq!(schedule.push(1), Help::Enough);
        assert!(!schedule.wants_help());
    }

    /// Jobs that make jobs: every one is done, and every worker comes to an end.
    #[test]
    fn workers_end_when_there_is_nothing_left() {
        for _ in 0..50 {
            let schedule = Schedule::new(4);
            let done = AtomicU64::new(0);
            schedule.push_for_later(6_u32);
            std::thread::scope(|scope| work(scope, &schedule, &done));
            assert_eq!(
                done.load(Ordering::Relaxed),
                1957,
                "sum of 6!/k! for k = 0..=6"
            );
        }
    }

    fn work<'s>(
        scope: &'s std::thread::Scope<'s, '_>,
        schedule: &'s Schedule<u32>,
        done: &'s AtomicU64,
    ) {
        while let Some(job) = schedule.pop() {
            for _ in 0..job {
                if schedule.push(job - 1) == Help::Start {
                    scope.spawn(move || work(scope, schedule, done));
                }
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}
