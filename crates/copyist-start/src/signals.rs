//! A second signal that ends the process at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A signal that arrives this soon after the first counts as the same: timeout(1) and shells send one to the process
/// and to its process group, which contains the process too.
const ONE_SIGNAL: Duration = Duration::from_millis(500);

/// The time of the first signal, on a clock of its own. All signals share it.
#[derive(Clone, Debug)]
pub struct FirstSignal {
    clock: Instant,
    /// Nanoseconds of the clock plus one; 0: there was none.
    came: Arc<AtomicU64>,
}

impl Default for FirstSignal {
    fn default() -> FirstSignal {
        FirstSignal {
            clock: Instant::now(),
            came: Arc::default(),
        }
    }
}

impl FirstSignal {
    /// From now on the second signal ends the process with this exit code, without any cleanup. The first one is only
    /// recorded.
    ///
    /// # Errors
    ///
    /// If the signal's handler can't be set.
    pub fn exit_at_second(&self, signal: i32, exit_code: i32) -> io::Result<()> {
        let first = self.clone();
        let act = move || {
            if first.is_second(first.clock.elapsed()) {
                signal_hook::low_level::exit(exit_code);
            }
        };
        // SAFETY: all that a handler may do: an atomic operation, the clock (clock_gettime(2)
        // is on POSIX's list) and _exit. It allocates nothing, takes no lock and can't panic.
        unsafe { signal_hook::low_level::register(signal, act) }.map(|_| ())
    }

    /// Whether a signal at this time of the clock is a different one from the first.
    fn is_second(&self, now: Duration) -> bool {
        let now = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
        let now = now.saturating_add(1);
        let (done, seen) = (Ordering::AcqRel, Ordering::Acquire);
        match self.came.compare_exchange(0, now, done, seen) {
            Ok(_) => false,
            Err(came) => Duration::from_nanos(now.saturating_sub(came)) >= ONE_SIGNAL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_with_the_first_signal_is_no_second_one() {
        let first = FirstSignal::default();
        let at = |millis| first.is_second(Duration::from_millis(millis));
        assert_eq!([1000, 1000, 1020, 1499].map(at), [false; 4]);
        assert_eq!([1500, 1501, 9000].map(at), [true; 3]);
        // A handler that read the clock before the one that was first.
        assert!(!at(999));
        assert!(!FirstSignal::default().is_second(Duration::ZERO));
    }
}
