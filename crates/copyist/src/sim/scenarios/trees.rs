//! Trees, into nothing.

use std::ffi::OsStr;

use super::{Scenario, archive, build, linux};
use crate::sim::Sim;
use crate::sim::build::Builder;
use crate::sim::world::ROOT;
use crate::words::facts::FsKind;
use crate::words::options::{Options, Want};
use crate::words::stat::FileKind;

/// A tree with one of everything.
pub(in crate::sim) fn everything(sim: &Sim) {
    build(sim)
        .dir("src")
        .dir("src/sub")
        .dir("src/sub/deep")
        .dir("src/closed")
        .file("src/a", 5000)
        .hard_link("src/sub/a2", "src/a")
        .hard_link("src/sub/deep/a3", "src/a")
        .symlink("src/link", "a")
        .symlink("src/dangling", "nowhere/at/all")
        .special("src/fifo", FileKind::Fifo, 0)
        .special("src/sub/socket", FileKind::Socket, 0)
        .sparse("src/sub/holes", 90_000, [3..4, 9..10])
        .file("src/closed/in", 70)
        .xattr("src/a", "user.a", b"one")
        .xattr("src/sub", "user.dir", b"two")
        .xattr("src/closed/in", "system.posix_acl_access", b"list")
        .mode("src/a", 0o4755)
        .mode("src/closed/in", 0o400)
        .mode("src/closed", 0o555)
        .mode("src/sub", 0o2770)
        .time("src/closed", 1_500_000_000)
        .time("src/sub/deep", 1_400_000_000)
        .time("src/sub", 1_300_000_000)
        .time("src", 1_200_000_000);
}

/// Trees that are deeper than the system lets a process have directories open, with something to be
/// done at each level on the way back: read on, files, hard links to and from far away.
pub(in crate::sim) fn deep_trees() -> Vec<Scenario> {
    // The number of files that it may have open, and whether that limit is reported.
    let limits = [(28, true), (14, false)];
    let deep = |(most_open, says): (usize, bool)| {
        let sim = linux(FsKind::Ext, None);
        let tree = build(&sim);
        let mut path = "src".to_owned();
        tree.dir(&path).file("src/first", 100);
        for level in 0..6 {
            path += "/d";
            tree.dir(&path);
            for name in ["a", "z"] {
                tree.file(&format!("{path}/{name}"), 10 + level);
            }
            tree.hard_link(&format!("{path}/link"), "src/first");
            tree.dir(&format!("{path}/other"))
                .file(&format!("{path}/other/in"), 7)
                .mode(&path, 0o750);
        }
        let mut world = sim.world();
        world.most_open = most_open;
        world.says_most_open = says.then_some(most_open as u64);
        drop(world);
        Scenario::new("a deep tree", sim, archive())
    };
    limits.map(deep).into()
}

pub(in crate::sim) fn trees() -> Vec<Scenario> {
    let mut all = Vec::new();
    let kinds = [
        ("tree on ext", FsKind::Ext, None),
        ("tree on btrfs", FsKind::Btrfs, None),
        ("tree to another volume", FsKind::Other, Some(FsKind::Tmpfs)),
    ];
    for (name, src, dst) in kinds {
        let sim = linux(src, dst);
        everything(&sim);
        build(&sim)
            .special("src/device", FileKind::CharDevice, 0x103)
            .owner("src/a", 1000, 100);
        build(&sim)
            .mode("src/a", 0o4755)
            .time("src/a", 1_600_000_001)
            .time("src", 1_200_000_000);
        let mut options = archive();
        options.preserve.flags = dst.is_none();
        all.push(Scenario::new(name, sim, options));
    }
    let sim = linux(FsKind::Ext, None);
    everything(&sim);
    let options = Options {
        recursive: true,
        ..Options::default()
    };
    all.push(Scenario::new("tree with -r", sim, options));

    let sim = linux(FsKind::Ext, None);
    {
        let mut world = sim.world();
        (world.privileged, world.uid, world.gid) = (false, 1000, 1000);
        world
            .nodes
            .values_mut()
            .for_each(|it| (it.uid, it.gid) = (1000, 1000));
    }
    everything(&sim);
    {
        let mut world = sim.world();
        let foreign = world
            .lookup(ROOT, OsStr::new("from/src/closed/in"), false)
            .unwrap();
        world.node_mut(foreign).gid = 50;
    }
    let mut options = archive();
    options.preserve.xattrs = Want::Required;
    all.push(Scenario::new("tree of a user", sim, options));

    let sim = linux(FsKind::Ext, None);
    everything(&sim);
    let to = Builder::below(&sim, OsStr::new("/to"));
    to.dir("dst")
        .xattr("dst", "system.posix_acl_default", b"inherited");
    all.push(Scenario::new(
        "tree into a directory that gives lists",
        sim,
        archive(),
    ));
    all
}
