//! Threads that share a stack of jobs; a job can add jobs.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder, Scope};

use super::thread_budget;
use crate::system::Platform;

struct State<J> {
    jobs: Vec<J>,
    /// Threads that run a job.
    busy: usize,
    threads: usize,
}

pub(crate) struct Pool<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    most_threads: usize,
    /// Another thread is started when all threads run a job and at least this many jobs wait: a start takes as long as
    /// several jobs. With 0, one thread is always idle.
    enough: usize,
}

impl<J: Send> Pool<J> {
    pub(crate) fn new(jobs: Vec<J>, most_threads: usize, enough: usize) -> Pool<J> {
        Pool {
            state: Mutex::new(State {
                jobs,
                busy: 0,
                threads: 1,
            }),
            changed: Condvar::new(),
            most_threads,
            enough,
        }
    }

    /// Runs all jobs, and those that `work` adds. Each thread has a state of its own. `work` must not panic.
    pub(crate) fn run<P: Platform, S>(
        &self,
        platform: &P,
        state: &(impl Fn() -> S + Sync),
        work: &(impl Fn(&mut S, J) + Sync),
    ) {
        thread::scope(|scope| self.thread(platform, state, work, scope));
    }

    /// Adds a job. It is returned if many jobs wait: the caller then runs it.
    pub(crate) fn push(&self, job: J) -> Option<J> {
        let mut state = self.state();
        if state.jobs.len() >= self.most_threads * 4 {
            return Some(job);
        }
        state.jobs.push(job);
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Adds a job, however many wait.
    pub(crate) fn add(&self, job: J) {
        self.state().jobs.push(job);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thread<'s, P: Platform, S>(
        &'s self,
        platform: &'s P,
        state: &'s (impl Fn() -> S + Sync),
        work: &'s (impl Fn(&mut S, J) + Sync),
        scope: &'s Scope<'s, '_>,
    ) {
        let mut own = state();
        while let Some((job, starts_another)) = self.next() {
            if starts_another {
                let run = move || self.thread(platform, state, work, scope);
                if thread_budget::start(Builder::new(), scope, platform, run).is_err() {
                    // The threads that exist run the jobs.
                    self.state().threads -= 1;
                }
            }
            work(&mut own, job);
            let mut state = self.state();
            state.busy -= 1;
            let is_over = state.busy == 0 && state.jobs.is_empty();
            drop(state);
            if is_over {
                self.changed.notify_all();
            }
        }
    }

    /// The next job, and whether to start another thread; `None` when all jobs are done.
    fn next(&self) -> Option<(J, bool)> {
        let mut state = self.state();
        loop {
            if let Some(job) = state.jobs.pop() {
                state.busy += 1;
                let is_short = state.busy == state.threads && state.threads < self.most_threads;
                let starts_another = is_short && state.jobs.len() >= self.enough;
                state.threads += usize::from(starts_another);
                return Some((job, starts_another));
            }
            if state.busy == 0 {
                return None;
            }
            let waited = self.changed.wait(state);
            state = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }
}
