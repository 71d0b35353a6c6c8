//! Calls that only make a copy better, or that move data for it: refused with whatever code before anything
//! was moved, they are no failure.

use super::faults::{Call, Effect, Fault, When};
use super::scenarios::{Scenario, build, linux, one_file};
use super::snapshot;
use super::sweep::Sweep;
use crate::error::Code;
use crate::facts::FsKind;
use crate::method::{Method, MethodSet};
use crate::options::Options;
use crate::platform::Move;
use crate::rules::linux::{
    EACCES, EBADF, EBUSY, EINVAL, EIO, ENODEV, ENOENT, ENOSPC, ENOTTY, EPERM, ESPIPE,
};

const REFUSALS: [Code; 9] = [
    EPERM, ENOENT, EBADF, EACCES, EBUSY, ENODEV, EINVAL, ENOTTY, ESPIPE,
];

fn named(name: &str) -> Scenario {
    let mut all = one_file().into_iter();
    all.find(|it| it.name == name).expect("such a scenario")
}

/// Fails the first call of this kind, and all later ones, with this code; whether the copy was made all the
/// same. What is wrong with it otherwise fails the test.
fn copies_without(scenario: &Scenario, call: Call, code: Code) -> bool {
    let before = snapshot::of_world(&scenario.sim.world());
    let mut sweep = Sweep::new(|sim| sim);
    let quiet = sweep.trial(scenario, &before, &[], u64::MAX);
    let is_call = |record: &super::faults::Record| record.call == call;
    let nth = quiet.log.iter().position(is_call).expect("such a call") as u64;
    let fault = Fault::new(When::FromNth(nth), Effect::Fail(code));
    let outcome = sweep.trial(scenario, &before, &[fault], u64::MAX);
    sweep.found.finish("refusals");
    outcome.failures.is_empty()
}

#[test]
fn what_only_makes_a_copy_better_may_be_refused() {
    let sim = linux(FsKind::Ext, None);
    build(&sim).file("src", 9 << 20);
    let direct = Options {
        methods: Some(MethodSet::EMPTY.with(Method::Direct)),
        ..Options::default()
    };
    for (scenario, call) in [
        (named("dropped behind"), Call::WriteBack),
        (Scenario::new("reserved", sim, direct), Call::Allocate),
    ] {
        for code in REFUSALS {
            assert!(copies_without(&scenario, call, code), "{call:?} {code:?}");
        }
        for code in [EIO, ENOSPC] {
            assert!(!copies_without(&scenario, call, code), "{call:?} {code:?}");
        }
    }
}

#[test]
fn a_length_given_in_advance_may_be_refused() {
    let scenario = named("holes on ext");
    let before = snapshot::of_world(&scenario.sim.world());
    for code in [EPERM, EACCES, EINVAL, ENOTTY] {
        let mut sweep = Sweep::new(|sim| sim);
        let fault = Fault::new(When::NthOf(Call::SetLen, 0), Effect::Fail(code));
        let outcome = sweep.trial(&scenario, &before, &[fault], u64::MAX);
        sweep.found.finish("lengths");
        assert!(outcome.failures.is_empty(), "{code:?}");
        let hit = |record: &super::faults::Record| record.effect.is_some();
        assert!(outcome.log.iter().any(hit), "{code:?}");
    }
}

#[test]
fn a_call_that_moves_data_may_be_refused_before_it_has_moved_any() {
    for (method, how) in [
        (Method::CopyRange, Move::CopyRange),
        (Method::Sendfile, Move::Sendfile),
    ] {
        let sim = linux(FsKind::Ext, None);
        build(&sim).file("src", 200_000);
        let methods = MethodSet::EMPTY.with(method).with(Method::ReadWrite);
        let options = Options {
            methods: Some(methods),
            ..Options::default()
        };
        let scenario = Scenario::new("refused", sim, options);
        for code in REFUSALS {
            let copies = copies_without(&scenario, Call::Move(how), code);
            assert!(copies, "{method} {code:?}");
        }
        for code in [EIO, ENOSPC] {
            let copies = copies_without(&scenario, Call::Move(how), code);
            assert!(!copies, "{method} {code:?}");
        }
    }
}

/// A filesystem may take the flag of direct I/O, and refuse each transfer (CIFS).
#[test]
fn direct_io_goes_on_on_the_side_that_takes_it() {
    for kinds in [
        (FsKind::Fuse, FsKind::Ext),
        (FsKind::Ext, FsKind::Fuse),
        (FsKind::Fuse, FsKind::Fuse),
    ] {
        let sim = linux(kinds.0, Some(kinds.1));
        build(&sim).file("src", 3_000_001);
        let options = Options {
            methods: Some(MethodSet::EMPTY.with(Method::Direct)),
            ..Options::default()
        };
        let scenario = Scenario::new("direct on one side", sim, options);
        let before = snapshot::of_world(&scenario.sim.world());
        let mut sweep = Sweep::new(|sim| sim);
        let outcome = sweep.trial(&scenario, &before, &[], u64::MAX);
        sweep.found.finish("direct");
        let both_refuse = kinds == (FsKind::Fuse, FsKind::Fuse);
        assert_eq!(outcome.failures.is_empty(), !both_refuse, "{kinds:?}");
    }
}
