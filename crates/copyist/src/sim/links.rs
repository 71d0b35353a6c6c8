//! Links to where there are none, or no more of them.

use std::ffi::OsStr;
use std::path::Path;

use super::build::Builder;
use super::faults::{Call, Effect, Fault, When};
use super::scenarios::{Scenario, archive, build, linux, operand, system};
use super::sweep;
use super::sweep::Outcome;
use super::volume::Volume;
use super::{Sim, snapshot};
use crate::system::dry::Dry;
use crate::think::rules::linux::{EIO, EMLINK, EOPNOTSUPP, EPERM, EXDEV};
use crate::words::error::Operation;
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::observer::Made;
use crate::words::options::{Force, Make, Options, Update};
use crate::words::report::Summary;

fn run(sim: &Sim, options: &Options, faults: &[Fault]) -> Outcome {
    sim.world().faults.planned = faults.to_vec();
    let options = Options {
        ordered: true,
        ..options.clone()
    };
    let scenario = Scenario::new("links", sim.clone(), options);
    sim.world().faults.planned = faults.to_vec();
    sweep::run(sim, sim, &scenario)
}

/// A file of three names.
fn linked(sim: &Sim) {
    build(sim)
        .dir("src")
        .file("src/a", 5000)
        .hard_link("src/b", "src/a")
        .hard_link("src/c", "src/a");
}

fn dst(sim: &Sim) -> Builder<'_, Sim> {
    Builder::below(sim, OsStr::new("/to"))
}

/// How many names the copies have.
fn names(sim: &Sim) -> Vec<u64> {
    let now = snapshot::of_world(&sim.world());
    let names = ["a", "b", "c"].map(|name| Path::new("to/dst").join(name));
    for name in &names {
        assert!(
            now[name]
                .data
                .same_bytes(&now[Path::new("from/src/a")].data)
        );
    }
    names.iter().map(|name| now[name].stat.links).collect()
}

/// How many hard and symbolic links could not be made for the filesystem's sake.
fn no_links(outcome: &Outcome) -> (usize, usize) {
    let hard = outcome.no_links.iter().filter(|it| it.1 == Made::HardLink);
    let hard = hard.count();
    (hard, outcome.no_links.len() - hard)
}

/// Fails the links that are made from this one on: the first node that is made is the directory.
fn fails_links(from: u64, code: crate::words::code::Code) -> Vec<Fault> {
    let fault = |n| Fault::new(When::NthOf(Call::Make, n), Effect::Fail(code));
    (1 + from..4).map(fault).collect()
}

#[test]
fn a_second_name_is_a_copy_where_there_are_no_links() {
    let mut options = archive();
    (options.preserve.mode, options.preserve.owner) = (false, false); // FAT has neither
    let sim = linux(FsKind::Ext, Some(FsKind::ExFat));
    linked(&sim);
    build(&sim).symlink("src/l", "a");
    let outcome = run(&sim, &options, &[]);
    assert_eq!(names(&sim), [1, 1, 1]);
    let Summary { files, links, .. } = outcome.summary;
    assert_eq!((files, links), (3, 0));
    // A symbolic link has no copy that would be as good.
    let operations: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
    assert_eq!(operations, [Operation::CreateSymlink]);
    assert_eq!(no_links(&outcome), (2, 1));
}

/// A dry run says beforehand what is known of the filesystem: the run that follows says the same.
#[test]
fn a_dry_run_says_it_before() {
    let mut options = archive();
    (options.preserve.mode, options.preserve.owner) = (false, false);
    let sim = linux(FsKind::Ext, Some(FsKind::Fat));
    linked(&sim);
    build(&sim).symlink("src/l", "a");
    let mut scenario = Scenario::new("dry", sim.clone(), options);
    scenario.operands = vec![operand("/from/src", "/to")];
    let before = sweep::run(&Dry::new(sim.clone()), &sim, &scenario);
    let after = sweep::run(&sim, &sim, &scenario);
    for outcome in [before, after] {
        assert_eq!(no_links(&outcome), (2, 1));
        assert_eq!((outcome.summary.files, outcome.failures.len()), (3, 1));
    }
}

#[test]
fn a_refused_link_is_a_copy_where_the_filesystem_is_the_reason() {
    for (kind, code) in [
        (FsKind::Fuse, EPERM),
        (FsKind::Cifs, EOPNOTSUPP),
        (FsKind::Ext, EXDEV),
    ] {
        let volume = Volume {
            owners: true,
            xattrs: true,
            ..Volume::new(3, kind)
        };
        let sim = system(Os::Linux, Volume::new(2, FsKind::Ext), Some(volume));
        linked(&sim);
        let outcome = run(&sim, &archive(), &fails_links(0, code));
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        assert_eq!(names(&sim), [1, 1, 1]);
    }
    // EPERM of a filesystem that has links is about the file.
    for code in [EPERM, EIO] {
        let sim = linux(FsKind::Ext, None);
        linked(&sim);
        let outcome = run(&sim, &archive(), &fails_links(0, code));
        assert_eq!(outcome.failures.len(), 2, "{:?}", outcome.failures);
        assert!(outcome.no_links.is_empty());
    }
}

#[test]
fn where_one_copy_has_all_its_names_the_rest_are_names_of_the_next() {
    let sim = linux(FsKind::Ext, None);
    linked(&sim);
    let once = &fails_links(0, EMLINK)[..1];
    let outcome = run(&sim, &archive(), once);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    names(&sim); // they are whole
    let now = snapshot::of_world(&sim.world());
    let copies = outcome.files.iter().map(|(path, _)| {
        let path = path.strip_prefix("/").unwrap_or(path);
        now[path].stat.links
    });
    let copies: Vec<_> = copies.collect();
    assert_eq!(copies, [1, 2], "in the order in which they were made");
    assert_eq!(no_links(&outcome), (1, 0));
}

#[test]
fn what_is_there_is_not_lost_to_a_link_that_can_t_be_made() {
    let update = Options {
        update: Update::Older,
        ..archive()
    };
    for code in [EOPNOTSUPP, EIO] {
        let sim = linux(FsKind::Ext, None);
        linked(&sim);
        for name in ["dst/a", "dst/b", "dst/c"] {
            if name == "dst/a" {
                dst(&sim).dir("dst");
            }
            dst(&sim).file(name, 77).time(name, 1_900_000_000);
        }
        let faults: Vec<_> = (0..3)
            .map(|n| Fault::new(When::NthOf(Call::Make, n), Effect::Fail(code)))
            .collect();
        let outcome = run(&sim, &update, &faults);
        // Newer files that can't be links are left; any other failure is one.
        let failures = if code == EIO { 2 } else { 0 };
        assert_eq!(outcome.failures.len(), failures, "{:?}", outcome.failures);
        assert_eq!(no_links(&outcome), (2 - failures, 0));
        let now = snapshot::of_world(&sim.world());
        for name in ["a", "b", "c"] {
            assert_eq!(now[&Path::new("to/dst").join(name)].stat.size, 77);
        }
    }
}

/// `-l -f`: what is there is replaced when there is a link to replace it.
#[test]
fn what_is_there_is_not_lost_to_a_link_to_the_source() {
    let link = Options {
        make: Make::HardLink,
        force: Force::IfNeeded,
        ..archive()
    };
    for (other, size) in [(None, 5000), (Some(FsKind::Ext), 77)] {
        let sim = linux(FsKind::Ext, other);
        linked(&sim);
        dst(&sim).dir("dst").file("dst/a", 77);
        let outcome = run(&sim, &link, &[]);
        let failures = outcome.failures.len();
        assert_eq!(
            failures,
            if size == 77 { 3 } else { 0 },
            "{:?}",
            outcome.failures
        );
        let now = snapshot::of_world(&sim.world());
        assert_eq!(now[Path::new("to/dst/a")].stat.size, size);
        let entries = now.keys().filter(|it| it.starts_with("to/dst"));
        assert_eq!(entries.count(), if size == 77 { 2 } else { 4 });
    }
}
