//! What stands in the way of a copy to volumes that hold less than others.

use std::ffi::OsStr;

use super::build::Builder;
use super::scenarios::{archive, build, linux, operand};
use crate::facts::FsKind;
use crate::preflight::{self, BadName, Obstacle};
use crate::progress::CancelToken;

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
