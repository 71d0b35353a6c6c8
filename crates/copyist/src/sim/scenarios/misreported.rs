//! What a filesystem says of a file is not so: the size that stat reports, or the success of a clone.

use super::{Scenario, build, system};
use crate::sim::volume::{RangeCopy, Volume};
use crate::words::facts::FsKind;
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{OnChange, Options, Reflink, Sparse};

/// More than one buffer, and no whole number of blocks.
const BYTES: u64 = 262_145;

/// A file of a server that reports another size: all that a read returns is copied, and no more.
pub(in crate::sim) fn misreported() -> Vec<Scenario> {
    let mut all = Vec::new();
    for (name, says) in [
        ("stat reports 3 bytes", 3),
        ("stat reports a buffer", 262_144),
        ("stat reports more than there is", 400_000),
    ] {
        for method in Method::ALL {
            let methods = MethodSet::EMPTY.with(method);
            all.push(scenario(name, says, with_methods(methods)));
        }
        for change in [
            |it: &mut Options| it.on_change = OnChange::Fail,
            |it: &mut Options| it.verify = true,
            |it: &mut Options| it.sparse = Sparse::Always,
            |_: &mut Options| {},
        ] {
            let mut options = Options::default();
            change(&mut options);
            all.push(scenario(name, says, options));
        }
    }
    all
}

fn with_methods(methods: MethodSet) -> Options {
    Options {
        methods: Some(methods),
        ..Options::default()
    }
}

fn scenario(name: &'static str, says: u64, options: Options) -> Scenario {
    let server = Volume {
        says_size: Some(says),
        range_copy: RangeCopy::Yes,
        ..Volume::new(2, FsKind::Fuse)
    };
    let fails = options
        .methods
        .is_some_and(|it| it == MethodSet::EMPTY.with(Method::Clone));
    let is_other = |method| options.methods == Some(MethodSet::EMPTY.with(method));
    // Refused between two kinds of filesystem, and not there on Linux.
    let fails = fails || is_other(Method::CopyRange) || is_other(Method::SystemCopy);
    // Less is allocated than the size needs, and this method can't look for holes.
    let fails = fails || says > BYTES && is_other(Method::Sendfile);
    let sim = system(Os::Linux, server, Some(Volume::new(3, FsKind::Ext)));
    build(&sim).file("src", BYTES);
    Scenario {
        fails,
        ..Scenario::new(name, sim, options)
    }
}

/// A clone call that shares a part at most and returns success; the file is cloned by one call, or by several.
pub(in crate::sim) fn partly_cloned(reflink: Reflink, size: u64, shared: u64) -> Scenario {
    let volume = Volume {
        most_cloned_bytes: shared,
        ..Volume::new(2, FsKind::Btrfs)
    };
    let sim = system(Os::Linux, volume, None);
    build(&sim).file("src", size);
    let options = Options {
        reflink,
        ..Options::default()
    };
    Scenario {
        fails: reflink == Reflink::Always,
        ..Scenario::new("a part is cloned", sim, options)
    }
}
