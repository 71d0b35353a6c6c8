//! The results of a benchmark.

use copyist::Method;
use copyist::probe::Probe;

use super::stats::Stats;

/// All results.
pub(crate) struct Results {
    pub(super) probe: Probe,
    pub(super) size: u64,
    pub(super) files: u32,
    pub(super) runs: u32,
    pub(super) cold: bool,
    pub(super) rows: Vec<Row>,
    /// Remarks on the figures.
    pub(super) remarks: Vec<String>,
    /// Bytes on the destination's volume that are used after the clean-up and were free before.
    pub(super) left_bytes: Option<u64>,
    /// Runs that were not made because the time was up.
    pub(super) unmeasured: u64,
}

/// The result of one contender.
pub(crate) struct Row {
    /// Its name.
    pub(super) name: String,
    /// Its method, if it is a single one.
    pub(super) method: Option<Method>,
    /// The one that the others are compared with.
    pub(super) is_baseline: bool,
    pub(super) outcome: Outcome,
}

/// The outcome of a contender.
pub(crate) enum Outcome {
    Measured {
        stats: Stats,
        /// The method that completed the copies.
        by: Option<Method>,
        /// Bytes that the filesystem reports as shared, if it does.
        shared: Option<u64>,
    },
    /// The method is not supported here: the code, if the system returned one, and why.
    Refused { code: Option<String>, why: String },
    /// The copy differs from its source, or failed.
    Failed(String),
    /// The time was up before it could run.
    Unmeasured,
}

impl Row {
    pub(super) fn stats(&self) -> Option<&Stats> {
        match &self.outcome {
            Outcome::Measured { stats, .. } => Some(stats),
            _ => None,
        }
    }
}

impl Results {
    pub(super) fn baseline(&self) -> Option<&Stats> {
        let row = self.rows.iter().find(|row| row.is_baseline)?;
        row.stats()
    }

    /// How many times faster than the baseline.
    pub(super) fn ratio(&self, stats: &Stats) -> Option<f64> {
        let baseline = self.baseline()?;
        (stats.median > 0.0).then(|| baseline.median / stats.median)
    }

    pub(super) fn source_bytes(&self) -> u64 {
        self.size / u64::from(self.files) * u64::from(self.files)
    }
}
