//! The fault sweep: each scenario is run once to count its calls, and then again for every call
//! and everything that may go wrong with it, once and from there on.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::Sim;
use super::build::Builder;
use super::faults::{Call, Effect, Fault, Record, When};
use super::oracle;
use super::oracle::Trial;
use super::scenarios;
use super::scenarios::Scenario;
use super::snapshot;
use super::snapshot::Snapshot;
use crate::run::buffers::BUFFER_BYTES;
use crate::run::context::RunContext;
use crate::system::{Platform, Whole};
use crate::tree::engine;
use crate::words::error::{Error, Operation};
use crate::words::observer::{CancelToken, Event, Made, Observer, Question, Warning};
use crate::words::options::Reflink;
use crate::words::report::{Attempt, Report, Summary};

mod read_back;

/// What a sweep's random choices start from; printed with every sweep.
const SEED: u64 = 0x00c0_ffee;

/// The most runs that one scenario's sweep makes; beyond that the seed chooses.
const MOST_RUNS: usize = 5_000;

/// The same for each of macOS's scenarios, of which there are many.
const MACOS_RUNS: usize = 700;

/// A failure that was reported.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) operation: Operation,
    pub(super) src: Option<PathBuf>,
    pub(super) dst: Option<PathBuf>,
    pub(super) attempts: Vec<Attempt>,
    pub(super) text: String,
}

impl Failure {
    /// A copy could not be read back.
    pub(super) fn is_about_checking(&self) -> bool {
        use Operation::{Hash, Verify, VerifySource};
        matches!(self.operation, Hash | Verify | VerifySource)
    }
}

/// Everything that a run said and did.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) summary: Summary,
    pub(super) first: Option<Error>,
    pub(super) failures: Vec<Failure>,
    pub(super) files: Vec<(PathBuf, Report)>,
    pub(super) changed: Vec<PathBuf>,
    /// Those that a warning named as written in place.
    pub(super) in_place: Vec<PathBuf>,
    pub(super) no_links: Vec<(PathBuf, Made)>,
    pub(super) log: Vec<Record>,
    pub(super) leaked: usize,
    pub(super) violations: Vec<String>,
}

/// Listens to a run.
#[derive(Default)]
pub(super) struct Listener(Mutex<Outcome>);

impl Listener {
    pub(super) fn into_outcome(self) -> Outcome {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Listener {
    fn event(&self, event: Event<'_>) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Error(error) => heard.failures.push(Failure {
                operation: error.operation(),
                src: error.source_path().map(Into::into),
                dst: error.destination_path().map(Into::into),
                attempts: error.attempts().to_vec(),
                text: error.to_string(),
            }),
            Event::File { paths, report } => heard.files.push((paths.dst(), report.clone())),
            Event::Warning(Warning::WroteInPlace { dst, .. }) => heard.in_place.push(dst.clone()),
            Event::NoLink { paths, what, .. } => heard.no_links.push((paths.dst(), what)),
            Event::Warning(Warning::Changed { src, .. }) => heard.changed.push(src.clone()),
            _ => {}
        }
    }

    fn may_replace(&self, _: Question<'_>) -> bool {
        true
    }
}

/// Runs a scenario on `sim`, which `platform` leads to.
pub(super) fn run<P: Platform>(platform: &P, sim: &Sim, scenario: &Scenario) -> Outcome {
    let listener = Listener::default();
    let cancel = CancelToken::new();
    let result = catch_unwind(AssertUnwindSafe(|| {
        let context = RunContext::new(&listener, &cancel);
        engine::run(platform, &scenario.options, context, &scenario.operands)
    }));
    let mut outcome = listener.into_outcome();
    let mut world = sim.world();
    match result {
        Ok((summary, first)) => (outcome.summary, outcome.first) = (summary, first),
        Err(_) => outcome.violations.push("the engine panicked".to_owned()),
    }
    outcome.violations.append(&mut world.violations);
    outcome.leaked = world.open.len();
    outcome.log = std::mem::take(&mut world.faults.log);
    outcome
}

/// Counts of a sweep, and what it found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) runs: usize,
    pub(super) failed_runs: usize,
    /// What is wrong with which scenario, and an example of how it came to be.
    pub(super) wrong: BTreeMap<String, String>,
}

impl Found {
    /// Prints the counts, and fails the test if something was found.
    pub(super) fn finish(self, name: &str) {
        println!(
            "{name}: {} runs, {} of them failed as they should, seed {SEED:#x}",
            self.runs, self.failed_runs
        );
        let shown = self
            .wrong
            .iter()
            .take(20)
            .map(|(_, how)| format!("{how}\n"));
        let shown: String = shown.collect();
        assert!(shown.is_empty(), "{} findings:\n{shown}", self.wrong.len());
    }
}

/// Sweeps scenarios on the platforms that `wrap` makes of simulated systems.
pub(super) struct Sweep<W> {
    wrap: W,
    most_runs: usize,
    /// One finding is enough.
    until_found: bool,
    pub(super) found: Found,
}

impl<P: Platform, W: Fn(Sim) -> P> Sweep<W> {
    pub(super) fn new(wrap: W) -> Sweep<W> {
        Sweep {
            wrap,
            most_runs: MOST_RUNS,
            until_found: false,
            found: Found::default(),
        }
    }

    /// Makes at most so many runs of each scenario.
    pub(super) fn most_runs(mut self, most_runs: usize) -> Sweep<W> {
        self.most_runs = most_runs;
        self
    }

    /// One finding is enough.
    pub(super) fn until_found(mut self) -> Sweep<W> {
        self.until_found = true;
        self
    }

    fn is_done(&self) -> bool {
        self.until_found && !self.found.wrong.is_empty()
    }

    /// A run without faults, then each fault at each call.
    pub(super) fn scenario(&mut self, scenario: &Scenario) -> &mut Self {
        let before = snapshot::of_world(&scenario.sim.world());
        let quiet = self.trial(scenario, &before, &[], u64::MAX);
        let calls: Vec<Call> = quiet.log.iter().map(|record| record.call).collect();
        if quiet.summary.errors > 0 && !scenario.fails {
            let how = format!("{}: {:?}", scenario.name, quiet.failures);
            self.found
                .wrong
                .insert(format!("{}: fails", scenario.name), how);
        }
        if quiet.summary.errors == 0 && scenario.fails {
            let how = format!("{}: nobody was told of anything", scenario.name);
            self.found
                .wrong
                .insert(format!("{}: succeeds", scenario.name), how);
        }
        let faults = faults(scenario, &calls);
        let mut choice = Choice::new(faults.len(), self.most_runs);
        for fault in faults {
            if self.is_done() {
                break;
            }
            if choice.next() {
                let most_calls = 20 * calls.len() as u64 + 10_000;
                self.trial(scenario, &before, &[fault], most_calls);
            }
        }
        self
    }

    /// One run with these faults, judged.
    pub(super) fn trial(
        &mut self,
        scenario: &Scenario,
        before: &Snapshot,
        faults: &[Fault],
        most_calls: u64,
    ) -> Outcome {
        let sim = scenario.sim.fork();
        sim.world().faults.planned = faults.to_vec();
        sim.world().most_calls = most_calls;
        let outcome = run(&(self.wrap)(sim.clone()), &sim, scenario);
        let after = snapshot::of_world(&sim.world());
        let trial = Trial {
            scenario,
            before,
            after: &after,
            outcome: &outcome,
        };
        self.found.runs += 1;
        self.found.failed_runs += usize::from(outcome.summary.errors > 0);
        for what in oracle::judge(&trial) {
            let told: Vec<_> = outcome.failures.iter().map(|it| it.text.as_str()).collect();
            let hit = outcome.log.iter().find(|record| record.effect.is_some());
            let fault = faults.first().map(|fault| (fault.when, &fault.effect));
            let how = format!(
                "{fault:?} at {:?}; told: {told:?}",
                hit.map(|record| record.call)
            );
            let what = format!("{}: {what}", scenario.name);
            self.found
                .wrong
                .entry(numberless(&what))
                .or_insert(format!("{what}\n    {how}"));
        }
        outcome
    }
}

/// Findings that differ only in a number are one.
fn numberless(what: &str) -> String {
    let parts = what
        .split(|c: char| c.is_ascii_digit())
        .filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("#")
}

/// Everything that may go wrong with each of these calls.
fn faults(scenario: &Scenario, calls: &[Call]) -> Vec<Fault> {
    let codes = super::codes::Codes::of(scenario.os()).plausible();
    let mut faults = Vec::new();
    for (n, call) in calls.iter().enumerate() {
        let n = n as u64;
        for &code in &codes {
            faults.push(Fault::new(When::Nth(n), Effect::Fail(code)));
            faults.push(Fault::new(When::FromNth(n), Effect::Fail(code)));
        }
        if *call == Call::Whole(Whole::SystemCopy) {
            for &code in &codes {
                faults.push(Fault::new(When::Nth(n), Effect::FailHalfWay(code)));
            }
        }
        if !call.moves_data() {
            continue;
        }
        for effect in [
            Effect::AtMost(1),
            Effect::AtMost(4097),
            Effect::Half,
            Effect::Nothing,
        ] {
            faults.push(Fault::new(When::Nth(n), effect.clone()));
            if effect != Effect::AtMost(1) {
                faults.push(Fault::new(When::FromNth(n), effect));
            }
        }
    }
    faults
}

/// Chooses `wanted` of `of` things, the same ones every time.
struct Choice {
    state: u64,
    left: usize,
    wanted: usize,
}

impl Choice {
    fn new(of: usize, wanted: usize) -> Choice {
        Choice {
            state: SEED,
            left: of,
            wanted: wanted.min(of),
        }
    }

    fn next(&mut self) -> bool {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let chosen = (self.state >> 33) as usize % self.left < self.wanted;
        self.left -= 1;
        self.wanted -= usize::from(chosen);
        chosen
    }
}

fn sweep(name: &str, scenarios: Vec<Scenario>) {
    let mut sweep = Sweep::new(|sim| sim);
    for scenario in &scenarios {
        sweep.scenario(scenario);
    }
    sweep.found.finish(name);
}

#[test]
fn one_file() {
    sweep("one file", scenarios::one_file());
}

#[test]
fn each_method_alone() {
    sweep("each method alone", scenarios::each_method_alone());
}

#[test]
fn hashed() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(600);
    for scenario in scenarios::hashed() {
        sweep.scenario(&scenario);
    }
    sweep.found.finish("hashed");
}

/// Nothing is read a second time for the hash.
#[test]
fn several_threads_hash_what_they_copy() {
    let mut played = 0;
    for scenario in scenarios::hashed() {
        if !scenario.name.starts_with("two threads") {
            continue;
        }
        let sim = scenario.sim.fork();
        let outcome = run(&sim, &sim, &scenario);
        let reads = outcome.log.iter().filter(|it| it.call == Call::Read);
        let (reads, size) = (reads.count() as u64, outcome.files[0].1.bytes());
        let pieces = size.div_ceil(BUFFER_BYTES as u64);
        assert!(outcome.files[0].1.hash.is_some(), "{}", scenario.name);
        // Each piece of data that a hole ends is one more.
        assert!(
            reads <= pieces + 4,
            "{}: {reads} of {pieces}",
            scenario.name
        );
        played += 1;
    }
    assert!(played > 0);
}

#[test]
fn trees() {
    sweep("trees", scenarios::trees());
}

/// More levels than there are descriptors: directories are closed, and opened again.
#[test]
fn deep_trees() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(300);
    for workers in [1, 2] {
        for mut scenario in scenarios::deep_trees() {
            scenario.options.ordered = workers == 1;
            scenario.options.jobs = std::num::NonZeroUsize::new(workers);
            sweep.scenario(&scenario);
        }
    }
    sweep.found.finish("deep trees");
}

#[test]
fn existing_destinations() {
    sweep("existing destinations", scenarios::existing());
}

#[test]
fn safe() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(500);
    for scenario in &scenarios::safe() {
        sweep.scenario(scenario);
    }
    sweep.found.finish("safe");
}

#[test]
fn volumes() {
    sweep("volumes", scenarios::volumes());
}

#[test]
fn misreported() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(200);
    for scenario in &scenarios::misreported() {
        sweep.scenario(scenario);
        let sim = scenario.sim.fork();
        let outcome = run(&sim, &sim, scenario);
        assert!(outcome.changed.is_empty(), "nothing has changed");
    }
    sweep.found.finish("misreported");
}

/// The next method continues where the destination ends; with `Reflink::Always` the copy fails.
#[test]
fn partly_cloned() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(200);
    for (size, shared) in [
        (5 << 20, 128 << 10),
        (65 << 20, 128 << 10),
        (5 << 20, 0),
        (65 << 20, 0),
        (5_000, 0),
    ] {
        for reflink in [Reflink::Auto, Reflink::Always] {
            let scenario = scenarios::partly_cloned(reflink, size, shared);
            if size < 65 << 20 {
                sweep.scenario(&scenario);
            }
            let before = snapshot::of_world(&scenario.sim.world());
            let outcome = sweep.trial(&scenario, &before, &[], u64::MAX);
            assert!(outcome.changed.is_empty(), "{reflink:?} {size}");
            assert_eq!(outcome.failures.is_empty(), reflink == Reflink::Auto);
            if let Some((_, report)) = outcome.files.first() {
                assert_eq!((report.cloned(), report.bytes()), (shared, size));
            }
        }
    }
    sweep.found.finish("partly cloned");
}

/// What was cloned of a file that was to be cloned whole does not stay in an existing destination.
#[test]
fn a_part_that_was_cloned_does_not_stay_in_an_existing_file() {
    let scenario = scenarios::partly_cloned(Reflink::Always, 5 << 20, 128 << 10);
    Builder::below(&scenario.sim, OsStr::new("/to")).file("dst", 100);
    let sim = scenario.sim.fork();
    let outcome = run(&sim, &sim, &scenario);
    assert_eq!(outcome.failures.len(), 1);
    let after = snapshot::of_world(&sim.world());
    assert_eq!(after[Path::new("to/dst")].data.size(), 0);
}

#[test]
fn other_systems() {
    sweep("other systems", scenarios::other_systems());
}

/// Which call is the n-th differs from run to run here too.
#[test]
fn two_threads_on_one_file() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(1500);
    for scenario in scenarios::two_threads() {
        sweep.scenario(&scenario);
    }
    sweep.found.finish("two threads on one file");
}

#[test]
fn macos() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(MACOS_RUNS);
    let all = [
        scenarios::macos_pairs(),
        scenarios::macos_methods(),
        scenarios::macos_attributes(),
        scenarios::macos_existing(),
        scenarios::macos_trees(),
    ];
    for scenario in all.iter().flatten() {
        sweep.scenario(scenario);
    }
    let count = all.iter().flatten().count();
    println!("{count} scenarios of macOS");
    sweep.found.finish("macOS");
}

/// Two workers: which call is the n-th differs from run to run; what must be true does not.
#[test]
fn two_workers() {
    let mut sweep = Sweep::new(|sim| sim).most_runs(400);
    for mut scenario in scenarios::trees() {
        scenario.options.ordered = false;
        scenario.options.jobs = std::num::NonZeroUsize::new(2);
        sweep.scenario(&scenario);
    }
    sweep.found.finish("two workers");
}

/// One byte at a call, and an interruption before it: slow, and right.
#[test]
fn one_byte_at_a_time() {
    let mut sweep = Sweep::new(|sim| sim);
    for scenario in scenarios::one_file().iter().filter(|it| it.small) {
        let before = snapshot::of_world(&scenario.sim.world());
        let each = Fault::new(When::EveryMove, Effect::AtMost(1));
        let intr = super::codes::Codes::of(scenario.os()).intr;
        for call in [Call::Read, Call::Write] {
            let first = Fault::new(When::NthOf(call, 0), Effect::Fail(intr));
            let outcome = sweep.trial(scenario, &before, &[first, each.clone()], 1 << 20);
            assert_eq!(
                outcome.summary.errors, 0,
                "{}: {:?}",
                scenario.name, outcome.failures
            );
        }
    }
    sweep.found.finish("one byte at a time");
}
