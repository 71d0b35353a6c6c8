//! One file: its size, its holes and its volume; and each method by itself.

use std::iter::once;

use super::{Scenario, archive, build, linux, system};
use crate::sim::volume::{Direct, Volume};
use crate::words::facts::FsKind;
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{Cache, Options, Sparse};
use crate::words::stat::FileKind;

fn small_file() -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut small = |name, sim, options| {
        all.push(Scenario {
            small: true,
            ..Scenario::new(name, sim, options)
        });
    };
    for (name, kind) in [
        ("small on ext", FsKind::Ext),
        ("small on btrfs", FsKind::Btrfs),
        ("small on tmpfs", FsKind::Tmpfs),
    ] {
        let sim = linux(kind, None);
        build(&sim).file("src", 5000);
        small(name, sim, Options::default());
    }
    for (name, mode) in [
        ("small with -a", 0o640),
        ("small with -a, made with its mode", 0o755),
    ] {
        let sim = linux(FsKind::Ext, None);
        build(&sim)
            .file("src", 3000)
            .mode("src", mode)
            .xattr("src", "user.a", b"1");
        small(name, sim, archive());
    }
    all
}

pub(in crate::sim) fn one_file() -> Vec<Scenario> {
    let mut all = small_file();
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 0);
    all.push(Scenario::new("empty", sim, Options::default()));

    let large = |name, kind, dst| {
        let sim = linux(kind, dst);
        build(&sim).sparse("src", 600_001, [0..3, 40..60, 100..101]);
        Scenario::new(name, sim, Options::default())
    };
    all.push(large("holes on ext", FsKind::Ext, None));
    all.push(large("holes on btrfs", FsKind::Btrfs, None));
    all.push(large("holes on xfs", FsKind::Xfs, None));
    all.push(large("holes on a map that lies", FsKind::Zfs, None));
    all.push(large(
        "holes to another volume",
        FsKind::Ext,
        Some(FsKind::Btrfs),
    ));

    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 300_001);
    all.push(Scenario::new("plain on ext", sim, Options::default()));

    let sim = linux(FsKind::Ext, None);
    build(&sim).sparse("src", 50 << 20, [0..3, 5_000..5_002, 9_000..9_001]);
    let options = Options {
        cache: Cache::DropBehind,
        ..Options::default()
    };
    all.push(Scenario::new("dropped behind", sim, options));

    let sim = linux(FsKind::Xfs, None);
    build(&sim).sparse("src", 200 << 20, [0..2, 30_000..30_002]);
    all.push(Scenario::new("cloned by ranges", sim, Options::default()));

    let sim = linux(FsKind::Btrfs, None);
    build(&sim).file("src", 200_000);
    sim.world()
        .nodes
        .values_mut()
        .filter(|it| it.kind() == FileKind::Regular)
        .for_each(|it| {
            it.flags = 0x0080_0000;
        });
    all.push(Scenario::new("NOCOW on btrfs", sim, Options::default()));

    let sim = linux(FsKind::Ext, None);
    build(&sim).sparse("src", 100_000, [0..1, 4..5, 20..25]);
    let options = Options {
        sparse: Sparse::Always,
        ..Options::default()
    };
    all.push(Scenario::new("sparse=always", sim, options));
    all
}

pub(in crate::sim) fn each_method_alone() -> Vec<Scenario> {
    let mut all = Vec::new();
    let names = [
        (Method::Clone, "clone alone"),
        (Method::CopyRange, "copy-range alone"),
        (Method::Sendfile, "sendfile alone"),
        (Method::Direct, "direct alone"),
        (Method::ReadWrite, "read-write alone"),
    ];
    for (method, name) in names {
        for data in [0..100_000, 0..40] {
            let sim = linux(FsKind::Btrfs, None);
            build(&sim).sparse("src", 300_001, once(data));
            let methods = Some(MethodSet::EMPTY.with(method));
            let options = Options {
                methods,
                ..Options::default()
            };
            all.push(Scenario::new(name, sim, options));
        }
    }
    let direct = |name, src: Direct, dst: Direct, sparse| {
        let with = |id, direct| Volume {
            direct,
            ..Volume::new(id, FsKind::Ext)
        };
        let sim = system(Os::Linux, with(2, src), Some(with(3, dst)));
        build(&sim).sparse("src", 2_500_001, [0..300, 400..600]);
        let methods = Some([Method::Direct, Method::ReadWrite].into_iter().collect());
        Scenario::new(
            name,
            sim,
            Options {
                methods,
                sparse,
                ..Options::default()
            },
        )
    };
    let (fine, coarse) = (Direct::Aligned(512), Direct::Aligned(4096));
    all.push(direct(
        "direct, two alignments",
        fine,
        coarse,
        Sparse::Never,
    ));
    all.push(direct(
        "direct from one side",
        fine,
        Direct::Refused,
        Sparse::Auto,
    ));
    all.push(direct(
        "direct to one side",
        Direct::Refused,
        coarse,
        Sparse::Always,
    ));
    all.push(direct(
        "direct refused",
        Direct::Refused,
        Direct::Refused,
        Sparse::Auto,
    ));
    all.push(direct(
        "direct refused later",
        coarse,
        Direct::RefusedLater,
        Sparse::Auto,
    ));
    all
}
