//! Calls that only make a copy better, or that move data for it: refused with whatever code before anything
//! was moved, they are no failure.

use super::data::BLOCK;
use super::faults::{Call, Effect, Fault, When};
use super::scenarios::{Scenario, build, linux, one_file, system};
use super::snapshot;
use super::sweep::{Outcome, Sweep};
use super::volume::{Direct, RangeCopy, Volume};
use crate::system::Move;
use crate::think::rules::linux::{
    EACCES, EBADF, EBUSY, EINVAL, EIO, ENODEV, ENOENT, ENOSPC, ENOTTY, EPERM, ESPIPE,
};
use crate::words::code::Code;
use crate::words::facts::FsKind;
use crate::words::hash::HashKind;
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{Options, Sparse};
use crate::words::report::Ended;

const REFUSALS: [Code; 9] = [
    EPERM, ENOENT, EBADF, EACCES, EBUSY, ENODEV, EINVAL, ENOTTY, ESPIPE,
];

fn named(name: &str) -> Scenario {
    let mut all = one_file().into_iter();
    all.find(|it| it.name == name).expect("such a scenario")
}

/// Plays a scenario without faults. What is wrong with its outcome fails the test.
fn play(scenario: &Scenario) -> Outcome {
    let before = snapshot::of_world(&scenario.sim.world());
    let mut sweep = Sweep::new(|sim| sim);
    let outcome = sweep.trial(scenario, &before, &[], u64::MAX);
    sweep.found.finish(scenario.name);
    outcome
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

/// The whole file is there, and no hole is reported that there is not.
#[test]
fn a_volume_that_is_written_in_sequence_has_zeros_for_holes() {
    for (kind, sparse) in [
        (FsKind::Ext, Sparse::Auto),
        (FsKind::Fuse, Sparse::Auto),
        (FsKind::Fuse, Sparse::Always),
    ] {
        for hash in [None, Some(HashKind::Blake3)] {
            let sim = linux(kind, Some(FsKind::Fuse));
            build(&sim).sparse("src", 90 * BLOCK, [2..3, 40..45, 80..85]);
            sim.world().volumes[2].wants_sequence = true;
            // Between filesystems that both have it, copy_file_range is refused with EXDEV.
            sim.world().volumes[2].range_copy = RangeCopy::Yes;
            let options = Options {
                sparse,
                hash,
                ..Options::default()
            };
            let scenario = Scenario::new("in sequence", sim, options);
            let outcome = play(&scenario);
            assert!(
                outcome.failures.is_empty(),
                "{kind:?} {sparse:?}: {:?}",
                outcome.failures
            );
            let (_, report) = &outcome.files[0];
            assert_eq!((report.bytes(), report.holes()), (90 * BLOCK, 0));
        }
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

/// A copy by these methods between two filesystems that do this to direct I/O.
fn by_direct(methods: &[Method], (src, dst): (Direct, Direct)) -> Outcome {
    let with = |id, direct| Volume {
        direct,
        ..Volume::new(id, FsKind::Ext)
    };
    let sim = system(Os::Linux, with(2, src), Some(with(3, dst)));
    build(&sim).file("src", 3_000_001);
    let options = Options {
        methods: Some(methods.iter().copied().collect()),
        ..Options::default()
    };
    let scenario = Scenario::new("direct on one side", sim, options);
    play(&scenario)
}

/// A filesystem may refuse the flag of direct I/O (tmpfs before Linux 6.5), or take it and refuse each
/// transfer (CIFS).
#[test]
fn direct_io_goes_on_on_the_side_that_takes_it() {
    let takes = Direct::Aligned(512);
    for refuses in [Direct::Refused, Direct::RefusedLater] {
        for (sides, said) in [
            ((refuses, takes), "source's"),
            ((takes, refuses), "destination's"),
        ] {
            let outcome = by_direct(&[Method::Direct], sides);
            assert!(outcome.failures.is_empty(), "{sides:?}");
            let attempts = &outcome.files[0].1.attempts;
            let [only] = attempts.as_slice() else {
                panic!("{sides:?}: {attempts:?}");
            };
            assert_eq!((only.method, only.ended), (Method::Direct, Ended::Done));
            assert!(only.why.is_some_and(|why| why.contains(said)), "{only:?}");
        }
    }
    let outcome = by_direct(&[Method::Direct], (takes, takes));
    assert_eq!(outcome.files[0].1.attempts[0].why, None);
}

#[test]
fn direct_io_that_both_sides_refuse_is_the_next_methods_work() {
    for src in [Direct::Refused, Direct::RefusedLater] {
        for dst in [Direct::Refused, Direct::RefusedLater] {
            let sides = (src, dst);
            assert!(
                !by_direct(&[Method::Direct], sides).failures.is_empty(),
                "{sides:?}"
            );
            let outcome = by_direct(&[Method::Direct, Method::ReadWrite], sides);
            assert!(outcome.failures.is_empty(), "{sides:?}");
            let attempts = &outcome.files[0].1.attempts;
            let [direct, plain] = attempts.as_slice() else {
                panic!("{sides:?}: {attempts:?}");
            };
            assert_eq!(
                (direct.method, direct.ended),
                (Method::Direct, Ended::Next(EINVAL))
            );
            assert_eq!(
                (plain.method, plain.ended, plain.why),
                (Method::ReadWrite, Ended::Done, None)
            );
            assert_eq!((direct.bytes, plain.bytes), (0, 3_000_001));
        }
    }
}
