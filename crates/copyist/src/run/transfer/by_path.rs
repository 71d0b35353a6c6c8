//! Copies of whole files: the system moves everything, and reports its progress.

use std::ops::ControlFlow;

use super::Transfer;
use crate::run::context::RunContext;
use crate::run::step::Stop;
use crate::system::{NotMade, Platform, Takes, Target, Whole, WholeCopy};
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::observer::Event;

/// Copies a whole file, and passes the system's progress to the observer; bytes that were not reported come at the
/// end. Returns the length.
pub(crate) fn copy_by_path<P: Platform>(
    platform: &P,
    context: RunContext<'_>,
    copy: &WholeCopy<'_, P>,
) -> Result<u64, NotMade> {
    let mut told = 0;
    let mut tell = |bytes: u64| {
        if bytes > told {
            context.observer.event(Event::Bytes(bytes - told));
            told = bytes;
        }
    };
    let made = platform.copy_by_path(copy, &mut |bytes| {
        tell(bytes);
        if context.cancel.is_cancelled() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    });
    made.inspect(|&len| tell(len))
}

/// The stop of a failed copy of a whole file.
pub(crate) fn stop(code: Code) -> Stop {
    if code == Code::CANCELLED {
        Stop::Cancelled
    } else {
        Stop::Code {
            operation: Operation::Transfer,
            code,
        }
    }
}

impl<P: Platform> Transfer<'_, P> {
    /// It copies whole files, so it can't continue what another method has started.
    pub(super) fn system_copy(&mut self) -> Result<(), Stop> {
        // It copies whole files, so it can't continue what another method has started.
        if self.state.offset > 0 {
            return Err(stop(Code::NO_PROGRESS));
        }
        let copy = WholeCopy {
            how: Whole::SystemCopy,
            src: Target::Open(self.src),
            dst: Target::Open(self.dst),
            takes: Takes {
                holes: self.shape.holes.use_map(),
                ..Takes::default()
            },
            cancel: self.context.cancel.flag(),
        };
        match copy_by_path(self.platform, self.context, &copy) {
            Ok(len) => {
                self.state.complete(len);
                self.check_cancelled()
            }
            Err(failed) => {
                // A part may have been written: the next method starts with an empty file.
                self.set_len(0)?;
                Err(stop(failed.code))
            }
        }
    }
}
