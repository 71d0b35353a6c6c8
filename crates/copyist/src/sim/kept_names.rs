//! Names that can't be given to another file, or not be taken away again: append-only directories, sticky ones of
//! another user, mounts without rename, mount points.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::build::Builder;
use super::faults::{Call, Effect, Fault, Faults, When};
use super::names::APPEND;
use super::scenarios::{Scenario, archive, build, linux, operand};
use super::sweep;
use super::sweep::Outcome;
use super::world::{Body, ROOT};
use super::{Sim, snapshot};
use crate::think::rules::linux::{EBUSY, ENOSYS, EPERM};
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::facts::FsKind;
use crate::words::options::{Atomic, Backup, Follow, Options};

/// Copies `/from/src` to `/to/dst`, one entry after the other.
fn run(sim: &Sim, options: &Options) -> Outcome {
    sim.world().faults.log.clear();
    let options = Options {
        ordered: true,
        ..options.clone()
    };
    let mut scenario = Scenario::new("kept names", sim.fork(), options);
    scenario.operands = vec![operand("/from/src", "/to/dst")];
    sweep::run(sim, sim, &scenario)
}

fn to(sim: &Sim) -> Builder<'_, Sim> {
    Builder::below(sim, OsStr::new("/to"))
}

fn with(atomic: Atomic) -> Options {
    Options {
        atomic,
        ..Options::default()
    }
}

fn linked(atomic: Atomic) -> Options {
    let mut options = with(atomic);
    options.recursive = true;
    options.preserve.links = true;
    options
}

fn ino(sim: &Sim, path: &str) -> u64 {
    let world = sim.world();
    world.lookup(ROOT, OsStr::new(path), false).unwrap()
}

/// The names below `/to`.
fn names(sim: &Sim) -> Vec<PathBuf> {
    let now = snapshot::of_world(&sim.world());
    let below = now.into_keys().filter_map(|it| {
        let below = it.strip_prefix("to").ok()?.to_path_buf();
        (below != Path::new("")).then_some(below)
    });
    below.collect()
}

fn is_copied(sim: &Sim, src: &str, dst: &str) -> bool {
    let now = snapshot::of_world(&sim.world());
    let file = |path: &str| &now[Path::new(path)];
    file(dst).data.same_bytes(&file(src).data)
}

/// The directory of `/to/dst` is append-only.
fn appended_to(has_old: bool, kind: FsKind) -> Sim {
    let sim = linux(kind, None);
    build(&sim).file("src", 40 << 20);
    if has_old {
        to(&sim).file("dst", 700);
    }
    let dir = ino(&sim, "/to");
    sim.world().node_mut(dir).flags = APPEND;
    sim.world().faults = Faults::default();
    sim
}

#[test]
fn in_an_append_only_directory_no_draft_is_made() {
    for kind in [FsKind::Ext, FsKind::Fuse] {
        for has_old in [true, false] {
            for atomic in [Atomic::BestEffort, Atomic::Required] {
                let sim = appended_to(has_old, kind);
                let outcome = run(&sim, &with(atomic));
                // A file without a name gets its only one.
                let published = !has_old && kind == FsKind::Ext;
                let copies = published || atomic == Atomic::BestEffort;
                assert_eq!(outcome.failures.is_empty(), copies, "{kind:?} {atomic:?}");
                if copies {
                    assert!(is_copied(&sim, "from/src", "to/dst"));
                    assert_eq!(outcome.in_place.len(), usize::from(!published));
                } else {
                    assert!(outcome.first.expect("an error").is_not_atomic());
                }
                let expected = usize::from(has_old || copies);
                assert_eq!(names(&sim).len(), expected, "{:?}", names(&sim));
                let moved = outcome.log.iter().any(|it| it.call == Call::Rename);
                assert!(!moved);
            }
        }
    }
}

#[test]
fn in_an_append_only_directory_no_journal_and_no_backup_is_made() {
    let journal = Options {
        journal: Some("/to/journal".into()),
        ..with(Atomic::BestEffort)
    };
    let backup = Options {
        backup: Backup::Simple,
        ..with(Atomic::BestEffort)
    };
    let expected = [Operation::Journal, Operation::MakeBackup];
    for (options, operation) in [journal, backup].into_iter().zip(expected) {
        let sim = appended_to(true, FsKind::Ext);
        let outcome = run(&sim, &options);
        assert_eq!(outcome.first.expect("an error").operation(), operation);
        assert_eq!(names(&sim), [PathBuf::from("dst")]);
        assert!(!is_copied(&sim, "from/src", "to/dst"));
    }
    // With a journal elsewhere, the part of a large file would be the one that stays.
    let options = Options {
        journal: Some("/else/journal".into()),
        ..with(Atomic::BestEffort)
    };
    let sim = appended_to(true, FsKind::Ext);
    let outcome = run(&sim, &options);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(names(&sim), [PathBuf::from("dst")]);
    assert!(is_copied(&sim, "from/src", "to/dst"));
}

/// Nothing has been read from it when it is known where to write.
#[test]
fn a_stream_goes_into_a_file_of_an_append_only_directory() {
    for has_old in [true, false] {
        let sim = appended_to(has_old, FsKind::Ext);
        let bytes = vec![7; 70_000];
        let src = ino(&sim, "/from/src");
        sim.world().node_mut(src).body = Body::Fifo(bytes.clone());
        let options = Options {
            follow: Follow::Always,
            ..with(Atomic::BestEffort)
        };
        let outcome = run(&sim, &options);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(names(&sim), [PathBuf::from("dst")]);
        let dst = ino(&sim, "/to/dst");
        let world = sim.world();
        assert_eq!(world.data(dst).unwrap().size(), bytes.len() as u64);
    }
}

/// `/from/src` has two names of a file, and `/to/dst` what others own and everybody may write to.
fn two_names(in_dst: &[&str]) -> Sim {
    let sim = linux(FsKind::Ext, None);
    build(&sim)
        .dir("src")
        .file("src/a", 5000)
        .hard_link("src/b", "src/a");
    to(&sim).dir("dst");
    for name in in_dst {
        let path = format!("dst/{name}");
        to(&sim).file(&path, 700).mode(&path, 0o666);
    }
    sim.world().faults = Faults::default();
    sim
}

/// The same in a sticky directory of another user.
fn sticky(in_dst: &[&str]) -> Sim {
    let sim = two_names(in_dst);
    to(&sim).mode("dst", 0o1777);
    let mut world = sim.world();
    (world.privileged, world.uid, world.gid) = (false, 1000, 1000);
    world.faults = Faults::default();
    drop(world);
    sim
}

#[test]
fn a_second_name_of_anothers_file_in_a_sticky_directory_becomes_a_copy() {
    let sim = sticky(&["a", "b"]);
    let outcome = run(&sim, &linked(Atomic::BestEffort));
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    for name in ["to/dst/a", "to/dst/b"] {
        assert!(is_copied(&sim, "from/src/a", name), "{name}");
    }
    assert_eq!(names(&sim).len(), 3, "{:?}", names(&sim));
    assert_eq!(outcome.no_links.len(), 1);
    // GNU cp fails to make the link.
    let sim = sticky(&["a", "b"]);
    let outcome = run(&sim, &linked(Atomic::No));
    let failed: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
    assert_eq!(failed, [Operation::CreateHardLink]);
    assert_eq!(names(&sim).len(), 3, "{:?}", names(&sim));
    let sim = sticky(&["a", "b"]);
    let outcome = run(&sim, &linked(Atomic::Required));
    assert_eq!(outcome.failures.len(), 2);
    assert_eq!(names(&sim).len(), 3, "{:?}", names(&sim));
}

#[test]
fn no_backup_of_anothers_file_is_left_in_a_sticky_directory() {
    for atomic in [Atomic::No, Atomic::BestEffort, Atomic::Required] {
        let sim = sticky(&["a", "b"]);
        let options = Options {
            backup: Backup::Simple,
            ..linked(atomic)
        };
        let outcome = run(&sim, &options);
        let failed: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
        assert_eq!(failed, [Operation::MakeBackup; 2]);
        assert_eq!(names(&sim).len(), 3, "{:?}", names(&sim));
    }
}

/// What has the second name can't be replaced in one step: it is removed first, or written into.
#[test]
fn a_second_name_never_keeps_old_content_without_an_error() {
    for (code, removable) in [(ENOSYS, true), (EBUSY, false), (EPERM, false)] {
        for atomic in [Atomic::No, Atomic::BestEffort, Atomic::Required] {
            let sim = two_names(&["a", "b"]);
            sim.world().volumes[1].refuses_rename = Some(code);
            let faults = (0..9).map(|n| Fault::new(When::NthOf(Call::Remove, n), refusal(code)));
            // Its own temporary link, the first of all that are removed, may go.
            let faults: Vec<_> = faults.skip(1).collect();
            if !removable {
                sim.world().faults.planned = faults;
            }
            let outcome = run(&sim, &linked(atomic));
            let copies = match atomic {
                Atomic::No => removable, // as GNU cp
                Atomic::BestEffort => true,
                Atomic::Required => false,
            };
            assert_eq!(outcome.failures.is_empty(), copies, "{code:?} {atomic:?}");
            let all = ["to/dst/a", "to/dst/b"]
                .iter()
                .all(|it| is_copied(&sim, "from/src/a", it));
            assert_eq!(all, copies, "{code:?} {atomic:?}");
            let is_link = ino(&sim, "/to/dst/a") == ino(&sim, "/to/dst/b");
            assert_eq!(is_link, removable && atomic != Atomic::Required);
        }
    }
}

fn refusal(code: Code) -> Effect {
    Effect::Fail(code)
}

/// A file of several names is not written into: the others are no business of the copy's.
#[test]
fn what_has_other_names_is_removed_before_it_becomes_a_second_name() {
    let sim = two_names(&["b"]);
    to(&sim).file("dst/a", 700).hard_link("dst/other", "dst/a");
    sim.world().volumes[1].refuses_rename = Some(ENOSYS);
    sim.world().faults = Faults::default();
    let outcome = run(&sim, &linked(Atomic::BestEffort));
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(ino(&sim, "/to/dst/a"), ino(&sim, "/to/dst/b"));
    assert!(is_copied(&sim, "from/src/a", "to/dst/a"));
    assert!(!is_copied(&sim, "from/src/a", "to/dst/other"));
    assert_eq!(names(&sim).len(), 4, "{:?}", names(&sim));
    let archived = Options {
        atomic: Atomic::Required,
        ..archive()
    };
    let sim = two_names(&["b"]);
    to(&sim).file("dst/a", 700).hard_link("dst/other", "dst/a");
    sim.world().volumes[1].refuses_rename = Some(ENOSYS);
    let outcome = run(&sim, &archived);
    assert_eq!(outcome.failures.len(), 2);
    assert!(!is_copied(&sim, "from/src/a", "to/dst/a"));
}
