//! Which calls one small file takes, exactly: what a change adds to each of a million files is seen here.
//!
//! The close of what was only read can't fail, and is in no log.

use super::Sim;
use super::faults::Call;
use super::scenarios::{Scenario, archive, build, system};
use super::sweep;
use super::volume::Volume;
use crate::system::{Move, Whole};
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::options::{Options, Update};

/// The calls of one run after the directory's names were read.
fn after_names(sim: &Sim, options: &Options) -> Vec<Call> {
    let scenario = Scenario::new("one file", sim.clone(), options.clone());
    let outcome = sweep::run(sim, sim, &scenario);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(outcome.leaked, 0, "the source is closed");
    let calls: Vec<Call> = outcome.log.iter().map(|it| it.call).collect();
    let read = calls.iter().rposition(|call| *call == Call::ReadDir);
    calls[read.unwrap() + 1..].to_vec()
}

/// The calls of a file of so many bytes in a directory, in each of `runs`; those of the directory itself are what an
/// empty one takes.
fn of_file(os: Os, kind: FsKind, bytes: u64, runs: &[Options]) -> Vec<Vec<Call>> {
    let empty = system(os, Volume::new(2, kind), None);
    build(&empty).dir("src");
    let sim = empty.fork();
    build(&sim).file("src/f", bytes);
    let of_run = |options: &Options| {
        let (all, dir) = (after_names(&sim, options), after_names(&empty, options));
        let file = all.strip_suffix(dir.as_slice());
        file.unwrap_or_else(|| panic!("{all:?} ends in {dir:?}"))
            .to_vec()
    };
    runs.iter().map(of_run).collect()
}

fn plain() -> Options {
    Options {
        recursive: true,
        ..Options::default()
    }
}

fn newer(options: Options) -> Options {
    Options {
        update: Update::Older,
        ..options
    }
}

const CLONE: Call = Call::Move(Move::CloneFile);
const COPY_RANGE: Call = Call::Move(Move::CopyRange);

#[test]
fn of_a_new_file() {
    use Call::{Close, Open, Read, StatOpen, Write};
    let of = |kind, bytes| of_file(Os::Linux, kind, bytes, &[plain()]).remove(0);
    let ext = [Open, StatOpen, Open, Read, Write, Close];
    assert_eq!(of(FsKind::Ext, 5000), ext);
    assert_eq!(of(FsKind::Xfs, 5000), ext);
    let tmpfs = [Open, StatOpen, Open, COPY_RANGE, Close];
    assert_eq!(of(FsKind::Tmpfs, 5000), tmpfs);
    let btrfs = [Open, StatOpen, Open, CLONE, Close];
    assert_eq!(of(FsKind::Btrfs, 5000), btrfs);
    for kind in [FsKind::Ext, FsKind::Tmpfs, FsKind::Btrfs] {
        let empty = [Open, StatOpen, Open, Read, Close];
        assert_eq!(of(kind, 0), empty, "{kind:?}");
    }
}

#[test]
fn of_a_new_file_with_its_attributes() {
    use Call::{Close, Open, Read, SetTimes, StatOpen, Write, XattrNames};
    let of = |kind| of_file(Os::Linux, kind, 5000, &[archive()]).remove(0);
    let attributes = |moves: &[Call]| {
        let mut calls = vec![Open, StatOpen, XattrNames, Open];
        calls.extend(moves);
        calls.extend([StatOpen, SetTimes, Close]);
        calls
    };
    assert_eq!(of(FsKind::Ext), attributes(&[Read, Write]));
    assert_eq!(of(FsKind::Tmpfs), attributes(&[COPY_RANGE]));
    assert_eq!(of(FsKind::Btrfs), attributes(&[CLONE]));
}

#[test]
fn of_a_second_run() {
    use Call::{Close, Open, Read, SetLen, Stat, StatOpen, Volume, Write};
    for first in [plain(), archive()] {
        let runs = [first.clone(), newer(first)];
        let again = of_file(Os::Linux, FsKind::Ext, 5000, &runs).remove(1);
        assert_eq!(again, [Stat, Stat], "{:?}", runs[1]);
    }
    let again = of_file(Os::Linux, FsKind::Ext, 5000, &[plain(), plain()]).remove(1);
    let written_into = [
        Stat, Stat, Open, StatOpen, Open, StatOpen, Volume, SetLen, Read, Write, Close,
    ];
    assert_eq!(again, written_into);
}

/// The first name of a file is copied; another one, in another deep directory, takes two calls, and the way to the first
/// one's directory is opened once for all that follow each other.
#[test]
fn of_another_name() {
    let of_names = |names: usize| {
        let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), None);
        let make = build(&sim);
        for dir in [
            "src",
            "src/a",
            "src/a/b",
            "src/a/b/c",
            "src/x",
            "src/x/y",
            "src/x/y/z",
        ] {
            make.dir(dir);
        }
        for n in 0..names {
            make.file(&format!("src/a/b/c/f{n}"), 5000);
            make.hard_link(&format!("src/x/y/z/l{n}"), &format!("src/a/b/c/f{n}"));
        }
        drop(make);
        let outcome = sweep::run(&sim, &sim, &Scenario::new("links", sim.clone(), archive()));
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(outcome.leaked, 0, "every directory is closed");
        outcome.log.iter().map(|it| it.call).collect::<Vec<Call>>()
    };
    let mut more = of_names(5);
    for call in of_names(4) {
        let n = more.iter().position(|it| *it == call);
        more.remove(n.unwrap_or_else(|| panic!("{call:?} is only in the smaller run")));
    }
    for call in of_file(Os::Linux, FsKind::Ext, 5000, &[archive()]).remove(0) {
        let n = more.iter().position(|it| *it == call);
        more.remove(n.unwrap_or_else(|| panic!("{call:?} is no call of the first name")));
    }
    assert_eq!(more, [Call::Stat, Call::Make]);
}

/// Where one call may create a file and fill it.
#[test]
fn of_a_new_file_elsewhere() {
    use Call::{
        Close, Flags, Open, Read, SetCreated, SetMode, SetTimes, StatOpen, Write, XattrNames,
    };
    let of = |os, kind| of_file(os, kind, 5000, &[plain()]).remove(0);
    let apfs = of(Os::Macos, FsKind::Apfs);
    // What the clone has brought along and `-r` doesn't keep is taken away again.
    let attributes = [Flags, XattrNames, SetMode, SetTimes, SetCreated, Close];
    let mut clone = vec![Open, StatOpen, Call::Whole(Whole::Clone), Open, StatOpen];
    clone.extend(attributes);
    assert_eq!(apfs, clone);
    // A small one is read and written, which takes fewer calls.
    let ntfs = of(Os::Windows, FsKind::Ntfs);
    let moved = [Open, StatOpen, Open, Read, Write, XattrNames, Close];
    assert_eq!(ntfs, moved);
}

/// A copy that is read back is written out by a call that makes nothing durable, where there is one.
#[cfg(feature = "verify")]
#[test]
fn of_a_file_that_is_read_back() {
    let options = Options {
        verify: true,
        ..plain()
    };
    let of = |kind| of_file(Os::Linux, kind, 5000, std::slice::from_ref(&options)).remove(0);
    let counts = |calls: &[Call]| {
        [Call::WriteBack, Call::Flush].map(|call| calls.iter().filter(|it| **it == call).count())
    };
    for kind in [FsKind::Ext, FsKind::Xfs, FsKind::Btrfs] {
        assert_eq!(counts(&of(kind)), [1, 0], "{kind:?}");
    }
    for kind in [FsKind::Fuse, FsKind::Nfs, FsKind::Zfs] {
        assert_eq!(counts(&of(kind)), [0, 1], "{kind:?}");
    }
}

/// A file that gets its name when it is complete is created with its permissions; a close of it reports errors only on
/// filesystems that have some to report.
#[test]
fn of_a_new_file_that_is_published() {
    use Call::{Close, Name, Open, Read, SetTimes, StatOpen, Write, XattrNames};
    let options = Options {
        atomic: crate::words::options::Atomic::BestEffort,
        ..archive()
    };
    let of = |kind| of_file(Os::Linux, kind, 5000, std::slice::from_ref(&options)).remove(0);
    let ext = [
        Open, StatOpen, Open, Read, Write, StatOpen, XattrNames, SetTimes, Name, Close,
    ];
    assert_eq!(of(FsKind::Ext), ext);
    let zfs = of(FsKind::Zfs);
    assert!(zfs.contains(&Call::CheckCloseErrors), "{zfs:?}");
}

/// Where a directory lists its names by a hash, files are read in the order of their inode numbers: that of the disk.
#[test]
fn files_are_read_in_the_order_of_the_disk() {
    let order = |kind| {
        let sim = system(Os::Linux, Volume::new(2, kind), None);
        build(&sim).dir("src");
        for n in 0..30 {
            build(&sim).file(&format!("src/{n}"), 10);
        }
        let options = Options {
            jobs: std::num::NonZeroUsize::new(1),
            ..plain()
        };
        let mut scenario = Scenario::new("order", sim.clone(), options);
        scenario.options.ordered = false;
        let outcome = sweep::run(&sim, &sim, &scenario);
        let number = |path: &std::path::Path| path.file_name()?.to_str()?.parse::<u32>().ok();
        let files = outcome.files.iter();
        files
            .filter_map(|(path, _)| number(path))
            .collect::<Vec<u32>>()
    };
    let by_inode: Vec<u32> = (0..30).collect();
    assert_eq!(order(FsKind::Ext), by_inode);
    assert_ne!(order(FsKind::Xfs), by_inode, "the directory's order");
}
