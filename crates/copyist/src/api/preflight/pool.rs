//! A few threads that share a stack of jobs, each of which may add others.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Builder, Scope};

use crate::run::thread_budget;
use crate::system::Platform;

struct State<J> {
    jobs: Vec<J>,
    /// Threads that have a job.
    busy: usize,
    threads: usize,
}

pub(super) struct Pool<J> {
    state: Mutex<State<J>>,
    changed: Condvar,
    most_threads: usize,
    /// Another thread is started when all have a job and so many wait: starting one takes as long as some jobs do.
    /// With 0, one is always ready.
    enough: usize,
}

impl<J: Send> Pool<J> {
    pub(super) fn new(jobs: Vec<J>, most_threads: usize, enough: usize) -> Pool<J> {
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

    /// Does all jobs, those too that `work` adds. It must not panic.
    pub(super) fn run<P: Platform>(&self, platform: &P, work: &(impl Fn(J) + Sync)) {
        thread::scope(|scope| self.thread(platform, work, scope));
    }

    /// Adds a job; it is returned if so many wait that whoever has it had better do it.
    pub(super) fn push(&self, job: J) -> Option<J> {
        let mut state = self.state();
        if state.jobs.len() >= self.most_threads * 4 {
            return Some(job);
        }
        state.jobs.push(job);
        drop(state);
        self.changed.notify_one();
        None
    }

    /// Adds a job that can wait.
    pub(super) fn add(&self, job: J) {
        self.state().jobs.push(job);
        self.changed.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn thread<'s, P: Platform>(
        &'s self,
        platform: &'s P,
        work: &'s (impl Fn(J) + Sync),
        scope: &'s Scope<'s, '_>,
    ) {
        while let Some((job, starts_another)) = self.next() {
            if starts_another {
                let builder = Builder::new().name("preflight".to_owned());
                let run = move || self.thread(platform, work, scope);
                if thread_budget::start(builder, scope, platform, run).is_err() {
                    // Those that are there do it.
                    self.state().threads -= 1;
                }
            }
            work(job);
            let mut state = self.state();
            state.busy -= 1;
            let is_over = state.busy == 0 && state.jobs.is_empty();
            drop(state);
            if is_over {
                self.changed.notify_all();
            }
        }
    }

    /// The next job, and whether another thread is to be started; `None` when all are done.
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
