//! A volume whose stat returns 0 where it has no number: that is unknown, and no number.

use std::ffi::OsStr;

use super::build::Builder;
use super::data::BLOCK;
use super::scenarios::{Scenario, archive, build, linux, operand};
use super::sweep;
use super::sweep::Outcome;
use super::world::{ROOT, World};
use super::{Sim, snapshot};
use crate::words::error::{Operation, Refusal};
use crate::words::facts::FsKind;
use crate::words::operand::Operand;
use crate::words::options::{Atomic, Follow, Options};

fn run(sim: &Sim, options: Options, operands: &[Operand]) -> Outcome {
    let mut scenario = Scenario::new("numberless", sim.fork(), options);
    scenario.operands = operands.to_vec();
    sweep::run(sim, sim, &scenario)
}

/// One volume for both, with files that have several names, and of one base name in two directories.
fn numberless(kind: FsKind) -> Sim {
    let sim = linux(kind, None);
    build(&sim)
        .dir("src")
        .dir("src/one")
        .file("src/one/f", 5000)
        .dir("src/two")
        .file("src/two/f", 7000)
        .sparse("src/sparse", 90 * BLOCK, [0..1, 80..90])
        .symlink("src/link", "one/f")
        .hard_link("src/one/again", "src/one/f")
        .hard_link("src/two/again", "src/two/f");
    sim.world().volumes[1].hides_numbers = true;
    sim
}

fn ino(world: &World, path: &str) -> u64 {
    world.lookup(ROOT, OsStr::new(path), false).unwrap()
}

fn are_same(sim: &Sim, one: &str, other: &str) -> bool {
    let world = sim.world();
    let data = |path: &str| world.data(ino(&world, path)).unwrap();
    data(one).same_bytes(data(other))
}

#[test]
fn a_tree_without_numbers_is_copied_and_copied_over() {
    for kind in [FsKind::Ext, FsKind::Fuse] {
        for atomic in [Atomic::No, Atomic::Required] {
            let sim = numberless(kind);
            let options = Options {
                atomic,
                ..archive()
            };
            for _ in 0..2 {
                let outcome = run(&sim, options.clone(), &[operand("/from/src", "/to/dst")]);
                assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
                for path in ["one/f", "one/again", "two/f", "two/again", "sparse"] {
                    let (src, dst) = (format!("/from/src/{path}"), format!("/to/dst/{path}"));
                    assert!(are_same(&sim, &src, &dst), "{path}");
                }
                let seen = snapshot::of_world(&sim.world());
                let target = |path: &str| seen[std::path::Path::new(path)].target.clone();
                assert_eq!(target("to/dst/link"), target("from/src/link"));
                assert_eq!(seen.len(), 2 * 9 + 4, "something is left");
            }
        }
    }
}

#[test]
fn operands_of_one_name_are_two() {
    let sim = numberless(FsKind::Fuse);
    Builder::below(&sim, OsStr::new("/to")).dir("a").dir("b");
    let operands = [
        operand("/from/src/one/f", "/to/a/f"),
        operand("/from/src/two/f", "/to/b/f"),
    ];
    let outcome = run(&sim, Options::default(), &operands);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(are_same(&sim, "/from/src/one/f", "/to/a/f"));
    assert!(are_same(&sim, "/from/src/two/f", "/to/b/f"));
    // What one of them has made, the next one doesn't overwrite.
    let operands = [
        operand("/from/src/one/f", "/to/f"),
        operand("/from/src/two/f", "/to/f"),
    ];
    let outcome = run(&sim, Options::default(), &operands);
    assert_eq!(outcome.failures.len(), 1);
    assert!(are_same(&sim, "/from/src/one/f", "/to/f"));
}

#[test]
fn what_is_the_same_is_still_refused() {
    for atomic in [Atomic::No, Atomic::Required] {
        let sim = numberless(FsKind::Fuse);
        let options = Options {
            atomic,
            ..archive()
        };
        for (src, dst) in [
            ("/from/src/one/f", "/from/src/one/f"),
            ("/from/src/one/f", "/from/src/../src/one/f"),
            ("/from/src", "/from/src"),
            ("/from/src", "/from/src/two/new"),
        ] {
            let before = snapshot::of_world(&sim.world()).len();
            let outcome = run(&sim, options.clone(), &[operand(src, dst)]);
            assert_eq!(outcome.failures.len(), 1, "{src} {dst}");
            assert_eq!(
                outcome.failures[0].operation,
                Operation::Plan,
                "{src} {dst}"
            );
            assert_eq!(snapshot::of_world(&sim.world()).len(), before);
        }
        assert!(are_same(&sim, "/from/src/one/f", "/from/src/one/again"));
    }
    let sim = numberless(FsKind::Fuse);
    build(&sim).symlink("src/one/up", "..");
    let options = Options {
        follow: Follow::Always,
        ..archive()
    };
    let outcome = run(&sim, options, &[operand("/from/src", "/to/dst")]);
    assert_eq!(outcome.failures.len(), 1);
    assert!(
        outcome.failures[0]
            .text
            .contains(&Refusal::Loop.to_string())
    );
}

/// Only the number of links then distinguishes two names of one file from two files.
#[test]
fn files_of_one_number_are_not_taken_for_names_of_one_file() {
    for atomic in [Atomic::No, Atomic::BestEffort] {
        let sim = linux(FsKind::Fuse, Some(FsKind::Ext));
        build(&sim)
            .dir("src")
            .file("src/a", 5000)
            .hard_link("src/b", "src/a");
        Builder::below(&sim, OsStr::new("/to"))
            .dir("dst")
            .file("dst/a", 700)
            .file("dst/b", 800);
        sim.world().volumes[2].one_number = Some(7);
        let options = Options {
            atomic,
            ..archive()
        };
        let outcome = run(&sim, options, &[operand("/from/src", "/to/dst")]);
        for name in ["a", "b"] {
            let (src, dst) = (format!("/from/src/{name}"), format!("/to/dst/{name}"));
            let copied = are_same(&sim, &src, &dst);
            assert!(copied, "{name}: {:?}", outcome.failures);
        }
    }
}
