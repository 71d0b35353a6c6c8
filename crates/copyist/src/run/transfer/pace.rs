//! How much one call may do, so that it ends soon enough for a cancellation to be noticed.

use std::time::Duration;

use super::CALL_BYTES;
use crate::words::method::Os;

/// What the first call of a file may move, bytes. On a mount where each request takes 5 ms and writes 64 KiB, that is
/// 30 ms.
const FIRST_BYTES: u64 = 256 << 10;

/// The least that a call may move, bytes: about the size of a slow mount's requests.
const FEWEST_BYTES: u64 = 128 << 10;

/// The most that one call may share of a file of ordinary size, bytes: on Windows it must be less than 4 GiB, and a
/// range without many extents may be followed by one with many.
const MOST_SHARED_BYTES: u64 = 1 << 30;

/// Where calls may be longer than that, one call shares at most this part of the file: a file of 2^63 bytes takes
/// some hundred calls.
const LEAST_CALLS: u64 = 64;

/// After a call that takes no longer than this, the next may be twice as large; after one that takes less than an
/// eighth of it, four times.
const SHORT: Duration = Duration::from_millis(15);

/// After a call that takes longer than this, the next is half as large: a cancellation waits for its end, and then
/// for the removal of the incomplete copy, within the 200 ms that are promised.
const LONG: Duration = Duration::from_millis(40);

/// Adapts the size of calls to the time that they take.
#[derive(Debug)]
pub(super) struct Pace {
    bytes: u64,
    most: u64,
}

impl Pace {
    /// For calls that move bytes.
    pub(super) fn of_moves() -> Pace {
        Pace {
            bytes: FIRST_BYTES,
            most: CALL_BYTES,
        }
    }

    /// For calls that share extents, of which a fragmented file has one for each 4 KiB.
    pub(super) fn of_clones(os: Os, size: u64) -> Pace {
        let most = match os {
            Os::Windows => MOST_SHARED_BYTES,
            // A whole number of blocks, whatever the block size.
            _ => (size / LEAST_CALLS).next_multiple_of(MOST_SHARED_BYTES),
        };
        Pace {
            bytes: CALL_BYTES,
            most: most.max(MOST_SHARED_BYTES),
        }
    }

    /// The most that the next call may do.
    pub(super) fn call_bytes(&self) -> u64 {
        self.bytes
    }

    /// A call took this long.
    pub(super) fn took(&mut self, time: Duration) {
        if time < SHORT {
            let times = if time < SHORT / 8 { 4 } else { 2 };
            self.bytes = (self.bytes * times).min(self.most);
        } else if time > LONG {
            self.bytes = (self.bytes / 2).max(FEWEST_BYTES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The duration of the longest of `calls` calls on a volume with this speed.
    fn longest(bytes_a_second: f64, calls: usize) -> (Duration, u64) {
        let mut pace = Pace::of_moves();
        let mut longest = Duration::ZERO;
        for _ in 0..calls {
            let time = Duration::from_secs_f64(pace.call_bytes() as f64 / bytes_a_second);
            longest = longest.max(time);
            pace.took(time);
        }
        (longest, pace.call_bytes())
    }

    #[test]
    fn calls_are_short_on_slow_volumes_and_large_on_fast_ones() {
        for rate in [1e7, 5e7, 2e8, 1e9] {
            let (longest, _) = longest(rate, 100);
            assert!(longest < Duration::from_millis(60), "{rate}: {longest:?}");
        }
        let (_, fast) = longest(1e10, 9);
        assert_eq!(fast, CALL_BYTES);
        let (_, slow) = longest(1e6, 10);
        assert_eq!(slow, FEWEST_BYTES);
    }

    /// The number of calls that share a file of so many bytes, if they take no time.
    fn calls_of_clones(size: u64) -> u32 {
        let mut pace = Pace::of_clones(Os::Linux, size);
        let (mut shared, mut calls) = (0_u64, 0);
        while shared < size {
            shared += pace.call_bytes().min(size - shared);
            pace.took(Duration::ZERO);
            calls += 1;
        }
        calls
    }

    #[test]
    fn a_file_of_few_extents_is_cloned_in_few_calls() {
        let mut pace = Pace::of_clones(Os::Linux, 5 << 30);
        for expected in [64 << 20, 256 << 20, MOST_SHARED_BYTES, MOST_SHARED_BYTES] {
            assert_eq!(pace.call_bytes(), expected);
            pace.took(Duration::from_micros(100));
        }
        assert_eq!(calls_of_clones(u64::MAX >> 1), 80);
        // A range with many extents begins here.
        pace.took(LONG * 10);
        assert_eq!(pace.call_bytes(), MOST_SHARED_BYTES / 2);
    }
}
