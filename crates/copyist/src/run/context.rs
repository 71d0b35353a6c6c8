//! Who watches a run, and who can stop it.

use std::time::Instant;

use crate::words::observer::{CancelToken, Observer};

/// Who watches a run, and who can stop it.
#[derive(Clone, Copy)]
pub(crate) struct RunContext<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) cancel: &'a CancelToken,
    /// The observer wants to know how long something takes.
    pub(crate) wants_times: bool,
}

impl<'a> RunContext<'a> {
    pub(crate) fn new(observer: &'a dyn Observer, cancel: &'a CancelToken) -> RunContext<'a> {
        RunContext {
            observer,
            cancel,
            wants_times: observer.wants_times(),
        }
    }

    /// The time, if anybody wants to know how long something takes.
    pub(crate) fn now(&self) -> Option<Instant> {
        self.wants_times.then(Instant::now)
    }
}
