//! The plan that a dry run reports is the plan that runs: each scenario is played dry and then for real, and the
//! attempts must match the plan.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use super::scenarios;
use super::scenarios::Scenario;
use super::snapshot;
use crate::run::context::RunContext;
use crate::system::Platform;
use crate::system::dry::Dry;
use crate::tree::engine;
use crate::words::method::Method;
use crate::words::observer::{CancelToken, Event, Observer, Question};
use crate::words::report::{Ended, Report};

/// The reports of a run, in its order.
#[derive(Default)]
struct Reports(Mutex<Vec<(PathBuf, Report)>>);

impl Observer for Reports {
    fn event(&self, event: Event<'_>) {
        if let Event::File { paths, report } = event {
            let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            reports.push((paths.dst(), report.clone()));
        }
    }

    fn may_replace(&self, _: Question<'_>) -> bool {
        true
    }
}

fn play<P: Platform>(platform: &P, scenario: &Scenario) -> Vec<(PathBuf, Report)> {
    let (reports, cancel) = (Reports::default(), CancelToken::new());
    let context = RunContext::new(&reports, &cancel);
    engine::run(platform, &scenario.options, context, &scenario.operands);
    reports
        .0
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}

/// What is wrong with the reported plans of a scenario, and how many files were compared.
fn compare(scenario: &Scenario) -> (Vec<String>, usize) {
    let sim = scenario.sim.fork();
    let before = snapshot::of_world(&sim.world());
    let said: BTreeMap<_, _> = play(&Dry::new(sim.clone()), scenario).into_iter().collect();
    let mut wrong = Vec::new();
    let after = snapshot::of_world(&sim.world());
    let changed = before
        .iter()
        .filter(|(path, seen)| after.get(*path).is_none_or(|now| !now.is_as_before(seen)));
    wrong.extend(changed.map(|(path, _)| format!("{} has changed", path.display())));
    if after.len() != before.len() || !sim.world().open.is_empty() {
        wrong.push("a dry run has made or kept something".to_owned());
    }
    let (mut refused, mut compared) = (Vec::<Method>::new(), 0);
    for (dst, report) in play(&scenario.sim.fork(), scenario) {
        let ran: Vec<Method> = report.attempts.iter().map(|it| it.method).collect();
        let Some(planned) = said.get(&dst).and_then(|it| it.planned.as_deref()) else {
            if !ran.is_empty() {
                wrong.push(format!(
                    "{}: nothing was said, and {ran:?} ran",
                    dst.display()
                ));
            }
            continue;
        };
        // What an earlier file has shown to be refused can't be known before.
        let known = planned.methods.iter().filter(|it| !refused.contains(*it));
        let known: Vec<Method> = known.copied().collect();
        if !known.starts_with(&ran) && !planned.methods.starts_with(&ran) {
            let methods = &planned.methods;
            wrong.push(format!(
                "{}: {methods:?} was said, and {ran:?} ran",
                dst.display()
            ));
        }
        let next = report.attempts.iter();
        refused.extend(
            next.filter(|it| matches!(it.ended, Ended::Next(_)))
                .map(|it| it.method),
        );
        compared += usize::from(!ran.is_empty());
    }
    (wrong, compared)
}

#[test]
fn what_runs_is_what_was_said() {
    let all = [
        scenarios::one_file(),
        scenarios::each_method_alone(),
        scenarios::hashed(),
        scenarios::existing(),
        scenarios::safe(),
        scenarios::trees(),
        scenarios::volumes(),
        scenarios::two_threads(),
        scenarios::other_systems(),
        scenarios::macos_pairs(),
        scenarios::macos_methods(),
        scenarios::macos_existing(),
    ];
    let mut compared = 0;
    let mut found = Vec::new();
    for scenario in all.iter().flatten() {
        let (wrong, files) = compare(scenario);
        compared += files;
        found.extend(wrong.iter().map(|it| format!("{}: {it}", scenario.name)));
    }
    println!("{compared} files compared");
    assert!(found.is_empty(), "{found:#?}");
    assert!(compared > 100);
}
