//! The messages of a system's file copier during a copy, and the replies to them: the part of copyfile's and
//! CopyFileExW's callbacks that is the same for both. Pure, and tested on all systems.

use std::any::Any;
use std::fmt;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// How often an interrupted copier may try again without progress.
const INTERRUPTIONS: u32 = 100;

/// A message of the system's copier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// So many bytes are complete.
    Progress(u64),
    /// A call failed; `again` if it was interrupted, after which the copier can continue.
    Failed {
        /// The system's error code.
        code: i32,
        /// A reply to continue makes the copier try again.
        again: bool,
    },
    /// A message without relevance here.
    Other,
}

/// The meaning of a message of CopyFileExW: how much of one of a file's streams was copied. The first stream is the
/// content, and only that counts as progress; the copy can be stopped in the others too.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nc-winbase-lpprogress_routine)
pub fn of_copyfileex(stream: u32, stream_transferred: i64) -> Said {
    let content = if stream <= 1 { stream_transferred } else { 0 };
    Said::Progress(u64::try_from(content).unwrap_or(0))
}

/// The reply to the system's copier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Continue.
    Continue,
    /// Stop, and clean up.
    Quit,
}

/// Why a copy ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// The caller's function returned `Break`.
    Cancelled,
    /// A call failed with this error code.
    Failed(i32),
}

/// Follows one copy.
///
/// A panic of the caller's function does not cross the system's frames: the copy is stopped, and the panic is resumed
/// in [`Callback::finish`].
pub struct Callback<'a> {
    progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>,
    ended: Option<Stopped>,
    panic: Option<Box<dyn Any + Send>>,
    last: u64,
    interruptions: u32,
}

impl fmt::Debug for Callback<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("ended", &self.ended)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

impl<'a> Callback<'a> {
    /// `progress` is called with the number of bytes that are complete, and returns whether to continue.
    pub fn new(progress: &'a mut dyn FnMut(u64) -> ControlFlow<()>) -> Callback<'a> {
        Callback {
            progress,
            ended: None,
            panic: None,
            last: 0,
            interruptions: 0,
        }
    }

    /// Handles a message, and returns the reply.
    pub fn hear(&mut self, said: Said) -> Answer {
        if self.ended.is_some() || self.panic.is_some() {
            return Answer::Quit; // it was told to quit before
        }
        match said {
            Said::Other => Answer::Continue,
            Said::Failed { again: true, .. } if self.interruptions < INTERRUPTIONS => {
                self.interruptions += 1;
                Answer::Continue
            }
            Said::Failed { code, .. } => {
                self.ended = Some(Stopped::Failed(code));
                Answer::Quit
            }
            Said::Progress(bytes) => self.progress(bytes),
        }
    }

    fn progress(&mut self, bytes: u64) -> Answer {
        if bytes > self.last {
            self.interruptions = 0;
        }
        self.last = self.last.max(bytes);
        let told = catch_unwind(AssertUnwindSafe(|| (self.progress)(self.last)));
        match told {
            Ok(ControlFlow::Continue(())) => Answer::Continue,
            Ok(ControlFlow::Break(())) => {
                self.ended = Some(Stopped::Cancelled);
                Answer::Quit
            }
            Err(panic) => {
                self.panic = Some(panic);
                Answer::Quit
            }
        }
    }

    /// The outcome of the copy, given what the call itself returned. An error code that the callback received is
    /// closer to the cause than the errno that the call leaves after its cleanup.
    ///
    /// # Errors
    ///
    /// If the copy was stopped or failed. A copy that was complete before it could be stopped is
    /// a success.
    ///
    /// # Panics
    ///
    /// If the caller's function has panicked.
    pub fn finish(self, result: Result<(), i32>) -> Result<(), Stopped> {
        if let Some(panic) = self.panic {
            resume_unwind(panic);
        }
        match (result, self.ended) {
            (Ok(()), None | Some(Stopped::Cancelled)) => Ok(()),
            // The copier continued after the failure.
            (_, Some(ended)) => Err(ended),
            (Err(code), None) => Err(Stopped::Failed(code)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Said = Said::Failed {
        code: 28,
        again: false,
    };
    const INTERRUPTED: Said = Said::Failed {
        code: 4,
        again: true,
    };

    #[test]
    fn progress_is_passed_on_and_never_goes_back() {
        let mut told = Vec::new();
        let mut keep = |bytes| {
            told.push(bytes);
            ControlFlow::Continue(())
        };
        let mut callback = Callback::new(&mut keep);
        for said in [
            Said::Other,
            Said::Progress(5),
            Said::Progress(3),
            Said::Progress(9),
        ] {
            assert_eq!(callback.hear(said), Answer::Continue);
        }
        assert_eq!(callback.finish(Ok(())), Ok(()));
        assert_eq!(told, [5, 5, 9]);
    }

    #[test]
    fn a_cancelled_copy_is_told_so_once() {
        let mut calls = 0;
        let mut stop = |_| {
            calls += 1;
            ControlFlow::Break(())
        };
        let mut callback = Callback::new(&mut stop);
        assert_eq!(callback.hear(Said::Progress(1)), Answer::Quit);
        assert_eq!(callback.hear(Said::Progress(2)), Answer::Quit);
        assert_eq!(callback.hear(FAILED), Answer::Quit);
        // ECANCELED, or another code.
        assert_eq!(callback.finish(Err(89)), Err(Stopped::Cancelled));
        assert_eq!(calls, 1);
    }

    /// The calls of CopyFileExW: one when a stream begins, and one after each piece.
    #[test]
    fn copyfileex_tells_of_streams_and_only_content_counts() {
        let mut told = Vec::new();
        let mut keep = |bytes| {
            told.push(bytes);
            if told.len() < 5 {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        let mut callback = Callback::new(&mut keep);
        let calls = [(1, 0), (1, 65_536), (1, 100_000), (2, 0), (2, 26), (3, 9)];
        let answers = calls.map(|(stream, bytes)| callback.hear(of_copyfileex(stream, bytes)));
        assert_eq!(answers[..4], [Answer::Continue; 4]);
        assert_eq!(answers[4..], [Answer::Quit; 2], "also in another stream");
        // ERROR_REQUEST_ABORTED.
        assert_eq!(callback.finish(Err(1235)), Err(Stopped::Cancelled));
        assert_eq!(told, [0, 65_536, 100_000, 100_000, 100_000]);
        assert_eq!(of_copyfileex(1, -1), Said::Progress(0));
    }

    #[test]
    fn a_copy_that_was_complete_is_not_cancelled() {
        let mut stop = |_| ControlFlow::Break(());
        let mut callback = Callback::new(&mut stop);
        assert_eq!(callback.hear(Said::Progress(1)), Answer::Quit);
        assert_eq!(callback.finish(Ok(())), Ok(()));
    }

    #[test]
    fn the_first_error_counts() {
        let mut go_on = |_| ControlFlow::Continue(());
        let mut callback = Callback::new(&mut go_on);
        assert_eq!(callback.hear(FAILED), Answer::Quit);
        assert_eq!(callback.finish(Err(2)), Err(Stopped::Failed(28)));
        // A copier that was stopped and reports success has not copied everything.
        let mut callback = Callback::new(&mut go_on);
        callback.hear(FAILED);
        assert_eq!(callback.finish(Ok(())), Err(Stopped::Failed(28)));
        let callback = Callback::new(&mut go_on);
        assert_eq!(callback.finish(Err(2)), Err(Stopped::Failed(2)));
    }

    #[test]
    fn an_interruption_is_tried_again_but_not_for_ever() {
        let mut go_on = |_| ControlFlow::Continue(());
        let mut callback = Callback::new(&mut go_on);
        for _ in 0..INTERRUPTIONS {
            assert_eq!(callback.hear(INTERRUPTED), Answer::Continue);
        }
        callback.hear(Said::Progress(1));
        assert_eq!(callback.hear(INTERRUPTED), Answer::Continue);
        for _ in 1..INTERRUPTIONS {
            callback.hear(INTERRUPTED);
        }
        assert_eq!(callback.hear(INTERRUPTED), Answer::Quit);
        assert_eq!(callback.finish(Err(4)), Err(Stopped::Failed(4)));
    }

    #[test]
    fn a_panic_waits_until_the_system_has_returned() {
        let mut panics = |_| -> ControlFlow<()> { std::panic::panic_any("mine") };
        let mut callback = Callback::new(&mut panics);
        assert_eq!(callback.hear(Said::Progress(1)), Answer::Quit);
        assert_eq!(callback.hear(Said::Progress(2)), Answer::Quit);
        let finished = catch_unwind(AssertUnwindSafe(|| callback.finish(Err(89))));
        assert_eq!(finished.unwrap_err().downcast_ref(), Some(&"mine"));
    }
}
