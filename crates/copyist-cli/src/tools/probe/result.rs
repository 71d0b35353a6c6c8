//! The result of a probe.

use copyist::probe::Probe;

use crate::process::bench_results::Pair;

/// The result of a probe.
pub(crate) struct ProbeResult {
    /// The source's volume, by itself.
    pub(crate) src: Probe,
    /// The destination's volume by itself, and the pair.
    pub(crate) dst: Option<(Probe, Probe)>,
    /// Saved results of `bench`, and whether they are of this system.
    pub(crate) saved: Vec<(Pair, bool)>,
}

impl ProbeResult {
    /// The probe of the pair that a copy would be between.
    pub(crate) fn pair(&self) -> &Probe {
        self.dst.as_ref().map_or(&self.src, |(_, pair)| pair)
    }
}
