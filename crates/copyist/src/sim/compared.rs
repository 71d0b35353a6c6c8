//! Two files compared: where stat's size is not their length, and where most of them is a hole.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Mutex;

use super::Sim;
use super::build::Builder;
use super::data::BLOCK;
use super::faults::{Call, Effect, Fault, Faults, Record, When};
use super::scenarios::system;
use super::volume::Volume;
use crate::api::compare;
use crate::api::compare::{Compare, Difference, Found};
use crate::think::rules::linux::EIO;
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

/// The calls of a comparison of two trees of `files` files each, on two volumes, with these faults.
fn of_trees(files: usize, faults: &[Fault]) -> Vec<Call> {
    let (from, to) = (Volume::new(2, FsKind::Ext), Volume::new(3, FsKind::Xfs));
    let sim = system(Os::Linux, from, Some(to));
    for dir in ["/from", "/to"] {
        let make = Builder::below(&sim, OsStr::new(dir));
        make.dir("tree");
        for n in 0..files {
            make.file(&format!("tree/{n}"), 5000);
        }
    }
    sim.world().faults = Faults {
        planned: faults.to_vec(),
        ..Faults::default()
    };
    let sides = (Path::new("/from/tree"), Path::new("/to/tree"));
    let compare = Compare::default().times(false);
    let found = Differences::default();
    let compared = compare::run(&sim, &compare, sides, &CancelToken::new(), &found);
    let counts = (compared.files, compared.differences, compared.errors);
    assert_eq!(counts, (files as u64, 0, 0));
    let mut world = sim.world();
    assert!(world.open.is_empty(), "everything is closed");
    let log = std::mem::take(&mut world.faults.log);
    log.into_iter().map(|it| it.call).collect()
}

fn count(calls: &[Call], call: Call) -> usize {
    calls.iter().filter(|it| **it == call).count()
}

#[test]
fn each_volume_is_flushed_once() {
    let calls = of_trees(5, &[]);
    assert_eq!(count(&calls, Call::FlushVolume), 2);
    assert_eq!(count(&calls, Call::Flush), 0);
    assert_eq!(count(&calls, Call::Uncache), 10);
}

/// Data that is only in the cache must not be taken for what is on the device.
#[test]
fn each_file_is_flushed_where_its_volume_can_not_be() {
    let fails = Fault::new(When::NthOf(Call::FlushVolume, 0), Effect::Fail(EIO));
    let calls = of_trees(5, &[fails]);
    assert_eq!(count(&calls, Call::FlushVolume), 2);
    assert_eq!(count(&calls, Call::Flush), 5);
    assert_eq!(count(&calls, Call::Uncache), 10);
}

#[test]
fn a_small_file_takes_six_calls_a_side() {
    let mut more = of_trees(6, &[]);
    for call in of_trees(5, &[]) {
        let n = more.iter().position(|it| *it == call).unwrap();
        more.remove(n);
    }
    more.sort_by_key(|call| format!("{call:?}"));
    let one_side = [
        Call::Open,
        Call::Read,
        Call::StatOpen,
        Call::Uncache,
        Call::XattrNames,
    ];
    let both: Vec<Call> = one_side.into_iter().flat_map(|call| [call, call]).collect();
    assert_eq!(more, both); // and a close
}
