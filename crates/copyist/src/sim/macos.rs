//! What macOS does that no other system does: directories cloned whole, copies that are made by
//! name and can be stopped, and one worker on APFS.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread::{self, ThreadId};

use super::faults::{Call, Effect, Fault, When};
use super::scenarios::{Scenario, archive, build, macos, macos_tree, system};
use super::sweep;
use super::sweep::Outcome;
use super::volume::Volume;
use super::{Sim, snapshot};
use crate::run::context::RunContext;
use crate::system::Whole;
use crate::think::plan::WHOLE_ENTRIES;
use crate::think::rules::macos as codes;
use crate::tree::engine;
use crate::words::facts::FsKind;
use crate::words::method::{Method, MethodSet, Os};
use crate::words::observer::{CancelToken, Event, Observer};
use crate::words::options::{Options, Reflink};
use crate::words::report::{Ended, Summary};

fn run(scenario: &Scenario, faults: &[Fault]) -> (Outcome, Sim) {
    let sim = scenario.sim.fork();
    sim.world().faults.planned = faults.to_vec();
    (sweep::run(&sim, &sim, scenario), sim)
}

/// How often a directory or file was cloned by a call.
fn clones(outcome: &Outcome) -> usize {
    let is_clone = |call| call == Call::Whole(Whole::Clone);
    let calls = outcome.log.iter().filter(|record| is_clone(record.call));
    calls.count()
}

fn tree_of_macos() -> Sim {
    let sim = macos(FsKind::Apfs, None);
    macos_tree(&sim);
    sim
}

#[test]
fn what_a_clone_keeps_is_cloned_whole() {
    let scenario = Scenario::new("whole", tree_of_macos(), archive());
    let (outcome, sim) = run(&scenario, &[]);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    // By one call each: top, plain (with deep), empty; linked/one, set-id/tool, hidden/h. Neither
    // linked (hard links), set-id, pipe (a FIFO) nor hidden (flags) can be cloned whole.
    assert_eq!(clones(&outcome), 6, "{:?}", outcome.log);
    let Summary {
        files,
        dirs,
        symlinks,
        links,
        specials,
        ..
    } = outcome.summary;
    assert_eq!((files, dirs, symlinks, links, specials), (7, 8, 1, 1, 1));
    assert_eq!(
        outcome.summary.cloned,
        5000 + 150_000 + 10 + 4096 + 700 + 800 + 900
    );
    let told = outcome
        .files
        .iter()
        .any(|(path, report)| path.ends_with("plain/deep/c") && report.cloned() == 4096);
    assert!(told, "each file in it is reported: {:?}", outcome.files);
    let after = snapshot::of_world(&sim.world());
    let (src, dst) = (
        &after[std::path::Path::new("from/src/plain/deep")].stat,
        &after[std::path::Path::new("to/dst/plain/deep")].stat,
    );
    assert_eq!((src.mode, src.modified), (dst.mode, dst.modified));
}

#[test]
fn what_the_options_don_t_keep_is_not_cloned_whole() {
    let options = [
        Options {
            recursive: true,
            ..Options::default()
        },
        Options {
            reflink: Reflink::Never,
            ..archive()
        },
        Options {
            methods: Some(MethodSet::EMPTY.with(Method::ReadWrite)),
            ..archive()
        },
    ];
    for options in options {
        let scenario = Scenario::new("not whole", tree_of_macos(), options.clone());
        let (outcome, _) = run(&scenario, &[]);
        assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
        // With no hard links kept, both names of a file are copied.
        let files = usize::from(options.reflink != Reflink::Never && options.methods.is_none()) * 8;
        assert_eq!(clones(&outcome), files, "{options:?}");
    }
}

/// A directory that is too large is walked, and those in it are cloned whole.
#[test]
fn a_large_directory_is_cloned_in_parts() {
    let sim = macos(FsKind::Apfs, None);
    build(&sim).dir("src").dir("src/large");
    for part in 0..3 {
        let dir = format!("src/large/{part}");
        build(&sim).dir(&dir);
        for file in 0..WHOLE_ENTRIES / 2 {
            build(&sim).file(&format!("{dir}/{file}"), 1);
        }
    }
    let scenario = Scenario::new("large", sim, archive());
    let (outcome, _) = run(&scenario, &[]);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(clones(&outcome), 3);
    assert_eq!(outcome.summary.files as usize, 3 * (WHOLE_ENTRIES / 2));
}

/// A directory that the system refuses to clone is walked; if cloning is not supported, it isn't tried again; a real
/// error is reported.
#[test]
fn a_refused_clone_of_a_directory_is_walked() {
    let sim = macos(FsKind::Apfs, None);
    build(&sim).dir("src");
    for part in 0..4 {
        let dir = format!("src/{part}");
        build(&sim).dir(&dir).file(&format!("{dir}/file"), 10);
    }
    let scenario = Scenario::new("refused", sim, archive());
    let fail = |code| {
        Fault::new(
            When::NthOf(Call::Whole(Whole::Clone), 0),
            Effect::Fail(code),
        )
    };
    // This one is walked; the other three are cloned whole.
    let (outcome, _) = run(&scenario, &[fail(codes::EINVAL)]);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!((outcome.summary.dirs, outcome.summary.files), (5, 4));
    assert_eq!(clones(&outcome), 1 + 1 + 3);
    // None is; the files still are.
    let (outcome, _) = run(&scenario, &[fail(codes::ENOTSUP)]);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!((outcome.summary.dirs, outcome.summary.cloned), (5, 40));
    assert_eq!(clones(&outcome), 1 + 4);
    let (outcome, _) = run(&scenario, &[fail(codes::ENOSPC)]);
    assert_eq!(outcome.failures.len(), 1, "{:?}", outcome.failures);
}

/// Cancels after so many events.
struct Cancels<'a> {
    token: &'a CancelToken,
    after: Mutex<usize>,
    counts: fn(&Event<'_>) -> bool,
}

impl Observer for Cancels<'_> {
    fn event(&self, event: Event<'_>) {
        if !(self.counts)(&event) {
            return;
        }
        let mut left = self.after.lock().unwrap_or_else(PoisonError::into_inner);
        if *left == 0 {
            self.token.cancel();
        }
        *left = left.saturating_sub(1);
    }
}

fn cancelled(scenario: &Scenario, after: usize, counts: fn(&Event<'_>) -> bool) -> (Summary, Sim) {
    let sim = scenario.sim.fork();
    let token = CancelToken::new();
    let observer = Cancels {
        token: &token,
        after: Mutex::new(after),
        counts,
    };
    let context = RunContext::new(&observer, &token);
    let (summary, first) = engine::run(&sim, &scenario.options, context, &scenario.operands);
    assert!(first.is_some_and(|error| error.is_cancelled()));
    (summary, sim)
}

#[test]
fn a_system_copy_stops_where_it_is_told_to() {
    let sim = macos(FsKind::Apfs, Some(FsKind::HfsPlus));
    build(&sim).file("src", 1_000_000);
    let scenario = Scenario::new("stopped", sim, Options::default());
    let (summary, sim) = cancelled(&scenario, 2, |event| matches!(event, Event::Bytes(_)));
    assert_eq!(summary.files, 0);
    let mut world = sim.world();
    assert!(world.violations.is_empty(), "{:?}", world.violations);
    let copies = std::mem::take(&mut world.faults.log);
    assert!(
        copies
            .iter()
            .any(|it| it.call == Call::Whole(Whole::SystemCopy))
    );
    assert!(!snapshot::of_world(&world).contains_key(std::path::Path::new("to/dst")));
}

#[test]
fn a_run_stops_between_cloned_directories() {
    let sim = macos(FsKind::Apfs, None);
    build(&sim).dir("src");
    for part in 0..10 {
        let dir = format!("src/{part}");
        build(&sim).dir(&dir).file(&format!("{dir}/file"), 10);
    }
    let scenario = Scenario::new("between", sim, archive());
    let (summary, _) = cancelled(&scenario, 2, |event| matches!(event, Event::File { .. }));
    assert_eq!(summary.files, 3);
}

/// The system's copier may fall back to a copy, and may clone: it is a system copy all the same.
#[test]
fn what_copyfile_did_is_not_claimed_to_be_a_clone() {
    let sim = macos(FsKind::Apfs, None);
    build(&sim).file("src", 300_000);
    let options = Options {
        methods: Some(MethodSet::EMPTY.with(Method::SystemCopy)),
        ..Options::default()
    };
    let (outcome, _) = run(&Scenario::new("copyfile", sim, options), &[]);
    let [(_, report)] = &outcome.files[..] else {
        panic!("{:?}", outcome.files)
    };
    assert_eq!((report.cloned(), report.offloaded()), (0, 300_000));
}

/// Refused attempts are in the report with their codes, as on Linux.
#[test]
fn attempts_by_name_are_reported() {
    let mut apfs = Volume::new(2, FsKind::Apfs);
    apfs.clones = false; // whatever it says
    apfs.system_copy = false;
    let sim = system(Os::Macos, apfs, None);
    build(&sim).file("src", 300_000);
    let (outcome, _) = run(&Scenario::new("refused", sim, Options::default()), &[]);
    let [(_, report)] = &outcome.files[..] else {
        panic!("{:?} {:?}", outcome.files, outcome.failures)
    };
    let ended: Vec<_> = report
        .attempts
        .iter()
        .map(|it| (it.method, it.ended))
        .collect();
    assert_eq!(
        ended,
        [
            (Method::Clone, Ended::Next(codes::ENOTSUP)),
            (Method::SystemCopy, Ended::Next(codes::ENOTSUP)),
            (Method::ReadWrite, Ended::Done),
        ]
    );
}

/// Records which threads reported files.
#[derive(Default)]
struct Threads(Mutex<BTreeSet<String>>);

fn name(id: ThreadId) -> String {
    format!("{id:?}")
}

impl Observer for Threads {
    fn event(&self, event: Event<'_>) {
        if let Event::File { .. } = event {
            let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            seen.insert(name(thread::current().id()));
        }
    }
}

#[test]
fn one_worker_is_enough_on_apfs() {
    let sim = macos(FsKind::Apfs, None);
    build(&sim).dir("src");
    for dir in 0..40 {
        let dir = format!("src/{dir}");
        build(&sim).dir(&dir);
        for file in 0..20 {
            build(&sim).file(&format!("{dir}/{file}"), 100);
        }
    }
    let mut scenario = Scenario::new("threads", sim, archive());
    scenario.options.ordered = false;
    scenario.options.reflink = Reflink::Never;
    let threads = |options: &Options| {
        let observer = Threads::default();
        let cancel = CancelToken::new();
        let context = RunContext::new(&observer, &cancel);
        let sim = scenario.sim.fork();
        let (summary, first) = engine::run(&sim, options, context, &scenario.operands);
        assert!(first.is_none() && summary.files == 800, "{first:?}");
        observer
            .0
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    };
    assert_eq!(
        threads(&scenario.options),
        [name(thread::current().id())].into()
    );
    // Callers that request more workers get them.
    scenario.options.jobs = NonZeroUsize::new(4);
    assert!(!threads(&scenario.options).is_empty());
}
