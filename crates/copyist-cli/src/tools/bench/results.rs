//! What a benchmark has measured.

use copyist::{Method, Probe};

use super::stats::Stats;

/// Everything that was measured.
pub(crate) struct Results {
    pub(super) probe: Probe,
    pub(super) size: u64,
    pub(super) files: u32,
    pub(super) runs: u32,
    pub(super) cold: bool,
    pub(super) rows: Vec<Row>,
    /// What there is to say about the figures, in words.
    pub(super) remarks: Vec<String>,
    /// Bytes that are used more than before, on the destination's volume, when all is cleaned up.
    pub(super) left_bytes: Option<u64>,
    /// Runs that were not made, since the time was up.
    pub(super) unmeasured: u64,
}

/// One contender.
pub(crate) struct Row {
    /// What it is called.
    pub(super) name: String,
    /// The method that it is, if it is one alone.
    pub(super) method: Option<Method>,
    /// The one that the others are compared with.
    pub(super) is_baseline: bool,
    pub(super) outcome: Outcome,
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
