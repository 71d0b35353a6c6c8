//! What a probe has found out.

use copyist::Probe;

use crate::process::bench_results::Pair;

/// All that was found out.
pub(crate) struct Found {
    /// The source's volume, by itself.
    pub(crate) src: Probe,
    /// The destination's, and what can be done between the two.
    pub(crate) dst: Option<(Probe, Probe)>,
    /// What was measured before, and whether it still counts.
    pub(crate) learnt: Vec<(Pair, bool)>,
}

impl Found {
    /// What a copy would be made by.
    pub(crate) fn pair(&self) -> &Probe {
        self.dst.as_ref().map_or(&self.src, |(_, pair)| pair)
    }
}
