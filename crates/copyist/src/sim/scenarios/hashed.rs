//! Copies that are hashed, and read back.

use super::{Scenario, archive, build, linux, macos_pairs, two_threads};
use crate::words::facts::FsKind;
use crate::words::hash::HashKind;
use crate::words::method::{Method, MethodSet};
use crate::words::options::Options;

pub(in crate::sim) fn hashed() -> Vec<Scenario> {
    let mut all = Vec::new();
    let hash = |options| Options {
        hash: Some(HashKind::Xxh3),
        ..options
    };
    let verify = |options| Options {
        verify: true,
        ..hash(options)
    };
    for (name, kind, size) in [
        ("hashed, small on ext", FsKind::Ext, 5000),
        ("hashed, empty", FsKind::Ext, 0),
        ("hashed, cloned", FsKind::Btrfs, 200_000),
        ("hashed, large on ext", FsKind::Ext, 5 << 20),
    ] {
        let sim = linux(kind, None);
        build(&sim).file("src", size);
        all.push(Scenario::new(name, sim.clone(), hash(Options::default())));
        if size < 1 << 20 {
            all.push(Scenario::new(name, sim, verify(archive())));
        }
    }
    for (name, methods) in [
        (
            "hashed, copy-range alone",
            MethodSet::EMPTY.with(Method::CopyRange),
        ),
        (
            "hashed, direct alone",
            MethodSet::EMPTY.with(Method::Direct),
        ),
        (
            "hashed, read-write alone",
            MethodSet::EMPTY.with(Method::ReadWrite),
        ),
        (
            "hashed, two methods",
            MethodSet::EMPTY
                .with(Method::CopyRange)
                .with(Method::ReadWrite),
        ),
    ] {
        let sim = linux(FsKind::Ext, None);
        build(&sim).sparse("src", 600_001, [0..3, 40..60, 100..101]);
        let options = Options {
            methods: Some(methods),
            ..Options::default()
        };
        all.push(Scenario::new(name, sim, verify(options)));
    }
    let sim = linux(FsKind::Ext, None);
    build(&sim).sparse("src", 600_001, [3..40, 60..100]);
    all.push(Scenario::new(
        "hashed, holes",
        sim,
        hash(Options::default()),
    ));
    all.extend(two_threads().into_iter().map(|scenario| Scenario {
        options: hash(scenario.options),
        ..scenario
    }));
    all.extend(macos_pairs().into_iter().take(2).map(|scenario| Scenario {
        options: verify(scenario.options),
        ..scenario
    }));
    all
}
