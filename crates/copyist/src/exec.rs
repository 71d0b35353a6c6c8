//! Runs a plan. This is the only loop that falls from one method to the next.
//!
//! Each method moves what it can; how its end is judged is the rules' business, and how it moves
//! bytes is [`crate::transfer`]'s. The next method starts where the last one stopped.

use std::time::Instant;

use crate::error::Code;
use crate::facts::Facts;
use crate::method::Method;
use crate::plan::{Plan, Skip};
use crate::report::{Attempt, Ended, Report};
use crate::rules::{Remember, Situation, Verdict, judge};
use crate::transfer::{self, Mark, Stop};

/// How often a method may ask to be called again without having moved anything.
pub(crate) const RETRIES: u32 = 16;

/// Why a plan failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A method met a real error.
    Stopped { method: Method, stop: Stop },
    /// No method of the plan serves here.
    NoMethod {
        /// The last one's answer, if any ran.
        last: Option<(Method, Code)>,
        /// The chosen methods that were not tried, and why.
        skipped: Vec<(Method, Skip)>,
    },
}

/// What the failed attempts of a plan teach.
pub(crate) trait Learn {
    fn learn(&self, method: Method, remember: Remember);
}

/// What a plan is run on: the data of one file on its way.
pub(crate) trait Runs {
    /// Moves everything that is left by one method.
    fn run(&mut self, method: Method) -> Result<(), Stop>;
    /// How far it has come.
    fn mark(&self) -> Mark;
    /// What was moved since `mark` (its `offset` stays the mark's).
    fn since(&self, mark: Mark) -> Mark;
    /// What is to be said of the method that has moved everything that was left.
    fn note(&self) -> Option<&'static str>;
    /// The time, if anybody wants it.
    fn now(&self) -> Option<Instant>;
}

/// Tries the plan's methods in order until the transfer is complete.
pub(crate) fn run(
    plan: &Plan,
    facts: &Facts,
    transfer: &mut impl Runs,
    learn: &dyn Learn,
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

/// Runs one method to its end, and puts that into the report.
fn attempt(
    method: Method,
    facts: &Facts,
    transfer: &mut impl Runs,
    report: &mut Report,
) -> Result<(), (Stop, Verdict, Remember)> {
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
            return Err((stop, Verdict::Fatal, Remember::File)); // the method has not begun
        }
        let Stop::Code { code, .. } = stop else {
            break Err((stop, Verdict::Fatal, Remember::File));
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
            break Err((stop, rule.verdict, rule.remember));
        }
        retries += 1;
        if retries > RETRIES {
            break Err((stop, Verdict::Fatal, Remember::File));
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
        elapsed: transfer::since(start),
    });
    result
}
