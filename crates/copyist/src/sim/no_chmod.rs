//! Destinations whose permission bits can't be changed: FUSE servers without chmod.

use std::ffi::OsStr;
use std::path::Path;

use super::build::Builder;
use super::faults::{Call, Effect, Fault, Faults, When};
use super::scenarios::{Scenario, build, linux, operand, system};
use super::sweep;
use super::sweep::Outcome;
use super::volume::Volume;
use super::world::{Body, ROOT};
use super::{Sim, snapshot};
use crate::think::rules::linux::{ENOSYS, EPERM};
use crate::words::error::Operation;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::options::{Atomic, Follow, NewMode, Options};
use crate::words::report::Report;

fn run(sim: &Sim, options: Options) -> Outcome {
    sweep::run(sim, sim, &Scenario::new("no chmod", sim.fork(), options))
}

fn with(atomic: Atomic) -> Options {
    Options {
        atomic,
        ..Options::default()
    }
}

/// `/from/src` is to be copied to such a volume, onto an older file with these permissions if there are any.
fn refusing(old: Option<u32>) -> Sim {
    let volume = Volume {
        xattrs: false,
        ..Volume::new(3, FsKind::Fuse)
    };
    let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(volume));
    build(&sim).file("src", 5000).mode("src", 0o755);
    if let Some(mode) = old {
        Builder::below(&sim, OsStr::new("/to"))
            .file("dst", 700)
            .mode("dst", mode);
    }
    let mut world = sim.world();
    for volume in world.volumes.iter_mut().filter(|it| it.id == 3) {
        volume.owners = false;
    }
    world.faults = Faults::default();
    drop(world);
    sim
}

/// The permissions and the number of names there; whether the copy has the source's bytes.
fn result(sim: &Sim) -> (u32, usize, bool) {
    let now = snapshot::of_world(&sim.world());
    let (src, dst) = (&now[Path::new("from/src")], &now[Path::new("to/dst")]);
    let names = now.keys().filter(|it| it.starts_with("to")).count() - 1;
    (dst.stat.mode & 0o777, names, dst.data.same_bytes(&src.data))
}

#[test]
fn a_new_file_is_made_with_the_permissions_that_it_is_to_have() {
    for atomic in [Atomic::BestEffort, Atomic::Required] {
        for (new_mode, mode) in [
            (NewMode::FromSource, 0o755),
            (NewMode::SystemDefault, 0o644),
        ] {
            let sim = refusing(None);
            let options = Options {
                new_mode,
                ..with(atomic)
            };
            let outcome = run(&sim, options);
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
            assert!(outcome.in_place.is_empty());
            assert_eq!(result(&sim), (mode, 1, true));
        }
    }
}

#[test]
fn an_old_file_keeps_its_permissions_and_is_written_in_place() {
    for mode in [0o640, 0o700, 0o666] {
        let sim = refusing(Some(mode));
        let outcome = run(&sim, with(Atomic::BestEffort));
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(result(&sim), (mode, 1, true));
        // The draft's permissions are those of a file that no other process sees.
        assert_eq!(outcome.in_place.len(), usize::from(mode != 0o700));
    }
    let sim = refusing(Some(0o640));
    let outcome = run(&sim, with(Atomic::Required));
    assert!(outcome.first.expect("an error").is_not_atomic());
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(result(&sim), (0o640, 1, false));
}

#[test]
fn permissions_that_could_not_be_preserved_are_one_failure() {
    for old in [Some(0o640), None] {
        let sim = refusing(old);
        let mut options = with(Atomic::BestEffort);
        (options.preserve.mode, options.preserve.acl) = (true, true);
        let outcome = run(&sim, options);
        let failed: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
        assert_eq!(failed, [Operation::SetMode]);
        // What cp leaves: the old ones, or those of a file whose permissions are still to come.
        assert_eq!(result(&sim), (old.unwrap_or(0o700), 1, true));
    }
}

/// What was read from a stream is in the draft alone.
#[test]
fn a_stream_is_written_in_place_from_the_draft() {
    let sim = refusing(Some(0o640));
    let bytes = vec![7; 70_000];
    let src = sim.world().lookup(ROOT, OsStr::new("/from/src"), false);
    sim.world().node_mut(src.unwrap()).body = Body::Fifo(bytes.clone());
    let options = Options {
        follow: Follow::Always,
        ..with(Atomic::BestEffort)
    };
    let outcome = run(&sim, options);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let world = sim.world();
    let dst = world.lookup(ROOT, OsStr::new("/to/dst"), false).unwrap();
    let copy = world.data(dst).unwrap();
    let mut read = vec![0; bytes.len()];
    copy.read(0, &mut read);
    assert_eq!((copy.size(), read), (bytes.len() as u64, bytes));
    assert_eq!(world.node(dst).mode & 0o777, 0o640);
}

#[test]
fn that_a_volume_refuses_it_is_found_out_once() {
    let sim = refusing(None);
    build(&sim).dir("tree");
    Builder::below(&sim, OsStr::new("/to")).dir("dst");
    for name in ["a", "b", "c"] {
        build(&sim).file(&format!("tree/{name}"), 5000);
        let old = Builder::below(&sim, OsStr::new("/to"));
        old.file(&format!("dst/{name}"), 10);
    }
    sim.world().faults = Faults::default();
    let options = Options {
        recursive: true,
        ..with(Atomic::BestEffort)
    };
    let mut scenario = Scenario::new("no chmod", sim.fork(), options);
    scenario.operands = vec![operand("/from/tree", "/to/dst")];
    let outcome = sweep::run(&sim, &sim, &scenario);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let in_place = |it: &&(_, Report)| it.1.in_place.is_some();
    assert_eq!(outcome.files.iter().filter(in_place).count(), 3);
    let modes = outcome.log.iter().filter(|it| it.call == Call::SetMode);
    assert_eq!(modes.count(), 1);
}

/// Times are set once more when a copy has been read back.
#[test]
fn what_fails_twice_is_reported_once() {
    for code in [ENOSYS, EPERM] {
        let sim = linux(FsKind::Ext, None);
        build(&sim).file("src", 5000);
        let fault = |n| Fault::new(When::NthOf(Call::SetTimes, n), Effect::Fail(code));
        let mut options = with(Atomic::No);
        (options.verify, options.preserve.times) = (true, true);
        let mut scenario = Scenario::new("times", sim.clone(), options);
        scenario.operands = vec![operand("/from/src", "/to/dst")];
        sim.world().faults.planned = (0..4).map(fault).collect();
        let outcome = sweep::run(&sim, &sim, &scenario);
        let set = outcome.log.iter().filter(|it| it.call == Call::SetTimes);
        assert_eq!(set.count(), 2);
        let failed: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
        assert_eq!(failed, [Operation::SetTimes]);
    }
}
