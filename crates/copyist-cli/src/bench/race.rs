//! Runs the contenders, one after the other, round by round.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use copyist::{Cause, Copier, Ended, Method, Options, Refusal};
use indicatif::{ProgressBar, ProgressStyle};

use super::field::Field;
use super::stats::Stats;
use super::{Outcome, Row};
use crate::args::BenchArgs;
use crate::messages::io_text;
use crate::report::{code_name, current_os};

pub(super) struct Race<'a> {
    field: &'a Field,
    runs: u32,
    cold: bool,
    contenders: Vec<Contender>,
    /// What came up that is worth a word.
    pub(super) remarks: Vec<String>,
}

/// A way to copy, and how it has done so far.
struct Contender {
    name: String,
    method: Option<Method>,
    is_baseline: bool,
    copier: Copier,
    by: Option<Method>,
    shared: Option<u64>,
    times: Vec<Duration>,
    out: Option<Outcome>,
}

impl<'a> Race<'a> {
    pub(super) fn new(field: &'a Field, arguments: &BenchArgs) -> Race<'a> {
        let wanted = |method: Method| {
            method == Method::ReadWrite
                || arguments.methods.is_empty()
                || arguments.methods.contains(&method)
        };
        let order = current_os().order().iter().copied();
        let mut contenders: Vec<_> = order.filter(|it| wanted(*it)).map(alone).collect();
        // What copyist does when nobody tells it how.
        if arguments.methods.is_empty() {
            let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            if threads > 1 {
                contenders.push(with_threads());
            }
            contenders.push(auto());
        }
        Race {
            field,
            runs: arguments.runs,
            cold: arguments.cold,
            contenders,
            remarks: Vec::new(),
        }
    }

    /// A round to warm up, and then those that count. In each the next contender begins, so that
    /// none of them always comes after the same one.
    pub(super) fn run(&mut self) -> Result<Vec<Row>, String> {
        let count = self.contenders.len();
        let bar = ProgressBar::new(count as u64 * u64::from(self.runs + 1));
        let style = ProgressStyle::with_template("{msg:28} {pos}/{len} {wide_bar}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        for round in 0..=self.runs {
            for turn in 0..count {
                let n = (turn + round as usize) % count;
                bar.set_message(self.contenders[n].name.clone());
                if self.contenders[n].out.is_none() {
                    self.turn(n, round == 0)?;
                }
                bar.inc(1);
            }
        }
        bar.finish_and_clear();
        Ok(self.contenders.drain(..).map(Contender::row).collect())
    }

    fn turn(&mut self, n: usize, is_first: bool) -> Result<(), String> {
        if self.cold && !is_first {
            self.make_cold();
        }
        let contender = &mut self.contenders[n];
        match contender.copy(self.field) {
            Ok(time) if is_first => contender.look(self.field, time),
            Ok(time) => contender.times.push(time),
            Err(outcome) => contender.out = Some(outcome),
        }
        // Of what was refused there is nothing to check.
        if contender.out.is_none()
            && let Err(why) = self.field.check()
        {
            contender.out = Some(Outcome::Failed(why));
        }
        self.field.clear()
    }

    /// Once it didn't work there is no use in trying on.
    fn make_cold(&mut self) {
        for source in self.field.sources() {
            let remark = match copyist::forget_cached(source) {
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

/// One method by itself, in one thread: what a plain loop around its call would do.
fn alone(method: Method) -> Contender {
    let is_baseline = method == Method::ReadWrite;
    let options = Options {
        methods: Some([method].into_iter().collect()),
        jobs: Some(NonZeroUsize::MIN),
        ..Options::default()
    };
    contender(method.name().to_owned(), Some(method), is_baseline, options)
}

fn with_threads() -> Contender {
    let options = Options {
        methods: Some([Method::ReadWrite].into_iter().collect()),
        ..Options::default()
    };
    let name = "read-write, threads".to_owned();
    contender(name, Some(Method::ReadWrite), false, options)
}

fn auto() -> Contender {
    contender("auto".to_owned(), None, false, Options::default())
}

fn contender(
    name: String,
    method: Option<Method>,
    is_baseline: bool,
    options: Options,
) -> Contender {
    Contender {
        name,
        method,
        is_baseline,
        copier: Copier::with_options(options),
        by: None,
        shared: None,
        times: Vec::new(),
        out: None,
    }
}

impl Contender {
    /// Copies all sources, and says how long that took.
    fn copy(&mut self, field: &Field) -> Result<Duration, Outcome> {
        let copies: Vec<_> = (0..field.sources().len()).map(|n| field.copy(n)).collect();
        let start = Instant::now();
        for (source, copy) in field.sources().iter().zip(&copies) {
            match self.copier.copy(source, copy) {
                Ok(report) => self.by = report.method(),
                Err(error) => return Err(ended(&error)),
            }
        }
        Ok(start.elapsed())
    }

    /// What is only looked at once, because it costs time.
    fn look(&mut self, field: &Field, _: Duration) {
        let shared = field.sources().iter().enumerate();
        let shared: Result<u64, _> = shared
            .map(|(n, source)| copyist::shared_bytes(source, field.copy(n)))
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
        let nothing = || Outcome::Failed("it never ran".to_owned());
        Row {
            name: self.name,
            method: self.method,
            is_baseline: self.is_baseline,
            outcome: self.out.or(measured).unwrap_or_else(nothing),
        }
    }
}

/// A copy that was not made: the method doesn't serve here, or something is wrong.
fn ended(error: &copyist::Error) -> Outcome {
    if let Cause::Refused(Refusal::NoMethod(skipped)) = error.cause() {
        let why = skipped
            .first()
            .map_or(String::new(), |(_, why)| why.to_string());
        return Outcome::Refused { code: None, why };
    }
    let last = error.attempts().last();
    match last.map(|last| (last.ended, last.why)) {
        Some((Ended::Next(code), why)) => Outcome::Refused {
            code: Some(code_name(code)),
            why: why.unwrap_or_default().to_owned(),
        },
        _ => Outcome::Failed(error.to_string()),
    }
}
