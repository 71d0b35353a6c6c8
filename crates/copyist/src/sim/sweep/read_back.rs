//! Copies that are read back where that can't be done, or not yet.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::{Outcome, run as sweep_run};
use crate::sim::Sim;
use crate::sim::buggy::{Bug, Buggy};
use crate::sim::build::Builder;
use crate::sim::faults::{Effect, Fault, When};
use crate::sim::scenarios::{Scenario, archive, build, system};
use crate::sim::snapshot;
use crate::sim::volume::Volume;
use crate::think::rules::linux;
use crate::words::error::Operation;
use crate::words::facts::FsKind;
use crate::words::hash::HashKind;
use crate::words::method::Os;
use crate::words::options::{Atomic, Options};

/// From ext4 to a FUSE filesystem that shows what was written after it was closed, and after `late`
/// tries to read it.
fn late(late: Option<u32>) -> Sim {
    let mut to = Volume::new(3, FsKind::Fuse);
    to.odd.late = late;
    let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(to));
    build(&sim).dir("src");
    build(&sim).file("src/a", 5000).file("src/b", 300_000);
    sim
}

fn verified() -> Options {
    Options {
        verify: true,
        ..archive()
    }
}

fn run(sim: &Sim, options: Options) -> Outcome {
    let scenario = Scenario::new("read back", sim.clone(), options);
    sweep_run(sim, sim, &scenario)
}

fn operations(outcome: &Outcome) -> Vec<Operation> {
    outcome.failures.iter().map(|it| it.operation).collect()
}

/// Each copy has the content of its source, and there is nothing else.
fn assert_copied(sim: &Sim) {
    let seen = snapshot::of_world(&sim.world());
    for name in ["a", "b"] {
        let data = |dir: &str| {
            seen.get(&Path::new(dir).join(name))
                .map(|it| it.data.clone())
        };
        assert_eq!(data("to/dst"), data("from/src"), "{name}");
    }
    let below = |path: &&PathBuf| path.starts_with("to/dst");
    assert_eq!(seen.keys().filter(below).count(), 3);
}

/// In place, and under a temporary name; a new file, and one that is replaced.
fn ways() -> Vec<(Atomic, bool)> {
    let all = [Atomic::No, Atomic::BestEffort, Atomic::Required];
    all.iter()
        .flat_map(|&atomic| [(atomic, false), (atomic, true)])
        .collect()
}

fn make_old(sim: &Sim, is_there: bool) {
    if is_there {
        let to = Builder::below(sim, OsStr::new("/to"));
        to.dir("dst").file("dst/a", 5000).file("dst/b", 7);
        to.time("dst/a", 1_500_000_000);
    }
}

#[test]
fn a_copy_is_closed_before_it_is_read_back() {
    for (atomic, is_there) in ways() {
        let sim = late(Some(0));
        make_old(&sim, is_there);
        let options = Options {
            atomic,
            ..verified()
        };
        let outcome = run(&sim, options);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert!(outcome.files.iter().all(|(_, report)| report.verified));
        assert_copied(&sim);
    }
}

#[test]
fn a_copy_that_can_not_be_read_back_yet_is_kept_and_not_called_verified() {
    for (atomic, is_there) in ways() {
        for keep_bad in [false, true] {
            // A draft is not found by two renames either.
            let sim = late(Some(3));
            make_old(&sim, is_there);
            let options = Options {
                atomic,
                keep_bad,
                ..verified()
            };
            let outcome = run(&sim, options);
            assert_eq!(operations(&outcome), [Operation::Verify; 2]);
            assert_eq!(outcome.files.len(), 2);
            let unchecked = |it: &(PathBuf, crate::Report)| !it.1.verified && it.1.hash.is_none();
            assert!(outcome.files.iter().all(unchecked));
            assert_copied(&sim);
        }
    }
}

#[test]
fn a_copy_that_can_not_be_hashed_is_kept() {
    // The bytes of a clone don't go through memory.
    let sim = system(Os::Linux, Volume::new(2, FsKind::Btrfs), None);
    build(&sim).dir("src");
    build(&sim).file("src/a", 5000).file("src/b", 300_000);
    for volume in &mut sim.world().volumes {
        volume.odd.late = Some(1);
    }
    let options = Options {
        hash: Some(HashKind::Blake3),
        ..archive()
    };
    let outcome = run(&sim, options);
    assert_eq!(operations(&outcome), [Operation::Hash; 2]);
    assert_copied(&sim);
}

#[test]
fn a_copy_that_was_not_verified_is_not_in_the_journal() {
    let sim = late(Some(1));
    let options = Options {
        journal: Some("/else/journal".into()),
        atomic: Atomic::Required,
        ..verified()
    };
    let first = run(&sim, options.clone());
    assert_eq!(operations(&first), [Operation::Verify; 2]);
    for volume in &mut sim.world().volumes {
        volume.odd.late = Some(0);
    }
    let second = run(&sim, options);
    assert!(second.failures.is_empty(), "{:?}", second.failures);
    assert_eq!(second.files.len(), 2, "both are copied and verified again");
    assert_copied(&sim);
}

/// Old content under the same inode, with its old size and time, is not what was written, and nothing
/// against it.
#[test]
fn old_content_is_not_a_bad_copy() {
    let sim = late(None);
    make_old(&sim, true);
    let platform = Buggy {
        sim: sim.clone(),
        bug: Bug::ShowsOld,
    };
    let scenario = Scenario::new("old content", sim.clone(), verified());
    let outcome = sweep_run(&platform, &sim, &scenario);
    assert_eq!(operations(&outcome), [Operation::Verify; 2]);
    assert!(
        outcome
            .failures
            .iter()
            .all(|it| it.text.contains("old content"))
    );
    let seen = snapshot::of_world(&sim.world());
    assert!(seen.contains_key(Path::new("to/dst/a")), "it was removed");
}

/// Whichever call of the check fails, with whatever code: the copy stays.
#[test]
fn no_failed_call_of_the_check_removes_a_copy() {
    for (atomic, is_there) in ways() {
        let sim = late(None);
        make_old(&sim, is_there);
        let options = Options {
            atomic,
            ..verified()
        };
        let calls = run(&sim.fork(), options.clone()).log.len() as u64;
        let mut unchecked = 0;
        for n in 0..calls {
            let sim = sim.fork();
            let effect = Effect::Fail([linux::EIO, linux::ESTALE, linux::ENOENT][n as usize % 3]);
            let fault = Fault::new(When::Nth(n), effect);
            let scenario = Scenario::new("read back", sim.clone(), options.clone());
            sim.world().faults.planned = vec![fault];
            let outcome = sweep_run(&sim, &sim, &scenario);
            if operations(&outcome) == [Operation::Verify] {
                unchecked += 1;
                assert_eq!(outcome.files.iter().filter(|it| it.1.verified).count(), 1);
                assert_copied(&sim);
            }
        }
        // At least: open it, look at it, read it, for each of two files.
        assert!(unchecked >= 6, "only {unchecked} calls of the check failed");
    }
}

#[test]
fn a_bad_copy_is_kept_only_if_asked_and_under_its_name() {
    for (atomic, is_there) in ways() {
        for keep_bad in [false, true] {
            let sim = late(None);
            make_old(&sim, is_there);
            let platform = Buggy {
                sim: sim.clone(),
                bug: Bug::FlipsABit,
            };
            let options = Options {
                atomic,
                keep_bad,
                ..verified()
            };
            let scenario = Scenario::new("bad", sim.clone(), options);
            let outcome = sweep_run(&platform, &sim, &scenario);
            assert_eq!(operations(&outcome), [Operation::Verify; 2]);
            assert!(outcome.files.is_empty());
            let seen = snapshot::of_world(&sim.world());
            let names: Vec<_> = seen.keys().filter(|it| it.starts_with("to/dst")).collect();
            // What an atomic copy does not replace stays as it was.
            let is_left = keep_bad || atomic.wanted() && is_there;
            assert_eq!(names.len(), if is_left { 3 } else { 1 }, "{names:?}");
            let source = seen.get(Path::new("from/src/a")).map(|it| &it.data);
            let copy = seen.get(Path::new("to/dst/a")).map(|it| &it.data);
            assert_ne!(copy, source);
        }
    }
}
