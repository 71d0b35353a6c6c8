//! What workers leave to each other.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::data::BLOCK;
use super::scenarios::{Scenario, archive, build, linux, operand, system};
use super::volume::Volume;
use crate::run::context::RunContext;
use crate::tree::engine;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::observer::{CancelToken, Event, Observer};
use crate::words::options::Reflink;
use crate::words::report::Summary;

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

/// Two workers.
fn run(scenario: &mut Scenario, observer: &dyn Observer) -> Summary {
    scenario.options.ordered = false;
    scenario.options.reflink = Reflink::Never;
    scenario.options.jobs = NonZeroUsize::new(2);
    let cancel = CancelToken::new();
    let context = RunContext::new(observer, &cancel);
    engine::run(
        &scenario.sim,
        &scenario.options,
        context,
        &scenario.operands,
    )
    .0
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
    let observer = Last::default();
    let summary = run(&mut Scenario::new("workers", sim, archive()), &observer);
    assert_eq!(summary.errors, 0);
    assert_eq!(summary.files as usize, SMALL_FILES + 1);
    assert!(!observer.gave_up.into_inner());
}

/// The large file takes all there is before a small one begins, and then the small ones have the time to
/// find no room.
#[derive(Default)]
struct Full {
    seen: Mutex<Seen>,
    changed: Condvar,
}

#[derive(Default)]
struct Seen {
    is_full: bool,
    errors: Vec<String>,
}

impl Observer for Full {
    fn event(&self, event: Event<'_>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Bytes(bytes) if bytes > SMALL_BYTES => {
                seen.is_full = true;
                self.changed.notify_all();
                // Only if it is right does it take so long.
                let wait = Duration::from_millis(200);
                let waits = |seen: &mut Seen| seen.errors.is_empty();
                drop(self.changed.wait_timeout_while(seen, wait, waits));
            }
            Event::Begin { paths, .. } if paths.src().starts_with("/from/small") => {
                drop(self.changed.wait_while(seen, |seen| !seen.is_full));
            }
            Event::Error(error) => {
                seen.errors.push(error.to_string());
                self.changed.notify_all();
            }
            _ => {}
        }
    }
}

#[test]
fn a_large_file_that_does_not_fit_takes_no_room_from_others() {
    for small in ["file", "link", "dir"] {
        let room = Volume::new(3, FsKind::Xfs).with_free_bytes(16 * BLOCK);
        let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(room));
        let from = build(&sim);
        from.file("large", LARGE_BYTES).dir("small").dir("small/1");
        match small {
            "file" => from.file("small/1/2", SMALL_BYTES),
            "link" => from.symlink("small/1/2", "nowhere"),
            _ => from.dir("small/1/2"),
        };
        let mut scenario = Scenario::new("room", sim, archive());
        scenario.operands = vec![
            operand("/from/small", "/to/small"),
            operand("/from/large", "/to/large"),
        ];
        let observer = Full::default();
        let summary = run(&mut scenario, &observer);
        let errors = observer.seen.into_inner().unwrap().errors;
        assert_eq!(errors.len(), 1, "{small}: {errors:?}");
        assert!(errors[0].contains("to/large"), "{small}: {errors:?}");
        let made = summary.files + summary.symlinks + summary.dirs;
        assert_eq!(made, 3, "{small}");
    }
}
