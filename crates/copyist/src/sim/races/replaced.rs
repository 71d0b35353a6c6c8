//! A source whose name leads to another file by the time it is opened.

use std::ffi::OsStr;
use std::path::Path;

use super::races;
use crate::sim::build::Builder;
use crate::sim::faults::{Deed, Effect, Fault, When};
use crate::sim::scenarios::{Scenario, build, linux};
use crate::sim::snapshot;
use crate::sim::snapshot::Seen;
use crate::sim::sweep;
use crate::words::facts::FsKind;
use crate::words::options::{Atomic, Backup, OnChange, Options};

/// The outcomes of copies over an older file, with a backup, of a source that is replaced: how many
/// were refused.
fn refused_of_replaced(on_change: OnChange, atomic: Atomic) -> usize {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/to")).file("dst", 700);
    let options = Options {
        on_change,
        atomic,
        backup: Backup::Simple,
        ..Options::default()
    };
    let scenario = Scenario::new("a replaced file", sim, options);
    let deed = Deed::SwapForFile {
        path: "/from/src",
        bytes: 6000,
    };
    let mut refused = 0;
    races(
        &scenario,
        &deed,
        |sim| sim,
        |race, n| {
            let (before, after) = (&race.before, &race.after);
            let has = |path: &str, seen: &Seen| {
                let now = after.get(Path::new(path));
                now.is_some_and(|it| it.data.same_bytes(&seen.data))
            };
            let old = &before[Path::new("to/dst")];
            if race.outcome.failures.is_empty() {
                let new = [before, after].map(|it| &it[Path::new("from/src")]);
                assert!(new.iter().any(|it| has("to/dst", it)), "at {n}");
                assert!(has("to/dst~", old), "at {n}: no backup");
            } else {
                assert!(has("to/dst", old), "at {n}: the old file is lost");
                assert!(!after.contains_key(Path::new("to/dst~")), "at {n}");
                refused += 1;
            }
        },
    );
    refused
}

#[test]
fn a_file_replaced_before_it_was_opened_is_looked_at_again() {
    for atomic in [Atomic::No, Atomic::BestEffort, Atomic::Required] {
        assert_eq!(refused_of_replaced(OnChange::Retry, atomic), 0);
        for on_change in [OnChange::Fail, OnChange::Report] {
            assert!(refused_of_replaced(on_change, atomic) > 0, "{on_change:?}");
        }
    }
}

/// Two files that change places again and again: the one that is met has been met before, and has not been
/// copied.
#[test]
fn a_file_that_comes_back_is_copied() {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5000).file("other", 6000);
    let options = Options {
        on_change: OnChange::Retry,
        ..Options::default()
    };
    let scenario = Scenario::new("a file that comes back", sim, options);
    let deed = Deed::Exchange {
        path: "/from/src",
        with: "/from/other",
    };
    let mut n = 0;
    let mut refused = 0;
    loop {
        let sim = scenario.sim.fork();
        let fault = Fault::new(When::FromNth(n), Effect::First(deed.clone()));
        sim.world().faults.planned = vec![fault];
        let outcome = sweep::run(&sim, &sim, &scenario);
        if outcome.log.len() as u64 <= n {
            break;
        }
        let made = snapshot::of_world(&sim.world()).contains_key(Path::new("to/dst"));
        assert_eq!(made, outcome.failures.is_empty(), "from {n}");
        refused += u64::from(!made);
        n += 1;
    }
    assert!(refused > 0, "none met another file each time");
}
