//! The number of files in flight: adapted during the run, unless the options set it.
//!
//! A local disk is fastest with as many workers as there are processors. A mount that is slow to respond (NFS, SMB, FUSE,
//! a cloud's disk) is fastest with many more, most of which wait; a disk that must move its head, with few. Only trying
//! shows which it is, so the number is changed from time to time:
//!
//! ```text
//!         the processors idle, waiting                 it was worth it
//! start ──────────────────────────────► double it ──────────────────────► double it again ...
//! (processors)                              │ no gain: back, and hold
//!                                           ▼
//!                     after a while: halve it, as long as that costs nothing; else hold longer
//! ```
//!
//! Idle processors alone are no reason: new threads may share a processor for a while, and threads that contend for a lock
//! get no faster by being more. A mount that is slow to respond shows by the waits of threads: one for each entry, or more.
//!
//! Each volume pair has its own number.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::system::Used;

/// The most files in flight unless the options set another number. More would queue in a server.
pub(super) const MOST: usize = 64;

/// The number of files in flight at the start, if each is made durable by itself: a worker waits nearly all of the
/// time, and one flush of the device ends the waits of several (docs/measurements.md, "fsync for each file").
pub(super) const FIRST_WITH_FSYNC: usize = MOST;

/// The interval between measurements.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// A measurement waits until each file in flight stands for this much work ...
const ENOUGH_EACH: u64 = 3;

/// ... but at most this long: there may be large files.
const LOOK_AT_LAST: Duration = Duration::from_millis(500);

/// A worker adds its work to the total when it has done this much ...
const ADD_AT_LAST: u64 = 16;

/// ... or after this time.
const ADD_EVERY: Duration = Duration::from_millis(5);

/// Work is counted in files, and in bytes of this unit: what one request to a slow mount moves.
const BYTES_OF_ONE: u64 = 128 << 10;

/// Above this share of processor time, waiting does not limit the speed.
const BUSY: f64 = 0.7;

/// With at least this many waits for each entry, waiting limits the speed: every request to a mount that is slow to
/// respond is a wait. Threads that contend for locks wait less often (docs/measurements.md).
const WAITS_EACH: f64 = 1.0;

/// A larger number is kept if the speed rises by this factor.
const WORTH_IT: f64 = 1.15;

/// A smaller number is kept if the speed falls to no less than this factor.
const COSTS_NOTHING: f64 = 0.95;

/// The number of measurements for which a proven number is kept before another is tried.
const HOLD: u32 = 20;

/// A measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Work per second.
    pub(super) rate: f64,
    /// The share of processor time that was used, 0 to 1.
    pub(super) busy: f64,
    /// The number of waits for each entry, where the system reports it.
    pub(super) waits: Option<f64>,
}

impl Seen {
    /// Whether waiting limits the speed. Idle processors alone don't show it: new threads share one for a while.
    fn is_waiting(self) -> bool {
        self.busy <= BUSY && self.waits.is_none_or(|each| each >= WAITS_EACH)
    }
}

/// The state of one volume pair. Pure: the same measurements give the same numbers.
#[derive(Clone, Debug)]
pub(super) struct Control {
    limit: usize,
    most: usize,
    /// The length of the next hold, in measurements.
    hold: u32,
    state: State,
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// Another number is tried after this many measurements.
    Holding(u32),
    /// The number was lowered from `limit`, which had this rate. The surplus workers complete their files, so the next
    /// measurement still contains their work.
    Falling { limit: usize, rate: f64 },
    /// The number was changed from `limit`, which had this rate.
    Trying { limit: usize, rate: f64 },
}

impl Control {
    pub(super) fn new(start: usize, most: usize) -> Control {
        Control {
            limit: start,
            most: most.max(start),
            hold: HOLD,
            state: State::Holding(0),
        }
    }

    /// Takes a measurement, and returns the number of files in flight from now on.
    pub(super) fn look(&mut self, seen: Seen) -> usize {
        match self.state {
            State::Holding(0) => self.try_another(seen),
            State::Holding(left) => self.state = State::Holding(left - 1),
            State::Falling { limit, rate } => self.state = State::Trying { limit, rate },
            State::Trying { limit, rate } => self.judge(limit, rate, seen),
        }
        self.limit
    }

    fn try_another(&mut self, seen: Seen) {
        if !seen.is_waiting() || self.limit == self.most {
            self.state = State::Holding(self.hold);
        } else {
            self.change((self.limit * 2).min(self.most), seen.rate);
        }
    }

    fn judge(&mut self, before: usize, rate: f64, seen: Seen) {
        let rose = self.limit > before;
        let keeps = seen.rate >= rate * if rose { WORTH_IT } else { COSTS_NOTHING };
        match (rose, keeps) {
            (true, true) => self.try_another(seen),
            // A smaller number may have been enough.
            (true, false) if before > 1 => {
                self.limit = before;
                self.change(before / 2, rate);
            }
            (false, true) if self.limit > 1 => self.change(self.limit / 2, seen.rate),
            (_, keeps) => {
                self.limit = if keeps { self.limit } else { before };
                self.state = State::Holding(self.hold);
                self.hold = (self.hold * 2).min(HOLD * 32);
            }
        }
    }

    fn change(&mut self, limit: usize, rate: f64) {
        let before = std::mem::replace(&mut self.limit, limit);
        self.state = if limit < before {
            State::Falling {
                limit: before,
                rate,
            }
        } else {
            State::Trying {
                limit: before,
                rate,
            }
        };
    }
}

/// A pair of volumes, by their ids.
type Pair = (u64, u64);

/// The work of one worker since it last added it to the total. A counter that all threads write to moves its cache
/// line between processors, which takes longer than the count itself.
#[derive(Debug, Default)]
pub(super) struct Tally {
    done: u64,
    entries: u64,
    /// Nanoseconds since the start of the run.
    added_at: u64,
    /// The clock is not read before this much work is done: reading it would be a considerable part of a small file's
    /// time.
    unasked: u64,
}

/// The control of a run.
#[derive(Debug)]
pub(super) struct Concurrency {
    start: Instant,
    processors: usize,
    /// The number of files in flight at the start, for each pair.
    first: usize,
    most: usize,
    /// Nanoseconds since the start; `u64::MAX` if the number is fixed.
    next_look: AtomicU64,
    done: AtomicU64,
    entries: AtomicU64,
    learnt: Mutex<Learnt>,
}

#[derive(Debug, Default)]
struct Learnt {
    pairs: HashMap<Pair, Control>,
    /// The pair of the last measurement, and the totals at that time.
    pair: Option<Pair>,
    at: Duration,
    done: u64,
    entries: u64,
    used: Used,
}

impl Concurrency {
    /// For a run with so many processors that begins with `first` files in flight, at most `most`. `is_fixed`: the
    /// number does not change. `used` is what the process has used before.
    pub(super) fn new(
        processors: usize,
        (first, most): (usize, usize),
        is_fixed: bool,
        used: Used,
    ) -> Concurrency {
        let next_look = if is_fixed {
            u64::MAX
        } else {
            nanos(LOOK_EVERY)
        };
        Concurrency {
            start: Instant::now(),
            processors,
            first,
            most,
            next_look: AtomicU64::new(next_look),
            done: AtomicU64::new(0),
            entries: AtomicU64::new(0),
            learnt: Mutex::new(Learnt {
                used,
                ..Learnt::default()
            }),
        }
    }

    /// Fixes the number.
    pub(super) fn fix(&self) {
        self.next_look.store(u64::MAX, Ordering::Relaxed);
    }

    /// Whether a measurement is due, after an entry with so many bytes.
    pub(super) fn is_due(&self, tally: &mut Tally, bytes: u64) -> bool {
        let next = self.next_look.load(Ordering::Relaxed);
        if next == u64::MAX {
            return false;
        }
        tally.done += 1 + bytes / BYTES_OF_ONE;
        tally.entries += 1;
        if tally.done < tally.unasked {
            return false;
        }
        let now = nanos(self.start.elapsed());
        let is_due = now >= next;
        let is_late = now - tally.added_at >= nanos(ADD_EVERY);
        if is_due || is_late || tally.done >= ADD_AT_LAST {
            self.done.fetch_add(tally.done, Ordering::Relaxed);
            self.entries.fetch_add(tally.entries, Ordering::Relaxed);
            *tally = Tally {
                done: 0,
                entries: 0,
                added_at: now,
                unasked: if is_late { 0 } else { ADD_AT_LAST },
            };
        }
        is_due
    }

    /// Measures, unless another thread does; returns the number of files in flight from now on.
    pub(super) fn look(&self, pair: Pair, used: Used) -> Option<usize> {
        let mut learnt = match self.learnt.try_lock() {
            Ok(learnt) => learnt,
            Err(TryLockError::Poisoned(poisoned)) => PoisonError::into_inner(poisoned),
            Err(TryLockError::WouldBlock) => return None, // another thread is measuring
        };
        let now = self.start.elapsed();
        let done = self.done.load(Ordering::Relaxed);
        let under_way = learnt.pairs.get(&pair).map_or(self.first, |it| it.limit);
        let few = done - learnt.done < ENOUGH_EACH * under_way as u64;
        let wait = if few && now - learnt.at < LOOK_AT_LAST {
            LOOK_EVERY / 5
        } else {
            LOOK_EVERY
        };
        let later = |next| (next != u64::MAX).then(|| nanos(now + wait));
        // Declined if the number was fixed in the meantime.
        self.next_look
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, later)
            .ok()?;
        if wait < LOOK_EVERY {
            return None; // the rate of a few files is not reliable
        }
        let entries = self.entries.load(Ordering::Relaxed);
        let seconds = (now - learnt.at).as_secs_f64();
        let time = used
            .processor_time
            .saturating_sub(learnt.used.processor_time);
        let waits = used.waits.zip(learnt.used.waits);
        let seen = Seen {
            rate: (done - learnt.done) as f64 / seconds,
            busy: time.as_secs_f64() / (seconds * self.processors as f64),
            waits: waits.map(|(now, before)| {
                now.saturating_sub(before) as f64 / (entries - learnt.entries).max(1) as f64
            }),
        };
        (learnt.at, learnt.done, learnt.entries, learnt.used) = (now, done, entries, used);
        let before = learnt.pair.replace(pair);
        let control = learnt
            .pairs
            .entry(pair)
            .or_insert_with(|| Control::new(self.first, self.most));
        // A measurement during which the walk has changed from another pair is not of this pair alone.
        Some(if before.is_some_and(|it| it != pair) {
            control.limit
        } else {
            control.look(seen)
        })
    }
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes many measurements of a mount that behaves so, with rates that vary by a tenth; returns the last number
    /// and the mean rate of the last measurements.
    fn settles(start: usize, mount: impl Fn(f64) -> Seen) -> (usize, f64) {
        let mut control = Control::new(start, MOST);
        let mut limit = start;
        let mut random = 7_u32;
        let mut last = Vec::new();
        for look in 0..400 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let noise = 0.95 + f64::from(random >> 16) / f64::from(u16::MAX) / 10.0;
            let seen = mount(limit as f64);
            if look >= 200 {
                last.push(seen.rate);
            }
            limit = control.look(Seen {
                rate: seen.rate * noise,
                ..seen
            });
        }
        (limit, last.iter().sum::<f64>() / last.len() as f64)
    }

    #[test]
    fn a_slow_mount_is_kept_busy() {
        // A millisecond each, 24 at a time.
        let mount = |limit: f64| Seen {
            rate: limit.min(24.0) * 1000.0,
            busy: 0.05,
            waits: None,
        };
        let (limit, rate) = settles(2, mount);
        assert!((16..=MOST).contains(&limit), "{limit}");
        assert!(rate > 0.9 * 24_000.0, "{rate}");
    }

    #[test]
    fn a_mount_without_an_end_is_bounded() {
        let (limit, rate) = settles(2, |limit| Seen {
            rate: limit * 100.0,
            busy: 0.01,
            waits: None,
        });
        assert_eq!(limit, MOST);
        assert!(rate > 0.9 * 6400.0, "{rate}");
    }

    #[test]
    fn busy_processors_get_no_more_workers() {
        for processors in [1, 2, 16] {
            let (limit, _) = settles(processors, |_| Seen {
                rate: 50_000.0,
                busy: 0.95,
                waits: None,
            });
            assert_eq!(limit, processors);
        }
    }

    #[test]
    fn idle_processors_that_nobody_waits_for_get_no_more_workers() {
        let with = |waits| {
            let mount = |limit: f64| Seen {
                rate: limit * 1000.0,
                busy: 0.5,
                waits,
            };
            settles(2, mount).0
        };
        assert_eq!(with(Some(0.4)), 2, "locks, or two threads on one processor");
        assert_eq!(with(Some(3.0)), MOST);
        assert_eq!(with(None), MOST, "nobody counts");
    }

    #[test]
    fn a_disk_that_moves_its_head_is_served_by_few() {
        let disk = |limit: f64| Seen {
            rate: 150.0 / (1.0 + 0.3 * (limit - 1.0)),
            busy: 0.02,
            waits: None,
        };
        for processors in [2, 8, 32] {
            let (limit, rate) = settles(processors, disk);
            assert!(limit <= 2, "{processors}: {limit}");
            assert!(rate > 0.75 * 150.0, "{processors}: {rate}");
        }
    }

    #[test]
    fn one_request_at_a_time_is_left_at_that() {
        let (limit, _) = settles(8, |_| Seen {
            rate: 1000.0,
            busy: 0.1,
            waits: None,
        });
        assert!(limit <= 2, "{limit}");
    }

    #[test]
    fn a_fixed_number_is_never_due() {
        let fixed = Concurrency::new(4, (4, MOST), true, Used::default());
        std::thread::sleep(LOOK_EVERY * 2);
        assert!(!fixed.is_due(&mut Tally::default(), 1 << 30));
    }

    #[test]
    fn little_of_what_was_done_is_not_told_yet() {
        let concurrency = Concurrency::new(2, (2, MOST), false, Used::default());
        let (mut one, mut other) = (Tally::default(), Tally::default());
        for _ in 0..500 {
            concurrency.is_due(&mut one, 10);
            concurrency.is_due(&mut other, BYTES_OF_ONE);
        }
        let done = concurrency.done.load(Ordering::Relaxed);
        assert!((1500 - 2 * ADD_AT_LAST..=1500).contains(&done), "{done}");
    }

    #[test]
    fn what_counts_is_what_was_used_since_the_last_look() {
        let before = Used {
            processor_time: Duration::from_secs(1000),
            waits: Some(1_000_000),
        };
        let more = |waits: u64| Used {
            waits: Some(1_000_000 + waits),
            ..before
        };
        let looks = |waits: u64| {
            let concurrency = Concurrency::new(2, (2, MOST), false, before);
            concurrency.done.fetch_add(200, Ordering::Relaxed);
            concurrency.entries.fetch_add(100, Ordering::Relaxed);
            concurrency.look((1, 2), more(waits))
        };
        assert_eq!(looks(30), Some(2), "few waits");
        assert_eq!(looks(300), Some(4), "three each");
    }

    #[test]
    fn pairs_learn_for_themselves() {
        let concurrency = Concurrency::new(2, (2, MOST), false, Used::default());
        let idle = Used::default();
        assert_eq!(concurrency.look((1, 2), idle), None, "nothing is done yet");
        concurrency.done.fetch_add(100, Ordering::Relaxed);
        assert_eq!(concurrency.look((1, 2), idle), Some(4));
        concurrency.done.fetch_add(100, Ordering::Relaxed);
        assert_eq!(
            concurrency.look((1, 3), idle),
            Some(2),
            "the first of its own"
        );
        concurrency.done.fetch_add(100, Ordering::Relaxed);
        assert_eq!(concurrency.look((1, 2), idle), Some(4), "what was learnt");
    }
}
