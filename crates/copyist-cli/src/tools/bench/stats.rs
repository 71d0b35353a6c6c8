//! Statistics of runs: median, spread and outliers.

use std::time::Duration;

/// The statistics of one contender. Times are in seconds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stats {
    pub(crate) runs: Vec<f64>,
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
    /// The lower and the upper quartile.
    pub(crate) quartiles: (f64, f64),
    /// The numbers (from 0) of the outliers.
    pub(crate) outliers: Vec<usize>,
}

/// A run with this score or more is an outlier: 0.6745 (x - median) / MAD, where MAD is the median of all
/// distances from the median. Iglewicz and Hoaglin (1993) recommend 3.5.
const STANDS_OUT: f64 = 3.5;

/// With fewer runs no outlier can be determined.
const ENOUGH: usize = 5;

/// Whatever the score, a run whose relative distance from the median is below this is not an outlier.
const IS_CLOSE: f64 = 0.1;

impl Stats {
    /// `None` without runs.
    pub(crate) fn of(runs: &[Duration]) -> Option<Stats> {
        let runs: Vec<f64> = runs.iter().map(Duration::as_secs_f64).collect();
        let mut sorted = runs.clone();
        sorted.sort_by(f64::total_cmp);
        let median = quantile(&sorted, 0.5)?;
        let mut distances: Vec<f64> = runs.iter().map(|run| (run - median).abs()).collect();
        distances.sort_by(f64::total_cmp);
        let mad = quantile(&distances, 0.5)?;
        let stands_out = |run: f64| {
            let distance = (run - median).abs();
            runs.len() >= ENOUGH
                && distance > median * IS_CLOSE
                && 0.6745 * distance > STANDS_OUT * mad
        };
        Some(Stats {
            outliers: (0..runs.len()).filter(|&n| stands_out(runs[n])).collect(),
            least: *sorted.first()?,
            most: *sorted.last()?,
            quartiles: (quantile(&sorted, 0.25)?, quantile(&sorted, 0.75)?),
            median,
            runs,
        })
    }

    /// The interquartile range as a fraction of the median.
    pub(crate) fn spread(&self) -> f64 {
        let (low, high) = self.quartiles;
        if self.median > 0.0 {
            (high - low) / self.median
        } else {
            0.0
        }
    }
}

/// Interpolated between the two nearest values (type 7 of Hyndman and Fan).
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = part * sorted.len().checked_sub(1)? as f64;
    let (below, above) = (at.floor() as usize, at.ceil() as usize);
    Some(sorted[below] + (sorted[above] - sorted[below]) * (at - at.floor()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stats(ms: &[u64]) -> Stats {
        let runs: Vec<_> = ms.iter().map(|&ms| Duration::from_millis(ms)).collect();
        Stats::of(&runs).expect("runs")
    }

    #[test]
    fn the_middle_is_not_moved_by_what_stands_out() {
        let stats = stats(&[100, 101, 900, 99, 102]);
        assert_eq!(stats.median, 0.101);
        assert_eq!(stats.outliers, [2]);
        assert_eq!((stats.least, stats.most), (0.099, 0.9));
    }

    #[test]
    fn runs_that_are_close_don_t_stand_out() {
        assert_eq!(stats(&[100, 100, 100, 100, 105]).outliers, [0; 0]);
        assert_eq!(stats(&[100, 100, 100, 100, 150]).outliers, [4]);
        assert_eq!(stats(&[100, 100, 100, 900]).outliers, [0; 0], "too few");
    }

    #[test]
    fn quartiles_are_between_the_runs() {
        let stats = stats(&[10, 20, 30, 40]);
        assert_eq!(stats.median, 0.025);
        assert!((stats.spread() - 0.6).abs() < 1e-9);
        assert_eq!(Stats::of(&[]), None);
    }
}
