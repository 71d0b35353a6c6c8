//! The jobs of a run: a stack, and the workers that take jobs from it.
//!
//! The last job is taken first, so the walk goes deep before it goes wide: only the directories on the way down are
//! open, and no list of a whole tree is made. A directory is read in batches, and the rest of it is a job too, so
//! several workers share one large directory.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The jobs of a run.
pub(crate) struct Schedule<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    /// See [`Schedule::wants_work`].
    hungry: AtomicBool,
    /// See [`Schedule::over_limit`].
    crowded: AtomicBool,
    /// Workers that run a job.
    at_work: AtomicUsize,
}

struct State<J> {
    jobs: Vec<J>,
    /// Workers that were started, including the first.
    workers: usize,
    /// Workers that wait for a job.
    idle: usize,
    /// The number of workers that are wanted.
    most_workers: usize,
    /// See [`Schedule::abandon`].
    abandoned: bool,
}

/// What the worker that has pushed a job must do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Push {
    /// Nothing.
    Enough,
    /// Start another worker, which is already counted.
    SpawnWorker,
}

impl<J> Schedule<J> {
    pub(crate) fn new(most_workers: usize) -> Schedule<J> {
        Schedule {
            state: Mutex::new(State {
                jobs: Vec::new(),
                workers: 1,
                idle: 0,
                most_workers,
                abandoned: false,
            }),
            changed: Condvar::new(),
            hungry: AtomicBool::new(false),
            crowded: AtomicBool::new(false),
            at_work: AtomicUsize::new(1),
        }
    }

    // No panic can leave the state inconsistent: each critical section completes its changes.
    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Publishes the state for the queries without the lock.
    fn publish(&self, state: &State<J>) {
        let hungry =
            state.jobs.is_empty() && (state.idle > 0 || state.workers < state.most_workers);
        self.hungry.store(hungry, Ordering::Relaxed);
        let crowded = state.workers > state.most_workers;
        self.crowded.store(crowded, Ordering::Relaxed);
        let at_work = state.workers - state.idle;
        self.at_work.store(at_work, Ordering::Relaxed);
    }

    fn unlock(&self, state: MutexGuard<'_, State<J>>) {
        self.publish(&state);
    }

    /// Whether a worker waits for a job, or could be started for one. The result may be outdated.
    pub(crate) fn wants_work(&self) -> bool {
        self.hungry.load(Ordering::Relaxed)
    }

    /// The number of other workers that run a job. The result may be outdated.
    pub(crate) fn others_at_work(&self) -> usize {
        self.at_work.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Whether more workers exist than are wanted. A worker that sees this leaves its work to others and ends.
    pub(crate) fn over_limit(&self) -> bool {
        self.crowded.load(Ordering::Relaxed)
    }

    /// Adds a job, to be taken before those that are queued.
    pub(crate) fn push(&self, job: J) -> Push {
        let mut state = self.lock();
        state.jobs.push(job);
        if state.idle > 0 {
            self.unlock(state);
            self.changed.notify_one();
        } else if state.workers < state.most_workers {
            state.workers += 1;
            self.unlock(state);
            return Push::SpawnWorker;
        } else {
            self.unlock(state);
        }
        Push::Enough
    }

    /// Adds a job before any worker has begun.
    pub(crate) fn push_for_later(&self, job: J) {
        self.lock().jobs.push(job);
    }

    /// Whether no job is left.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().jobs.is_empty()
    }

    /// Resets the counts before the first worker begins.
    pub(crate) fn begin(&self) {
        let mut state = self.lock();
        state.workers = 1;
        state.idle = 0;
    }

    /// Whether another worker is to be started: jobs wait, and no worker is idle. It is then counted.
    pub(crate) fn wants_help(&self) -> bool {
        let mut state = self.lock();
        let wanted =
            state.idle == 0 && !state.jobs.is_empty() && state.workers < state.most_workers;
        state.workers += usize::from(wanted);
        self.unlock(state);
        wanted
    }

    /// Sets the number of workers that are wanted. Surplus workers end.
    pub(crate) fn set_most(&self, most_workers: usize) {
        let mut state = self.lock();
        state.most_workers = most_workers;
        self.unlock(state);
    }

    /// Discounts a worker that could not be started.
    pub(crate) fn worker_failed(&self) {
        let mut state = self.lock();
        state.workers -= 1;
        let all_idle = state.idle == state.workers;
        self.unlock(state);
        if all_idle {
            self.changed.notify_all();
        }
    }

    /// Ends the run after a panic of a worker: no worker gets another job.
    pub(crate) fn abandon(&self) {
        self.lock().abandoned = true;
        self.changed.notify_all();
    }

    /// The next job; waits for one while other workers run. `None` when everything is done, or to a surplus worker.
    pub(crate) fn pop(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if state.abandoned {
                return None;
            }
            if !state.jobs.is_empty() && state.workers > state.most_workers {
                state.workers -= 1;
                self.unlock(state);
                self.changed.notify_one(); // another worker takes the next job
                return None;
            }
            if let Some(job) = state.jobs.pop() {
                self.unlock(state);
                return Some(job);
            }
            if state.idle + 1 == state.workers {
                state.idle += 1;
                self.unlock(state);
                self.changed.notify_all();
                return None;
            }
            state.idle += 1;
            self.publish(&state);
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            // A surplus worker may have left jobs.
            if state.idle == state.workers && state.jobs.is_empty() {
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
            assert_eq!(schedule.push(job), Push::Enough);
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
        assert_eq!(schedule.push(0), Push::SpawnWorker);
        schedule.set_most(1);
        assert_eq!(schedule.push(1), Push::Enough);
        assert!(!schedule.wants_help());
    }

    #[test]
    fn too_many_workers_end_and_leave_their_work_to_others() {
        let schedule = Schedule::new(2);
        assert_eq!(schedule.push(0), Push::SpawnWorker);
        assert_eq!(schedule.push(1), Push::Enough);
        schedule.set_most(1);
        assert_eq!(schedule.pop(), None, "one of the two ends");
        assert_eq!([schedule.pop(), schedule.pop()], [Some(1), Some(0)]);
        assert_eq!(schedule.pop(), None);
    }

    #[test]
    fn who_could_be_started_is_hungry() {
        let schedule = Schedule::new(2);
        assert_eq!(schedule.push(0), Push::SpawnWorker);
        assert!(!schedule.wants_work(), "there is something to do");
        assert_eq!(schedule.pop(), Some(0));
        assert!(!schedule.wants_work(), "both have something to do");
        schedule.set_most(3);
        assert!(schedule.wants_work());
    }

    /// Jobs that push jobs: every job is done, and every worker ends.
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

    /// A surplus worker leaves a job to two idle ones: one of them takes it, and both end.
    #[test]
    fn what_a_worker_leaves_is_done_by_those_who_wait() {
        for _ in 0..200 {
            let schedule = Schedule::new(3);
            let done = AtomicU64::new(0);
            let work = || {
                while schedule.pop().is_some() {
                    done.fetch_add(1, Ordering::Relaxed);
                }
            };
            for _ in 0..2 {
                assert_eq!(schedule.push(()), Push::SpawnWorker);
                assert_eq!(schedule.pop(), Some(()));
            }
            std::thread::scope(|scope| {
                scope.spawn(work);
                scope.spawn(work);
                while schedule.lock().idle < 2 {
                    std::thread::yield_now();
                }
                schedule.set_most(1);
                assert_eq!(schedule.push(()), Push::Enough);
                work();
            });
            assert_eq!(done.load(Ordering::Relaxed), 1);
        }
    }

    fn work<'s>(
        scope: &'s std::thread::Scope<'s, '_>,
        schedule: &'s Schedule<u32>,
        done: &'s AtomicU64,
    ) {
        while let Some(job) = schedule.pop() {
            for _ in 0..job {
                if schedule.push(job - 1) == Push::SpawnWorker {
                    scope.spawn(move || work(scope, schedule, done));
                }
            }
            done.fetch_add(1, Ordering::Relaxed);
        }
    }
}
