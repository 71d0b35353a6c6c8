//! What was measured beside what it must show.

use super::place::Place;
use super::record::Pair;
use super::rows::{Against, Row, Target};
use super::stats::Summary;
use super::tools::Tool;

/// One target on one filesystem.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    pub(super) on: Place,
    /// Against whom, for people; of several the one that did best.
    pub(super) against: String,
    pub(super) measured: Measured,
    pub(super) at_most: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Measured {
    Ratio(Summary),
    PeakMib(f64),
}

impl Judged {
    pub(super) fn is_held(&self) -> bool {
        let value = match self.measured {
            Measured::Ratio(ratio) => ratio.median,
            Measured::PeakMib(peak) => peak,
        };
        value <= self.at_most
    }
}

/// All targets of a row for which there is a measurement, filesystem by filesystem.
pub(super) fn judge(row: &Row, pairs: &[&Pair]) -> Vec<Judged> {
    let mut judged = Vec::new();
    for place in places(pairs) {
        let here: Vec<&Pair> = pairs
            .iter()
            .copied()
            .filter(|pair| pair.on == place)
            .collect();
        judged.extend(
            row.targets
                .iter()
                .filter_map(|target| one(target, place, &here)),
        );
    }
    judged
}

/// Where these were measured, each once.
pub(super) fn places(pairs: &[&Pair]) -> Vec<Place> {
    let mut places: Vec<Place> = pairs.iter().map(|pair| pair.on).collect();
    places.sort_unstable();
    places.dedup();
    places
}

fn one(target: &Target, on: Place, pairs: &[&Pair]) -> Option<Judged> {
    let at_most = target.on(on);
    if target.against == Against::Memory {
        let peak_kib = pairs.iter().map(|pair| pair.copyist_peak_kib).max()?;
        return Some(Judged {
            on,
            against: "peak of memory".into(),
            measured: Measured::PeakMib(peak_kib as f64 / 1024.0),
            at_most,
        });
    }
    let counts = |tool: Tool| match target.against {
        Against::Tool(one) => tool == one,
        Against::GnuCp => tool.is_gnu_cp(),
        Against::BestPeer => tool != Tool::Floor,
        Against::Memory => false,
    };
    let (pair, ratio) = pairs
        .iter()
        .filter(|pair| counts(pair.tool))
        .filter_map(|pair| Some((pair, pair.ratio()?)))
        .max_by(|(_, one), (_, two)| one.median.total_cmp(&two.median))?;
    let title = pair.tool.title();
    let against = match target.against {
        Against::BestPeer => format!("best peer: {title}"),
        _ => title.to_owned(),
    };
    Some(Judged {
        on,
        against,
        measured: Measured::Ratio(ratio),
        at_most,
    })
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::pair;
    use super::*;

    fn of(row: &str, pairs: &[Pair]) -> Vec<(String, f64, bool)> {
        let row = Row::named(row).expect("a row");
        let pairs: Vec<&Pair> = pairs.iter().collect();
        let judged = judge(row, &pairs).into_iter().map(|judged| {
            let value = match judged.measured {
                Measured::Ratio(ratio) => ratio.median,
                Measured::PeakMib(peak) => peak,
            };
            (judged.against.clone(), value, judged.is_held())
        });
        judged.collect()
    }

    #[test]
    fn the_best_of_the_others_counts_and_only_if_it_is_right() {
        let pair = |tool, ms| pair("flat", Place::Ext4, tool, "d", &[(9.0, ms)]);
        let mut pairs = [
            pair(Tool::Floor, 5.0),
            pair(Tool::Cpz, 9.0),
            pair(Tool::Xcp, 10.0),
        ];
        let best = |name: &str, ratio, held| vec![(format!("best peer: {name}"), ratio, held)];
        assert_eq!(of("flat", &pairs), best("cpz", 1.0, false));
        pairs[1].fault = Some("it is wrong".into());
        assert_eq!(of("flat", &pairs), best("xcp", 0.9, true));
    }

    #[test]
    fn the_faster_gnu_cp_counts() {
        let pair = |tool, ms| pair("one", Place::Tmpfs, tool, "d", &[(1.0, ms)]);
        let pairs = [pair(Tool::Cp, 0.5), pair(Tool::CpNewest, 1.0)];
        assert_eq!(
            of("one", &pairs),
            [("GNU cp of the system".into(), 2.0, false)]
        );
    }

    #[test]
    fn memory_is_our_own_peak() {
        let pair = pair("million-flat", Place::Tmpfs, Tool::Cp, "d", &[(1.0, 1.0)]);
        assert_eq!(
            of("million-flat", &[pair]),
            [("peak of memory".into(), 5.0, true)]
        );
    }

    #[test]
    fn what_was_not_measured_is_not_judged() {
        let pair = pair("small", Place::Btrfs, Tool::Cpz, "d", &[(1.0, 2.0)]);
        assert_eq!(of("small", &[pair]), [("cpz".into(), 0.5, true)]);
    }
}
