//! What workers leave to each other.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::scenarios::{Scenario, archive, build, linux};
use crate::facts::FsKind;
use crate::options::Reflink;
use crate::progress::{CancelToken, Event, Observer};
use crate::transfer::Watch;
use crate::tree;

const LARGE_BYTES: u64 = 4 << 20;
const SMALL_BYTES: u64 = 100;
const SMALL_FILES: usize = 60;

/// Holds up the worker that copies the large file until the small ones are done.
#[derive(Default)]
struct Last {
    small_done: Mutex<usize>,
    changed: Condvar,
    gave_up: AtomicBool,
}

impl Observer for Last {
    fn event(&self, event: Event<'_>) {
        let done = self
            .small_done
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::File { report, .. } if report.bytes() == SMALL_BYTES => {
                let mut done = done;
                *done += 1;
                self.changed.notify_all();
            }
            Event::Bytes(bytes) if bytes > SMALL_BYTES => {
                let waits = |done: &mut usize| *done < SMALL_FILES;
                // Only if it is wrong does it take so long.
                let (_done, result) = self
                    .changed
                    .wait_timeout_while(done, Duration::from_secs(10), waits)
                    .unwrap_or_else(PoisonError::into_inner);
                self.gave_up.fetch_or(result.timed_out(), Ordering::Relaxed);
            }
            _ => {}
        }
    }
}

#[test]
fn what_lies_behind_a_large_file_does_not_wait_for_it() {
    let sim = linux(FsKind::Ext, None);
    build(&sim).dir("src");
    // By its name among the first of those that are listed.
    build(&sim).file("src/00", LARGE_BYTES);
    for file in 0..SMALL_FILES {
        build(&sim).file(&format!("src/{file}"), SMALL_BYTES);
    }
    let mut scenario = Scenario::new("workers", sim, archive());
    scenario.options.ordered = false;
    scenario.options.reflink = Reflink::Never;
    scenario.options.jobs = NonZeroUsize::new(2);
    let observer = Last::default();
    let cancel = CancelToken::new();
    let watch = Watch {
        observer: &observer,
        cancel: &cancel,
    };
    let (summary, first) = tree::run(&scenario.sim, &scenario.options, watch, &scenario.operands);
    assert!(first.is_none(), "{first:?}");
    assert_eq!(summary.files as usize, SMALL_FILES + 1);
    assert!(!observer.gave_up.into_inner());
}
