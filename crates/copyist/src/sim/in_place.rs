//! Destinations that are written into although the copy was to get its name when it is complete.

use std::ffi::OsStr;

use super::build::Builder;
use super::faults::{Call, Deed, Effect, Fault, Faults, When};
use super::open_names::RemovesOpen;
use super::scenarios::{Scenario, archive, build, linux, operand, system};
use super::sweep;
use super::sweep::Outcome;
use super::volume::Volume;
use super::world::{Body, ROOT, World};
use super::{Sim, snapshot};
use crate::file::temp_file::Temporary;
use crate::think::rules;
use crate::think::rules::linux::{EIO, ENOSPC, ENOSYS, IRREPLACEABLE};
use crate::words::code::Code;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::options::{Atomic, Force, Options};

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
        atomic: Atomic::Required,
        ..Options::default()
    };
    let verified = Options {
        verify: true,
        ..atomic.clone()
    };
    let archived = Options {
        atomic: Atomic::Required,
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
        atomic: Atomic::Required,
        ..Options::default()
    };
    let outcome = run(&sim, options);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    let src = ino(&sim.world(), "/from/src");
    assert!(are_same(&sim, src, held));
    assert_eq!(sim.world().names(to).unwrap().len(), 1);
    sim.world().close_file(open);
}

/// A name in `/from` for a magic link to what has another name there.
fn magic_link(sim: &Sim, dir: &str, name: &str, to: &str) {
    let mut world = sim.world();
    let held = ino(&world, to);
    let link = world.add(Body::MagicLink("pipe:[1]".into(), held), 1, 0o777);
    let dir = ino(&world, dir);
    world.name(dir, OsStr::new(name), link);
}

#[test]
fn a_magic_link_that_is_named_is_read_where_the_options_say_so() {
    let reads = Options {
        read_open_files: true,
        ..archive()
    };
    for (options, is_read) in [(reads.clone(), true), (archive(), false)] {
        let sim = linux(FsKind::Ext, None);
        build(&sim).file("held", 5000);
        magic_link(&sim, "/from", "src", "/from/held");
        let outcome = run(&sim, options);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        let world = sim.world();
        let (held, dst) = (ino(&world, "/from/held"), ino(&world, "/to/dst"));
        let is_file = world.data(dst).is_some();
        drop(world);
        assert_eq!(is_file, is_read);
        assert!(!is_read || are_same(&sim, held, dst));
    }
    // One in a tree is a link like others, and one to a directory is no way into it.
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("held", 5000);
    build(&sim).dir("src").file("src/file", 1);
    magic_link(&sim, "/from/src", "link", "/from/held");
    let outcome = run(&sim, reads.clone());
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!((outcome.summary.files, outcome.summary.symlinks), (1, 1));
    let sim = linux(FsKind::Ext, None);
    build(&sim).dir("held").file("held/file", 1);
    magic_link(&sim, "/from", "src", "/from/held");
    let outcome = run(&sim, reads);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!((outcome.summary.dirs, outcome.summary.symlinks), (0, 1));
}

fn with(atomic: Atomic) -> Options {
    Options {
        atomic,
        ..Options::default()
    }
}

/// `/to/dst` is an older file, on a volume that refuses to rename with this code.
fn irreplaceable(code: Code, kind: FsKind) -> (Sim, u64) {
    let sim = linux(kind, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/to")).file("dst", 700);
    let mut world = sim.world();
    world.volumes[1].refuses_rename = Some(code);
    world.faults = Faults::default();
    let old = ino(&world, "/to/dst");
    drop(world);
    (sim, old)
}

/// How many names there are in `/to`.
fn names_in_to(sim: &Sim) -> usize {
    let world = sim.world();
    world.names(ino(&world, "/to")).unwrap().len()
}

fn is_copied(sim: &Sim) -> bool {
    let (src, dst) = {
        let world = sim.world();
        (ino(&world, "/from/src"), ino(&world, "/to/dst"))
    };
    are_same(sim, src, dst)
}

#[test]
fn what_can_not_be_replaced_is_written_into() {
    for kind in [FsKind::Ext, FsKind::Fuse] {
        for (code, why) in IRREPLACEABLE {
            let (sim, old) = irreplaceable(*code, kind);
            let outcome = run(&sim, with(Atomic::BestEffort));
            assert!(outcome.failures.is_empty(), "{why}: {:?}", outcome.failures);
            assert!(is_copied(&sim), "{why}");
            assert_eq!(ino(&sim.world(), "/to/dst"), old, "{why}");
            assert_eq!(
                outcome.in_place,
                [std::path::PathBuf::from("/to/dst")],
                "{why}"
            );
            assert_eq!(outcome.files[0].1.in_place, Some(*code));
            assert_eq!(names_in_to(&sim), 1, "{why}: something is left");
        }
    }
}

#[test]
fn what_can_not_be_replaced_stays_where_that_is_required() {
    for (code, why) in IRREPLACEABLE {
        let (sim, old) = irreplaceable(*code, FsKind::Ext);
        let outcome = run(&sim, with(Atomic::Required));
        let first = outcome.first.expect(why);
        assert!(first.is_not_atomic(), "{why}: {first}");
        assert!(outcome.in_place.is_empty(), "{why}");
        assert!(!is_copied(&sim), "{why}");
        assert_eq!(ino(&sim.world(), "/to/dst"), old, "{why}");
        assert_eq!(names_in_to(&sim), 1, "{why}: something is left");
    }
}

#[test]
fn a_real_error_is_no_reason_to_write_in_place() {
    for code in [EIO, ENOSPC] {
        let (sim, _) = irreplaceable(code, FsKind::Ext);
        let outcome = run(&sim, with(Atomic::BestEffort));
        assert_eq!(outcome.failures.len(), 1, "{code:?}");
        assert!(!outcome.first.unwrap().is_not_atomic());
        assert!(!is_copied(&sim), "{code:?}: the old file is lost");
    }
}

/// A file for everybody to write to, in a directory that is not.
#[test]
fn a_file_in_a_directory_that_may_not_be_written_to_is_written_into() {
    for (atomic, fails) in [(Atomic::BestEffort, false), (Atomic::Required, true)] {
        let sim = linux(FsKind::Ext, None);
        build(&sim).file("src", 5000);
        Builder::below(&sim, OsStr::new("/to"))
            .file("dst", 700)
            .mode("dst", 0o666)
            .mode(".", 0o755);
        {
            let mut world = sim.world();
            (world.privileged, world.uid, world.gid) = (false, 1000, 1000);
        }
        let outcome = run(&sim, with(atomic));
        assert_eq!(
            outcome.failures.len(),
            usize::from(fails),
            "{:?}",
            outcome.failures
        );
        assert_eq!(is_copied(&sim), !fails);
        assert_eq!(outcome.in_place.len(), usize::from(!fails));
        assert_eq!(outcome.first.is_some_and(|it| it.is_not_atomic()), fails);
        // Nothing is made where nothing can be.
        let sim = linux(FsKind::Ext, None);
        build(&sim).file("src", 5000);
        {
            let mut world = sim.world();
            (world.privileged, world.uid, world.gid) = (false, 1000, 1000);
        }
        let outcome = run(&sim, with(atomic));
        assert_eq!(outcome.failures.len(), 1);
        assert!(outcome.in_place.is_empty());
    }
}

#[test]
fn a_new_file_on_a_volume_without_rename_is_linked_and_not_copied_again() {
    for atomic in [Atomic::BestEffort, Atomic::Required] {
        let sim = linux(FsKind::Fuse, None);
        build(&sim).file("src", 5000);
        sim.world().volumes[1].refuses_rename = Some(ENOSYS);
        sim.world().faults = Faults::default();
        let outcome = run(&sim, with(atomic));
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert!(is_copied(&sim));
        assert_eq!(names_in_to(&sim), 1, "something is left");
        assert!(outcome.in_place.is_empty());
        let writes = outcome.log.iter().filter(|it| it.call == Call::Write);
        assert_eq!(writes.count(), 1);
    }
}

/// A large file of which a journal has noted a part is published by a second name, and loses the first.
#[test]
fn what_a_journal_has_noted_is_not_left_under_two_names() {
    let sim = linux(FsKind::Fuse, None);
    build(&sim).file("src", 40 << 20);
    sim.world().volumes[1].refuses_rename = Some(ENOSYS);
    sim.world().faults = Faults::default();
    let options = Options {
        journal: Some("/else/journal".into()),
        ..with(Atomic::BestEffort)
    };
    let outcome = run(&sim, options);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(names_in_to(&sim), 1, "something is left");
}

/// What was read from a stream is nowhere else.
#[test]
fn a_stream_is_read_once() {
    for code in [ENOSYS, rules::linux::EBUSY] {
        for force in [Force::No, Force::RemoveFirst] {
            let (sim, _) = irreplaceable(code, FsKind::Fuse);
            let bytes = vec![7; 70_000];
            let src = ino(&sim.world(), "/from/src");
            sim.world().node_mut(src).body = Body::Fifo(bytes.clone());
            let options = Options {
                force,
                ..with(Atomic::BestEffort)
            };
            let outcome = run(&sim, options);
            assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
            let world = sim.world();
            let copy = world.data(ino(&world, "/to/dst")).unwrap();
            let mut read = vec![0; bytes.len()];
            assert_eq!(copy.size(), bytes.len() as u64);
            copy.read(0, &mut read);
            assert_eq!(read, bytes);
            drop(world);
            assert_eq!(names_in_to(&sim), 1);
            assert_eq!(outcome.in_place.len(), 1);
        }
    }
}

#[test]
fn a_stream_is_never_put_into_a_file_that_may_not_get_a_name() {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 5);
    let src = ino(&sim.world(), "/from/src");
    sim.world().node_mut(src).body = Body::Fifo(vec![7; 70_000]);
    let outcome = run(&sim, with(Atomic::Required));
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(!outcome.log.iter().any(|it| it.call == Call::Name));
}

#[test]
fn a_volume_that_can_not_rename_is_found_out_once() {
    let sim = linux(FsKind::Fuse, None);
    build(&sim).dir("src");
    Builder::below(&sim, OsStr::new("/to")).dir("dst");
    for name in ["a", "b", "c"] {
        build(&sim).file(&format!("src/{name}"), 5000);
        Builder::below(&sim, OsStr::new("/to")).file(&format!("dst/{name}"), 10);
    }
    sim.world().volumes[1].refuses_rename = Some(ENOSYS);
    sim.world().faults = Faults::default();
    let options = Options {
        recursive: true,
        ..with(Atomic::BestEffort)
    };
    let outcome = run(&sim, options);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(outcome.in_place.len(), 1, "it is said once");
    let in_place = |it: &&(_, crate::words::report::Report)| it.1.in_place.is_some();
    assert_eq!(outcome.files.iter().filter(in_place).count(), 3);
    let renames = outcome.log.iter().filter(|it| it.call == Call::Rename);
    assert_eq!(renames.count(), 1);
}

/// `/to/dst` is an older file that opens for writing only if that empties it.
fn opens_emptied_only() -> Sim {
    let sim = linux(FsKind::Fuse, None);
    build(&sim).file("src", 5000);
    Builder::below(&sim, OsStr::new("/to"))
        .file("held", 9000)
        .symlink("link", "dst");
    Builder::below(&sim, OsStr::new("/to")).file("dst", 9000);
    sim.world().volumes[1].wants_emptied = true;
    sim
}

/// Copies `/from/src` to `dst`, and looks at what came of it.
fn is_overwritten(sim: &Sim, dst: &str) {
    let mut scenario = Scenario::new("emptied", sim.fork(), with(Atomic::No));
    scenario.operands = vec![operand("/from/src", dst)];
    let outcome = sweep::run(sim, sim, &scenario);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert!(is_copied(sim), "{dst}");
}

#[test]
fn a_file_that_opens_only_emptied_is_overwritten() {
    for dst in ["/to/dst", "/to/link"] {
        let sim = opens_emptied_only();
        is_overwritten(&sim, dst);
    }
}

#[test]
fn a_file_whose_truncation_is_ignored_is_overwritten() {
    for dst in ["/to/dst", "/to/link"] {
        let sim = opens_emptied_only();
        {
            let mut world = sim.world();
            world.volumes[1].wants_emptied = false;
            world.volumes[1].odd.ignores_truncation = true;
        }
        is_overwritten(&sim, dst);
    }
}

/// The source itself, by any name, is not emptied, and neither is what has come to the name meanwhile.
#[test]
fn what_opens_only_emptied_is_looked_at_before() {
    let sim = opens_emptied_only();
    let mut scenario = Scenario::new("emptied", sim.fork(), with(Atomic::No));
    scenario.operands = vec![operand("/from/src", "/to/same")];
    Builder::below(&sim, OsStr::new("/to")).hard_link("same", "/from/src");
    let outcome = sweep::run(&sim, &sim, &scenario);
    assert_eq!(outcome.failures.len(), 1);
    let src = ino(&sim.world(), "/from/src");
    assert_eq!(sim.world().data(src).unwrap().size(), 5000);

    // A symbolic link that comes to the name after the first look is not followed.
    let log = {
        let sim = opens_emptied_only();
        sim.world().faults = Faults::default();
        run(&sim, with(Atomic::No)).log
    };
    let looks = log
        .iter()
        .enumerate()
        .filter(|(_, it)| it.call == Call::Stat);
    let (first_look, _) = looks.clone().nth(1).expect("source, destination");
    for n in first_look + 1..log.len() {
        let sim = opens_emptied_only();
        sim.world().faults = Faults::default();
        let deed = Deed::SwapForLink {
            path: "/to/dst",
            target: "held",
        };
        sim.world().faults.planned = vec![Fault::new(When::Nth(n as u64), Effect::First(deed))];
        run(&sim, with(Atomic::No));
        let held = ino(&sim.world(), "/to/held");
        assert_eq!(sim.world().data(held).unwrap().size(), 9000, "at {n}");
    }
}

/// Temporaries, leftovers and the journal are closed before they are removed, where they have to be.
#[test]
fn nothing_is_left_where_open_files_keep_their_names() {
    for refused in [None, Some(ENOSYS)] {
        let (sim, _) = irreplaceable(ENOSYS, FsKind::Fuse);
        {
            let mut world = sim.world();
            world.volumes[1].refuses_rename = refused;
            world.volumes[1].odd.removes_open = RemovesOpen::No;
        }
        let left = Temporary(1).name();
        Builder::below(&sim, OsStr::new("/to")).file(&left, 700);
        let options = Options {
            journal: Some("/to/journal".into()),
            ..with(Atomic::BestEffort)
        };
        let outcome = run(&sim, options);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert!(is_copied(&sim));
        assert_eq!(names_in_to(&sim), 1, "something is left");
    }
    let (sim, _) = irreplaceable(ENOSYS, FsKind::Fuse);
    sim.world().volumes[1].odd.removes_open = RemovesOpen::No;
    let outcome = run(&sim, with(Atomic::Required));
    assert_eq!(outcome.failures.len(), 1);
    assert_eq!(names_in_to(&sim), 1, "something is left");
}

/// Where the system makes whole copies by their names, too.
#[test]
fn macos_and_windows_write_in_place_as_well() {
    let macos = (Os::Macos, FsKind::Apfs, rules::macos::IRREPLACEABLE);
    let windows = (Os::Windows, FsKind::Ntfs, rules::windows::IRREPLACEABLE);
    for (os, kind, table) in [macos, windows] {
        for (code, why) in table {
            for atomic in [Atomic::BestEffort, Atomic::Required] {
                let sim = system(os, Volume::new(2, kind), None);
                build(&sim).file("src", 5000);
                Builder::below(&sim, OsStr::new("/to")).file("dst", 700);
                sim.world().volumes[1].refuses_rename = Some(*code);
                let old = ino(&sim.world(), "/to/dst");
                let outcome = run(&sim, with(atomic));
                let copies = atomic == Atomic::BestEffort;
                assert_eq!(outcome.failures.is_empty(), copies, "{why}");
                assert_eq!(is_copied(&sim), copies, "{why}");
                assert_eq!(outcome.in_place.len(), usize::from(copies), "{why}");
                assert_eq!(ino(&sim.world(), "/to/dst"), old, "{why}");
                assert_eq!(names_in_to(&sim), 1, "{why}: something is left");
            }
        }
    }
}
