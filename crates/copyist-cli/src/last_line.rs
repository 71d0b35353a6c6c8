//! The last line of `copy`: what was done, in plain words.

use std::time::Duration;

use copyist::Summary;
use indicatif::{HumanBytes, HumanCount};

/// What was done. `stopped`: a signal ended the copy before everything was.
pub(crate) fn last_line(summary: &Summary, stopped: bool) -> String {
    let mut line = if stopped { "Stopped: copied" } else { "Copied" }.to_owned();
    line += &format!(" {}", files(summary));
    if summary.files > 0 {
        line += &format!(" ({})", HumanBytes(summary.bytes));
    }
    line += &format!(" in {}", time(summary.elapsed));
    // Over a shorter time a rate is noise.
    if summary.bytes > 0 && summary.elapsed >= Duration::from_millis(1) {
        let rate = summary.bytes as f64 / summary.elapsed.as_secs_f64();
        line += &format!(", {}/s", HumanBytes(rate as u64));
    }
    let ways = ways(summary);
    if !ways.is_empty() {
        line += &format!(": {ways}");
    }
    if let Some(shared) = summary.shared {
        line += &format!("; {} shared, says the filesystem", HumanBytes(shared));
    }
    if summary.skipped > 0 {
        line += &format!("; {} left as they were", HumanCount(summary.skipped));
    }
    if summary.errors > 0 {
        line += &format!("; {} FAILED", HumanCount(summary.errors));
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

/// How the bytes came there.
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

fn time(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    match seconds {
        0 => format!("{} ms", elapsed.as_millis()),
        1..60 => format!("{:.1} s", elapsed.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use copyist::Summary;

    use super::last_line;

    #[test]
    fn it_says_what_was_done() {
        let mut summary = Summary {
            files: 1200,
            dirs: 1,
            bytes: 3 << 30,
            cloned: 2 << 30,
            offloaded: 1 << 29,
            moved: 1 << 28,
            holes: 1 << 28,
            shared: None,
            elapsed: Duration::from_millis(1500),
            ..Summary::default()
        };
        assert_eq!(
            last_line(&summary, false),
            "Copied 1,200 files and 1 directory (3.00 GiB) in 1.5 s, 2.00 GiB/s: 2.00 GiB cloned, \
             512.00 MiB copied by the system, 256.00 MiB through memory, 256.00 MiB skipped as holes"
        );
        (summary.skipped, summary.errors, summary.symlinks) = (7, 2, 3);
        (summary.cloned, summary.holes, summary.moved) = (0, 0, 0);
        summary.shared = Some(0);
        summary.elapsed = Duration::from_secs(3720);
        assert_eq!(
            last_line(&summary, true),
            "Stopped: copied 1,200 files, 1 directory and 3 symbolic links (3.00 GiB) in 1 h 2 min, \
             845.62 KiB/s: all copied by the system; 0 B shared, says the filesystem; 7 left as they were; 2 FAILED"
        );
        let nothing = Summary::default();
        assert_eq!(last_line(&nothing, false), "Copied nothing in 0 ms");
    }
}
