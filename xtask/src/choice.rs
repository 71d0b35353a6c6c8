//! A sample that a seed chooses: the same one every time.

/// Chooses `wanted` of `of` things, asked one after the other.
#[derive(Debug)]
pub(crate) struct Choice {
    state: u64,
    left: usize,
    wanted: usize,
}

impl Choice {
    pub(crate) fn new(seed: u64, of: usize, wanted: usize) -> Self {
        let wanted = wanted.min(of);
        Self {
            state: seed,
            left: of,
            wanted,
        }
    }

    /// Whether the next one is chosen.
    pub(crate) fn next(&mut self) -> bool {
        // Knuth's MMIX generator, of which the high bits are good.
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let Some(left) = self.left.checked_sub(1) else {
            return false;
        };
        let chosen = (self.state >> 33) as usize % self.left < self.wanted;
        self.left = left;
        self.wanted -= usize::from(chosen);
        chosen
    }
}

#[cfg(test)]
mod tests {
    use super::Choice;

    #[test]
    fn as_many_are_chosen_as_are_wanted_and_the_same_ones_again() {
        let chosen = |seed| -> Vec<bool> {
            let mut choice = Choice::new(seed, 100, 7);
            (0..100).map(|_| choice.next()).collect()
        };
        for seed in 0..50 {
            assert_eq!(chosen(seed).iter().filter(|it| **it).count(), 7);
        }
        assert_eq!(chosen(1), chosen(1));
        assert_ne!(chosen(1), chosen(2));
        assert!(!Choice::new(1, 0, 5).next());
    }
}
