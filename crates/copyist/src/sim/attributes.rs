//! Attributes that only one side's filesystem has, and existing copies.

use std::path::Path;
use std::sync::Mutex;

use super::faults::{Call, Effect, Fault, When};
use super::scenarios::{Scenario, archive, build, system};
use super::sweep;
use super::sweep::Outcome;
use super::volume::Volume;
use super::{Sim, snapshot};
use crate::api::compare;
use crate::api::compare::{Compare, Difference, Found};
use crate::think::rules::linux::{EACCES, EBUSY, EIO, ENOENT};
use crate::words::error::{Error, Operation};
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::observer::CancelToken;
use crate::words::options::{NewMode, Options, Preserve, Update, Want};

/// What every file on an NFSv4 server has: OWNER@, GROUP@ and EVERYONE@ are allowed something.
const TRIVIAL: &[u8] = b"\0\0\0\x03\
    \0\0\0\0\0\0\0\0\0\x16\x01\x87\0\0\0\x06OWNER@\0\0\
    \0\0\0\0\0\0\0\0\0\x12\0\x81\0\0\0\x06GROUP@\0\0\
    \0\0\0\0\0\0\0\0\0\x12\0\x80\0\0\0\x09EVERYONE@\0\0\0";
/// The same for one named user.
const OF_A_USER: &[u8] = b"\0\0\0\x01\0\0\0\0\0\0\0\0\0\x16\x01\x87\0\0\0\x04anna";

fn run(sim: &Sim, options: &Options) -> Outcome {
    let scenario = Scenario::new("attributes", sim.clone(), options.clone());
    sweep::run(sim, sim, &scenario)
}

fn failures(outcome: &Outcome) -> Vec<String> {
    let texts = outcome.failures.iter().map(|it| it.text.clone());
    texts.collect()
}

fn xattr(sim: &Sim, path: &str, name: &str) -> Option<Vec<u8>> {
    let world = snapshot::of_world(&sim.world());
    world[Path::new(path)].xattrs.get(name.as_bytes()).cloned()
}

/// The result of a comparison.
#[derive(Default)]
struct Told(Mutex<Vec<String>>);

impl Found for Told {
    fn difference(&self, path: &Path, difference: &Difference) {
        let line = format!("{}: {difference:?}", path.display());
        self.0.lock().unwrap().push(line);
    }

    fn error(&self, error: &Error) {
        self.0.lock().unwrap().push(error.to_string());
    }
}

fn compared(sim: &Sim) -> Vec<String> {
    let told = Told::default();
    let sides = (Path::new("/from/src"), Path::new("/to/dst"));
    let compare = Compare {
        from_device: false,
        threads: 1,
        ..Compare::default()
    };
    compare::run(sim, &compare, sides, &CancelToken::new(), &told);
    told.0.into_inner().unwrap()
}

/// A tree on an NFSv4 mount, whose file has this list.
fn on_nfs(list: &[u8], to: FsKind) -> Sim {
    let dst = Volume::new(3, to);
    let sim = system(Os::Linux, Volume::new(2, FsKind::Nfs), Some(dst));
    build(&sim)
        .dir("src")
        .file("src/f", 10)
        .mode("src/f", 0o640)
        .xattr("src", "system.nfs4_acl", TRIVIAL)
        .xattr("src/f", "system.nfs4_acl", list);
    sim
}

fn only_mode() -> Options {
    Options {
        recursive: true,
        new_mode: NewMode::FromSource,
        preserve: Preserve {
            mode: true,
            acl: true,
            owner: true,
            times: true,
            ..Preserve::default()
        },
        ..Options::default()
    }
}

#[test]
fn a_list_of_the_source_s_filesystem_is_left_behind_where_the_mode_says_the_same() {
    for options in [archive(), only_mode()] {
        for list in [TRIVIAL, b"\x01\x02\x03\x04"] {
            for kind in [FsKind::Ext, FsKind::Tmpfs] {
                let sim = on_nfs(list, kind);
                for _ in 0..2 {
                    let outcome = run(&sim, &options);
                    assert_eq!(failures(&outcome), Vec::<String>::new(), "{kind:?}");
                }
            }
            let sim = on_nfs(list, FsKind::Ext);
            run(&sim, &options);
            assert_eq!(compared(&sim), Vec::<String>::new());
        }
    }
}

#[test]
fn a_list_that_says_more_is_not_lost_in_silence() {
    for options in [archive(), only_mode()] {
        let sim = on_nfs(OF_A_USER, FsKind::Ext);
        let failures = failures(&run(&sim, &options));
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert_eq!(compared(&sim), [r#"f: Xattr("system.nfs4_acl")"#]);
    }
}

#[test]
fn a_list_is_kept_where_the_destination_has_its_kind() {
    for options in [archive(), only_mode()] {
        for list in [TRIVIAL, OF_A_USER] {
            let sim = on_nfs(list, FsKind::Nfs);
            let outcome = run(&sim, &options);
            assert_eq!(failures(&outcome), Vec::<String>::new());
            let kept = xattr(&sim, "to/dst/f", "system.nfs4_acl");
            assert_eq!(kept.as_deref(), Some(list));
            assert_eq!(compared(&sim), Vec::<String>::new());
        }
    }
}

/// FUSE filesystems may refuse with any code to remove an attribute that they don't have.
#[test]
fn what_was_never_there_is_not_removed() {
    for options in [archive(), only_mode()] {
        let stubborn = Volume {
            keeps_lists: true,
            ..Volume::new(3, FsKind::Fuse)
        };
        let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(stubborn));
        build(&sim).dir("src").file("src/f", 10);
        for _ in 0..2 {
            let outcome = run(&sim, &options);
            assert_eq!(failures(&outcome), Vec::<String>::new());
        }
        // An existing attribute gives access that the source doesn't: that is reported.
        let dst = super::build::Builder::below(&sim, std::ffi::OsStr::new("/to"));
        dst.xattr("dst/f", "system.posix_acl_access", b"list");
        assert_eq!(failures(&run(&sim, &options)).len(), 1);
    }
}

/// Permissions alone: attributes that are not listed are neither read nor removed.
#[test]
fn a_file_without_lists_costs_one_listing() {
    let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), None);
    build(&sim).dir("src").file("src/f", 10);
    let log = run(&sim, &only_mode()).log;
    let calls = |call| log.iter().filter(|record| record.call == call).count();
    // One for the file; for the directory one of each side, and for its two kinds of lists once more;
    // what it gives to what is made in it is asked when it is opened.
    assert_eq!((calls(Call::XattrNames), calls(Call::Xattr)), (4, 1));
    assert_eq!(calls(Call::RemoveXattr), 0);
}

#[test]
fn what_overlays_and_others_keep_in_attributes_is_copied() {
    let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), None);
    let kept = [
        "trusted.overlay.opaque",
        "trusted.overlay.redirect",
        "user.overlay.origin",
        "security.ima",
        "btrfs.compression",
    ];
    let left = ["security.evm", "trusted.SGI_ACL_FILE", "afs.acl"];
    build(&sim).dir("src");
    for name in kept.iter().chain(&left) {
        build(&sim).xattr("src", name, b"y");
    }
    let outcome = run(&sim, &archive());
    assert_eq!(failures(&outcome), Vec::<String>::new());
    for name in kept {
        assert!(xattr(&sim, "to/dst", name).is_some(), "{name}");
    }
    for name in left {
        assert_eq!(xattr(&sim, "to/dst", name), None, "{name}");
    }
    assert_eq!(compared(&sim), Vec::<String>::new());
}

/// As with GNU cp, unless the attribute was named by the caller. An attribute that can't be listed may be an ACL.
#[test]
fn a_value_that_can_not_be_read_is_missed_only_where_it_was_asked_for() {
    let named = Options {
        preserve: Preserve {
            xattrs: Want::Required,
            ..archive().preserve
        },
        ..archive()
    };
    let (value, list) = (Call::Xattr, Call::XattrNames);
    for (options, call, expected) in [
        (archive(), value, None),
        (named.clone(), value, Some(Operation::ReadXattrs)),
        (archive(), list, Some(Operation::ListXattrs)),
        (named, list, Some(Operation::ListXattrs)),
    ] {
        for code in [EIO, EBUSY, ENOENT, EACCES] {
            if code == EACCES && call == list {
                continue; // a process that may not list them copies none
            }
            let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), None);
            build(&sim).file("src", 10).xattr("src", "user.a", b"1");
            build(&sim).xattr("src", "user.b", b"2");
            // The value that is read and set, not the inherited ACL of the destination's directory.
            let log = run(&sim.fork(), &options).log;
            let is_it = |n: usize| {
                log[n].call == call && (call == list || log[n + 1].call == Call::SetXattr)
            };
            let nth = (0..log.len()).position(is_it).unwrap() as u64;
            let scenario = Scenario::new("attributes", sim.fork(), options.clone());
            let sim = &scenario.sim;
            let fault = Fault::new(When::Nth(nth), Effect::Fail(code));
            sim.world().faults.planned = vec![fault];
            let outcome = sweep::run(sim, sim, &scenario);
            let failed = outcome.failures.iter().map(|it| it.operation);
            assert!(
                failed.eq(expected),
                "{call:?} {code:?}: {:?}",
                failures(&outcome)
            );
            if call == value {
                assert_eq!(xattr(sim, "to/dst", "user.a"), None);
                assert!(
                    xattr(sim, "to/dst", "user.b").is_some(),
                    "the others are copied"
                );
            }
        }
    }
}

/// Copies onto a volume that stores times this way, and again with `-u`: returns how many files were copied the
/// second time.
fn copied_again(dst: Volume, second: i64, options: &Options) -> (u64, Vec<String>) {
    let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(dst));
    build(&sim).dir("src");
    for name in ["src/f", "src/g", "src/h"] {
        build(&sim).file(name, 10).time(name, second);
    }
    build(&sim).time("src", second);
    assert!(failures(&run(&sim, &archive())).is_empty());
    let differences = compared(&sim);
    let again = run(&sim, options);
    assert_eq!(failures(&again), Vec::<String>::new());
    let left = again.log.iter().filter(|it| it.call == Call::Open).count();
    assert!(left > 0);
    (again.summary.files, differences)
}

#[test]
fn a_time_that_the_destination_can_t_hold_is_not_an_older_one() {
    let update = Options {
        update: Update::Older,
        ..archive()
    };
    let none = || (0, Vec::<String>::new());
    for (unit, kind) in [
        (2_000_000_000, FsKind::Fat),
        (10_000_000, FsKind::ExFat),
        (1_000_000_000, FsKind::Ext),
        (1_000_000_000, FsKind::Fuse),
        (1_000, FsKind::Nfs),
        (100, FsKind::Ntfs),
    ] {
        for dates_changes in [true, false] {
            let volume = Volume {
                time_unit: unit,
                dates_changes,
                owners: true,
                xattrs: true,
                ..Volume::new(3, kind)
            };
            let (again, differences) = copied_again(volume, 1_600_000_001, &update);
            assert_eq!(again, 0, "{kind:?}");
            // A comparison tries nothing, so it reports what only a trial could settle.
            if dates_changes || matches!(kind, FsKind::Fat | FsKind::ExFat | FsKind::Fuse) {
                assert_eq!(differences, none().1, "{kind:?}");
            }
        }
    }
    let early = Volume {
        last_second: i32::MAX.into(),
        ..Volume::new(3, FsKind::Ext)
    };
    assert_eq!(copied_again(early, 2_524_608_000, &update), none());
}

#[test]
fn an_older_destination_is_copied_again_also_where_it_is_of_a_whole_second() {
    let update = Options {
        update: Update::Older,
        ..archive()
    };
    let sim = system(
        Os::Linux,
        Volume::new(2, FsKind::Ext),
        Some(Volume::new(3, FsKind::Ext)),
    );
    build(&sim).dir("src").file("src/f", 10);
    let dst = super::build::Builder::below(&sim, std::ffi::OsStr::new("/to"));
    dst.dir("dst").file("dst/f", 10);
    let whole = crate::words::stat::Timestamp {
        seconds: 1_600_000_000,
        nanos: 0,
    };
    dst.times("dst/f", whole);
    assert_eq!(run(&sim, &update).summary.files, 1);
    assert_eq!(run(&sim, &update).summary.files, 0);
}
