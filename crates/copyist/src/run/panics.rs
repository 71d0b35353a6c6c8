//! Panics of the caller's code, and of copyist: the run stops as if it had been cancelled, so that no incomplete file
//! remains and no thread waits for one that has ended; then the panic is resumed in the caller's thread.
//!
//! A panic of the caller's code never unwinds through the engine, which would leave an incomplete file, nor through a
//! system's callback, which is undefined behaviour.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};

use super::context::RunContext;
use crate::words::observer::{CancelToken, Event, Observer, PathSource, Question};
use crate::words::stat::FileKind;

/// The caller's code in one run, with the first panic caught.
pub(crate) struct PanicGuard<'a, T: ?Sized> {
    caller: &'a T,
    /// Stops this run: by the caller's token, or by a panic.
    cancel: CancelToken,
    /// The first panic.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl<'a, T: ?Sized> PanicGuard<'a, T> {
    pub(crate) fn new(caller: &'a T, cancel: &CancelToken) -> PanicGuard<'a, T> {
        PanicGuard {
            caller,
            cancel: cancel.for_run(),
            panic: Mutex::new(None),
        }
    }

    /// The token to check instead of the caller's.
    pub(crate) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Calls the caller's code, unless it has panicked before. After a panic the result is `otherwise`.
    pub(crate) fn call<R>(&self, otherwise: R, call: impl FnOnce(&T) -> R) -> R {
        if self.cancel.is_stopped() {
            return otherwise;
        }
        self.catch(otherwise, || call(self.caller))
    }

    /// Runs a thread's work; the result is `otherwise` if it panics.
    pub(crate) fn catch<R>(&self, otherwise: R, work: impl FnOnce() -> R) -> R {
        // The run ends, and the state that the panic left is not used.
        catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            first.get_or_insert(panic);
            self.cancel.stop();
            otherwise
        })
    }

    /// After the run: resumes the panic, if there was one.
    pub(crate) fn resume(self) {
        let panic = self.panic.into_inner();
        if let Some(panic) = panic.unwrap_or_else(PoisonError::into_inner) {
            resume_unwind(panic);
        }
    }
}

impl<'a> PanicGuard<'a, dyn Observer + 'a> {
    /// `context` with the guarded observer and token, for the duration of the run.
    pub(crate) fn context(&'a self, context: RunContext<'_>) -> RunContext<'a> {
        RunContext {
            observer: self,
            cancel: &self.cancel,
            wants_times: context.wants_times,
        }
    }
}

impl Observer for PanicGuard<'_, dyn Observer + '_> {
    fn event(&self, event: Event<'_>) {
        self.call((), |it| it.event(event));
    }

    fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        self.call(false, |it| it.wants(paths, kind))
    }

    fn wants_times(&self) -> bool {
        self.call(false, |it| it.wants_times())
    }

    fn may_replace(&self, question: Question<'_>) -> bool {
        self.call(false, |it| it.may_replace(question))
    }
}
