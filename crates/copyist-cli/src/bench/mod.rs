//! `copyist bench`: every method, measured beside the others.
//!
//! `field.rs` makes the data and the places, `race.rs` runs the methods on it, `stats.rs` makes
//! figures of the times, `judge.rs` words of the figures; `table.rs`, `json.rs` and `chart.rs` tell
//! them, and `plot.rs` can draw any bars.

use std::fs;
use std::io;
use std::path::Path;

use copyist::Method;
use copyist::probe::Probe;

use crate::args::BenchArgs;
use crate::console::Console;
use crate::learnt::{self, Measured, Pair};
use crate::messages::io_text;
use crate::probe::unreadable;
use crate::quoting::Quoter;
use crate::work::Work;

mod chart;
mod field;
mod json;
mod judge;
mod plot;
mod race;
mod stats;
mod table;

use field::Field;
use race::Race;
use stats::Stats;

/// Everything that was measured.
pub(crate) struct Results {
    probe: Probe,
    size: u64,
    files: u32,
    runs: u32,
    cold: bool,
    rows: Vec<Row>,
    /// What there is to say about the figures, in words.
    remarks: Vec<String>,
    /// Bytes that are used more than before, on the destination's volume, when all is cleaned up.
    left_bytes: Option<u64>,
    /// Runs that were not made, since the time was up.
    unmeasured: u64,
}

/// One contender.
pub(crate) struct Row {
    /// What it is called.
    name: String,
    /// The method that it is, if it is one alone.
    method: Option<Method>,
    /// The one that the others are compared with.
    is_baseline: bool,
    outcome: Outcome,
}

/// How a contender did.
pub(crate) enum Outcome {
    Measured {
        stats: Stats,
        /// What finished the copies.
        by: Option<Method>,
        /// Bytes that the filesystem says are shared, if it tells.
        shared: Option<u64>,
    },
    /// It doesn't serve here: the code, if the system gave one, and why.
    Refused { code: Option<String>, why: String },
    /// It made something else than a copy, or failed.
    Failed(String),
    /// The time was up before it could run.
    Unmeasured,
}

impl Row {
    fn stats(&self) -> Option<&Stats> {
        match &self.outcome {
            Outcome::Measured { stats, .. } => Some(stats),
            _ => None,
        }
    }
}

impl Results {
    fn baseline(&self) -> Option<&Stats> {
        let row = self.rows.iter().find(|row| row.is_baseline)?;
        row.stats()
    }

    /// How many times faster than the baseline.
    fn ratio(&self, stats: &Stats) -> Option<f64> {
        let baseline = self.baseline()?;
        (stats.median > 0.0).then(|| baseline.median / stats.median)
    }

    fn source_bytes(&self) -> u64 {
        self.size / u64::from(self.files) * u64::from(self.files)
    }
}

/// The exit code where not everything was measured.
const UNFINISHED: u8 = 3;

/// Runs the command; the result is the exit code.
pub(crate) fn run(arguments: &BenchArgs, console: &Console) -> u8 {
    let measured = Work::start(arguments.max_seconds, console).and_then(|mut work| {
        let results = measure(arguments, &mut work)?;
        Ok((results, work.exit_code()))
    });
    match measured {
        Ok((results, signal)) => {
            let code = tell(arguments, &results, console);
            let unfinished = if results.unmeasured > 0 {
                UNFINISHED
            } else {
                0
            };
            signal.unwrap_or(if code > 0 { code } else { unfinished })
        }
        Err(message) => {
            console.error(&message);
            1
        }
    }
}

fn measure(arguments: &BenchArgs, work: &mut Work) -> Result<Results, String> {
    let (src, dst) = match arguments.places.as_slice() {
        [src, dst] => (src, dst),
        [both] => (both, both),
        _ => return Err("one or two places are needed".to_owned()), // clap has said so before
    };
    let contenders = race::contenders(arguments, work);
    let steps = contenders.len() as u64 * (u64::from(arguments.runs) + 1);
    work.set_total(steps);
    work.begin("making the source");
    let work = &*work;
    let field = Field::make((src, dst), arguments, work)?;
    let mut race = Race::new(&field, arguments, (contenders, work));
    let rows = race.run()?;
    let (mut remarks, unmeasured) = (race.remarks, race.unmeasured);
    if unmeasured > 0
        && let Some(why) = work.why_over()
    {
        remarks.push(format!(
            "{unmeasured} of {steps} runs were not measured, as {why}"
        ));
    }
    let (probe, free_before) = (field.probe.clone(), field.free_before);
    let (size, files) = (field.size(), field.files());
    field.clean_up()?;
    let path = &probe.dst.path;
    let free_after = Probe::pair_until(path, path, work.cancel()).ok();
    let free_after = free_after.and_then(|it| it.dst.free_bytes);
    let left_bytes = free_before
        .zip(free_after)
        .map(|(before, after)| before.saturating_sub(after));
    let mut results = Results {
        probe,
        size,
        files,
        runs: arguments.runs,
        cold: arguments.cold,
        rows,
        remarks: Vec::new(),
        left_bytes,
        unmeasured,
    };
    remarks.extend(judge::remarks(&results));
    results.remarks = remarks;
    Ok(results)
}

fn tell(arguments: &BenchArgs, results: &Results, console: &Console) -> u8 {
    let mut code = u8::from(
        results
            .rows
            .iter()
            .any(|row| matches!(row.outcome, Outcome::Failed(_))),
    );
    let mut failed = |what: &str, path: &Path, error: &io::Error| {
        let path = Quoter::from_environment().always(path);
        console.error(&format!("{what} {path}: {}", io_text(error)));
        code = 1;
    };
    let to_stdout = arguments.json.as_deref() == Some(Path::new("-"));
    if to_stdout {
        console.out(json::whole(results).as_bytes());
    } else {
        console.out(table::whole(results).as_bytes());
    }
    if let Some(path) = arguments.json.as_deref().filter(|_| !to_stdout)
        && let Err(error) = fs::write(path, json::whole(results))
    {
        failed("cannot write", path, &error);
    }
    if let Some(path) = &arguments.plot
        && let Err(error) = fs::write(path, plot::svg(&chart::chart(results)))
    {
        failed("cannot write", path, &error);
    }
    if arguments.save && results.unmeasured > 0 {
        console.error("nothing is saved: not everything was measured");
    } else if arguments.save {
        match save(results, console) {
            Ok(Some(line)) => console.err_text(&line),
            Ok(None) => console.error("nothing is saved: these volumes can't be told from others"),
            Err(error) => {
                let path = learnt::current_path().unwrap_or_default();
                failed("cannot save", &path, &error);
            }
        }
    }
    code
}

/// Remembers the order of the methods; answers a line that says where.
fn save(results: &Results, console: &Console) -> io::Result<Option<String>> {
    let probe = &results.probe;
    let (Some(src), Some(dst)) = (&probe.src.key, &probe.dst.key) else {
        return Ok(None);
    };
    // An old file that can't be read is in nobody's way.
    let mut file = learnt::load().unwrap_or_else(|error| {
        console.error(&unreadable(&error));
        learnt::File::default()
    });
    let mut measured: Vec<Measured> = Vec::new();
    for row in &results.rows {
        let (Some(method), Some(stats)) = (row.method, row.stats()) else {
            continue;
        };
        let ns = (stats.median * 1e9) as u64;
        let method = method.name().to_owned();
        // One method may have run with one thread and with several: the better one counts.
        match measured.iter_mut().find(|it| it.method == method) {
            Some(other) => other.ns = other.ns.min(ns),
            None => measured.push(Measured { method, ns }),
        }
    }
    measured.sort_by_key(|it| it.ns);
    file.put(Pair {
        src: src.clone(),
        dst: dst.clone(),
        system: probe.system.clone(),
        file_bytes: results.size / u64::from(results.files),
        methods: measured,
    });
    let path = file.save()?;
    let path = Quoter::from_environment().if_needed(path);
    Ok(Some(format!("Saved in {path}\n")))
}
