//! The observer and the cancel token of a run.

use std::time::Instant;

use crate::words::observer::{CancelToken, Observer};

/// The observer and the cancel token of a run.
#[derive(Clone, Copy)]
pub(crate) struct RunContext<'a> {
    pub(crate) observer: &'a dyn Observer,
    pub(crate) cancel: &'a CancelToken,
    /// The observer wants durations in its reports.
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

    /// The current time, if the observer wants durations.
    pub(crate) fn now(&self) -> Option<Instant> {
        self.wants_times.then(Instant::now)
    }
}
