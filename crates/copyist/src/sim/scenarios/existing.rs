//! Trees, over what is there already.

use std::ffi::OsStr;

use super::{Scenario, archive, build, linux, operand};
use crate::sim::Sim;
use crate::sim::build::Builder;
use crate::sim::faults::Faults;
use crate::sim::world::ROOT;
use crate::words::facts::FsKind;
use crate::words::options::{Backup, Force, Options, Update};

/// Two versions of a directory.
pub(super) fn plain(kind: FsKind) -> Sim {
    let sim = linux(kind, None);
    build(&sim)
        .dir("src")
        .file("src/a", 9000)
        .file("src/b", 100)
        .file("src/new", 200)
        .time("src/b", 1_650_000_000);
    Builder::below(&sim, OsStr::new("/to"))
        .dir("dst")
        .file("dst/a", 20_000)
        .file("dst/b", 5000)
        .mode("dst/b", 0o600)
        .time("dst/a", 1_610_000_000)
        .time("dst/b", 1_610_000_000);
    sim
}

pub(in crate::sim) fn existing() -> Vec<Scenario> {
    let mut all = Vec::new();
    let base = || {
        let sim = plain(FsKind::Ext);
        build(&sim)
            .hard_link("src/b2", "src/b")
            .symlink("src/link", "a");
        Builder::below(&sim, OsStr::new("/to")).symlink("dst/link", "b");
        sim
    };
    let recursive = || Options {
        recursive: true,
        ..Options::default()
    };
    all.push(Scenario::new("overwrite", base(), recursive()));
    all.push(Scenario::new("overwrite with -a", base(), archive()));
    let update = Options {
        update: Update::Older,
        ..recursive()
    };
    all.push(Scenario::new("update", base(), update));
    let none = Options {
        update: Update::None,
        ..recursive()
    };
    all.push(Scenario::new("update=none", base(), none));
    for (name, backup) in [
        ("simple backups", Backup::Simple),
        ("numbered backups", Backup::Numbered),
    ] {
        all.push(Scenario::new(
            name,
            base(),
            Options {
                backup,
                ..archive()
            },
        ));
    }
    let only = Options {
        attributes_only: true,
        ..archive()
    };
    all.push(Scenario::new("attributes only", plain(FsKind::Ext), only));
    let first = Options {
        force: Force::RemoveFirst,
        ..recursive()
    };
    all.push(Scenario::new("removed first", base(), first));

    let sim = base();
    {
        let mut world = sim.world();
        (world.privileged, world.uid, world.gid) = (false, 1000, 1000);
        world
            .nodes
            .values_mut()
            .for_each(|it| (it.uid, it.gid) = (1000, 1000));
        let locked = world.lookup(ROOT, OsStr::new("to/dst/b"), false).unwrap();
        world.node_mut(locked).mode = 0o400;
        world.faults = Faults::default();
    }
    let force = Options {
        force: Force::IfNeeded,
        ..recursive()
    };
    all.push(Scenario::new("removed if needed", sim, force));

    let mut twice = Scenario::new("two operands", base(), recursive());
    twice.operands.push(operand("/from/src/a", "/to/other"));
    twice.operands.push(operand("from/src/b", "to/third"));
    all.push(twice);
    all
}
