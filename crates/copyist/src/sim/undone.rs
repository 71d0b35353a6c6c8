//! Plain files that are not as their directory's recipe expects: what was created for them is gone, and they are
//! copied by the general path, or their failure is reported.

use std::path::Path;

use super::faults::{Call, Effect, Fault, When};
use super::scenarios::{Scenario, archive, build, linux};
use super::sweep::Outcome;
use super::{Sim, snapshot, sweep};
use crate::system::Move;
use crate::think::rules::linux as codes;
use crate::words::error::Operation;
use crate::words::facts::FsKind;

/// Three files on a volume of this kind, copied with an effect on the first of these calls, `times` times.
fn with_fault(kind: FsKind, call: Call, times: u64, effect: &Effect) -> (Outcome, Sim) {
    let sim = linux(kind, None);
    build(&sim).dir("src");
    for name in ["src/a", "src/b", "src/c"] {
        build(&sim).file(name, 5000);
    }
    let scenario = Scenario::new("undone", sim.clone(), archive());
    let fault = |n| Fault::new(When::NthOf(call, n), effect.clone());
    sim.world().faults.planned = (0..times).map(fault).collect();
    (sweep::run(&sim, &sim, &scenario), sim)
}

fn count(outcome: &Outcome, call: Call) -> usize {
    outcome.log.iter().filter(|it| it.call == call).count()
}

/// How many of the files are there, with their content and their times.
fn right_copies(sim: &Sim) -> usize {
    let seen = snapshot::of_world(&sim.world());
    let is_right = |name: &&str| {
        let src = &seen[&Path::new("from/src").join(name)];
        let copy = seen.get(&Path::new("to/dst").join(name));
        copy.is_some_and(|it| {
            let same_times = it.stat.modified == src.stat.modified;
            it.data.same_bytes(&src.data) && same_times
        })
    };
    ["a", "b", "c"].into_iter().filter(is_right).count()
}

#[test]
fn a_short_count_is_copied_from_zero() {
    let (outcome, sim) = with_fault(FsKind::Ext, Call::Write, 1, &Effect::Half);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    assert_eq!(count(&outcome, Call::Remove), 1, "it was undone");
    // The source stays open, and the other files are not looked at by their names either.
    let (quiet, _) = with_fault(FsKind::Ext, Call::Write, 0, &Effect::Half);
    let looks = |outcome| count(outcome, Call::Stat);
    assert_eq!(looks(&outcome), looks(&quiet));
    assert_eq!((right_copies(&sim), outcome.leaked), (3, 0));
}

#[test]
fn a_refused_call_is_made_for_one_file_only() {
    let clone = Call::Move(Move::CloneFile);
    let refused = Effect::Fail(codes::EOPNOTSUPP);
    let (outcome, sim) = with_fault(FsKind::Btrfs, clone, 2, &refused);
    assert!(outcome.failures.is_empty(), "{:?}", outcome.failures);
    // By the recipe, and by the general path, which learns that it is refused.
    assert_eq!(
        (count(&outcome, clone), count(&outcome, Call::Remove)),
        (2, 1)
    );
    assert_eq!(right_copies(&sim), 3);
}

#[test]
fn a_real_error_is_reported_and_nothing_is_left() {
    let cases = [
        (Call::Read, Operation::Read),
        (Call::Write, Operation::Write),
        (Call::Close, Operation::CloseDestination),
    ];
    for (call, operation) in cases {
        let failed = Effect::Fail(codes::EIO);
        let (outcome, sim) = with_fault(FsKind::Ext, call, 1, &failed);
        let told: Vec<_> = outcome.failures.iter().map(|it| it.operation).collect();
        assert_eq!(told, [operation]);
        assert_eq!(count(&outcome, Call::Remove), 1, "{call:?}");
        assert_eq!((right_copies(&sim), outcome.leaked), (2, 0), "{call:?}");
        assert_eq!(outcome.summary.files, 2);
    }
}
