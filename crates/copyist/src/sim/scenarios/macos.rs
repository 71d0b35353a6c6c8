//! macOS: APFS, HFS+, exFAT and a server's volume (SMB), and what only macOS has.

use std::ffi::OsStr;

use super::{Scenario, archive, build, system};
use crate::sim::Sim;
use crate::sim::build::Builder;
use crate::sim::faults::Faults;
use crate::sim::volume::Volume;
use crate::sim::world::ROOT;
use crate::words::facts::FsKind;
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{Flush, Options, Preserve, Reflink, Sparse, Want};
use crate::words::stat::FileKind;
use crate::words::xattr_names::access_acl;

/// UF_HIDDEN and UF_IMMUTABLE of sys/stat.h.
const HIDDEN: u32 = 0x8000;
const IMMUTABLE: u32 = 0x2;

pub(in crate::sim) fn macos(src: FsKind, dst: Option<FsKind>) -> Sim {
    let dst = dst.map(|kind| Volume::new(3, kind));
    system(Os::Macos, Volume::new(2, src), dst)
}

fn is_foreign(kind: FsKind) -> bool {
    matches!(kind, FsKind::ExFat | FsKind::Cifs)
}

/// Each filesystem to itself and to each other, a small and a larger file.
pub(in crate::sim) fn macos_pairs() -> Vec<Scenario> {
    use FsKind::{Apfs, Cifs, ExFat, HfsPlus};
    let mut all = Vec::new();
    for (name, src, dst) in [
        ("macOS: apfs", Apfs, None),
        ("macOS: hfs+", HfsPlus, None),
        ("macOS: exfat", ExFat, None),
        ("macOS: smb", Cifs, None),
        ("macOS: apfs to apfs", Apfs, Some(Apfs)),
        ("macOS: apfs to hfs+", Apfs, Some(HfsPlus)),
        ("macOS: apfs to exfat", Apfs, Some(ExFat)),
        ("macOS: apfs to smb", Apfs, Some(Cifs)),
        ("macOS: hfs+ to apfs", HfsPlus, Some(Apfs)),
        ("macOS: exfat to apfs", ExFat, Some(Apfs)),
        ("macOS: smb to apfs", Cifs, Some(Apfs)),
    ] {
        let foreign = is_foreign(src) || dst.is_some_and(is_foreign);
        for (size, options) in [(3000, Options::default()), (200_000, archive())] {
            let sim = macos(src, dst);
            build(&sim).file("src", size);
            if !is_foreign(src) {
                build(&sim).mode("src", 0o640);
            }
            all.push(Scenario {
                foreign,
                // The mode, which is wanted, can't be kept there.
                fails: is_foreign(dst.unwrap_or(src)) && options.preserve.mode,
                ..Scenario::new(name, sim, options)
            });
        }
    }
    all
}

/// Each method by itself, and each policy, on APFS.
pub(in crate::sim) fn macos_methods() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, method) in [
        ("macOS: clone alone", Method::Clone),
        ("macOS: system-copy alone", Method::SystemCopy),
        ("macOS: direct alone", Method::Direct),
        ("macOS: read-write alone", Method::ReadWrite),
    ] {
        let sim = macos(FsKind::Apfs, None);
        build(&sim).file("src", 300_001);
        let methods = Some(MethodSet::EMPTY.with(method));
        all.push(Scenario::new(
            name,
            sim,
            Options {
                methods,
                ..Options::default()
            },
        ));
    }
    let with = |name, options| {
        let sim = macos(FsKind::Apfs, None);
        build(&sim).sparse("src", 200_001, [0..3, 20..30]);
        Scenario::new(name, sim, options)
    };
    let reflink = |reflink| Options {
        reflink,
        ..Options::default()
    };
    let sparse = |sparse| Options {
        sparse,
        ..Options::default()
    };
    all.push(with("macOS: reflink=always", reflink(Reflink::Always)));
    all.push(with("macOS: reflink=never", reflink(Reflink::Never)));
    all.push(with("macOS: sparse=always", sparse(Sparse::Always)));
    all.push(with("macOS: sparse=never", sparse(Sparse::Never)));
    for flush in [Flush::Ordered, Flush::Durable] {
        let options = Options {
            flush: Some(flush),
            ..Options::default()
        };
        all.push(with("macOS: flushed", options));
    }
    all
}

/// Whatever attributes a file may have.
fn adorn(sim: &Sim, path: &str) {
    build(sim)
        .xattr(path, "com.apple.quarantine", b"0081;x")
        .xattr(path, "com.apple.ResourceFork", b"fork")
        .xattr(path, "com.apple.FinderInfo", b"info")
        .xattr(path, "com.example.other", b"other");
    set_acl(sim, path, b"a list");
    build(sim).time(path, 1_500_000_000);
}

fn set_acl(sim: &Sim, path: &str, list: &[u8]) {
    let mut world = sim.world();
    let path = format!("from/{path}");
    let ino = world.lookup(ROOT, OsStr::new(&path), false).unwrap();
    let name = access_acl(Os::Macos).to_vec();
    world.node_mut(ino).xattrs.insert(name, list.to_vec());
}

fn set_flags(sim: &Sim, path: &str, flags: u32) {
    let mut world = sim.world();
    let path = format!("from/{path}");
    let ino = world.lookup(ROOT, OsStr::new(&path), false).unwrap();
    world.node_mut(ino).flags = flags;
}

/// A file of a user's, who is not privileged.
fn of_a_user(sim: &Sim) {
    let mut world = sim.world();
    (world.privileged, world.uid, world.gid) = (false, 501, 20);
    for node in world.nodes.values_mut() {
        (node.uid, node.gid) = (501, 20);
    }
    world.faults = Faults::default();
}

/// What is kept, and what is taken away again, however the file was copied.
pub(in crate::sim) fn macos_attributes() -> Vec<Scenario> {
    let keeping_flags = Options {
        preserve: Preserve {
            flags: true,
            xattrs: Want::Required,
            ..Preserve::ARCHIVE
        },
        ..archive()
    };
    let mut all = Vec::new();
    for (name, dst) in [
        ("macOS: attributes, cloned", None),
        ("macOS: attributes, copied", Some(FsKind::HfsPlus)),
    ] {
        for options in [Options::default(), archive(), keeping_flags.clone()] {
            for is_user in [false, true] {
                let sim = macos(FsKind::Apfs, dst);
                build(&sim).file("src", 150_000).mode("src", 0o4750);
                adorn(&sim, "src");
                set_flags(&sim, "src", HIDDEN | IMMUTABLE);
                if is_user {
                    of_a_user(&sim);
                }
                all.push(Scenario::new(name, sim, options.clone()));
            }
        }
    }
    let sim = macos(FsKind::Apfs, None);
    build(&sim).file("src", 9000).mode("src", 0o600);
    let to = Builder::below(&sim, OsStr::new("/to"));
    to.dir("inner");
    {
        let mut world = sim.world();
        let ino = world.lookup(ROOT, OsStr::new("to/inner"), false).unwrap();
        let name = access_acl(Os::Macos).to_vec();
        world.node_mut(ino).xattrs.insert(name, b"given".to_vec());
    }
    let mut into = Scenario::new("macOS: into a directory that gives lists", sim, archive());
    into.operands[0].dst = "/to/inner/dst".into();
    all.push(into);
    all
}

/// Over what is there.
pub(in crate::sim) fn macos_existing() -> Vec<Scenario> {
    let mut all = Vec::new();
    let always = Options {
        reflink: Reflink::Always,
        ..Options::default()
    };
    let always_archive = Options {
        reflink: Reflink::Always,
        ..archive()
    };
    for (name, options) in [
        ("macOS: over a file", Options::default()),
        ("macOS: over a file, reflink=always", always.clone()),
        ("macOS: over a file, -a and reflink=always", always_archive),
    ] {
        let sim = macos(FsKind::Apfs, None);
        build(&sim).file("src", 150_000).mode("src", 0o644);
        Builder::below(&sim, OsStr::new("/to"))
            .file("dst", 20_000)
            .mode("dst", 0o600)
            .owner("dst", 7, 8);
        all.push(Scenario::new(name, sim, options));
    }
    let sim = macos(FsKind::Apfs, None);
    build(&sim).file("src", 9000);
    Builder::below(&sim, OsStr::new("/to"))
        .file("dst", 20_000)
        .hard_link("other", "dst");
    all.push(Scenario {
        fails: true,
        ..Scenario::new("macOS: over one of two names, reflink=always", sim, always)
    });
    all.push(dangling());
    all
}

/// A symbolic link to nothing has the name: never unlinked, never written through.
pub(in crate::sim) fn dangling() -> Scenario {
    let sim = macos(FsKind::Apfs, None);
    build(&sim).file("src", 9000);
    Builder::below(&sim, OsStr::new("/to")).symlink("dst", "nowhere");
    Scenario {
        fails: true,
        ..Scenario::new("macOS: onto a dangling link", sim, Options::default())
    }
}

/// A tree of which some directories can be cloned whole, and some can't.
pub(in crate::sim) fn macos_tree(sim: &Sim) {
    build(sim)
        .dir("src")
        .file("src/top", 5000)
        .dir("src/plain")
        .file("src/plain/a", 150_000)
        .file("src/plain/b", 10)
        .symlink("src/plain/link", "a")
        .dir("src/plain/deep")
        .file("src/plain/deep/c", 4096)
        .mode("src/plain/deep", 0o2750)
        .dir("src/linked")
        .file("src/linked/one", 700)
        .hard_link("src/linked/two", "src/linked/one")
        .dir("src/set-id")
        .file("src/set-id/tool", 800)
        .mode("src/set-id/tool", 0o4755)
        .dir("src/pipe")
        .special("src/pipe/fifo", FileKind::Fifo, 0)
        .dir("src/hidden")
        .file("src/hidden/h", 900)
        .dir("src/empty");
    adorn(sim, "src/plain/a");
    set_flags(sim, "src/hidden/h", HIDDEN);
    build(sim)
        .time("src/set-id/tool", 1_500_000_001)
        .time("src/plain/deep", 1_500_000_002)
        .time("src/plain", 1_500_000_003)
        .time("src/empty", 1_500_000_004)
        .time("src", 1_500_000_005);
}

pub(in crate::sim) fn macos_trees() -> Vec<Scenario> {
    let mut all = Vec::new();
    let recursive = Options {
        recursive: true,
        ..Options::default()
    };
    for (name, dst, options) in [
        ("macOS: tree with -a", None, archive()),
        ("macOS: tree with -r", None, recursive),
        ("macOS: tree to hfs+", Some(FsKind::HfsPlus), archive()),
    ] {
        let sim = macos(FsKind::Apfs, dst);
        macos_tree(&sim);
        all.push(Scenario::new(name, sim, options));
    }
    all
}
