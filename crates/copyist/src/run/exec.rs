//! Runs a plan. This is the only loop that falls back from one method to the next.
//!
//! Each method moves what it can; `rules` judges how it ended, and [`crate::run::transfer`] moves the bytes. The next
//! method starts where the last one stopped.

use crate::run::step::RETRIES;
use crate::run::step::Runs;
use crate::run::step::since;

use super::step::Stop;
use crate::think::plan::Plan;
use crate::think::rules::{Scope, Situation, Verdict, judge};
use crate::words::code::Code;
use crate::words::facts::Facts;
use crate::words::method::Method;
use crate::words::method::Skip;
use crate::words::report::{Attempt, Ended, Report};

/// Why a plan failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A method failed with a real error.
    Stopped { method: Method, stop: Stop },
    /// No method of the plan can be used.
    NoMethod {
        /// The last method and its code, if any was tried.
        last: Option<(Method, Code)>,
        /// The chosen methods that were not tried, and why.
        skipped: Vec<(Method, Skip)>,
    },
}

/// Records what the failed attempts of a plan show.
pub(crate) trait RefusalCache {
    fn learn(&self, method: Method, remember: Scope);
}

/// Tries the plan's methods in order until the transfer is complete.
pub(crate) fn run(
    plan: &Plan,
    facts: &Facts,
    transfer: &mut impl Runs,
    learn: &dyn RefusalCache,
    report: &mut Report,
) -> Result<(), Failure> {
    let mut last = None;
    for &method in &plan.methods {
        match attempt(method, facts, transfer, report) {
            Ok(()) => return Ok(()),
            Err((stop, Verdict::Fatal, _)) => return Err(Failure::Stopped { method, stop }),
            Err((stop, _, remember)) => {
                learn.learn(method, remember);
                last = stop.code().map(|code| (method, code));
            }
        }
    }
    let skipped = plan.skipped.iter().copied();
    let skipped = skipped.filter(|(_, why)| *why != Skip::NotChosen).collect();
    Err(Failure::NoMethod { last, skipped })
}

/// Runs one method to its end, and adds that to the report.
fn attempt(
    method: Method,
    facts: &Facts,
    transfer: &mut impl Runs,
    report: &mut Report,
) -> Result<(), (Stop, Verdict, Scope)> {
    let start = transfer.now();
    let before = transfer.mark();
    let mut retries = 0;
    let mut why = None;
    let result = loop {
        let progress = transfer.mark().offset;
        let Err(stop) = transfer.run(method) else {
            break Ok(());
        };
        if stop == Stop::NoDestination {
            return Err((stop, Verdict::Fatal, Scope::File)); // the method has not begun
        }
        let Stop::Code { code, .. } = stop else {
            break Err((stop, Verdict::Fatal, Scope::File));
        };
        let rule = judge(
            Situation {
                os: facts.os,
                method,
                src_fs: facts.src_volume.kind,
                dst_fs: facts.dst_volume.kind,
                touched: transfer.mark().offset > before.offset,
            },
            code,
        );
        why = Some(rule.why);
        if transfer.mark().offset > progress {
            retries = 0;
        }
        if rule.verdict != Verdict::Retry {
            break Err((stop, rule.verdict, rule.scope));
        }
        retries += 1;
        if retries > RETRIES {
            break Err((stop, Verdict::Fatal, Scope::File));
        }
    };
    let ended = match &result {
        Ok(()) => Ended::Done,
        Err((stop, verdict, _)) => {
            let code = stop.code().unwrap_or(Code::CANCELLED);
            if *verdict == Verdict::Next {
                Ended::Next(code)
            } else {
                Ended::Failed(code)
            }
        }
    };
    let moved = transfer.since(before);
    report.attempts.push(Attempt {
        method,
        offset: before.offset,
        bytes: moved.bytes,
        holes: moved.holes,
        ended,
        why: if result.is_err() {
            why
        } else {
            transfer.note()
        },
        elapsed: since(start),
    });
    result
}
