//! Another process works in the same directories: between any two calls, files grow, shrink and change, and names are
//! redirected.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Sim;
use super::buggy::{Bug, Buggy};
use super::build::Builder;
use super::data::Data;
use super::faults::{Call, Deed, Effect, Fault, When};
use super::oracle::relative;
use super::scenarios;
use super::scenarios::{Scenario, archive, build, linux};
use super::snapshot;
use super::snapshot::{Seen, Snapshot};
use super::sweep;
use super::sweep::Outcome;
use crate::system::Platform;
use crate::words::facts::FsKind;
use crate::words::method::{Method, MethodSet};
use crate::words::options::{Atomic, Options};
use crate::words::stat::FileKind;

mod replaced;

/// A run during which another process does something before the Nth call.
struct Race {
    outcome: Outcome,
    before: Snapshot,
    after: Snapshot,
}

/// One race for each call of the scenario, and the deed before it.
fn races<P: Platform>(
    scenario: &Scenario,
    deed: &Deed,
    wrap: impl Fn(Sim) -> P,
    mut judge: impl FnMut(&Race, u64),
) {
    let before = snapshot::of_world(&scenario.sim.world());
    let race = |n| {
        let sim = scenario.sim.fork();
        sim.world().faults.planned = vec![Fault::new(When::Nth(n), Effect::First(deed.clone()))];
        sim.world().most_calls = 100_000;
        let outcome = sweep::run(&wrap(sim.clone()), &sim, scenario);
        let after = snapshot::of_world(&sim.world());
        Race {
            outcome,
            before: before.clone(),
            after,
        }
    };
    let calls = race(u64::MAX).outcome.log.len() as u64;
    for n in 0..calls {
        judge(&race(n), n);
    }
}

/// Methods, and volumes that take them.
fn one_file() -> Vec<Scenario> {
    let all = [
        Method::Clone,
        Method::CopyRange,
        Method::Sendfile,
        Method::Direct,
    ];
    let mut scenarios = Vec::new();
    for method in all.into_iter().chain([Method::ReadWrite]) {
        for data in [0..200, 0..50] {
            let sim = linux(FsKind::Btrfs, None);
            build(&sim).sparse("src", 700_001, [data, 100..101]);
            let methods = MethodSet::EMPTY.with(method).with(Method::ReadWrite);
            let options = Options {
                methods: Some(methods),
                ..Options::default()
            };
            scenarios.push(Scenario::new("a changing file", sim, options));
        }
    }
    scenarios.extend(scenarios::two_threads().into_iter().take(2));
    scenarios
}

/// Every byte of `copy` is the byte of `old` or of `new` at the same offset (after the end of both, there is none).
fn is_mixture(copy: &Data, old: &Data, new: &Data) -> bool {
    let size = usize::try_from(copy.size()).unwrap();
    let bytes = |data: &Data| {
        let mut bytes = vec![0; size];
        let read = data.read(0, &mut bytes);
        (bytes, read)
    };
    let ((copy, _), (old, old_len), (new, new_len)) = (bytes(copy), bytes(old), bytes(new));
    (0..size)
        .all(|at| (at < old_len && copy[at] == old[at]) || (at < new_len && copy[at] == new[at]))
}

fn judge_changing(race: &Race, n: u64, what: &str) {
    let Race {
        outcome,
        before,
        after,
    } = race;
    assert!(
        outcome.violations.is_empty(),
        "{what} at {n}: {:?}",
        outcome.violations
    );
    assert_eq!(outcome.leaked, 0, "{what} at {n}");
    let src = Path::new("from/src");
    let Some(copy) = after.get(Path::new("to/dst")) else {
        assert!(
            !outcome.failures.is_empty(),
            "{what} at {n}: nothing was made, and nobody told"
        );
        return;
    };
    assert!(
        outcome.failures.is_empty(),
        "{what} at {n}: left behind after {:?}",
        outcome.failures
    );
    let (old, new) = (&before[src].data, &after[src].data);
    assert!(
        is_mixture(&copy.data, old, new),
        "{what} at {n}: bytes that nobody wrote"
    );
    let (_, report) = &outcome.files[0];
    assert_eq!(
        report.bytes(),
        copy.data.size(),
        "{what} at {n}: {report:?}"
    );
    let whole = copy.data.same_bytes(old) || copy.data.same_bytes(new);
    let warned = outcome.changed.iter().any(|path| relative(path) == src);
    assert!(
        whole || warned,
        "{what} at {n}: a mixture, and nobody was warned: {report:?}"
    );
}

#[test]
fn a_file_that_changes_ends_in_a_clear_outcome() {
    let path = "/from/src";
    let deeds = [
        Deed::Grow {
            path,
            bytes: 300_000,
        },
        Deed::Shrink { path, len: 0 },
        Deed::Shrink { path, len: 409_700 },
        Deed::Shrink { path, len: 300_000 },
        Deed::Shrink { path, len: 4097 },
        Deed::Rewrite { path },
    ];
    let mut count = 0;
    for scenario in one_file() {
        for deed in &deeds {
            let what = format!("{:?}, {deed:?}", scenario.options.methods);
            races(
                &scenario,
                deed,
                |sim| sim,
                |race, n| {
                    judge_changing(race, n, &what);
                    count += 1;
                },
            );
        }
    }
    println!("{count} races over a changing file");
}

/// A tree, a stranger's tree beside it, and what a swapped name may lead to.
fn guarded() -> Scenario {
    let sim = linux(FsKind::Ext, None);
    build(&sim)
        .dir("src")
        .dir("src/sub")
        .file("src/a", 5000)
        .file("src/sub/b", 6000);
    build(&sim)
        .hard_link("src/sub/c", "src/a")
        .time("src/sub/b", 1_650_000_000);
    Builder::below(&sim, OsStr::new("/to"))
        .dir("dst")
        .dir("dst/sub")
        .file("dst/sub/b", 50)
        .time("dst/sub/b", 1_000);
    Builder::below(&sim, OsStr::new("/else"))
        .file("secret", 3000)
        .dir("sub")
        .file("sub/b", 99)
        .file("sub/secret", 4000);
    Scenario::new("guarded", sim, archive())
}

/// Whether a swapped name led the run to where it had nothing to do.
fn escapes(race: &Race) -> Option<String> {
    let Race {
        outcome,
        before,
        after,
    } = race;
    for (path, seen) in before.iter().filter(|(path, _)| path.starts_with("else")) {
        if !after.get(path).is_some_and(|now| now.is_as_before(seen)) {
            return Some(format!("{} was touched", path.display()));
        }
    }
    let secrets: Vec<&Seen> = before
        .iter()
        .filter(|(path, _)| path.starts_with("else"))
        .map(|(_, it)| it)
        .collect();
    for (path, seen) in after {
        if path.starts_with("else") && !before.contains_key(path) {
            return Some(format!("{} was made", path.display()));
        }
        let has = |secret: &&Seen| secret.data.size() > 0 && secret.data.same_bytes(&seen.data);
        if path.starts_with("to") && secrets.iter().any(has) {
            return Some(format!("{} has a stranger's bytes", path.display()));
        }
    }
    (outcome.leaked > 0).then(|| "handles leaked".to_owned())
}

fn swaps() -> Vec<Deed> {
    let link = |path, target| Deed::SwapForLink { path, target };
    vec![
        link("/from/src/a", "/else/secret"),
        link("/from/src/sub", "/else/sub"),
        link("/from/src/sub/b", "/else/secret"),
        link("/to/dst/a", "/else/secret"),
        link("/to/dst/sub", "/else/sub"),
        link("/to/dst/sub/c", "/else/nothing"),
        Deed::PutLink {
            path: "/to/dst/a",
            target: "/else/nothing",
        },
        Deed::PutLink {
            path: "/to/dst/sub/c",
            target: "/else/nothing",
        },
        Deed::SwapForFifo {
            path: "/from/src/a",
        },
        Deed::SwapForFifo {
            path: "/from/src/sub",
        },
        Deed::SwapForFifo {
            path: "/from/src/sub/b",
        },
        Deed::SwapForFifo {
            path: "/to/dst/sub/b",
        },
    ]
}

#[test]
fn a_swapped_name_leads_nowhere() {
    let mut count = 0;
    let scenario = guarded();
    for deed in swaps() {
        races(
            &scenario,
            &deed,
            |sim| sim,
            |race, n| {
                assert_eq!(
                    escapes(race),
                    None,
                    "{deed:?} at {n}: {:?}",
                    race.outcome.failures
                );
                assert!(
                    race.outcome.violations.is_empty(),
                    "{:?}",
                    race.outcome.violations
                );
                count += 1;
            },
        );
    }
    println!("{count} races over a swapped name");
}

/// A link that is there when the destination is looked at is written through, as cp does. One
/// that comes later is not.
#[test]
fn a_destination_swapped_after_the_look_is_not_written_through() {
    let scenario = guarded();
    let deed = Deed::SwapForLink {
        path: "/to/dst/sub/b",
        target: "/else/secret",
    };
    let mut calls = Vec::new();
    let mut touched = Vec::new();
    races(
        &scenario,
        &deed,
        |sim| sim,
        |race, n| {
            calls.push(race.outcome.log[usize::try_from(n).unwrap()].call);
            touched.push(escapes(race).is_some());
        },
    );
    let look = touched.iter().rposition(|&it| it).unwrap();
    assert_eq!(
        calls[look],
        Call::Stat,
        "the last moment is that of the look"
    );
    assert!(touched[..look].iter().all(|&it| it), "{touched:?}");
}

#[test]
fn the_races_catch_an_engine_that_follows_links() {
    for bug in [Bug::LinksFollowed, Bug::CreatesOverExisting] {
        let scenario = guarded();
        let mut caught = Vec::new();
        for deed in swaps() {
            races(
                &scenario,
                &deed,
                |sim| Buggy { sim, bug },
                |race, n| {
                    caught.extend(escapes(race).map(|what| format!("{deed:?} at {n}: {what}")));
                },
            );
        }
        println!(
            "{bug:?}: caught {} times, first: {:?}",
            caught.len(),
            caught.first()
        );
        assert!(!caught.is_empty(), "{bug:?} was not noticed");
    }
}

/// A destination that disappears (or that NFS reported from a stale cache) is created. GNU's test nfs-removal-race
/// covers that.
#[test]
fn a_destination_that_goes_away_is_made() {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/to")).file("dst", 3000);
    let scenario = Scenario::new("an existing file", sim, Options::default());
    let deed = Deed::Remove { path: "/to/dst" };
    let mut opened = None;
    races(
        &scenario,
        &deed,
        |sim| sim,
        |race, n| {
            assert!(race.outcome.failures.is_empty(), "at {n}");
            let call = race.outcome.log[usize::try_from(n).unwrap()].call;
            let copied = |seen: &Seen| {
                let src = &race.after[&PathBuf::from("from/src")];
                seen.data.same_bytes(&src.data)
            };
            // Once it is open, its removal by another process is no failure of the copy.
            if opened.is_none() {
                let dst = race.after.get(&PathBuf::from("to/dst"));
                assert!(dst.is_some_and(copied), "before {call:?} at {n}");
            }
            let opens_again = call == Call::Open
                && race.outcome.log[..n as usize]
                    .iter()
                    .any(|it| it.call == Call::Open);
            opened = opened.or(opens_again.then_some(n));
        },
    );
    assert!(opened.is_some(), "the destination is opened");
}

/// With `-P` paths of operands are resolved as the user gave them; a link at their end is not.
#[test]
fn an_operand_that_becomes_a_link_is_not_followed() {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/else")).file("secret", 3000);
    let options = Options {
        recursive: true,
        ..Options::default()
    };
    let scenario = Scenario::new("an operand", sim, options);
    let deed = Deed::SwapForLink {
        path: "/from/src",
        target: "/else/secret",
    };
    races(
        &scenario,
        &deed,
        |sim| sim,
        |race, n| {
            assert_eq!(escapes(race), None, "at {n}");
            let dst = race.after.get(&PathBuf::from("to/dst"));
            assert!(dst.is_some() || !race.outcome.failures.is_empty(), "at {n}");
        },
    );
}

/// How often what came to the destination's name during an atomic copy was replaced by it, or
/// something else went wrong.
fn replaced<P: Platform>(kind: FsKind, wrap: impl Fn(Sim) -> P) -> usize {
    let sim = linux(kind, None);
    build(&sim).file("src", 5000);
    let options = Options {
        atomic: Atomic::Required,
        ..Options::default()
    };
    let scenario = Scenario::new("a name that is given away", sim, options);
    let deed = Deed::PutLink {
        path: "to/dst",
        target: "nowhere",
    };
    let mut wrong = 0;
    races(&scenario, &deed, wrap, |race, n| {
        let mut log = race.outcome.log.iter();
        let named = log.rposition(|it| matches!(it.call, Call::Name | Call::RenameNew));
        let came_first = named.is_none_or(|named| n <= named as u64);
        let now = race.after.get(Path::new("to/dst"));
        let is_link = now.is_some_and(|it| it.stat.kind == FileKind::Symlink);
        let is_told = race.outcome.summary.errors > 0;
        wrong += usize::from(came_first != is_link || is_told != is_link);
    });
    wrong
}

#[test]
fn an_atomic_copy_replaces_nothing_that_came_meanwhile() {
    for kind in [FsKind::Ext, FsKind::Fuse] {
        assert_eq!(replaced(kind, |sim| sim), 0, "{kind:?}");
    }
    let wrap = |sim| Buggy {
        sim,
        bug: Bug::PublishesOverAnything,
    };
    assert!(replaced(FsKind::Fuse, wrap) > 0);
}
