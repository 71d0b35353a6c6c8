//! Attackers: threads that put something else in a name's place, and back, as fast as they can.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Scope, ScopedJoinHandle};

use rustix::fs::{CWD, RenameFlags, renameat_with};

/// Two names that change places.
#[derive(Debug, Clone)]
pub(super) struct Swap {
    pub(super) victim: PathBuf,
    pub(super) decoy: PathBuf,
}

impl Swap {
    fn once(&self) -> bool {
        // The victim may not be there yet, or not any more.
        renameat_with(CWD, &self.victim, CWD, &self.decoy, RenameFlags::EXCHANGE).is_ok()
    }
}

/// Attackers at work, until they are stopped.
#[derive(Debug)]
pub(super) struct Attackers<'s> {
    stop: &'s AtomicBool,
    running: Vec<ScopedJoinHandle<'s, u64>>,
}

impl<'s> Attackers<'s> {
    /// Lets one loose on each of these.
    pub(super) fn start(
        scope: &'s Scope<'s, '_>,
        swaps: Vec<Swap>,
        stop: &'s AtomicBool,
    ) -> Attackers<'s> {
        stop.store(false, Ordering::Relaxed);
        let running = swaps
            .into_iter()
            .map(|swap| {
                scope.spawn(move || {
                    let swapped = AtomicU64::new(0);
                    while !stop.load(Ordering::Relaxed) {
                        if swap.once() {
                            swapped.fetch_add(1, Ordering::Relaxed);
                        } else {
                            std::thread::yield_now();
                        }
                    }
                    swapped.into_inner()
                })
            })
            .collect();
        Attackers { stop, running }
    }

    /// Stops them; returns how often they changed something.
    pub(super) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.running
            .into_iter()
            .map(|attacker| match attacker.join() {
                Ok(swapped) => swapped,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .sum()
    }
}

/// What an attacker puts in a name's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decoy {
    /// A symbolic link to a directory outside of both trees.
    LinkToDir,
    /// A symbolic link to a file outside of both trees.
    LinkToFile,
    /// A FIFO that no other process opens: a process that waits for it waits forever.
    Fifo,
    /// A device that never ends, or takes everything.
    Device,
    /// Another directory: what was there is moved away.
    Dir,
}

/// Where a decoy lies while it is not in the name's place.
pub(super) fn decoy_path(outside: &Path, n: usize) -> PathBuf {
    outside.join(format!("decoy{n}"))
}
