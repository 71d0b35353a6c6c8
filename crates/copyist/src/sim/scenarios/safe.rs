//! Atomic copies, durable ones, and sources that are not to change.

use std::ffi::OsStr;

use super::existing::plain;
use super::{Scenario, archive, build, linux, operand, system};
use crate::file::temp_file::Temporary;
use crate::sim::Sim;
use crate::sim::build::Builder;
use crate::sim::faults::Faults;
use crate::sim::open_names::RemovesOpen;
use crate::sim::volume::Volume;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::options::{Atomic, Backup, Force, Fsync, OnChange, Options};

/// A tree over an older one, with what crashed runs have left, on a volume of this kind.
fn over(kind: FsKind) -> Sim {
    let sim = plain(kind);
    build(&sim)
        .hard_link("src/b2", "src/b")
        .symlink("src/link", "a")
        .dir("src/sub")
        .file("src/sub/c", 300);
    Builder::below(&sim, OsStr::new("/to"))
        .file(&format!("dst/{}", Temporary(1).name()), 700)
        .symlink("dst/link", "b")
        .dir("dst/sub");
    sim
}

fn atomic(options: Options) -> Options {
    Options {
        atomic: Atomic::Required,
        ..options
    }
}

fn recursive() -> Options {
    Options {
        recursive: true,
        ..Options::default()
    }
}

pub(in crate::sim) fn safe() -> Vec<Scenario> {
    let mut all = Vec::new();
    // Fuse has no nameless files, Other can't rename to a free name only either.
    for (name, kind) in [
        ("atomic", FsKind::Ext),
        ("atomic, named", FsKind::Fuse),
        ("atomic, checked", FsKind::Other),
    ] {
        all.push(Scenario::new(name, over(kind), atomic(archive())));
        all.push(Scenario::new(name, over(kind), atomic(recursive())));
        let sim = linux(kind, None);
        build(&sim).file("src", 5000).mode("src", 0o644);
        all.push(Scenario::new(name, sim, atomic(Options::default())));
    }
    for (name, backup) in [
        ("atomic, simple backups", Backup::Simple),
        ("atomic, numbered backups", Backup::Numbered),
    ] {
        let options = Options {
            backup,
            ..archive()
        };
        all.push(Scenario::new(name, over(FsKind::Ext), atomic(options)));
    }
    let first = Options {
        force: Force::RemoveFirst,
        ..recursive()
    };
    all.push(Scenario::new(
        "atomic, replaced",
        over(FsKind::Ext),
        atomic(first),
    ));
    all.extend(best_effort());
    all.extend(closed_first());
    all.extend(durable());
    all.extend(strict());
    all.push(atomic_elsewhere("macOS: atomic", Os::Macos, FsKind::Apfs));
    all.push(atomic_elsewhere(
        "Windows: atomic",
        Os::Windows,
        FsKind::Ntfs,
    ));
    all
}

/// On volumes that refuse to rename: a new file is linked, and an old one is written into.
fn best_effort() -> Vec<Scenario> {
    let mut all = Vec::new();
    for kind in [FsKind::Ext, FsKind::Fuse] {
        let sim = over(kind);
        let nosys = sim.world().codes.nosys;
        for volume in &mut sim.world().volumes {
            volume.refuses_rename = Some(nosys);
        }
        let options = Options {
            atomic: Atomic::BestEffort,
            ..archive()
        };
        all.push(Scenario::new("atomic, as far as can be", sim, options));
    }
    all
}

/// Where a name can't be removed while its file is open.
fn closed_first() -> Vec<Scenario> {
    let sim = over(FsKind::Fuse);
    for volume in &mut sim.world().volumes {
        volume.odd.removes_open = RemovesOpen::No;
    }
    vec![Scenario::new(
        "closed, then removed",
        sim,
        atomic(archive()),
    )]
}

fn durable() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, fsync) in [("fsync=file", Fsync::File), ("fsync=end", Fsync::End)] {
        let options = Options { fsync, ..archive() };
        all.push(Scenario::new(name, plain(FsKind::Ext), options.clone()));
        let both = atomic(options);
        let mut scenario = Scenario::new(name, over(FsKind::Ext), both);
        scenario.operands.push(operand("/else/x", "/to/other"));
        all.push(scenario);
    }
    all
}

fn strict() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, on_change) in [
        ("on-change=retry", OnChange::Retry),
        ("on-change=fail", OnChange::Fail),
    ] {
        let sim = linux(FsKind::Ext, None);
        build(&sim).sparse("src", 300_001, [0..3, 40..60]);
        let options = Options {
            on_change,
            ..Options::default()
        };
        all.push(Scenario::new(name, sim, options));
    }
    all
}

fn atomic_elsewhere(name: &'static str, os: Os, kind: FsKind) -> Scenario {
    let sim = system(os, Volume::new(2, kind), None);
    build(&sim).dir("src").file("src/a", 9000).file("src/b", 0);
    Builder::below(&sim, OsStr::new("/to"))
        .dir("dst")
        .file("dst/a", 100);
    sim.world().faults = Faults::default();
    Scenario::new(name, sim, atomic(recursive()))
}
