//! Problems of a copy to volumes that can store less than others.

use std::ffi::OsStr;

use super::build::Builder;
use super::data::BLOCK;
use super::scenarios::{archive, build, linux, operand, system};
use super::volume::Volume;
use crate::api::preflight;
use crate::api::preflight::{BadName, Obstacle};
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::observer::CancelToken;
use crate::words::options::{Atomic, Backup, Options};

const GIB: u64 = 1 << 30;

/// A tree with what FAT has no place for, looked at before it goes to a volume of this kind.
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
    let mut found = Vec::new();
    preflight::look(
        &sim,
        &[operand("/from/src", "/to/dst/src")],
        &archive(),
        &CancelToken::new(),
        &|_, _| true,
        &mut |obstacle| found.push(obstacle),
    );
    found
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
    let mut found = Vec::new();
    preflight::look(
        &sim,
        &[operand("/from/src", "/to/dst")],
        options,
        &CancelToken::new(),
        &|_, _| true,
        &mut |obstacle| found.push(obstacle),
    );
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
