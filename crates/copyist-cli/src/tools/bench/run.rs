//! Runs the benchmark: data, rounds, output.

use std::fs;
use std::io;
use std::path::Path;

use copyist::probe::Probe;

use super::results::{Outcome, Results};
use super::rounds::{self, Rounds};
use super::test_data::TestData;
use super::{chart, json, plot, remarks, table};
use crate::args::BenchArgs;
use crate::output::console::Console;
use crate::process::bench_results::{self, Measured, Pair};
use crate::tools::work::Work;
use crate::words::errors::io_text;
use crate::words::quoting::Quoter;

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
            let code = print(arguments, &results, console);
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
    let (src, dst) = match arguments.paths.as_slice() {
        [src, dst] => (src, dst),
        [both] => (both, both),
        _ => return Err("one or two directories are needed".to_owned()), // clap has said so before
    };
    let contenders = rounds::contenders(arguments, work);
    let steps = contenders.len() as u64 * (u64::from(arguments.runs) + 1);
    work.set_total(steps);
    work.begin("making the source");
    let work = &*work;
    let data = TestData::make((src, dst), arguments, work)?;
    let mut rounds = Rounds::new(&data, arguments, (contenders, work));
    let rows = rounds.run()?;
    let (mut remarks, unmeasured) = (rounds.remarks, rounds.unmeasured);
    if unmeasured > 0
        && let Some(why) = work.why_over()
    {
        remarks.push(format!(
            "{unmeasured} of {steps} runs were not measured, as {why}"
        ));
    }
    let (probe, free_before) = (data.probe.clone(), data.free_before);
    let (size, files) = (data.size(), data.files());
    data.clean_up()?;
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
    remarks.extend(remarks::remarks(&results));
    results.remarks = remarks;
    Ok(results)
}

fn print(arguments: &BenchArgs, results: &Results, console: &Console) -> u8 {
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
        console.out(json::render(results).as_bytes());
    } else {
        console.out(table::render(results).as_bytes());
    }
    if let Some(path) = arguments.json.as_deref().filter(|_| !to_stdout)
        && let Err(error) = fs::write(path, json::render(results))
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
            Ok(None) => console.error("nothing is saved: these volumes can't be identified"),
            Err(error) => {
                let path = bench_results::current_path().unwrap_or_default();
                failed("cannot save", &path, &error);
            }
        }
    }
    code
}

/// Saves the order of the methods. Returns a line with the path.
fn save(results: &Results, console: &Console) -> io::Result<Option<String>> {
    let probe = &results.probe;
    let (Some(src), Some(dst)) = (&probe.src.key, &probe.dst.key) else {
        return Ok(None);
    };
    // An old file that can't be read is replaced.
    let mut file = bench_results::load().unwrap_or_else(|error| {
        console.error(&bench_results::unreadable(&error));
        bench_results::File::default()
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
