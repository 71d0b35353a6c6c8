//! Copies trees, relative to open directories, in parallel, without a list of their entries.

use super::session::{Session, effective};
use crate::tree::operands;
use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::file::attributes::Failed;
use crate::file::journal::Journal;
use crate::run::context::RunContext;
use crate::run::panics::PanicGuard;
use crate::run::volumes::Learnt;
use crate::system::Platform;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer::{Event, Observer};
use crate::words::operand::Operand;
use crate::words::options::Options;
use crate::words::report::Summary;

use super::job::Job;
use super::worker::Worker;

/// Copies the operands; the result is that of copying one after the other.
///
/// # Panics
///
/// If the observer panics; all threads have ended then.
pub(crate) fn run<P: Platform>(
    platform: &P,
    options: &Options,
    context: RunContext<'_>,
    operands: &[Operand],
) -> (Summary, Option<Error>) {
    run_with(platform, options, context, operands, &Learnt::default())
}

/// The same, with what earlier runs with these options have measured.
///
/// # Panics
///
/// See [`run`].
pub(crate) fn run_with<P: Platform>(
    platform: &P,
    options: &Options,
    context: RunContext<'_>,
    operands: &[Operand],
    learnt: &Learnt,
) -> (Summary, Option<Error>) {
    let guard = PanicGuard::new(context.observer, context.cancel);
    let context = (guard.context(context), &guard);
    let outcome = run_guarded(platform, options, context, operands, learnt);
    guard.resume();
    outcome
}

fn run_guarded<P: Platform>(
    platform: &P,
    options: &Options,
    (context, guard): (RunContext<'_>, &PanicGuard<'_, dyn Observer + '_>),
    operands: &[Operand],
    learnt: &Learnt,
) -> (Summary, Option<Error>) {
    let start = Instant::now();
    let options = &*effective(platform, options);
    let failed = |error: Error| {
        context.observer.event(Event::Error(&error));
        let summary = Summary {
            errors: 1,
            ..Summary::default()
        };
        (summary, Some(error))
    };
    let mut session = match Session::new((platform, learnt), options, (context, guard), operands) {
        Ok(session) => session,
        Err(Failed { operation, code }) => {
            let error = Error::new(platform.os(), operation, Cause::System(code));
            return failed(error.with_paths(Some(".".into()), None)); // only the current directory was opened
        }
    };
    #[cfg(feature = "journal")]
    if let Some(path) = &options.journal {
        match Journal::open(platform, path, operands, options, context.cancel) {
            Ok(journal) => session.journal = Some(journal),
            Err(error) => return failed(error),
        }
    }
    let operands = &*session.reachable(operands);
    let mut summary = Summary::default();
    for wave in operands::waves(operands, options) {
        summary.add(&session.run_wave(wave));
    }
    session.flush_at_end();
    session.close_journal();
    if context.cancel.is_cancelled() && !session.cancel_told.load(Ordering::Relaxed) {
        let cancelled = Cause::Refused(Refusal::Cancelled);
        session.fail(Error::new(platform.os(), Operation::Plan, cancelled));
    }
    summary.errors = session.errors.load(Ordering::Relaxed);
    summary.elapsed = start.elapsed();
    let first = session
        .first_error
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    (summary, first)
}

impl<P: Platform> Session<'_, P> {
    /// The operands that can be resolved; the others are failures. Only if the current directory may not be searched
    /// can some not be.
    fn reachable<'o>(&self, operands: &'o [Operand]) -> Cow<'o, [Operand]> {
        let Some(code) = self.no_current_dir else {
            return Cow::Borrowed(operands);
        };
        let mut reachable = operands.to_vec();
        reachable.retain(|operand| {
            let operation = match (operand.src.has_root(), operand.dst.has_root()) {
                (true, true) => return true,
                (false, _) => Operation::StatSource,
                (true, false) => Operation::StatDestination,
            };
            let error = Error::new(self.platform.os(), operation, Cause::System(code));
            let (src, dst) = (operand.src.clone(), operand.dst.clone());
            self.fail(error.with_paths(Some(src), Some(dst)));
            false
        });
        Cow::Owned(reachable)
    }

    /// Copies operands that don't affect each other.
    fn run_wave(&self, operands: &[Operand]) -> Summary {
        let total = Mutex::new(Summary::default());
        // The job pushed last is taken first.
        for operand in operands.iter().rev() {
            self.schedule.push_for_later(Job::Operand(operand.clone()));
        }
        let schedule = &self.schedule;
        schedule.begin();
        std::thread::scope(|scope| {
            Worker::run_all(self, scope, &total);
        });
        let is_done = schedule.is_empty() || self.context.cancel.is_cancelled();
        assert!(is_done, "workers have left something undone");
        total.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}
