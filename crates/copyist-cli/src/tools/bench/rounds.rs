//! Runs the contenders, one after the other, round by round.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use copyist::error::{Cause, Refusal};
use copyist::report::Ended;
use copyist::{Copier, Method, Options};

use super::results::{Outcome, Row};
use super::stats::Stats;
use super::test_data::TestData;
use crate::args::BenchArgs;
use crate::tools::work::Work;
use crate::words::errors::{code_name, current_os, io_text};

pub(super) struct Rounds<'a> {
    data: &'a TestData<'a>,
    work: &'a Work,
    runs: u32,
    cold: bool,
    contenders: Vec<Contender>,
    /// Remarks for the output.
    pub(super) remarks: Vec<String>,
    /// How many runs were not made, or not completed.
    pub(super) unmeasured: u64,
}

/// A way to copy, and its results so far.
pub(super) struct Contender {
    name: String,
    method: Option<Method>,
    is_baseline: bool,
    copier: Copier,
    by: Option<Method>,
    shared: Option<u64>,
    times: Vec<Duration>,
    out: Option<Outcome>,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(
        data: &'a TestData<'a>,
        arguments: &BenchArgs,
        (contenders, work): (Vec<Contender>, &'a Work),
    ) -> Rounds<'a> {
        Rounds {
            data,
            work,
            runs: arguments.runs,
            cold: arguments.cold,
            contenders,
            remarks: Vec::new(),
            unmeasured: 0,
        }
    }

    /// A warm-up round, and then the rounds that count. Each begins with the next contender, so that none
    /// always follows the same one.
    pub(super) fn run(&mut self) -> Result<Vec<Row>, String> {
        let count = self.contenders.len();
        for round in 0..=self.runs {
            for turn in 0..count {
                let n = (turn + round as usize) % count;
                if self.contenders[n].out.is_some() {
                    // A contender that has failed is not tried again.
                } else if self.work.is_over() {
                    self.unmeasured += 1;
                } else {
                    self.work.begin(&self.contenders[n].name);
                    self.turn(n, round == 0)?;
                }
                self.work.end();
            }
        }
        Ok(self.contenders.drain(..).map(Contender::row).collect())
    }

    fn turn(&mut self, n: usize, is_first: bool) -> Result<(), String> {
        if self.cold && !is_first {
            self.make_cold();
        }
        let contender = &mut self.contenders[n];
        let copied = contender.copy(self.data);
        // A refused copy has no files to check.
        let checked = copied.as_ref().map_or(Ok(()), |_| self.data.check());
        match (copied, checked) {
            (Err(Outcome::Failed(_)), _) | (Ok(_), Err(_)) if self.work.cancel().is_cancelled() => {
                self.unmeasured += 1;
            }
            (Err(outcome), _) => contender.out = Some(outcome),
            (Ok(_), Err(why)) => contender.out = Some(Outcome::Failed(why)),
            (Ok(time), Ok(())) if is_first => contender.look(self.data, time),
            (Ok(time), Ok(())) => contender.times.push(time),
        }
        self.data.clear()
    }

    fn make_cold(&mut self) {
        for source in self.data.sources() {
            let remark = match copyist::measure::evict_from_cache(source) {
                Ok(true) => continue,
                Ok(false) => "the source stays in memory here, so that the runs are warm \
                              in spite of --cold"
                    .to_owned(),
                Err(error) => format!(
                    "the runs are warm in spite of --cold: {}",
                    io_text(error.io_error())
                ),
            };
            self.remarks.push(remark);
            self.cold = false;
            return;
        }
    }
}

/// All contenders.
pub(super) fn contenders(arguments: &BenchArgs, work: &Work) -> Vec<Contender> {
    let wanted = |method: Method| {
        method == Method::ReadWrite
            || arguments.methods.is_empty()
            || arguments.methods.contains(&method)
    };
    let order = current_os().order().iter().copied();
    let order = order.filter(|it| wanted(*it));
    let mut contenders: Vec<_> = order.map(|method| alone(method, work)).collect();
    // The default of copyist.
    if arguments.methods.is_empty() {
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        if threads > 1 {
            contenders.push(with_threads(work));
        }
        contenders.push(auto(work));
    }
    contenders
}

/// One method in one thread, as a plain loop around its call.
fn alone(method: Method, work: &Work) -> Contender {
    let is_baseline = method == Method::ReadWrite;
    let mut options = only(method);
    options.jobs = Some(NonZeroUsize::MIN);
    let name = method.name().to_owned();
    contender((name, Some(method)), is_baseline, options, work)
}

fn with_threads(work: &Work) -> Contender {
    let name = "read-write, threads".to_owned();
    let options = only(Method::ReadWrite);
    contender((name, Some(Method::ReadWrite)), false, options, work)
}

fn only(method: Method) -> Options {
    let mut options = Options::default();
    options.methods = Some([method].into_iter().collect());
    options
}

fn auto(work: &Work) -> Contender {
    contender(("auto".to_owned(), None), false, Options::default(), work)
}

fn contender(
    (name, method): (String, Option<Method>),
    is_baseline: bool,
    options: Options,
    work: &Work,
) -> Contender {
    Contender {
        name,
        method,
        is_baseline,
        copier: Copier::with_options(options).cancel_token(work.cancel().clone()),
        by: None,
        shared: None,
        times: Vec::new(),
        out: None,
    }
}

impl Contender {
    /// Copies all sources. Returns the time.
    fn copy(&mut self, data: &TestData) -> Result<Duration, Outcome> {
        let copies: Vec<_> = (0..data.sources().len()).map(|n| data.copy(n)).collect();
        let start = Instant::now();
        for (source, copy) in data.sources().iter().zip(&copies) {
            match self.copier.copy(source, copy) {
                Ok(report) => self.by = report.method(),
                Err(error) => return Err(ended(&error)),
            }
        }
        Ok(start.elapsed())
    }

    /// Queries that are made only once, since they take time.
    fn look(&mut self, data: &TestData, _: Duration) {
        let shared = data.sources().iter().enumerate();
        let shared: Result<u64, _> = shared
            .map(|(n, source)| copyist::measure::shared_bytes(source, data.copy(n)))
            .sum();
        self.shared = shared.ok();
    }

    fn row(self) -> Row {
        let stats = Stats::of(&self.times);
        let measured = stats.map(|stats| Outcome::Measured {
            stats,
            by: self.by,
            shared: self.shared,
        });
        let nothing = || Outcome::Unmeasured;
        Row {
            name: self.name,
            method: self.method,
            is_baseline: self.is_baseline,
            outcome: self.out.or(measured).unwrap_or_else(nothing),
        }
    }
}

/// The outcome of a copy that failed: the method is not supported here, or there is another error.
fn ended(error: &copyist::Error) -> Outcome {
    if let Cause::Refused(Refusal::NoMethod(skipped)) = error.cause() {
        let why = skipped
            .first()
            .map_or(String::new(), |(_, why)| why.to_string());
        return Outcome::Refused { code: None, why };
    }
    let last = error.attempts().last();
    match last.map(|last| (last.ended(), last.why())) {
        Some((Ended::Next(code), why)) => Outcome::Refused {
            code: Some(code_name(code)),
            why: why.unwrap_or_default().to_owned(),
        },
        _ => Outcome::Failed(error.to_string()),
    }
}
