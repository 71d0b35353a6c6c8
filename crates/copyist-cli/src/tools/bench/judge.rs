//! Remarks on the figures.

use copyist::Method;
use indicatif::BinaryBytes;

use super::results::{Outcome, Results, Row};
use super::stats::Stats;
use super::table::seconds;

/// An interquartile range above this fraction of the median is reported as noise.
const NOISY: f64 = 0.2;

/// Below this time, in seconds, constant costs are a large part.
const SHORT: f64 = 0.005;

pub(super) fn remarks(results: &Results) -> Vec<String> {
    let mut remarks = Vec::new();
    for row in &results.rows {
        if let Some(stats) = row.stats().filter(|stats| stats.median >= SHORT) {
            outliers(row, stats, &mut remarks);
        }
    }
    noise(results, &mut remarks);
    short(results, &mut remarks);
    baseline(results, &mut remarks);
    cache(results, &mut remarks);
    left(results, &mut remarks);
    remarks
}

fn outliers(row: &Row, stats: &Stats, remarks: &mut Vec<String>) {
    for &n in &stats.outliers {
        let (run, count) = (n + 1, stats.runs.len());
        let ratio = stats.runs[n] / stats.median;
        let first = if n == 0 {
            "; it was the first after the warm-up: the memory that it used may still have been cold"
        } else {
            "; something else may have used the machine"
        };
        remarks.push(format!(
            "{}: run {run} of {count} stands out, {} or {ratio:.1} times the median, which it \
             doesn't move{first}",
            row.name,
            seconds(stats.runs[n]),
        ));
    }
}

fn noise(results: &Results, remarks: &mut Vec<String>) {
    let noisy: Vec<String> = results
        .rows
        .iter()
        .filter_map(|row| Some((row, row.stats()?)))
        .filter(|(_, stats)| stats.median >= SHORT && stats.spread() > NOISY)
        .map(|(row, stats)| format!("{} by {:.0} %", row.name, stats.spread() * 100.0))
        .collect();
    if !noisy.is_empty() {
        remarks.push(format!(
            "noisy: even the middle half of the runs spreads ({}); with other programs closed, or \
             more --runs, the figures would be better",
            noisy.join(", ")
        ));
    }
}

fn short(results: &Results, remarks: &mut Vec<String>) {
    let short: Vec<&str> = results
        .rows
        .iter()
        .filter(|row| row.stats().is_some_and(|stats| stats.median < SHORT))
        .map(|row| row.name.as_str())
        .collect();
    if !short.is_empty() {
        remarks.push(format!(
            "{} took less than {}: such a ratio is an order of magnitude, and grows with --size",
            short.join(", "),
            seconds(SHORT)
        ));
    }
}

/// A baseline that shares data is not a baseline: it has not copied.
fn baseline(results: &Results, remarks: &mut Vec<String>) {
    for row in results.rows.iter().filter(|row| row.is_baseline) {
        match &row.outcome {
            Outcome::Measured {
                shared: Some(shared),
                ..
            } if *shared > 0 => remarks.push(format!(
                "the baseline itself was cloned: the filesystem shares {} of its copy with the \
                 source (it may deduplicate), so the ratios mean little",
                BinaryBytes(*shared)
            )),
            Outcome::Measured { .. } => {}
            _ => remarks.push("without a baseline there are no ratios".to_owned()),
        }
    }
    for row in &results.rows {
        if let Outcome::Measured {
            shared: Some(shared),
            by: Some(Method::CopyRange | Method::SystemCopy),
            ..
        } = &row.outcome
            && *shared > 0
        {
            remarks.push(format!(
                "{}: the kernel shared {} by itself instead of copying",
                row.name,
                BinaryBytes(*shared)
            ));
        }
    }
}

fn cache(results: &Results, remarks: &mut Vec<String>) {
    let device = results.probe.src.device.as_deref();
    let device = device.map(|it| it.to_string_lossy().into_owned());
    if !results.cold {
        remarks.push(
            "warm: the source was in memory; with --cold it is read from its device".to_owned(),
        );
    } else if device.is_some_and(|device| device.starts_with("/dev/loop")) {
        remarks.push(
            "cold as far as this filesystem goes: the file behind its loop device may be in memory"
                .to_owned(),
        );
    }
}

fn left(results: &Results, remarks: &mut Vec<String>) {
    // Filesystems free space later, and other programs use some.
    let much = results.source_bytes() / 2;
    if let Some(left) = results.left_bytes.filter(|left| *left > much.max(1 << 20)) {
        remarks.push(format!(
            "all files are removed, but {} that were free before are in use: the filesystem has not \
             freed them yet, or another program has used them",
            BinaryBytes(left)
        ));
    }
}
