//! Panics at each call of the observer, and at each call of the system: the run ends, the panic is passed on,
//! and what the observer's panic interrupted is not left half-made.

use std::any::Any;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::Sim;
use super::faults::{Effect, Fault, When};
use super::oracle;
use super::oracle::Trial;
use super::scenarios;
use super::scenarios::Scenario;
use super::snapshot;
use super::sweep::{Failure, Listener, Outcome};
use crate::run::context::RunContext;
use crate::tree::engine;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer::{CancelToken, Event, Observer, PathSource, Question};
use crate::words::stat::FileKind;

/// More than any of these runs takes: a run that hangs fails.
const LONGEST_RUN: Duration = Duration::from_secs(60);

/// The most runs of one scenario.
const MOST_RUNS: usize = 150;

/// What the observer and the system panic with: by `resume_unwind`, which says nothing on stderr.
pub(super) struct Planned;

/// Panics at the call with this number, counted from 0.
struct Panics {
    at: usize,
    calls: AtomicUsize,
    listener: Listener,
}

impl Panics {
    fn new(at: usize) -> Panics {
        Panics {
            at,
            calls: AtomicUsize::new(0),
            listener: Listener::default(),
        }
    }

    fn called(&self) {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.at {
            resume_unwind(Box::new(Planned));
        }
    }
}

impl Observer for Panics {
    fn event(&self, event: Event<'_>) {
        self.called();
        self.listener.event(event);
    }

    fn wants(&self, _: &dyn PathSource, _: FileKind) -> bool {
        self.called();
        true
    }

    fn may_replace(&self, _: Question<'_>) -> bool {
        self.called();
        true
    }
}

type Panic = Box<dyn Any + Send>;

/// Runs a scenario, and returns how it panicked.
fn run(scenario: &Scenario, sim: &Sim, observer: &Panics) -> Option<Panic> {
    let cancel = CancelToken::new();
    let context = RunContext::new(observer, &cancel);
    let run = || engine::run(sim, &scenario.options, context, &scenario.operands);
    let panic = catch_unwind(AssertUnwindSafe(run)).err();
    assert!(!cancel.is_cancelled(), "the caller's token is the caller's");
    panic
}

/// What is known after a panic: that the operands were not copied.
fn outcome(scenario: &Scenario, sim: &Sim, observer: Panics) -> Outcome {
    let cancelled = Error::new(
        scenario.os(),
        Operation::Plan,
        Cause::Refused(Refusal::Cancelled),
    );
    let failures = scenario.operands.iter().map(|operand| Failure {
        operation: Operation::ReadDirectory,
        src: Some(operand.src.clone()),
        dst: Some(operand.dst.clone()),
        attempts: Vec::new(),
        text: "the observer panicked".to_owned(),
    });
    let mut outcome = observer.listener.into_outcome();
    outcome.failures = failures.collect();
    outcome.first = Some(cancelled);
    outcome.summary.errors = outcome.failures.len() as u64;
    let mut world = sim.world();
    outcome.violations.append(&mut world.violations);
    outcome.leaked = world.open.len();
    outcome.log = std::mem::take(&mut world.faults.log);
    outcome
}

/// The observer panics at its call `at`; returns what is wrong then.
fn observer_panics(scenario: &Scenario, at: usize) -> Vec<String> {
    let before = snapshot::of_world(&scenario.sim.world());
    let sim = scenario.sim.fork();
    let observer = Panics::new(at);
    let panic = run(scenario, &sim, &observer);
    let calls = observer.calls.load(Ordering::Relaxed);
    let mut wrong = Vec::new();
    if !panic.as_ref().is_some_and(|it| it.is::<Planned>()) && calls > at {
        wrong.push("the panic was not passed on".to_owned());
    }
    if panic.is_some() && scenario.options.ordered && calls > at + 1 {
        wrong.push("the observer was called after its panic".to_owned());
    }
    let outcome = outcome(scenario, &sim, observer);
    let after = snapshot::of_world(&sim.world());
    wrong.extend(oracle::judge(&Trial {
        scenario,
        before: &before,
        after: &after,
        outcome: &outcome,
    }));
    wrong
}

/// The system panics at its call `at`, as only a bug would.
fn system_panics(scenario: &Scenario, at: usize) -> Vec<String> {
    let sim = scenario.sim.fork();
    let fault = Fault::new(When::Nth(at as u64), Effect::Panic);
    sim.world().faults.planned = vec![fault];
    let panic = run(scenario, &sim, &Panics::new(usize::MAX));
    let mut wrong = Vec::new();
    let made = sim.world().faults.log.len();
    if panic.is_none() && made > at {
        wrong.push("the panic was not passed on".to_owned());
    }
    let leaked = sim.world().open.len();
    if leaked > 0 {
        wrong.push(format!("{leaked} handles leaked"));
    }
    wrong
}

/// Plays `trial` at each of `count` calls of each scenario, and fails if one of them hangs.
fn play(
    scenarios: Vec<Scenario>,
    count: fn(&Scenario) -> usize,
    trial: fn(&Scenario, usize) -> Vec<String>,
) {
    let (told, heard) = channel();
    let playing = thread::spawn(move || {
        for scenario in scenarios {
            let calls = count(&scenario);
            for at in (0..calls).step_by(calls.div_ceil(MOST_RUNS).max(1)) {
                let name = format!("{} at {at} of {calls}", scenario.name);
                // The other end is there until this one is gone.
                let _ = told.send(name.clone());
                let wrong = trial(&scenario, at);
                assert!(wrong.is_empty(), "{name}: {wrong:#?}");
            }
        }
    });
    let (mut last, mut runs) = (String::new(), 0);
    loop {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        match heard.recv_timeout(LONGEST_RUN) {
            Ok(name) => (last, runs) = (name, runs + 1),
            Err(Timeout) => panic!("it hangs: {last}"),
            Err(Disconnected) => break,
        }
    }
    if let Err(panic) = playing.join() {
        resume_unwind(panic);
    }
    assert!(runs > 0);
    println!("{runs} runs");
}

fn observer_calls(scenario: &Scenario) -> usize {
    let observer = Panics::new(usize::MAX);
    run(scenario, &scenario.sim.fork(), &observer);
    observer.calls.into_inner()
}

fn system_calls(scenario: &Scenario) -> usize {
    let sim = scenario.sim.fork();
    run(scenario, &sim, &Panics::new(usize::MAX));
    sim.world().faults.log.len()
}

/// With filters and questions, so that the observer is called for all it can be.
fn asking(mut scenarios: Vec<Scenario>) -> Vec<Scenario> {
    for scenario in &mut scenarios {
        scenario.options.filtered = true;
        scenario.options.interactive = true;
    }
    scenarios
}

fn with_workers(mut scenarios: Vec<Scenario>, workers: usize) -> Vec<Scenario> {
    for scenario in &mut scenarios {
        scenario.options.ordered = false;
        scenario.options.jobs = NonZeroUsize::new(workers);
    }
    scenarios
}

fn trees() -> Vec<Scenario> {
    let mut all = scenarios::trees();
    all.extend(scenarios::safe());
    all.extend(scenarios::macos_trees());
    all
}

#[test]
fn an_observer_that_panics_leaves_no_file_half_made() {
    let all = [
        scenarios::one_file(),
        scenarios::each_method_alone(),
        scenarios::hashed(),
        scenarios::existing(),
        scenarios::two_threads(),
        scenarios::other_systems(),
        scenarios::macos_methods(),
        scenarios::macos_existing(),
    ];
    let all = all.into_iter().flatten().collect();
    play(asking(all), observer_calls, observer_panics);
}

#[test]
fn an_observer_that_panics_ends_a_tree() {
    play(asking(trees()), observer_calls, observer_panics);
}

#[test]
fn an_observer_that_panics_ends_all_workers() {
    for workers in [2, 4] {
        let all = with_workers(asking(trees()), workers);
        play(all, observer_calls, observer_panics);
    }
}

#[test]
fn a_worker_that_panics_is_not_waited_for() {
    let mut all = trees();
    all.extend(scenarios::two_threads());
    all.extend(scenarios::hashed());
    all.extend(with_workers(trees(), 3));
    play(all, system_calls, system_panics);
}
