//! Whole copies: the system moves everything, and tells how far it has come.

use std::ops::ControlFlow;

use super::Transfer;
use crate::run::context::RunContext;
use crate::run::step::Stop;
use crate::system::{NotMade, Platform, Takes, Target, Whole, WholeCopy};
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::observer::Event;

/// Makes a whole copy, and tells the observer of its bytes as they come: those that the system
/// didn't tell of at the end. Answers the length.
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

/// What a failed whole copy stopped with.
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
    /// Lets the system's own copier fill a destination that is open.
    pub(super) fn system_copy(&mut self) -> Result<(), Stop> {
        // It copies whole files: what another method has started, it can't go on with.
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
                // A part of it may be there: the next method begins where there is nothing.
                self.set_len(0)?;
                Err(stop(failed.code))
            }
        }
    }
}
