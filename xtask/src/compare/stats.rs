//! Medians, and how far the rounds lie apart.

/// A spread of ratios above this part of their median is reported as noise.
const QUIET: f64 = 0.10;

/// Of the rounds of one pair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

impl Summary {
    /// None for no values.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        let (least, most) = (*values.first()?, *values.last()?);
        let middle = values.len() / 2;
        let median = if values.len() % 2 == 1 {
            values[middle]
        } else {
            f64::midpoint(values[middle - 1], values[middle])
        };
        Some(Self {
            median,
            least,
            most,
        })
    }

    /// The distance between the least and the most, as a part of the median.
    pub(super) fn spread(&self) -> f64 {
        (self.most - self.least) / self.median
    }

    pub(super) fn is_noisy(&self) -> bool {
        self.spread() > QUIET
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        let odd = Summary::of([3.0, 1.0, 100.0]).expect("values");
        assert_eq!((odd.median, odd.least, odd.most), (3.0, 1.0, 100.0));
        let even = Summary::of([4.0, 1.0, 2.0, 3.0]).expect("values");
        assert_eq!(even.median, 2.5);
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn noise_is_a_tenth() {
        let ratios = |most| Summary::of([1.0, 1.0, most]).expect("values");
        assert!(!ratios(1.09).is_noisy());
        assert!(ratios(1.11).is_noisy());
    }
}
