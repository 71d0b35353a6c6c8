//! How long a program is waited for before it counts as one that hangs.

use std::time::{Duration, Instant};

/// One look counts for no more than this: what is longer is a machine that was stopped or is busy
/// elsewhere, and the program that is waited for has not run either.
const LOOK: Duration = Duration::from_millis(20);

/// Patience that only ends while this program runs as well.
#[derive(Debug)]
pub(crate) struct Patience {
    left: Duration,
    last: Instant,
}

impl Patience {
    pub(crate) fn new(longest: Duration) -> Self {
        Self {
            left: longest,
            last: Instant::now(),
        }
    }

    /// To be asked again and again, with a short sleep in between.
    pub(crate) fn is_over(&mut self) -> bool {
        let now = Instant::now();
        let passed = (now - self.last).min(LOOK);
        self.last = now;
        self.left = self.left.saturating_sub(passed);
        self.left.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_counts_for_one_look() {
        let mut patience = Patience::new(LOOK * 3);
        patience.last -= Duration::from_secs(1000);
        assert!(!patience.is_over());
        patience.last -= Duration::from_secs(1000);
        assert!(!patience.is_over());
        patience.last -= LOOK;
        assert!(patience.is_over());
    }
}
