//! A run that is killed, or loses power, before any of its calls, and is then continued: the copy
//! must be the same as if nothing had happened, and nothing else be left.

use std::ffi::OsStr;
use std::path::Path;

use super::Sim;
use super::buggy::{Bug, Buggy};
use super::build::Builder;
use super::faults::{Call, Deed, Effect, Fault, Faults, When};
use super::oracle;
use super::oracle::Trial;
use super::scenarios::{Scenario, archive, build, linux};
use super::snapshot;
use super::sweep;
use super::sweep::Outcome;
use super::world::ROOT;
use crate::system::Platform;
use crate::words::error::Refusal;
use crate::words::facts::FsKind;
use crate::words::method::{Method, MethodSet};
use crate::words::options::{Fsync, Options};

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Crash {
    /// What was written is there.
    Kill,
    /// What was not flushed is lost; the names are there, as a journal of a filesystem keeps them.
    Power,
}

/// What came of the crashes of one scenario.
#[derive(Default)]
struct Found {
    runs: usize,
    /// Runs after the crash that had less to copy than there is.
    saved: usize,
    wrong: Vec<String>,
}

/// At most so many moments of each scenario, and of those with a large file, which take long.
const MOST_MOMENTS: u64 = 100;
const LARGE_MOMENTS: u64 = 60;

fn crashes<P: Platform>(
    scenario: &Scenario,
    crash: Crash,
    wrap: impl Fn(Sim) -> P,
    found: &mut Found,
) {
    let before = snapshot::of_world(&scenario.sim.world());
    let whole = run_until(scenario, &scenario.sim.fork(), u64::MAX, &wrap);
    assert_eq!(
        whole.summary.errors, 0,
        "{}: {:?}",
        scenario.name, whole.failures
    );
    let calls = whole.log.len() as u64;
    let most = if scenario.name.starts_with(LARGE) {
        LARGE_MOMENTS
    } else {
        MOST_MOMENTS
    };
    let step = calls.div_ceil(most);
    for n in (0..calls).step_by(usize::try_from(step).unwrap_or(1)) {
        let sim = scenario.sim.fork();
        sim.world().flush_everything();
        run_until(scenario, &sim, n, &wrap);
        if crash == Crash::Power {
            sim.world().lose_power();
        }
        let outcome = run_until(scenario, &sim, u64::MAX, &wrap);
        let after = snapshot::of_world(&sim.world());
        let trial = Trial {
            scenario,
            before: &before,
            after: &after,
            outcome: &outcome,
        };
        found.runs += 1;
        let (done, all) = (outcome.summary.bytes, whole.summary.bytes);
        found.saved += usize::from(done < all);
        let failed = outcome.failures.iter().map(|it| it.text.clone());
        for what in oracle::judge(&trial).into_iter().chain(failed) {
            let name = scenario.name;
            found
                .wrong
                .push(format!("{name}: {crash:?} before call {n}: {what}"));
        }
    }
}

fn run_until<P: Platform>(
    scenario: &Scenario,
    sim: &Sim,
    dead_from: u64,
    wrap: &impl Fn(Sim) -> P,
) -> Outcome {
    sim.world().dead_from = dead_from;
    sweep::run(&wrap(sim.clone()), sim, scenario)
}

fn journaled(options: Options) -> Options {
    Options {
        journal: Some("/to/journal".into()),
        ..options
    }
}

fn scenarios() -> Vec<Scenario> {
    let mut all = Vec::new();
    let tree = |kind| {
        let sim = linux(kind, None);
        build(&sim)
            .dir("src")
            .file("src/a", 9000)
            .mode("src/a", 0o640)
            .dir("src/d")
            .file("src/d/b", 300)
            .file("src/d/c", 5000)
            .mode("src/d", 0o555)
            .hard_link("src/d/link", "src/a")
            .symlink("src/s", "a");
        sim
    };
    for (name, kind) in [("a tree", FsKind::Ext), ("a tree, named", FsKind::Fuse)] {
        all.push(Scenario::new(name, tree(kind), journaled(archive())));
        let plain = Options {
            recursive: true,
            ..Options::default()
        };
        all.push(Scenario::new(name, tree(kind), journaled(plain)));
    }
    let sim = tree(FsKind::Ext);
    Builder::below(&sim, OsStr::new("/to"))
        .dir("dst")
        .file("dst/a", 20_000)
        .dir("dst/d")
        .mode("dst/d", 0o700);
    let durable = Options {
        fsync: Fsync::File,
        ..archive()
    };
    all.push(Scenario::new("over a tree", sim, journaled(durable)));
    all.push(large(LARGE, None));
    all.push(large("a large file by two", Some(1)));
    all
}

const LARGE: &str = "a large file";

fn large(name: &'static str, parallel_from_bytes: Option<u64>) -> Scenario {
    let sim = linux(FsKind::Ext, None);
    build(&sim).sparse("src", 24 << 20, [0..300, 2000..2600, 4000..4100]);
    for volume in &mut sim.world().volumes {
        volume.parallel_from_bytes = parallel_from_bytes;
    }
    let options = Options {
        methods: Some(MethodSet::EMPTY.with(Method::ReadWrite)),
        jobs: std::num::NonZeroUsize::new(2),
        ..Options::default()
    };
    Scenario::new(name, sim, journaled(options))
}

#[test]
fn a_copy_goes_on_after_any_crash() {
    for crash in [Crash::Kill, Crash::Power] {
        let mut found = Found::default();
        for scenario in scenarios() {
            let (runs, saved) = (found.runs, found.saved);
            crashes(&scenario, crash, |sim| sim, &mut found);
            let (runs, saved) = (found.runs - runs, found.saved - saved);
            println!(
                "{}: {crash:?} in {runs} moments, {saved} times less to copy",
                scenario.name
            );
            assert!(
                saved > 0,
                "{}: {crash:?} never saved anything",
                scenario.name
            );
        }
        let shown: Vec<_> = found.wrong.iter().take(20).collect();
        assert!(
            shown.is_empty(),
            "{} findings: {shown:#?}",
            found.wrong.len()
        );
    }
}

#[test]
fn a_journal_that_is_ahead_of_the_data_is_noticed() {
    let mut found = Found::default();
    let wrap = |sim| Buggy {
        sim,
        bug: Bug::VolumeNotFlushed,
    };
    for scenario in scenarios() {
        crashes(&scenario, Crash::Power, wrap, &mut found);
    }
    assert!(!found.wrong.is_empty(), "in {} runs", found.runs);
}

/// A journal that a run has locked that was killed, or is about to end, at the Nth look at the lock.
fn with_locked_journal(unlocked_at: Option<u64>, finished: bool) -> (Sim, Outcome) {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/to")).file("journal", 0);
    {
        let mut world = sim.world();
        world.faults = Faults::default();
        let ino = world
            .lookup(ROOT, OsStr::new("/to/journal"), false)
            .unwrap();
        let holder = world.open_inode(ino, true, true);
        if let Some(file) = world.open.get_mut(&holder) {
            file.locked = true;
        }
        let deed = Deed::Unlock {
            path: "/to/journal",
            finished,
        };
        let unlocks = |n| Fault::new(When::NthOf(Call::Lock, n), Effect::First(deed.clone()));
        world.faults.planned = unlocked_at.map(unlocks).into_iter().collect();
    }
    let scenario = Scenario::new("locked", sim.fork(), journaled(Options::default()));
    let outcome = sweep::run(&sim, &sim, &scenario);
    (sim, outcome)
}

#[test]
fn a_lock_that_is_let_go_of_in_a_moment_is_waited_for() {
    for n in [0, 1, 30] {
        for finished in [false, true] {
            let (sim, outcome) = with_locked_journal(Some(n), finished);
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
            let names = snapshot::of_world(&sim.world());
            let names: Vec<_> = names.keys().filter(|it| it.starts_with("to")).collect();
            assert_eq!(
                names,
                [Path::new("to"), Path::new("to/dst")],
                "at {n}, {finished}"
            );
        }
    }
}

#[test]
fn a_lock_that_is_kept_is_not_waited_for_for_ever() {
    let (_, outcome) = with_locked_journal(None, false);
    assert_eq!(outcome.failures.len(), 1);
    let text = &outcome.failures[0].text;
    assert!(text.contains(&Refusal::JournalInUse.to_string()), "{text}");
    assert!(outcome.files.is_empty());
}
