//! The same trees and the same options on the system that the tests run on and on a simulated one
//! with its facts: a difference means that the simulator is wrong.

mod trees;

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Sim;
use super::build::{Builder, lacks_links};
use super::data::BLOCK;
use super::scenarios::archive;
use super::snapshot::{Seen, Snapshot, through_waist};
use super::volume::Volume;
use crate::run::context::RunContext;
use crate::system::Data;
use crate::system::Machine;
use crate::system::Names;
use crate::system::native::Native;
use crate::system::{Open, Platform};
use crate::tree::engine;
use crate::words::facts::{FsKind, Known};
use crate::words::method::{Method, MethodSet, Os};
use crate::words::observer::{CancelToken, Event, Observer};
use crate::words::operand::Operand;
use crate::words::options::{Backup, Force, Make, Options, Reflink, Sparse, Update};
use crate::words::report::{Attempt, Ended};
use crate::words::stat::FileKind;
use trees::{conflicts, everything, files, newer, over, solid, xattrs};

/// What a run reports of one file: how much each method moved.
type Attempts = Vec<(Method, u64, u64, u64)>;

/// Records the events.
#[derive(Default)]
struct Notes {
    /// What moved each file. Which of two names of a file comes first, and which file is the first
    /// to be refused by a method, is for the order of the directory to say.
    files: Mutex<Vec<Attempts>>,
    refused: Mutex<BTreeSet<String>>,
    errors: Mutex<Vec<String>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Observer for Notes {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::File { report, .. } => {
                let is_refusal =
                    |it: &&Attempt| it.bytes == 0 && matches!(it.ended, Ended::Next(_));
                for attempt in report.attempts.iter().filter(is_refusal) {
                    let what = format!("{} {:?}", attempt.method, attempt.ended);
                    lock(&self.refused).insert(what);
                }
                let moved = report.attempts.iter().filter(|it| !is_refusal(it));
                let moved = moved.map(|it| (it.method, it.offset, it.bytes, it.holes));
                lock(&self.files).push(moved.collect());
            }
            Event::Error(error) => {
                lock(&self.errors).push(format!("{:?} {:?}", error.operation(), error.cause()));
            }
            _ => {}
        }
    }
}

/// The result of a run.
struct Outcome {
    tree: Snapshot,
    files: Vec<Attempts>,
    refused: BTreeSet<String>,
    errors: Vec<String>,
}

fn run<P: Platform>(platform: &P, root: &Path, make: Tree<P>, options: &Options) -> Outcome {
    make(&Builder::below(platform, root.as_os_str()));
    let notes = Notes::default();
    let cancel = CancelToken::new();
    let context = RunContext::new(&notes, &cancel);
    let options = Options {
        ordered: true,
        ..options.clone()
    };
    let operand = Operand {
        src: root.join("src"),
        dst: root.join("dst"),
        parents_below: None,
    };
    engine::run(platform, &options, context, &[operand]);
    let mut files = std::mem::take(&mut *lock(&notes.files));
    let mut errors = std::mem::take(&mut *lock(&notes.errors));
    files.sort_by_key(|attempts| format!("{attempts:?}"));
    errors.sort();
    let refused = std::mem::take(&mut *lock(&notes.refused));
    Outcome {
        tree: through_waist(platform, root),
        files,
        refused,
        errors,
    }
}

type Tree<P> = fn(&Builder<'_, P>);

/// A simulated system like the native one where `root` is, with the same empty directory.
fn like_native(native: &Native, root: &Path) -> Sim {
    let current = native.current_dir().unwrap();
    let at = crate::system::At {
        dir: &current,
        name: root.as_os_str(),
    };
    let dir = native.open(at, Open::Directory { follow: true }).unwrap();
    let facts = native.volume(&dir).unwrap();
    let usual = Volume::new(facts.id, facts.kind);
    let volume = Volume {
        says_clone: facts.clone,
        folds_case: match facts.folds_case {
            Known::Yes => true,
            Known::No => false,
            Known::Unknown => usual.folds_case,
        },
        ..usual
    };
    let sim = Sim::new(native.os(), 1, volume);
    {
        let mut world = sim.world();
        world.kernel = native.kernel();
        world.umask = native.umask();
        world.privileged = native.is_privileged();
        let stat = native.stat_open(&dir).unwrap();
        (world.uid, world.gid) = (stat.uid, stat.gid);
        let root = world.node_mut(super::world::ROOT);
        (root.uid, root.gid) = (stat.uid, stat.gid);
    }
    Builder::below(&sim, OsStr::new("/")).dir("work");
    sim
}

/// Runs the same on both, and compares.
fn compare(name: &str, make: (Tree<Native>, Tree<Sim>), options: &Options) {
    let dir = tempfile::tempdir().unwrap();
    let native = Native::new();
    let sim = like_native(&native, dir.path());
    let theirs = run(&native, dir.path(), make.0, options);
    let ours = run(&sim, Path::new("/work"), make.1, options);
    assert_eq!(
        ours.errors, theirs.errors,
        "{name}: errors of Sim and Native"
    );
    let paths = |outcome: &Outcome| outcome.tree.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        paths(&ours),
        paths(&theirs),
        "{name}: names of Sim and Native"
    );
    let holds_holes = holds_holes(&native, dir.path());
    for (path, our) in &ours.tree {
        same_entry(
            &format!("{name}: {}", path.display()),
            (our, &theirs.tree[path]),
            holds_holes,
        );
        for (other, our_other) in &ours.tree {
            let linked = our.stat.id == our_other.stat.id;
            let theirs_linked = theirs.tree[path].stat.id == theirs.tree[other].stat.id;
            assert_eq!(
                linked,
                theirs_linked,
                "{name}: {} and {}",
                path.display(),
                other.display()
            );
        }
    }
    if known(&native, dir.path()) {
        assert_eq!(
            ours.files, theirs.files,
            "{name}: reports of Sim and Native"
        );
        assert_eq!(
            ours.refused, theirs.refused,
            "{name}: refusals of Sim and Native"
        );
    }
}

/// The filesystems that the simulator claims to know in every method.
fn known(native: &Native, root: &Path) -> bool {
    let current = native.current_dir().unwrap();
    let at = crate::system::At {
        dir: &current,
        name: root.as_os_str(),
    };
    let dir = native.open(at, Open::Directory { follow: true }).unwrap();
    let kind = native.volume(&dir).unwrap().kind;
    let is_known = matches!(kind, FsKind::Ext | FsKind::Btrfs | FsKind::Tmpfs);
    if !is_known {
        println!(
            "methods not compared: the tests' directory is on {}",
            kind.name()
        );
    }
    is_known
}

/// Whether unwritten ranges take no space on the tests' filesystem: on Windows a file needs the sparse attribute.
fn holds_holes(native: &Native, root: &Path) -> bool {
    Builder::below(native, root.as_os_str()).sparse("hole", 1 << 20, []);
    let holds = through_waist(native, root)[Path::new("hole")]
        .stat
        .allocated_bytes
        < 1 << 19;
    if !holds {
        println!("allocation not compared: files have no holes in the tests' directory");
    }
    holds
}

fn same_entry(what: &str, (ours, theirs): (&Seen, &Seen), holds_holes: bool) {
    assert_eq!(ours.stat.kind, theirs.stat.kind, "{what}: kind");
    assert_eq!(ours.stat.mode, theirs.stat.mode, "{what}: mode");
    assert_eq!(
        (ours.stat.uid, ours.stat.gid),
        (theirs.stat.uid, theirs.stat.gid),
        "{what}: owner"
    );
    assert_eq!(ours.stat.links, theirs.stat.links, "{what}: links");
    assert_eq!(ours.stat.device, theirs.stat.device, "{what}: device");
    assert_eq!(ours.target, theirs.target, "{what}: target");
    assert!(ours.data.same_bytes(&theirs.data), "{what}: content");
    let user = |seen: &Seen| {
        let xattrs = seen
            .xattrs
            .iter()
            .filter(|(name, _)| name.starts_with(b"user."));
        xattrs
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(user(ours), user(theirs), "{what}: xattrs");
    let was_set = |seconds: i64| seconds < 1_690_000_000;
    let seconds = (ours.stat.modified.seconds, theirs.stat.modified.seconds);
    if was_set(seconds.0) || was_set(seconds.1) {
        assert_eq!(ours.stat.modified, theirs.stat.modified, "{what}: modified");
    }
    // Blocks of other sizes, and what a filesystem keeps in the inode, make a small difference.
    if ours.stat.kind == FileKind::Regular && holds_holes {
        let (ours, theirs) = (ours.stat.allocated_bytes, theirs.stat.allocated_bytes);
        assert!(
            ours.abs_diff(theirs) <= 16 * BLOCK,
            "{what}: {ours} and {theirs} bytes allocated"
        );
    }
}

#[test]
fn data() {
    let make = (files::<Native> as Tree<Native>, files::<Sim> as Tree<Sim>);
    let base = Options {
        recursive: true,
        ..Options::default()
    };
    compare("files", make, &base);
    for sparse in [Sparse::Always, Sparse::Never] {
        compare(
            &format!("{sparse:?}"),
            make,
            &Options {
                sparse,
                ..base.clone()
            },
        );
    }
    for reflink in [Reflink::Always, Reflink::Never] {
        compare(
            &format!("{reflink:?}"),
            make,
            &Options {
                reflink,
                ..base.clone()
            },
        );
    }
}

#[test]
fn each_method() {
    let dir = tempfile::tempdir().unwrap();
    let make = if holds_holes(&Native::new(), dir.path()) {
        (files::<Native> as Tree<Native>, files::<Sim> as Tree<Sim>)
    } else {
        (solid::<Native> as Tree<Native>, solid::<Sim> as Tree<Sim>)
    };
    for method in Method::ALL {
        let methods = Some(MethodSet::EMPTY.with(method));
        let options = Options {
            recursive: true,
            methods,
            ..Options::default()
        };
        compare(&format!("{method} alone"), make, &options);
    }
}

#[test]
fn trees() {
    if lacks_links("trees") {
        return;
    }
    let make = (
        everything::<Native> as Tree<Native>,
        everything::<Sim> as Tree<Sim>,
    );
    compare("-a", make, &archive());
    compare(
        "-r",
        make,
        &Options {
            recursive: true,
            ..Options::default()
        },
    );
    compare(
        "-al",
        make,
        &Options {
            make: Make::HardLink,
            ..archive()
        },
    );
    compare(
        "attributes only",
        make,
        &Options {
            attributes_only: true,
            ..archive()
        },
    );
}

#[test]
fn existing() {
    if lacks_links("existing") {
        return;
    }
    let make = (over::<Native> as Tree<Native>, over::<Sim> as Tree<Sim>);
    let base = Options {
        recursive: true,
        ..Options::default()
    };
    compare("over", make, &base);
    compare("over -a", make, &archive());
    for backup in [Backup::Simple, Backup::Numbered, Backup::Existing] {
        compare(
            &format!("{backup:?}"),
            make,
            &Options {
                backup,
                ..archive()
            },
        );
    }
    for force in [Force::IfNeeded, Force::RemoveFirst] {
        compare(
            &format!("{force:?}"),
            make,
            &Options {
                force,
                ..base.clone()
            },
        );
    }
}

#[test]
fn updates() {
    let make = (newer::<Native> as Tree<Native>, newer::<Sim> as Tree<Sim>);
    for update in [Update::Older, Update::None, Update::NoneFail] {
        compare(
            &format!("{update:?}"),
            make,
            &Options {
                update,
                ..archive()
            },
        );
    }
}

#[test]
fn what_can_not_be() {
    if lacks_links("what_can_not_be") {
        return; // nor symbolic ones
    }
    let make = (
        conflicts::<Native> as Tree<Native>,
        conflicts::<Sim> as Tree<Sim>,
    );
    compare(
        "conflicts",
        make,
        &Options {
            recursive: true,
            ..Options::default()
        },
    );
    compare("conflicts -a", make, &archive());
    compare("conflicts -r, omitted", make, &Options::default());
}

#[test]
fn extended_attributes() {
    let dir = tempfile::tempdir().unwrap();
    let native = Native::new();
    let probe = std::panic::catch_unwind(|| {
        xattrs(&Builder::below(&native, dir.path().as_os_str()));
    });
    if probe.is_err() {
        if native.os() == Os::Windows {
            println!("beyond Wine: extended_attributes: it makes no streams of an open file");
        } else {
            println!("not run: the tests' directory takes no user xattrs");
        }
        return;
    }
    let make = (xattrs::<Native> as Tree<Native>, xattrs::<Sim> as Tree<Sim>);
    compare("xattrs", make, &archive());
    compare(
        "no xattrs",
        make,
        &Options {
            recursive: true,
            ..Options::default()
        },
    );
}
