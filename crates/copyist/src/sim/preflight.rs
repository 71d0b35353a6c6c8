//! Problems of a copy to volumes that can store less than others.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Sim;
use super::build::Builder;
use super::data::BLOCK;
use super::faults::Call;
use super::scenarios::{archive, build, linux, operand, system};
use super::volume::Volume;
use crate::api::preflight;
use crate::api::preflight::{BadName, Counted, Obstacle, Watch};
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::observer::CancelToken;
use crate::words::operand::Operand;
use crate::words::options::{Atomic, Backup, Options};
use crate::words::stat::FileKind;

const GIB: u64 = 1 << 30;

/// Keeps what is found; names that end in ".o" are not wanted.
#[derive(Default)]
struct Keep(Mutex<Vec<Obstacle>>);

impl Watch for Keep {
    fn wants(&self, path: &Path, _: FileKind) -> bool {
        path.extension() != Some(OsStr::new("o"))
    }

    fn obstacle(&self, obstacle: Obstacle) {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.push(obstacle);
    }
}

fn look(sim: &Sim, operands: &[Operand], options: &Options) -> (Vec<Obstacle>, Counted) {
    let keep = Keep::default();
    let counted = preflight::look(sim, operands, options, &CancelToken::new(), &keep);
    let found = keep.0.into_inner();
    (found.unwrap_or_else(PoisonError::into_inner), counted)
}

/// How often a call was made.
fn calls(sim: &Sim, call: Call) -> usize {
    let log = &sim.world().faults.log;
    log.iter().filter(|it| it.call == call).count()
}

/// A tree of 100 files of a block, 100 others that are not wanted and a directory, and what is free on another
/// volume, in blocks.
fn hundred(from: Volume, to: Option<Volume>) -> Sim {
    let sim = system(Os::Linux, from, to);
    build(&sim).dir("src").dir("src/sub");
    for n in 0..100 {
        build(&sim).file(&format!("src/{n}"), BLOCK);
        build(&sim).file(&format!("src/{n}.o"), BLOCK);
    }
    sim.world().faults.log.clear();
    sim
}

fn to_new(sim: &Sim) -> (Vec<Obstacle>, Counted) {
    look(sim, &[operand("/from/src", "/to/src")], &archive())
}

#[test]
fn where_nothing_can_be_in_the_way_nothing_is_walked() {
    let new = Volume::new;
    let pairs = [
        (new(2, FsKind::Ext), None),
        (new(2, FsKind::Xfs), None),
        (new(2, FsKind::Btrfs), None),
        (new(2, FsKind::Ext), Some(new(3, FsKind::Xfs))),
        (new(2, FsKind::Tmpfs), Some(new(3, FsKind::Ext))),
    ];
    for (from, to) in pairs {
        // A quarter is in use, of 2 TiB.
        let from = from.with_free_bytes(1536 * GIB);
        let sim = hundred(from.clone(), to);
        let (found, counted) = to_new(&sim);
        assert_eq!((found, counted), (vec![], Counted::default()));
        let made = [Call::ReadDir, Call::Stat].map(|call| calls(&sim, call));
        // The two names that are given; where nobody says whether case is folded, a few more.
        assert!(made[0] == 0 && made[1] <= 6, "{:?}: {made:?}", from.kind);
    }
}

/// A volume that is too full to be sure, with room for the tree all the same.
#[test]
fn where_space_matters_each_file_is_looked_at_once_and_none_that_is_not_wanted() {
    let to = Volume::new(3, FsKind::Ext).with_free_bytes(100 * BLOCK);
    let sim = hundred(Volume::new(2, FsKind::Ext), Some(to));
    let (found, counted) = to_new(&sim);
    assert_eq!(found, []);
    assert_eq!(counted.examined.entries, 101);
    assert_eq!(counted.examined.files, 100);
    assert_eq!(counted.examined.bytes, 100 * BLOCK);
    assert!(counted.is_complete);
    let stats = calls(&sim, Call::Stat);
    assert!((100..=106).contains(&stats), "{stats}");
    sim.world().volumes[2].free_bytes = 99 * BLOCK;
    let (found, _) = to_new(&sim);
    assert!(matches!(&*found, [Obstacle::Space { .. }]), "{found:?}");
    // What nobody knows is in nobody's way.
    sim.world().volumes[2].hides_numbers = true;
    assert_eq!(to_new(&sim).0, []);
}

/// More of it than is in use may be needed: files share data, or are on another volume.
#[test]
fn where_use_says_nothing_of_space_files_are_looked_at() {
    for (from, to) in [
        (FsKind::Xfs, FsKind::Ext),
        (FsKind::Btrfs, FsKind::Ext),
        (FsKind::Fuse, FsKind::Tmpfs),
    ] {
        let sim = hundred(Volume::new(2, from), Some(Volume::new(3, to)));
        let (found, counted) = to_new(&sim);
        assert_eq!((found, counted.is_complete), (vec![], true), "{from:?}");
        assert_eq!(counted.examined.files, 100);
    }
    let sim = hundred(Volume::new(2, FsKind::Ext), None);
    build(&sim).dir("src/sub/mount");
    {
        let mut world = sim.world();
        let ino = world
            .lookup(super::world::ROOT, OsStr::new("/from/src/sub/mount"), false)
            .expect("it is there");
        world.volumes.push(Volume::new(4, FsKind::Ext));
        let volume = world.volumes.len() - 1;
        world.node_mut(ino).volume = volume;
    }
    let (found, counted) = to_new(&sim);
    assert_eq!((found, counted.is_complete), (vec![], true));
    assert_eq!(counted.examined.files, 100);
}

/// Names that may be too long are read, and nothing is asked of the files.
#[test]
fn where_names_matter_the_directory_says_what_they_are() {
    let mut from = Volume::new(2, FsKind::Ext).with_free_bytes(1536 * GIB);
    from.name_max = 300;
    let sim = hundred(from, Some(Volume::new(3, FsKind::Ext)));
    let long = "x".repeat(256);
    build(&sim).file(&format!("src/sub/{long}"), BLOCK);
    sim.world().faults.log.clear();
    let (found, counted) = to_new(&sim);
    let path = Path::new("/from/src/sub").join(&long);
    assert_eq!(found, [Obstacle::Name(path, BadName::TooLong)]);
    assert_eq!((counted.examined.files, counted.is_complete), (101, false));
    assert!(calls(&sim, Call::Stat) <= 6);
}

/// A filesystem whose directories don't say what is in them is asked for each name.
#[test]
fn directories_that_do_not_say_what_is_in_them_are_looked_at_by_stat() {
    let to = Volume::new(3, FsKind::Fat);
    let sim = hundred(Volume::new(2, FsKind::Other), Some(to));
    build(&sim).sparse("src/sub/large", 4 * GIB, []);
    let (found, _) = to_new(&sim);
    assert!(matches!(&*found, [Obstacle::TooLarge { .. }]), "{found:?}");
}

/// Two trees of one volume need no more than is on it; one in the other may.
#[test]
fn trees_of_one_volume_are_bounded_together() {
    // Half more than is in use on the other.
    let to = Volume::new(3, FsKind::Ext).with_free_bytes(768 * GIB);
    let from = Volume::new(2, FsKind::Ext).with_free_bytes(1536 * GIB);
    let sim = hundred(from, Some(to));
    build(&sim).dir("other").file("other/x", BLOCK);
    let reads = |operands: &[Operand]| {
        sim.world().faults.log.clear();
        assert_eq!(look(&sim, operands, &archive()).0, []);
        calls(&sim, Call::ReadDir)
    };
    let (src, other) = (
        operand("/from/src", "/to/src"),
        operand("/from/other", "/to/other"),
    );
    assert_eq!(reads(&[src.clone(), other]), 0);
    assert_ne!(reads(&[src, operand("/from/src/sub", "/to/sub")]), 0);
}

/// Where calls take their time, several threads share one directory.
#[test]
fn a_directory_of_a_slow_mount_is_shared_out() {
    let from = Volume::new(2, FsKind::Fuse);
    let sim = system(Os::Linux, from, Some(Volume::new(3, FsKind::Ext)));
    build(&sim).dir("src");
    for n in 0..5000 {
        build(&sim).file(&format!("src/{n}"), 1);
    }
    let (found, counted) = to_new(&sim);
    assert_eq!(found, []);
    assert_eq!((counted.examined.files, counted.is_complete), (5000, true));
}

#[test]
#[should_panic(expected = "of the caller")]
fn a_panic_of_the_caller_ends_the_look() {
    struct Panics;
    impl Watch for Panics {
        fn wants(&self, path: &Path, _: FileKind) -> bool {
            assert!(!path.ends_with("50"), "of the caller");
            true
        }
        fn obstacle(&self, _: Obstacle) {}
    }
    let sim = hundred(
        Volume::new(2, FsKind::Fuse),
        Some(Volume::new(3, FsKind::Ext)),
    );
    let operands = [operand("/from/src", "/to/src")];
    preflight::look(&sim, &operands, &archive(), &CancelToken::new(), &Panics);
}

/// A tree with what FAT has no place for, examined at before it goes to a volume of this kind.
fn obstacles(to: FsKind) -> Vec<Obstacle> {
    let sim = linux(FsKind::Ext, Some(to));
    build(&sim)
        .dir("src")
        .sparse("src/fits", 4 * GIB - 1, [])
        .sparse("src/large", 4 * GIB, [])
        .file("src/what?", 10)
        .dir("src/sub");
    build(&sim)
        .file("src/sub/readme", 1)
        .file("src/sub/README", 1);
    Builder::below(&sim, OsStr::new("/to")).dir("dst");
    look(&sim, &[operand("/from/src", "/to/dst/src")], &archive()).0
}

#[test]
fn what_fat_can_not_hold_is_found() {
    let found = obstacles(FsKind::Fat);
    let large = Obstacle::TooLarge {
        src: "/from/src/large".into(),
        size: 4 * GIB,
        limit: 4 * GIB - 1,
    };
    let name = Obstacle::Name("/from/src/what?".into(), BadName::Character('?'));
    assert!(found.contains(&large), "{found:?}");
    assert!(found.contains(&name), "{found:?}");
    let is_collision = |it: &&Obstacle| matches!(it, Obstacle::Collision(..));
    assert_eq!(found.iter().filter(is_collision).count(), 1, "{found:?}");
    assert_eq!(found.len(), 3, "{found:?}");
    // exFAT keeps large files.
    let found = obstacles(FsKind::ExFat);
    assert!(
        !found.contains(&large) && found.contains(&name),
        "{found:?}"
    );
    assert_eq!(obstacles(FsKind::Xfs), []);
}

/// The space that a copy of ten blocks over ten others lacks on a volume with so many free.
fn lacks(free_blocks: u64, options: &Options, hides_numbers: bool) -> Option<u64> {
    let volume = Volume::new(3, FsKind::Ext);
    let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(volume));
    build(&sim).file("src", 10 * BLOCK);
    Builder::below(&sim, OsStr::new("/to")).file("dst", 10 * BLOCK);
    sim.world().volumes[2].free_bytes = free_blocks * BLOCK;
    sim.world().volumes[2].hides_numbers = hides_numbers;
    let (mut found, _) = look(&sim, &[operand("/from/src", "/to/dst")], options);
    found.pop().map(|obstacle| match obstacle {
        Obstacle::Space { needed, .. } => needed / BLOCK,
        other => panic!("{other:?}"),
    })
}

#[test]
fn old_and_new_need_space_together_where_one_replaces_the_other() {
    let in_place = archive();
    let atomic = |atomic| Options {
        atomic,
        ..archive()
    };
    let backup = Options {
        backup: Backup::Simple,
        ..archive()
    };
    assert_eq!(lacks(5, &in_place, false), None);
    for atomic in [atomic(Atomic::Required), atomic(Atomic::BestEffort)] {
        assert_eq!(lacks(5, &atomic, false), Some(10));
        assert_eq!(lacks(10, &atomic, false), None);
        assert_eq!(lacks(5, &atomic, true), None, "nobody knows");
    }
    assert_eq!(lacks(5, &backup, false), Some(10));
}
