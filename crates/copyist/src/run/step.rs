//! A step of a transfer: one method's run, how far it came, and why it stopped.

use std::time::{Duration, Instant};

use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::method::Method;

/// How often a method may be called again without having moved anything.
pub(crate) const RETRIES: u32 = 16;

/// Why a method stopped before the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// A call failed.
    Code { operation: Operation, code: Code },
    /// The run was cancelled.
    Cancelled,
    /// The destination could not be opened for the method; the code that opens it has the reason.
    NoDestination,
}

impl Stop {
    pub(crate) fn code(self) -> Option<Code> {
        match self {
            Stop::Code { code, .. } => Some(code),
            Stop::Cancelled | Stop::NoDestination => None,
        }
    }
}

/// A position in a transfer, to measure progress from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) holes: u64,
}

/// The time that has passed since `start`.
pub(crate) fn since(start: Option<Instant>) -> Duration {
    start.map_or(Duration::ZERO, |start| start.elapsed())
}

/// What a plan is run on: the transfer of one file's data.
pub(crate) trait Runs {
    /// Moves everything that is left, by one method.
    fn run(&mut self, method: Method) -> Result<(), Stop>;
    /// How far the transfer has come.
    fn mark(&self) -> Mark;
    /// What was moved since `mark` (the result's `offset` is the mark's).
    fn since(&self, mark: Mark) -> Mark;
    /// A remark about the method that has moved everything that was left.
    fn note(&self) -> Option<&'static str>;
    /// The current time, if the observer wants durations.
    fn now(&self) -> Option<Instant>;
}
