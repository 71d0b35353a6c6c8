//! The counts of a run.

use std::collections::BTreeMap;
use std::fmt;

use super::judge::Good;
use super::{SCENARIOS, names};

/// Counts for each call.
#[derive(Debug, Default)]
pub(super) struct Table {
    rows: BTreeMap<&'static str, Row>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Row {
    copied: u64,
    told: u64,
    /// The run did not come to the call: it may have gone another way.
    not_met: u64,
    wrong: u64,
}

impl Row {
    fn cases(self) -> u64 {
        self.copied + self.told + self.wrong
    }

    fn plus(self, other: Self) -> Self {
        Self {
            copied: self.copied + other.copied,
            told: self.told + other.told,
            not_met: self.not_met + other.not_met,
            wrong: self.wrong + other.wrong,
        }
    }
}

impl Table {
    /// Adds a case; `None` is a wrong one.
    pub(super) fn add(&mut self, call: &'static str, met: bool, verdict: Option<Good>) {
        let row = self.rows.entry(call).or_default();
        match verdict {
            None => row.wrong += 1,
            Some(_) if !met => row.not_met += 1,
            Some(Good::Copied) => row.copied += 1,
            Some(Good::Told) => row.told += 1,
        }
    }

    fn total(&self) -> Row {
        self.rows.values().copied().fold(Row::default(), Row::plus)
    }

    pub(super) fn right(&self) -> u64 {
        self.total().copied + self.total().told
    }

    pub(super) fn wrong(&self) -> u64 {
        self.total().wrong
    }

    /// The page of the documentation.
    pub(super) fn page(&self) -> String {
        let scenarios: Vec<_> = SCENARIOS.iter().map(|scenario| scenario.name).collect();
        let unseen: Vec<_> = names()
            .into_iter()
            .filter(|name| !self.rows.contains_key(name))
            .collect();
        format!(
            "# System calls that fail\n\n\
             `cargo xtask faults` runs the released program under `strace -f -e inject=`: each system\n\
             call that it makes while it copies a small tree of everything fails with each code that\n\
             its manual page lists (and each that moves data returns 0 once), at the 1st, 2nd and 5th\n\
             call of its kind, and at every one. A run must end in a right copy (exit code 0), or say\n\
             what was not copied, with path and cause, and exit with 1; what it made and could not\n\
             finish must not be left under a final name, the source must be as it was, and nothing may\n\
             hang (30 s). `cargo xtask test faults` plays a sample, chosen by a seed.\n\n\
             The tables in `xtask/src/faults` hold the calls with their codes, and the {} command lines:\n{}.\n\n\
             {self}\n\
             Made by none of these command lines (they are for other kernels, or other options): {}.\n",
            scenarios.len(),
            scenarios.join("; "),
            unseen.join(", "),
        )
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "| call | cases | copied | failed, and reported it | wrong |"
        )?;
        writeln!(f, "| --- | ---: | ---: | ---: | ---: |")?;
        let mut line = |name: &str, row: Row| {
            let Row {
                copied,
                told,
                wrong,
                ..
            } = row;
            writeln!(
                f,
                "| {name} | {} | {copied} | {told} | {wrong} |",
                row.cases()
            )
        };
        for (name, row) in &self.rows {
            line(name, *row)?;
        }
        line("all", self.total())?;
        let not_met = self.total().not_met;
        writeln!(
            f,
            "\n{not_met} more runs went another way, and did not come to the call."
        )
    }
}
