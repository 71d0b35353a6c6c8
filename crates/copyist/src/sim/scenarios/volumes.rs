//! Volumes that can't, that lie or that are full; and other systems.

use std::ffi::OsStr;
use std::iter::once;
use std::ops::Range;

use super::{Scenario, archive, build, linux, system};
use crate::sim::build::{Builder, pattern};
use crate::sim::data::{BLOCK, Data};
use crate::sim::volume::{HoleMap, RangeCopy, Volume};
use crate::sim::world::{Body, ROOT};
use crate::words::facts::{FsKind, Kernel};
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{Options, Reflink, Sparse};
use crate::words::stat::FileKind;

/// A FIFO that is read as a file.
fn fifo() -> Scenario {
    let sim = linux(FsKind::Ext, None);
    build(&sim).special("src", FileKind::Fifo, 0);
    let bytes = pattern("fifo", 0..300_000);
    let mut content = Data::default();
    content.write(0, &bytes);
    {
        let mut world = sim.world();
        let ino = world.lookup(ROOT, OsStr::new("from/src"), false).unwrap();
        world.node_mut(ino).body = Body::Fifo(bytes);
    }
    let options = Options {
        copy_contents: true,
        recursive: true,
        ..Options::default()
    };
    Scenario {
        reads_streams: true,
        stream: Some(content),
        ..Scenario::new("the content of a fifo", sim, options)
    }
}

pub(in crate::sim) fn volumes() -> Vec<Scenario> {
    let mut all = Vec::new();
    let pair = |name, src, dst| {
        let sim = system(Os::Linux, src, Some(dst));
        build(&sim).file("src", 200_000);
        Scenario::new(name, sim, Options::default())
    };
    let (ext, xfs) = (
        || Volume::new(2, FsKind::Ext),
        || Volume::new(3, FsKind::Xfs),
    );
    all.push(pair("another volume", ext(), xfs()));
    let silent = Volume {
        range_copy: RangeCopy::Nothing,
        ..Volume::new(2, FsKind::Overlay)
    };
    all.push(pair(
        "copy_file_range moves nothing",
        silent,
        Volume::new(3, FsKind::Overlay),
    ));
    let fuse = Volume {
        hole_map: HoleMap::None,
        ..Volume::new(2, FsKind::Fuse)
    };
    all.push(pair("from fuse", fuse, ext()));
    let mut buggy = pair("a kernel that loses data", ext(), xfs());
    buggy.sim.world().kernel = Kernel(5, 10);
    buggy.options.methods = None;
    all.push(buggy);
    let full = pair("no room", ext(), xfs().with_free_bytes(30_000));
    all.push(Scenario {
        fails: true,
        ..full
    });

    let sim = linux(FsKind::Ext, Some(FsKind::ExFat));
    build(&sim)
        .dir("src")
        .file("src/a", 5000)
        .file("src/b", 100_000);
    all.push(Scenario {
        foreign: true,
        fails: true,
        ..Scenario::new("to exfat", sim, archive())
    });

    let sim = linux(FsKind::Pseudo, Some(FsKind::Ext));
    build(&sim).file("src", 10_000);
    all.push(Scenario::new("from procfs", sim, Options::default()));

    all.push(fifo());

    for (name, reflink) in [
        ("reflink=always", Reflink::Always),
        ("reflink=never", Reflink::Never),
    ] {
        let sim = linux(FsKind::Btrfs, None);
        build(&sim).file("src", 200_000);
        let options = Options {
            reflink,
            ..Options::default()
        };
        all.push(Scenario::new(name, sim, options));
    }
    all
}

/// A file that two threads copy: its volume says that it rewards them.
pub(in crate::sim) fn two_threads() -> Vec<Scenario> {
    let scenario = |name, kind, blocks: &[Range<u64>], size, sparse| {
        let rewards = |id| Volume {
            parallel_from_bytes: Some(1),
            ..Volume::new(id, kind)
        };
        let sim = system(Os::Linux, rewards(2), Some(rewards(3)));
        build(&sim).sparse("src", size, blocks.iter().cloned());
        let options = Options {
            sparse,
            jobs: std::num::NonZeroUsize::new(2),
            ..Options::default()
        };
        Scenario::new(name, sim, options)
    };
    let (auto, whole) = (Sparse::Auto, 600 * BLOCK);
    let holes = [0..3, 200..300, 500..580];
    vec![
        scenario(
            "two threads",
            FsKind::Other,
            &[0..300, 300..601],
            whole + 1,
            auto,
        ),
        scenario(
            "two threads, reserved",
            FsKind::Ext,
            &[0..300, 300..600],
            whole,
            auto,
        ),
        scenario("two threads and holes", FsKind::Tmpfs, &holes, whole, auto),
        scenario(
            "two threads find holes",
            FsKind::Ext,
            &holes,
            whole - 7,
            Sparse::Always,
        ),
    ]
}

pub(in crate::sim) fn other_systems() -> Vec<Scenario> {
    let mut all = Vec::new();
    let kinds = [
        ("macOS, APFS", Os::Macos, FsKind::Apfs),
        ("macOS, HFS+", Os::Macos, FsKind::HfsPlus),
        ("Windows, ReFS", Os::Windows, FsKind::Refs),
        ("Windows, NTFS", Os::Windows, FsKind::Ntfs),
    ];
    for (name, os, kind) in kinds {
        let sim = system(os, Volume::new(2, kind), None);
        build(&sim)
            .dir("src")
            .file("src/a", 200_000)
            .file("src/b", 100)
            .sparse("src/holes", 100_000, once(1..2));
        all.push(Scenario::new(name, sim, archive()));
    }
    all.extend(windows());
    all
}

/// Each method of Windows by itself, and over what is there.
fn windows() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, kind, method) in [
        ("Windows: clone alone", FsKind::Refs, Method::Clone),
        (
            "Windows: system-copy alone",
            FsKind::Ntfs,
            Method::SystemCopy,
        ),
        ("Windows: direct alone", FsKind::Ntfs, Method::Direct),
        ("Windows: read-write alone", FsKind::Ntfs, Method::ReadWrite),
    ] {
        let sim = system(Os::Windows, Volume::new(2, kind), None);
        build(&sim).file("src", 200_001);
        let options = Options {
            methods: Some(MethodSet::EMPTY.with(method)),
            ..Options::default()
        };
        all.push(Scenario::new(name, sim, options));
    }
    let sim = system(Os::Windows, Volume::new(2, FsKind::Refs), None);
    build(&sim).file("src", 200_001);
    Builder::below(&sim, OsStr::new("/to")).file("dst", 50_000);
    all.push(Scenario::new(
        "Windows: over a file",
        sim,
        Options::default(),
    ));
    all
}
