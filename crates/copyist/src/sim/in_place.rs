//! Destinations that are written into although the copy was to get its name when it is complete.

use std::ffi::OsStr;

use super::build::Builder;
use super::scenarios::{Scenario, archive, build, linux};
use super::sweep::{self, Outcome};
use super::world::{Body, ROOT, World};
use super::{Sim, snapshot};
use crate::facts::FsKind;
use crate::options::Options;

fn run(sim: &Sim, options: Options) -> Outcome {
    sweep::run(sim, sim, &Scenario::new("in place", sim.fork(), options))
}

fn ino(world: &World, path: &str) -> u64 {
    world.lookup(ROOT, OsStr::new(path), false).unwrap()
}

/// Whether two files have the same bytes.
fn are_same(sim: &Sim, one: u64, other: u64) -> bool {
    let world = sim.world();
    world
        .data(one)
        .unwrap()
        .same_bytes(world.data(other).unwrap())
}

/// `/to/dst` leads to the open file `/to/held`, and its text names what is not there.
fn with_magic_link() -> (Sim, u64) {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/to")).file("held", 700);
    let mut world = sim.world();
    let held = ino(&world, "/to/held");
    let text = "/to/held (deleted)".into();
    let link = world.add(Body::MagicLink(text, held), 1, 0o777);
    let to = ino(&world, "/to");
    world.name(to, OsStr::new("dst"), link);
    drop(world);
    (sim, held)
}

#[test]
fn what_is_copied_to_a_magic_link_goes_into_the_open_file() {
    let atomic = Options {
        atomic: true,
        ..Options::default()
    };
    let verified = Options {
        verify: true,
        ..atomic.clone()
    };
    let archived = Options {
        atomic: true,
        ..archive()
    };
    for options in [Options::default(), atomic, verified, archived] {
        for names in [1, 2] {
            let (sim, held) = with_magic_link();
            if names == 2 {
                Builder::below(&sim, OsStr::new("/to")).hard_link("other", "held");
            }
            let before = snapshot::of_world(&sim.world()).len();
            let outcome = run(&sim, options.clone());
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
            let src = ino(&sim.world(), "/from/src");
            assert!(are_same(&sim, src, held), "{options:?}");
            assert_eq!(ino(&sim.world(), "/to/held"), held);
            assert_eq!(
                snapshot::of_world(&sim.world()).len(),
                before,
                "{options:?}"
            );
        }
    }
}

#[test]
fn an_open_file_without_a_name_is_written_into() {
    let (sim, held) = with_magic_link();
    let to = ino(&sim.world(), "/to");
    let open = sim.world().open_inode(held, true, true);
    sim.world().unname(to, OsStr::new("held")).unwrap();
    let options = Options {
        atomic: true,
        ..Options::default()
    };
    let outcome = run(&sim, options);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let src = ino(&sim.world(), "/from/src");
    assert!(are_same(&sim, src, held));
    assert_eq!(sim.world().names(to).unwrap().len(), 1);
    sim.world().close_file(open);
}
