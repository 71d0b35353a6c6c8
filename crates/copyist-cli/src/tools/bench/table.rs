//! The figures as a table.

use indicatif::BinaryBytes;

use super::results::{Outcome, Results, Row};
use crate::words::quoting::Quoter;

pub(super) fn render(results: &Results) -> String {
    let mut out = format!("{}\n\n", headline(results));
    let width = results.rows.iter().map(|row| row.name.len()).max();
    let width = width.unwrap_or(0).max("method".len());
    let line = |cells: [&str; 5]| {
        let [name, median, spread, rate, ratio] = cells;
        let line = format!("{name:<width$}  {median:>9}  {spread:>21}  {rate:>14}  {ratio:>9}");
        line.trim_end().to_owned() + "\n"
    };
    out += &line(["method", "median", "spread", "rate", "ratio"]);
    for row in &results.rows {
        out += &match &row.outcome {
            Outcome::Measured { stats, .. } => {
                let spread = format!("{} … {}", seconds(stats.least), seconds(stats.most));
                let rate = rate(results.size, stats.median);
                line([
                    &row.name,
                    &seconds(stats.median),
                    &spread,
                    &rate,
                    &ratio(results, row),
                ])
            }
            other => format!("{:<width$}  {}\n", row.name, words(other)),
        };
    }
    if !results.remarks.is_empty() {
        out.push('\n');
    }
    for remark in &results.remarks {
        out += &format!("* {remark}\n");
    }
    out
}

/// What was measured, as a line.
pub(super) fn headline(results: &Results) -> String {
    let quoter = Quoter::from_environment();
    let place = |volume: &copyist::probe::VolumeProbe| {
        let name = volume.type_name.as_deref();
        let name = name.unwrap_or(volume.kind.name());
        format!("{} ({name})", quoter.if_needed(&volume.path))
    };
    let files = match results.files {
        1 => "1 file".to_owned(),
        many => format!("{many} files"),
    };
    let probe = &results.probe;
    let (src, dst) = (place(&probe.src), place(&probe.dst));
    let places = if src == dst {
        format!("in {src}")
    } else {
        format!("{src} to {dst}")
    };
    format!(
        "{files}, {}, {}, {places}",
        BinaryBytes(results.size),
        how(results)
    )
}

/// How it was measured.
pub(super) fn how(results: &Results) -> String {
    let runs = match results.runs {
        1 => "1 run".to_owned(),
        many => format!("{many} runs each, interleaved"),
    };
    format!("{}, {runs}", if results.cold { "cold" } else { "warm" })
}

/// Why there are no times.
pub(super) fn words(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Measured { .. } => String::new(),
        Outcome::Refused {
            code: Some(code),
            why,
        } => format!("refused: {code}, {why}"),
        Outcome::Refused { code: None, why } => format!("refused: {why}"),
        Outcome::Failed(why) => format!("FAILED: {why}"),
        Outcome::Unmeasured => "not measured: the time was up".to_owned(),
    }
}

/// "812x", or "baseline".
pub(super) fn ratio(results: &Results, row: &Row) -> String {
    if row.is_baseline {
        return "baseline".to_owned();
    }
    match row.stats().and_then(|stats| results.ratio(stats)) {
        Some(ratio) if ratio >= 10.0 => format!("{ratio:.0}x"),
        Some(ratio) => format!("{ratio:.2}x"),
        None => String::new(),
    }
}

fn rate(bytes: u64, seconds: f64) -> String {
    if seconds <= 0.0 {
        return String::new();
    }
    format!("{}/s", BinaryBytes((bytes as f64 / seconds) as u64))
}

/// Three digits and a unit.
pub(super) fn seconds(seconds: f64) -> String {
    let (value, unit) = match seconds {
        s if s >= 1.0 => (s, "s"),
        s if s >= 1e-3 => (s * 1e3, "ms"),
        s => (s * 1e6, "µs"),
    };
    let digits = match value {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.digits$} {unit}")
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn times_have_three_digits() {
        let all = [2.5, 0.1234, 0.0456, 0.000_789].map(seconds);
        assert_eq!(all, ["2.50 s", "123 ms", "45.6 ms", "789 µs"]);
    }
}
