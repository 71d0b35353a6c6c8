//! A current directory that the process may not search: absolute paths are copied all the same.

use std::ffi::OsStr;

use super::Sim;
use super::faults::{Call, Effect, Fault, Faults, When};
use super::scenarios::{Scenario, archive, build, linux, operand};
use super::sweep;
use super::sweep::Outcome;
use crate::system::start_dir;
use crate::think::rules::linux::{EACCES, EIO};
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::facts::FsKind;
use crate::words::operand::Operand;
use crate::words::options::{Atomic, Options};

/// `/from/src` is a tree, and `.` refuses with this code.
fn lost(code: Code) -> Sim {
    let sim = linux(FsKind::Ext, None);
    build(&sim).dir("src").file("src/f", 5000);
    let mut world = sim.world();
    world.faults = Faults::default();
    let refused = |n| Fault::new(When::NthOf(Call::CurrentDir, n), Effect::Fail(code));
    world.faults.planned = (0..20).map(refused).collect();
    drop(world);
    sim
}

fn run(sim: &Sim, options: Options, operands: &[Operand]) -> Outcome {
    let mut scenario = Scenario::new("lost", sim.fork(), options);
    scenario.operands = operands.to_vec();
    sweep::run(sim, sim, &scenario)
}

fn is_there(sim: &Sim, path: &str) -> bool {
    let world = sim.world();
    world
        .lookup(super::world::ROOT, OsStr::new(path), false)
        .is_ok()
}

#[test]
fn absolute_paths_are_copied_without_a_current_directory() {
    let resumable = Options {
        atomic: Atomic::Required,
        journal: Some("/to/journal".into()),
        ..archive()
    };
    for options in [archive(), resumable] {
        let sim = lost(EACCES);
        let outcome = run(&sim, options, &[operand("/from/src", "/to/dst")]);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert!(is_there(&sim, "/to/dst/f"));
        assert!(!is_there(&sim, "/to/journal"));
    }
}

/// Those are looked up nowhere else, and the others are copied.
#[test]
fn relative_paths_fail_without_a_current_directory() {
    let sim = lost(EACCES);
    let operands = [
        operand("from/src", "/to/a"),
        operand("/from/src", "to/b"),
        operand("/from/src", "/to/c"),
    ];
    let outcome = run(&sim, archive(), &operands);
    let failed: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
    assert_eq!(failed, [Operation::StatSource, Operation::StatDestination]);
    assert_eq!(outcome.summary.errors, 2);
    assert!(!is_there(&sim, "/to/a") && !is_there(&sim, "/to/b"));
    assert!(is_there(&sim, "/to/c/f"));
}

#[test]
fn only_a_missing_permission_is_gone_around() {
    let sim = lost(EIO);
    let outcome = run(&sim, archive(), &[operand("/from/src", "/to/dst")]);
    assert_eq!(outcome.failures.len(), 1);
    let path = |path| std::path::Path::new(path);
    assert_eq!(start_dir(&lost(EIO), [path("/a")]).err(), Some(EIO));
    assert_eq!(
        start_dir(&lost(EACCES), [path("/a"), path("b")]).err(),
        Some(EACCES)
    );
    assert!(start_dir(&lost(EACCES), [path("/a"), path("/b")]).is_ok());
}
