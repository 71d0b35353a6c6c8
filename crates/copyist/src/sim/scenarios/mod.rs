//! What is copied in the sweeps, on what, and how.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::Sim;
use super::build::Builder;
use super::data::Data;
use super::faults::{Call, Faults};
use super::volume::Volume;
use super::world::ROOT;
use crate::think::rules;
use crate::words::code::Code;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::operand::Operand;
use crate::words::options::{Fsync, Options, Preserve};

mod existing;
mod files;
mod hashed;
mod macos;
mod misreported;
mod safe;
mod trees;
mod volumes;

pub(super) use existing::existing;
pub(super) use files::{each_method_alone, one_file};
pub(super) use hashed::hashed;
pub(super) use macos::{
    dangling, macos, macos_attributes, macos_existing, macos_methods, macos_pairs, macos_tree,
    macos_trees,
};
pub(super) use misreported::{misreported, partly_cloned};
pub(super) use safe::safe;
pub(super) use trees::{deep_trees, trees};
pub(super) use volumes::{other_systems, two_threads, volumes};

/// A copy to be made, again and again.
pub(in crate::sim) struct Scenario {
    pub(in crate::sim) name: &'static str,
    pub(in crate::sim) sim: Sim,
    pub(in crate::sim) options: Options,
    pub(in crate::sim) operands: Vec<Operand>,
    /// It can't succeed, faults or not.
    pub(in crate::sim) fails: bool,
    /// The file is so small that it can be copied byte by byte.
    pub(in crate::sim) small: bool,
    /// Streams are read, and become files.
    pub(in crate::sim) reads_streams: bool,
    /// The bytes of the copy, where the source's data is not it.
    pub(in crate::sim) stream: Option<Data>,
    /// The destination's volume keeps no attributes.
    pub(in crate::sim) foreign: bool,
    /// Two operands go to one destination.
    pub(in crate::sim) overwrites_itself: bool,
    /// Paths that are not judged: another process changes them.
    pub(in crate::sim) may_change: Vec<PathBuf>,
}

impl Scenario {
    pub(in crate::sim) fn new(name: &'static str, sim: Sim, options: Options) -> Scenario {
        sim.world().faults = Faults::default();
        Scenario {
            name,
            sim,
            options: Options {
                ordered: true,
                ..options
            },
            operands: vec![operand("/from/src", "/to/dst")],
            fails: false,
            small: false,
            reads_streams: false,
            stream: None,
            foreign: false,
            overwrites_itself: false,
            may_change: Vec::new(),
        }
    }

    pub(in crate::sim) fn os(&self) -> Os {
        self.sim.os
    }

    /// Whether a call may fail in silence: a flush that is for reading from the device alone, on a
    /// filesystem that has no such call.
    pub(in crate::sim) fn may_fail(&self, call: Call, code: Code) -> bool {
        let Options {
            verify,
            flush,
            fsync,
            ..
        } = self.options;
        let is_to_read = verify && (flush, fsync) == (None, Fsync::None);
        call == Call::Flush && is_to_read && rules::is_no_flush(self.os(), code)
    }
}

pub(in crate::sim) fn operand(src: &str, dst: &str) -> Operand {
    Operand {
        src: src.into(),
        dst: dst.into(),
        parents_below: None,
    }
}

/// A system with `/from` on one volume, and `/to` on the same or another.
pub(in crate::sim) fn system(os: Os, src: Volume, dst: Option<Volume>) -> Sim {
    let root = Volume::new(1, FsKind::Ext);
    let sim = Sim::new(os, 7, root);
    Builder::below(&sim, OsStr::new("/"))
        .dir("from")
        .dir("to")
        .dir("else")
        .file("else/x", 100);
    {
        let mut world = sim.world();
        world.volumes.push(src);
        let to = if let Some(dst) = dst {
            world.volumes.push(dst);
            2
        } else {
            1
        };
        for (path, volume) in [("from", 1), ("to", to)] {
            let ino = world.lookup(ROOT, OsStr::new(path), false).unwrap();
            world.node_mut(ino).volume = volume;
        }
    }
    sim
}

pub(in crate::sim) fn linux(src: FsKind, dst: Option<FsKind>) -> Sim {
    let dst = dst.map(|kind| Volume::new(3, kind));
    system(Os::Linux, Volume::new(2, src), dst)
}

pub(in crate::sim) fn build(sim: &Sim) -> Builder<'_, Sim> {
    Builder::below(sim, OsStr::new("/from"))
}

pub(in crate::sim) fn archive() -> Options {
    Options {
        recursive: true,
        preserve: Preserve::ARCHIVE,
        ..Options::default()
    }
}
