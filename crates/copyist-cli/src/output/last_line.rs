//! The last line of `copy`: a summary.

use std::time::Duration;

use copyist::Summary;
use indicatif::{HumanBytes, HumanCount};

use crate::output::replaced::Replaced;
use crate::words::quoting::Quoter;
use crate::words::time::duration;

/// What the last line shows besides the [`Summary`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct SummaryInput<'a> {
    /// A signal ended the copy before everything was copied.
    pub(crate) stopped: bool,
    /// Failures.
    pub(crate) failed: u64,
    /// It was a dry run.
    pub(crate) dry: bool,
    pub(crate) replaced: &'a Replaced,
    /// How many entries the filters left out.
    pub(crate) left_out: u64,
    /// Sentences about links that could not be made.
    pub(crate) no_links: &'a [String],
    pub(crate) quoter: Quoter,
}

/// The text of the line.
pub(crate) fn last_line(summary: &Summary, input: &SummaryInput<'_>) -> String {
    let begin = match (input.dry, input.stopped) {
        (true, _) => "Would copy",
        (false, true) => "Stopped: copied",
        (false, false) => "Copied",
    };
    let mut line = format!("{begin} {}", files(summary));
    if summary.files > 0 {
        line += &format!(" ({})", HumanBytes(summary.bytes));
    }
    if input.dry {
        return line + &rest(summary, input);
    }
    line += &format!(" in {}", duration(summary.elapsed));
    // A rate over a shorter time is not meaningful.
    if summary.bytes > 0 && summary.elapsed >= Duration::from_millis(1) {
        let rate = summary.bytes as f64 / summary.elapsed.as_secs_f64();
        line += &format!(", {}/s", HumanBytes(rate as u64));
    }
    let ways = ways(summary);
    if !ways.is_empty() {
        line += &format!(": {ways}");
    }
    if let Some(shared) = summary.shared {
        line += &format!("; {} shared, as the filesystem reports", HumanBytes(shared));
    }
    line + &rest(summary, input)
}

/// Replaced, skipped and failed entries, if any.
fn rest(summary: &Summary, input: &SummaryInput<'_>) -> String {
    let mut line = String::new();
    let Replaced { count, first, .. } = input.replaced;
    if *count > 0 {
        let names: Vec<_> = first.iter().map(|it| input.quoter.always(it)).collect();
        let more = count - first.len() as u64;
        let would = if input.dry {
            "would replace"
        } else {
            "replaced"
        };
        line += &format!("; {would} {}", names.join(", "));
        if more > 0 {
            line += &format!(" and {} more", HumanCount(more));
        }
    }
    if summary.skipped > 0 {
        line += &format!("; {} left as they were", HumanCount(summary.skipped));
    }
    if input.left_out > 0 {
        line += &format!("; {} left out", HumanCount(input.left_out));
    }
    for sentence in input.no_links {
        line += &format!("; {sentence}");
    }
    if input.failed > 0 {
        line += &format!("; {} FAILED", HumanCount(input.failed));
    }
    line
}

/// "3 files, 1 directory and 2 links".
fn files(summary: &Summary) -> String {
    let mut parts = Vec::new();
    for (number, one, many) in [
        (summary.files, "file", "files"),
        (summary.dirs, "directory", "directories"),
        (summary.links, "hard link", "hard links"),
        (summary.symlinks, "symbolic link", "symbolic links"),
        (summary.specials, "special file", "special files"),
    ] {
        if number > 0 {
            parts.push(some(number, one, many));
        }
    }
    let last = parts.pop().unwrap_or_else(|| "nothing".to_owned());
    match parts.as_slice() {
        [] => last,
        parts => format!("{} and {last}", parts.join(", ")),
    }
}

fn some(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", HumanCount(number))
}

/// How many bytes were copied which way.
fn ways(summary: &Summary) -> String {
    let ways = [
        (summary.cloned, "cloned"),
        (summary.offloaded, "copied by the system"),
        (summary.moved, "through memory"),
        (summary.holes, "skipped as holes"),
    ];
    let some: Vec<&(u64, &str)> = ways.iter().filter(|(bytes, _)| *bytes > 0).collect();
    match some.as_slice() {
        [] => String::new(),
        [(_, how)] => format!("all {how}"),
        some => some
            .iter()
            .map(|(bytes, how)| format!("{} {how}", HumanBytes(*bytes)))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;
    use std::time::Duration;

    use copyist::Summary;

    use super::{SummaryInput, last_line};
    use crate::output::replaced::Replaced;
    use crate::words::quoting::Quoter;

    static NONE: LazyLock<Replaced> = LazyLock::new(Replaced::default);

    fn input(replaced: &Replaced) -> SummaryInput<'_> {
        SummaryInput {
            stopped: false,
            failed: 0,
            dry: false,
            replaced,
            left_out: 0,
            no_links: &[],
            quoter: Quoter::new(false),
        }
    }

    #[test]
    fn it_says_what_was_done() {
        let mut summary = Summary::default();
        (summary.files, summary.dirs, summary.bytes) = (1200, 1, 3 << 30);
        (summary.cloned, summary.offloaded) = (2 << 30, 1 << 29);
        (summary.moved, summary.holes) = (1 << 28, 1 << 28);
        summary.elapsed = Duration::from_millis(1500);
        assert_eq!(
            last_line(&summary, &input(&NONE)),
            "Copied 1,200 files and 1 directory (3.00 GiB) in 1.5 s, 2.00 GiB/s: 2.00 GiB cloned, \
             512.00 MiB copied by the system, 256.00 MiB through memory, 256.00 MiB skipped as holes"
        );
        (summary.skipped, summary.symlinks) = (7, 3);
        (summary.cloned, summary.holes, summary.moved) = (0, 0, 0);
        summary.shared = Some(0);
        summary.elapsed = Duration::from_secs(3720);
        let stopped = SummaryInput {
            stopped: true,
            failed: 2,
            ..input(&NONE)
        };
        assert_eq!(
            last_line(&summary, &stopped),
            "Stopped: copied 1,200 files, 1 directory and 3 symbolic links (3.00 GiB) in 1 h 2 min, \
             845.62 KiB/s: all copied by the system; 0 B shared, as the filesystem reports; 7 left as they were; 2 FAILED"
        );
        let nothing = Summary::default();
        assert_eq!(last_line(&nothing, &input(&NONE)), "Copied nothing in 0 ms");
    }
    #[test]
    fn what_is_replaced_is_named() {
        let mut summary = Summary::default();
        (summary.files, summary.bytes) = (5, 10);
        summary.elapsed = Duration::from_micros(10);
        let mut replaced = Replaced::default();
        replaced.count = 1;
        replaced.first.push("a b".into());
        let line = last_line(&summary, &input(&replaced));
        assert_eq!(line, "Copied 5 files (10 B) in 0 ms; replaced 'a b'");
        replaced.count = 1002;
        replaced.first.push("c".into());
        let dry = SummaryInput {
            dry: true,
            left_out: 3,
            ..input(&replaced)
        };
        assert_eq!(
            last_line(&summary, &dry),
            "Would copy 5 files (10 B); would replace 'a b', 'c' and 1,000 more; 3 left out"
        );
    }
}
