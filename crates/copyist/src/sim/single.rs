//! One small file by its path ([`crate::file::single`]), and what is kept for the next one.

use std::ffi::OsStr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Sim;
use super::build::Builder;
use super::faults::{Call, Effect, Fault, Faults, When};
use super::scenarios::{build, linux};
use super::snapshot::{Seen, of_world};
use crate::file::single;
use crate::run::exec::RefusalCache;
use crate::run::volumes::{Learnt, plan_for};
use crate::system::{At, Data, Move, Names, Open, start_dir};
use crate::think::rules::Scope;
use crate::think::rules::linux::EIO;
use crate::words::facts::{FsKind, VolumeFacts};
use crate::words::method::{Method, MethodSet, Os};
use crate::words::options::{Atomic, Options, Preserve, Reflink, Update, Want};
use crate::words::report::Report;
use crate::words::stat::FileKind;

fn options() -> Options {
    Options {
        preserve: Preserve::PERMISSIONS,
        ..Options::default()
    }
}

fn copy(sim: &Sim, learnt: &Learnt) -> Option<Report> {
    let paths = (OsStr::new("/from/src"), OsStr::new("/to/dst"));
    single::copy(sim, learnt, &options(), paths)
}

/// `/from/src` is a small file.
fn small(kind: FsKind) -> Sim {
    let sim = linux(kind, None);
    build(&sim).file("src", 4096).mode("src", 0o640);
    sim.world().faults = Faults::default();
    sim
}

fn seen(sim: &Sim, path: &str) -> Option<Seen> {
    of_world(&sim.world()).remove(Path::new(path))
}

fn is_copied(sim: &Sim) -> bool {
    let (src, dst) = (seen(sim, "from/src"), seen(sim, "to/dst"));
    let (Some(src), Some(dst)) = (src, dst) else {
        return false;
    };
    src.data.same_bytes(&dst.data) && src.stat.mode == dst.stat.mode
}

/// The calls, without those that only look a path up from the current directory where there is no other way.
fn calls(sim: &Sim) -> Vec<Call> {
    let log = std::mem::take(&mut sim.world().faults.log);
    let mut calls: Vec<Call> = log.into_iter().map(|it| it.call).collect();
    let mut n = 0;
    while let Some(at) = calls.iter().skip(n).position(|it| *it == Call::CurrentDir) {
        n += at;
        calls.remove(n);
        // The handle is closed right after the call that it was for.
        let close = calls.iter().skip(n).position(|it| *it == Call::Close);
        if let Some(close) = close {
            calls.remove(n + close);
        }
    }
    calls
}

#[test]
fn a_small_file_takes_no_more_calls_than_it_needs() {
    use Call::{Close, Open, SetLen, StatOpen, Volume};
    let sim = small(FsKind::Tmpfs);
    let learnt = Learnt::default();
    let copied = copy(&sim, &learnt).expect("copied");
    assert_eq!((copied.offloaded(), copied.attempts().len()), (4096, 1));
    assert!(is_copied(&sim));
    let range = Call::Move(Move::CopyRange);
    let expected = [Open, StatOpen, Open, StatOpen, Volume, range];
    let made = calls(&sim);
    assert_eq!(made[..6], expected, "{made:?}");
    // The permission bits are there since it was created.
    assert!(made[6..].iter().all(|it| *it == Close), "{made:?}");
    // The first that exists is looked at; then the next one is expected to exist.
    copy(&sim, &learnt).expect("copied over");
    calls(&sim);
    copy(&sim, &learnt).expect("copied over");
    let expected = [Open, StatOpen, Open, StatOpen, Volume, SetLen, range];
    let made = calls(&sim);
    assert_eq!(made[..7], expected, "{made:?}");
    assert!(made[7..].iter().all(|it| *it == Close), "{made:?}");
    assert!(is_copied(&sim));
}

/// Fails each call in turn: a new destination is complete, or it is gone, and everything is closed.
#[test]
fn what_fails_leaves_nothing() {
    let effects = [Effect::Fail(EIO), Effect::Half, Effect::Nothing];
    for kind in [FsKind::Tmpfs, FsKind::Ext, FsKind::Btrfs] {
        for exists in [false, true] {
            for effect in &effects {
                let runs = fail_each_call(kind, exists, effect);
                assert!(runs > 8, "{kind:?}: {runs} calls");
            }
        }
    }
}

fn fail_each_call(kind: FsKind, exists: bool, effect: &Effect) -> u64 {
    for nth in 0.. {
        let sim = small(kind);
        build(&sim).mode("src", 0o4755);
        if exists {
            Builder::below(&sim, OsStr::new("/to")).file("dst", 100);
        }
        let open = sim.world().open.len();
        sim.world().faults = Faults::default();
        sim.world().faults.planned = vec![Fault::new(When::Nth(nth), effect.clone())];
        let copied = copy(&sim, &Learnt::default());
        let (failed, is_end) = {
            let world = sim.world();
            let failed = world.faults.log.get(nth as usize).map(|it| it.call);
            (failed, world.faults.log.len() as u64 <= nth)
        };
        let what = format!("{kind:?}, {exists}, call {nth}, {failed:?}: {effect:?}");
        assert_eq!(sim.world().open.len(), open, "{what}");
        assert!(copied.is_none() || is_copied(&sim), "{what}");
        let is_left = seen(&sim, "to/dst").is_some();
        assert_eq!(is_left, exists || copied.is_some(), "{what}");
        if is_end {
            assert!(copied.is_some(), "{what}");
            return nth;
        }
    }
    0
}

/// Adds to a system.
type Make = fn(&Sim);

#[test]
fn what_is_no_plain_small_file_is_left_to_the_engine() {
    let sims: [(&str, Make); 9] = [
        ("a FIFO", |sim: &Sim| {
            build(sim).special("src", FileKind::Fifo, 0);
        }),
        ("nothing", |_: &Sim| {}),
        ("a directory", |sim: &Sim| {
            build(sim).dir("src");
        }),
        ("an empty file", |sim: &Sim| {
            build(sim).file("src", 0);
        }),
        ("a large file", |sim: &Sim| {
            build(sim).file("src", 40 << 20);
        }),
        ("a sparse file", |sim: &Sim| {
            build(sim).sparse("src", 1 << 16, [0..2, 30..40]);
        }),
        ("onto itself", |sim: &Sim| {
            build(sim).file("src", 5000);
            Builder::below(sim, OsStr::new("/to")).hard_link("dst", "/from/src");
        }),
        ("onto a link", |sim: &Sim| {
            build(sim).file("src", 5000);
            Builder::below(sim, OsStr::new("/to")).symlink("dst", "elsewhere");
        }),
        ("onto a FIFO", |sim: &Sim| {
            build(sim).file("src", 5000);
            Builder::below(sim, OsStr::new("/to")).special("dst", FileKind::Fifo, 0);
        }),
    ];
    for (what, make) in sims {
        let sim = linux(FsKind::Ext, None);
        make(&sim);
        let before = of_world(&sim.world());
        // A destination that is expected to exist is opened without being looked at.
        for overwrites in [false, true] {
            let learnt = Learnt::default();
            learnt.set_overwrites(overwrites);
            assert!(copy(&sim, &learnt).is_none(), "{what}");
            let after = of_world(&sim.world());
            assert!(before.keys().eq(after.keys()), "{what}");
            let same = before.iter().all(|(path, it)| after[path].is_as_before(it));
            assert!(same, "{what}");
        }
    }
}

#[test]
fn only_plain_options_suit() {
    let suits = |change: fn(&mut Options)| {
        let mut options = options();
        change(&mut options);
        single::suits(Os::Linux, &options)
    };
    assert!(suits(|_| {}));
    assert!(suits(|it| it.reflink = Reflink::Never));
    assert!(!single::suits(Os::Macos, &options()));
    let others: [fn(&mut Options); 8] = [
        |it| it.preserve.acl = true,
        |it| it.preserve.times = true,
        |it| it.preserve.xattrs = Want::BestEffort,
        |it| it.atomic = Atomic::BestEffort,
        |it| it.update = Update::Older,
        |it| it.hash = Some(Default::default()),
        |it| it.verify = true,
        |it| it.journal = Some("journal".into()),
    ];
    for (n, change) in others.into_iter().enumerate() {
        assert!(!suits(change), "{n}");
    }
}

fn facts(sim: &Sim) -> (VolumeFacts, VolumeFacts) {
    let here = start_dir(sim, [Path::new("/from")]).expect("a directory");
    let at = At {
        dir: &here,
        name: OsStr::new("/from"),
    };
    let dir = sim.open(at, Open::Path { follow: true }).expect("open");
    let volume = sim.volume(&dir).expect("facts");
    (volume, volume)
}

/// What was refused is known in the next call, but not for ever, and not of another volume that has the number.
#[test]
fn refusals_are_kept_while_the_facts_are_the_same() {
    let (sim, options) = (small(FsKind::Xfs), options());
    let (learnt, now) = (Learnt::default(), Instant::now());
    let volumes = facts(&sim);
    let ask = |volumes| plan_for(&sim, &options, volumes, None);
    let pair = learnt.keep(ask(volumes), &options, now);
    pair.learn(Method::Clone, Scope::VolumePair);
    let cloned = MethodSet::EMPTY.with(Method::Clone);
    let refused = |learnt: &Learnt, volumes, options: &Options, after| {
        let found = learnt.find(&volumes, options, now + Duration::from_secs(after));
        found.map(|it| it.refused())
    };
    assert_eq!(refused(&learnt, volumes, &options, 1), Some(cloned));
    assert_eq!(refused(&learnt, volumes, &options, 59), Some(cloned));
    assert_eq!(refused(&learnt, volumes, &options, 61), None);
    let mut other = volumes;
    other.1.kind = FsKind::Ext;
    assert_eq!(refused(&learnt, other, &options, 1), None);
    let never = Options {
        reflink: Reflink::Never,
        ..options.clone()
    };
    assert_eq!(refused(&learnt, volumes, &never, 1), None);
    // In time it is learnt again.
    let later = now + Duration::from_secs(100);
    let again = learnt.keep(ask(volumes), &options, later);
    assert_eq!(again.refused(), MethodSet::EMPTY);
    // A method that is refused everywhere is so in all of them.
    pair.learn(Method::CopyRange, Scope::Process);
    assert!(again.refused().contains(Method::CopyRange));
    for id in 100..200 {
        let mut volumes = volumes;
        volumes.0.id = id;
        learnt.keep(ask(volumes), &options, later);
    }
    assert_eq!(refused(&learnt, volumes, &options, 100), None, "bounded");
}
