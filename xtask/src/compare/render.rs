//! The page: what was measured as tables, with all that is needed to judge and to repeat it.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::judge::{self, Judged, Measured};
use super::machine;
use super::place::Place;
use super::record::{Pair, Records, Run};
use super::rows::{ROWS, Row};
use super::stats::Summary;
use super::tools::Tool;

const HEAD: &str = "# Benchmarks

copyist beside other copiers, measured by `cargo xtask compare`, which also wrote this page. To repeat it, as root
on Debian or Ubuntu: `cargo xtask compare --prepare` installs the other programs, `cargo xtask compare
--rows small --on tmpfs,ext4` measures some of it, `--list` names what there is.

How to read it:

- Figures are wall times, from before a program is started until it has ended; medians of the rounds. A ratio is
  copyist / other: below 1.00 copyist is faster. It is taken in each round, from two runs one after the other; given
  are its median and, in parentheses, its least and its most.
- In each round each program runs beside copyist. The order of the two changes from round to round, and so does
  the order of the others. One run of each before that is not counted.
- The cache is warm: the source has been read before. The destination is removed and its filesystem synced
  before each run, outside of the time; nothing is synced within it, unless a program does so by itself.
- Each copy is compared with its source: names, sizes, content, for `-a` also mode, owner and time of modification.
  A program that makes a wrong copy is named and not ranked, and so is one that shares extents where it was not asked to.
- The floor is a plain loop of the system calls that a copy of a tree can't do without: open, fstat, create, read and
  write (on btrfs: clone), close, close, by two threads. For `-a` it also asks for the names of extended attributes and
  sets times and, where it is another, the owner. For a second run it is two stats of each file. It keeps no holes.
- \"In a program\" is a small program that makes calls of a library, `xtask/yardstick/src/bin/loops.rs`: copyist is the library
  there, with its default features. The threads of a tree are the library's own.
- Filesystems are created again for each table cell. All but tmpfs lie in images on loop devices; where the images lay is
  said at each table.
- GNU cp counts twice, the system's and the newest one built here; copyist is held against the faster.
";

/// The whole page; `plot` is the name of the picture beside it.
pub(super) fn page(records: &Records, plot: &str) -> String {
    let mut page = String::from(HEAD);
    let rows: Vec<(&Row, Vec<&Pair>)> = ROWS
        .iter()
        .map(|row| (row, records.of(row.name).collect()))
        .filter(|(_, pairs): &(_, Vec<_>)| !pairs.is_empty())
        .collect();
    if rows.is_empty() {
        page += "\nNothing was measured yet.\n";
        return page;
    }
    let _ = write!(
        page,
        "\n![Wall times beside copyist's]({plot})\n\n## Targets\n\n"
    );
    page += &targets(&rows);
    for (row, pairs) in &rows {
        let _ = write!(page, "\n## {}\n\n", row.title);
        page += &if row.is_about_memory() {
            memory(pairs)
        } else {
            times(pairs)
        };
        page += &notes(pairs, records);
    }
    page
}

/// What has just been measured, in a few lines.
pub(super) fn tell(pairs: &[Pair]) {
    let all: Vec<&Pair> = pairs.iter().collect();
    for pair in pairs {
        let (row, on, title) = (&pair.row, pair.on.title(), pair.tool.title());
        let told = match (&pair.fault, pair.ratio()) {
            (Some(fault), _) => format!("not ranked: {fault}"),
            (None, Some(ratio)) => ratio_of(&ratio),
            (None, None) => "not measured".into(),
        };
        println!("{row} on {on}: copyist / {title}: {told}");
    }
    let Some(row) = pairs.first().and_then(|pair| Row::named(&pair.row)) else {
        return;
    };
    for judged in judge::judge(row, &all) {
        let verdict = verdict(&judged);
        let (on, against) = (judged.on.title(), &judged.against);
        println!(
            "{} on {on}, {against}: {}, at most {}: {verdict}",
            row.name,
            measured(&judged),
            limit(&judged)
        );
    }
}

fn targets(rows: &[(&Row, Vec<&Pair>)]) -> String {
    let mut table = String::from(
        "| work | on | against | measured | at most | |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for (row, pairs) in rows {
        for judged in judge::judge(row, pairs) {
            let _ = writeln!(
                table,
                "| {} | {} | {} | {} | {} | {} |",
                row.title,
                judged.on.title(),
                judged.against,
                measured(&judged),
                limit(&judged),
                verdict(&judged),
            );
        }
    }
    table
}

fn measured(judged: &Judged) -> String {
    match judged.measured {
        Measured::Ratio(ratio) => ratio_of(&ratio),
        Measured::PeakMib(peak) => format!("{peak:.1} MiB"),
    }
}

fn limit(judged: &Judged) -> String {
    match judged.measured {
        Measured::Ratio(_) => format!("{:.2}", judged.at_most),
        Measured::PeakMib(_) => format!("{:.0} MiB", judged.at_most),
    }
}

fn verdict(judged: &Judged) -> &'static str {
    if judged.is_held() {
        "held"
    } else {
        "**missed**"
    }
}

fn ratio_of(ratio: &Summary) -> String {
    let Summary {
        median,
        least,
        most,
    } = ratio;
    format!("{median:.2} ({least:.2} to {most:.2})")
}

/// One line for each program, one column for each filesystem.
fn times(pairs: &[&Pair]) -> String {
    let places = judge::places(pairs);
    let mut table = String::from("| |");
    for place in &places {
        let _ = write!(table, " {} |", place.title());
    }
    let _ = write!(
        table,
        "\n| --- |{}\n| **copyist** |",
        " --- |".repeat(places.len())
    );
    for place in &places {
        let here = pairs.iter().filter(|pair| pair.on == *place);
        let times = here.flat_map(|pair| pair.rounds.iter().map(|round| round.copyist));
        let _ = write!(table, " {} |", Summary::of(times).map_or("".into(), ms));
    }
    for tool in tools(pairs) {
        let _ = write!(table, "\n| {} |", named(pairs, tool));
        for place in &places {
            let mut here = pairs.iter();
            let pair = here.find(|pair| pair.on == *place && pair.tool == tool);
            let _ = write!(table, " {} |", pair.map_or("".into(), |pair| cell(pair)));
        }
    }
    table + "\n"
}

fn cell(pair: &Pair) -> String {
    let others = Summary::of(pair.rounds.iter().map(|round| round.other));
    match (pair.ratio(), others) {
        (Some(ratio), Some(others)) => format!("{}; {}", ms(others), ratio_of(&ratio)),
        _ => "not ranked".into(),
    }
}

fn ms(times: Summary) -> String {
    match times.median {
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 100.0 => format!("{ms:.1} ms"),
        ms => format!("{ms:.0} ms"),
    }
}

fn tools(pairs: &[&Pair]) -> BTreeSet<Tool> {
    pairs.iter().map(|pair| pair.tool).collect()
}

/// A program with its version, or versions.
fn named(pairs: &[&Pair], tool: Tool) -> String {
    let of_tool = pairs.iter().filter(|pair| pair.tool == tool);
    let versions: BTreeSet<&str> = of_tool.map(|pair| &*pair.version).collect();
    let versions: Vec<&str> = versions.into_iter().collect();
    format!("{} {}", tool.title(), versions.join(", "))
        .trim()
        .to_owned()
}

fn memory(pairs: &[&Pair]) -> String {
    let mut table = String::from("| | peak of resident memory | |\n| --- | --- | --- |\n");
    let mib = |kib: u64| kib as f64 / 1024.0;
    for pair in pairs {
        let line = |name: &str, kib: u64, times: Vec<f64>| {
            let time = Summary::of(times).map_or("".into(), ms);
            format!("| {name} | {:.1} MiB | {time} |\n", mib(kib))
        };
        let ours = pair.rounds.iter().map(|round| round.copyist).collect();
        let theirs = pair.rounds.iter().map(|round| round.other).collect();
        table += &line("**copyist**", pair.copyist_peak_kib, ours);
        table += &line(&named(pairs, pair.tool), pair.peak_kib, theirs);
    }
    table
}

/// Below a table: the programs that are not ranked and why, what is noisy, the command lines, the machine.
fn notes(pairs: &[&Pair], records: &Records) -> String {
    let mut notes = String::from("\n");
    for pair in pairs {
        if let Some(fault) = &pair.fault {
            let (title, on) = (pair.tool.title(), pair.on.title());
            let _ = writeln!(notes, "- {title} on {on} is not ranked: {fault}.");
        }
    }
    let noisy: Vec<String> = pairs
        .iter()
        .filter(|pair| pair.ratio().is_some_and(|ratio| ratio.is_noisy()))
        .map(|pair| format!("{} on {}", pair.tool.title(), pair.on.title()))
        .collect();
    if !noisy.is_empty() {
        let noisy = noisy.join(", ");
        let _ = writeln!(
            notes,
            "- Ratios that differ between rounds by more than 10 %: {noisy}."
        );
    }
    let _ = writeln!(notes, "- Command lines: {}.", commands(pairs));
    for run in &records.runs {
        let here: Vec<&Pair> = pairs
            .iter()
            .copied()
            .filter(|pair| pair.run == run.date)
            .collect();
        if !here.is_empty() {
            let _ = writeln!(notes, "- {}", measured_by(run, &here));
        }
    }
    notes
}

/// Each once, copyist's first.
fn commands(pairs: &[&Pair]) -> String {
    let ours = pairs.iter().map(|pair| &*pair.copyist_command);
    let theirs = pairs.iter().map(|pair| &*pair.command);
    let mut told: Vec<String> = Vec::new();
    for command in ours.chain(theirs) {
        let command = format!("`{command}`");
        if !told.contains(&command) {
            told.push(command);
        }
    }
    told.join(", ")
}

fn measured_by(run: &Run, pairs: &[&Pair]) -> String {
    let Run {
        date,
        kernel,
        processor,
        processors,
        copyist,
        ..
    } = run;
    let gib = run.memory_bytes as f64 / f64::from(1 << 30);
    let places: Vec<&str> = judge::places(pairs).into_iter().map(Place::title).collect();
    let rounds: BTreeSet<usize> = pairs.iter().map(|pair| pair.rounds.len()).collect();
    let rounds = rounds.last().copied().unwrap_or_default();
    let many = if rounds == 1 { "" } else { "s" };
    let mut told = format!(
        "{}: {date} UTC, {rounds} round{many}, warm cache, copyist {copyist}, {kernel}, {processor}, \
         {processors} processors, {gib:.0} GiB of memory",
        places.join(", ")
    );
    if pairs.iter().any(|pair| pair.on.has_image()) {
        told += if run.images_in_memory {
            ", images in memory (tmpfs)"
        } else {
            ", images on a disk"
        };
    }
    if let Some(load) = run.load.filter(|load| machine::is_busy(*load)) {
        let _ = write!(told, "; load {load} when it began: not a quiet machine");
    }
    told + "."
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::{pair, run};
    use super::*;

    fn records() -> Records {
        let mut records = Records::default();
        let rounds = [(90.0, 100.0), (91.0, 100.0), (92.0, 100.0)];
        let small = pair("small", Place::Tmpfs, Tool::Cpz, "d", &rounds);
        let mut wrong = pair("small", Place::Ext4, Tool::Xcp, "d", &rounds);
        wrong.fault = Some("file-1 is not there".into());
        let noisy = pair(
            "small",
            Place::Ext4,
            Tool::Cpz,
            "d",
            &[(90.0, 100.0), (110.0, 100.0)],
        );
        let memory = pair("million-flat", Place::Tmpfs, Tool::Cp, "d", &[(1e4, 2e4)]);
        records.merge(&run("d"), vec![small, wrong, noisy, memory]);
        records
    }

    #[track_caller]
    fn has(page: &str, line: &str) {
        assert!(
            page.lines().any(|is| is == line),
            "no line {line} in\n{page}"
        );
    }

    #[test]
    fn a_table_has_programs_and_filesystems() {
        let page = page(&records(), "plot.svg");
        has(&page, "| | tmpfs | ext4 |");
        has(&page, "| **copyist** | 91.0 ms | 91.0 ms |");
        has(
            &page,
            "| cpz 1.0 | 100 ms; 0.91 (0.90 to 0.92) | 100 ms; 1.00 (0.90 to 1.10) |",
        );
        has(&page, "| xcp 1.0 |  | not ranked |");
        has(&page, "- xcp on ext4 is not ranked: file-1 is not there.");
        has(
            &page,
            "- Ratios that differ between rounds by more than 10 %: cpz on ext4.",
        );
        has(
            &page,
            "- Command lines: `copyist cp SOURCE DESTINATION`, `other SOURCE DESTINATION`.",
        );
        has(
            &page,
            "- tmpfs, ext4: d UTC, 3 rounds, warm cache, copyist 0.1.0 (abc), Linux 6.18 x86_64, \
             a processor, 2 processors, 24 GiB of memory, images in memory (tmpfs).",
        );
        assert!(page.contains("](plot.svg)"));
    }

    #[test]
    fn targets_stand_beside_what_was_measured() {
        let page = page(&records(), "plot.svg");
        let title = "50,000 files of 4 KiB in 500 directories, `-r`";
        has(
            &page,
            &format!("| {title} | tmpfs | cpz | 0.91 (0.90 to 0.92) | 1.00 | held |"),
        );
        let title = "Memory: a million files in one directory, `-r`";
        has(
            &page,
            &format!("| {title} | tmpfs | peak of memory | 5.0 MiB | 48 MiB | held |"),
        );
        has(&page, "| GNU cp of the system 1.0 | 3.0 MiB | 20000 ms |");
    }

    #[test]
    fn a_busy_machine_is_named() {
        let mut records = records();
        records.runs[0].load = Some(1.5);
        let page = page(&records, "plot.svg");
        assert!(page.contains("load 1.5 when it began: not a quiet machine"));
    }

    #[test]
    fn no_records_are_a_page_too() {
        let page = page(&Records::default(), "plot.svg");
        assert!(page.ends_with("Nothing was measured yet.\n"));
    }
}
