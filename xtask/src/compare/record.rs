//! The data file: what was measured, so that rows can be measured one by one and reported together.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::place::Place;
use super::stats::Summary;
use super::tools::Tool;
use crate::error::{Context, Result};

/// All that is known.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Records {
    pub(super) runs: Vec<Run>,
    pub(super) pairs: Vec<Pair>,
}

/// One time that this program was run: what all its pairs have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Run {
    /// UTC; also what pairs call it by.
    pub(super) date: String,
    pub(super) kernel: String,
    pub(super) processor: String,
    pub(super) processors: usize,
    pub(super) memory_bytes: u64,
    /// Whether the images of the filesystems lay in memory, not on a disk.
    pub(super) images_in_memory: bool,
    /// The load when it began.
    pub(super) load: Option<f64>,
    pub(super) copyist: String,
}

/// copyist and another program, one after the other, a number of times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) row: String,
    pub(super) on: Place,
    pub(super) tool: Tool,
    /// The run's date.
    pub(super) run: String,
    pub(super) version: String,
    pub(super) command: String,
    pub(super) copyist_command: String,
    pub(super) rounds: Vec<Round>,
    /// The largest peak of resident memory of all rounds, in KiB.
    pub(super) copyist_peak_kib: u64,
    pub(super) peak_kib: u64,
    /// Why it is not ranked, if so.
    pub(super) fault: Option<String>,
}

/// Wall times, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Round {
    pub(super) copyist: f64,
    pub(super) other: f64,
}

impl Pair {
    /// copyist / other; none if it is not to be ranked.
    pub(super) fn ratio(&self) -> Option<Summary> {
        if self.fault.is_some() {
            return None;
        }
        Summary::of(self.rounds.iter().map(|round| round.copyist / round.other))
    }

    fn is_about(&self, other: &Self) -> bool {
        (&self.row, self.on, self.tool) == (&other.row, other.on, other.tool)
    }
}

impl Records {
    /// Reads the file; that there is none is no error.
    pub(super) fn read(path: &Path) -> Result<Self> {
        match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            bytes => serde_json::from_slice(&bytes.at("read", path)?).at("understand", path),
        }
    }

    pub(super) fn write(&self, path: &Path) -> Result<()> {
        let text = format!(
            "{{\"runs\":[\n{}\n],\"pairs\":[\n{}\n]}}\n",
            lines(&self.runs)?,
            lines(&self.pairs)?
        );
        fs::write(path, text).at("write", path)
    }

    /// Puts in what a run has measured, in place of what was known of the same pairs.
    pub(super) fn merge(&mut self, run: &Run, measured: Vec<Pair>) {
        self.pairs
            .retain(|old| !measured.iter().any(|new| new.is_about(old)));
        self.pairs.extend(measured);
        let order = |pair: &Pair| {
            let mut rows = super::rows::ROWS.iter();
            let row = rows.position(|row| row.name == pair.row);
            (row.unwrap_or(usize::MAX), pair.on, pair.tool)
        };
        self.pairs.sort_by_key(order);
        self.runs.retain(|old| old.date != run.date);
        self.runs.push(run.clone());
        let pairs = &self.pairs;
        self.runs
            .retain(|run| pairs.iter().any(|pair| pair.run == run.date));
        self.runs.sort_by(|one, two| one.date.cmp(&two.date));
    }

    /// Those of one row.
    pub(super) fn of(&self, row: &str) -> impl Iterator<Item = &Pair> {
        self.pairs.iter().filter(move |pair| pair.row == row)
    }
}

/// One line for each, so that a change shows what has changed.
fn lines<T: Serialize>(all: &[T]) -> Result<String> {
    let lines: std::result::Result<Vec<String>, _> =
        all.iter().map(serde_json::to_string).collect();
    Ok(lines.doing("write down what was measured")?.join(",\n"))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn run(date: &str) -> Run {
        Run {
            date: date.into(),
            kernel: "Linux 6.18 x86_64".into(),
            processor: "a processor".into(),
            processors: 2,
            memory_bytes: 24 << 30,
            images_in_memory: true,
            load: Some(0.1),
            copyist: "0.1.0 (abc)".into(),
        }
    }

    pub(in super::super) fn pair(
        row: &str,
        on: Place,
        tool: Tool,
        run: &str,
        ms: &[(f64, f64)],
    ) -> Pair {
        Pair {
            row: row.into(),
            on,
            tool,
            run: run.into(),
            version: "1.0".into(),
            command: "other SOURCE DESTINATION".into(),
            copyist_command: "copyist cp SOURCE DESTINATION".into(),
            rounds: ms
                .iter()
                .map(|&(copyist, other)| Round { copyist, other })
                .collect(),
            copyist_peak_kib: 5 << 10,
            peak_kib: 3 << 10,
            fault: None,
        }
    }

    #[test]
    fn ratios_are_those_of_each_round() {
        let mut pair = pair(
            "small",
            Place::Ext4,
            Tool::Cpz,
            "d",
            &[(1.0, 2.0), (3.0, 3.0), (9.0, 10.0)],
        );
        let ratio = pair.ratio().expect("a ratio");
        assert_eq!((ratio.least, ratio.median, ratio.most), (0.5, 0.9, 1.0));
        pair.fault = Some("it is wrong".into());
        assert_eq!(pair.ratio(), None);
    }

    #[test]
    fn what_is_newer_replaces_what_is_the_same() {
        let mut records = Records::default();
        let old = |tool| pair("small", Place::Ext4, tool, "old", &[(1.0, 2.0)]);
        records.merge(&run("old"), vec![old(Tool::Cpz), old(Tool::Cp)]);
        let new = pair("small", Place::Ext4, Tool::Cpz, "new", &[(1.0, 4.0)]);
        records.merge(&run("new"), vec![new.clone()]);
        assert_eq!(records.pairs, [old(Tool::Cp), new]);
        let dates = |records: &Records| -> Vec<String> {
            records.runs.iter().map(|run| run.date.clone()).collect()
        };
        assert_eq!(dates(&records), ["new", "old"]);
        // A run of which nothing is left is forgotten.
        let last = pair("small", Place::Ext4, Tool::Cp, "new", &[(1.0, 4.0)]);
        records.merge(&run("new"), vec![last]);
        assert_eq!(dates(&records), ["new"]);
    }

    #[test]
    fn a_file_reads_as_it_was_written() {
        let room = tempfile::tempdir().expect("a directory");
        let path = room.path().join("benchmarks.json");
        assert_eq!(
            Records::read(&path).expect("nothing yet"),
            Records::default()
        );
        let mut records = Records::default();
        let pair = pair(
            "one",
            Place::TmpfsToExt4,
            Tool::CpNewest,
            "d",
            &[(0.1 + 0.2, 1e-3)],
        );
        records.merge(&run("d"), vec![pair]);
        records.write(&path).expect("it is written");
        assert_eq!(Records::read(&path).expect("it is read"), records);
    }
}
