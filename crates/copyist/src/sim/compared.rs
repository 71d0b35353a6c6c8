//! Two files compared: where stat's size is not their length, and where most of them is a hole.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Mutex;

use super::Sim;
use super::build::Builder;
use super::data::BLOCK;
use super::faults::{Call, Faults, Record};
use super::scenarios::system;
use super::volume::Volume;
use crate::api::compare;
use crate::api::compare::{Compare, Difference, Found};
use crate::words::error::Error;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::observer::CancelToken;

#[derive(Default)]
struct Differences(Mutex<Vec<Difference>>);

impl Found for Differences {
    fn difference(&self, _: &Path, difference: &Difference) {
        self.0.lock().unwrap().push(difference.clone());
    }

    fn error(&self, error: &Error) {
        panic!("{error}");
    }
}

/// Compares a file of `len` bytes on a server, whose size is said to be `says`, with a copy of `copied`.
fn differences(says: u64, len: u64, copied: u64) -> Vec<Difference> {
    let server = Volume {
        says_size: Some(says),
        ..Volume::new(2, FsKind::Fuse)
    };
    let sim = system(Os::Linux, server, Some(Volume::new(3, FsKind::Ext)));
    Builder::below(&sim, OsStr::new("/from")).file("file", len);
    Builder::below(&sim, OsStr::new("/to")).file("file", copied);
    compare_files(&sim)
}

fn compare_files(sim: &Sim) -> Vec<Difference> {
    let compare = Compare {
        threads: 2,
        ..Compare::default()
    };
    let found = Differences::default();
    let sides = (Path::new("/from/file"), Path::new("/to/file"));
    compare::run(sim, &compare, sides, &CancelToken::new(), &found);
    found.0.into_inner().unwrap()
}

#[test]
fn what_is_a_hole_in_both_is_not_read() {
    const SIZE: u64 = 1 << 40;
    const FAR: u64 = SIZE / BLOCK / 2;
    for (blocks, expected) in [
        (vec![0..3, FAR..FAR + 1], vec![]),
        (vec![0..1, 1..3], vec![Difference::Content(FAR * BLOCK)]),
        (
            vec![0..3, 700..701, FAR..FAR + 1],
            vec![Difference::Content(700 * BLOCK)],
        ),
    ] {
        let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), None);
        let make = |dir, blocks| {
            Builder::below(&sim, OsStr::new(dir)).sparse("file", SIZE, blocks);
        };
        make("/from", vec![0..3, FAR..FAR + 1]);
        make("/to", blocks);
        sim.world().faults = Faults::default();
        assert_eq!(compare_files(&sim), expected);
        let reads = |record: &Record| record.call == Call::Read;
        let reads = sim.world().faults.log.iter().filter(|it| reads(it)).count();
        assert!((1..50).contains(&reads), "{reads}");
    }
}

#[test]
fn files_are_compared_to_where_reads_end() {
    let len = 3_000_001;
    for says in [3, len, 1 << 20, 1 << 30] {
        assert_eq!(differences(says, len, len), [], "{says}");
        // What lies behind the size that both agree in, and a copy that is short or long.
        let content = |at| [Difference::Content(at)];
        assert_eq!(differences(says, len, len - 1), content(len - 1), "{says}");
        assert_eq!(differences(says, len, len + 1), content(len), "{says}");
    }
}
