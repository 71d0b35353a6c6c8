//! A panic in the caller's code, on the system that the tests run on: whichever call it is in, all threads end,
//! the panic goes on in the caller's thread, and no file is half-made.

#![forbid(unsafe_code)]

use std::fs;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use copyist::hash::HashKind;
use copyist::observer::{FileKind, PathSource, Question};
use copyist::options::{Atomic, Preserve};
use copyist::verify::{Compare, Difference, Found};
use copyist::{CancelToken, Copier, Error, Event, Observer, Options};

/// More than any run takes: one that hangs fails.
const LONGEST_RUN: Duration = Duration::from_secs(60);

const LARGE_BYTES: usize = 3 << 20;

/// Panics at the call with this number, counted from 0, of any of its functions.
struct Panics {
    at: usize,
    calls: AtomicUsize,
}

impl Panics {
    fn new(at: usize) -> Panics {
        Panics {
            at,
            calls: AtomicUsize::new(0),
        }
    }

    fn called(&self) {
        if self.calls.fetch_add(1, Ordering::Relaxed) == self.at {
            // Without a message on stderr.
            resume_unwind(Box::new(self.at));
        }
    }

    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }
}

impl Observer for Panics {
    fn event(&self, _: Event<'_>) {
        self.called();
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

impl Found for Panics {
    fn difference(&self, _: &Path, _: &Difference) {
        self.called();
    }

    fn error(&self, _: &Error) {
        self.called();
    }
}

/// The number that a panic was made with.
fn panicked<T>(run: impl FnOnce() -> T) -> Option<usize> {
    let panic = catch_unwind(AssertUnwindSafe(run)).err()?;
    Some(
        *panic
            .downcast::<usize>()
            .expect("the panic that was planned"),
    )
}

/// Runs `test` for each number from 0 on, until it answers that it has come to the end.
fn for_each_call(test: impl Fn(usize) -> bool + Send + 'static) -> usize {
    let (done, heard) = channel();
    let testing = thread::spawn(move || {
        for at in 0.. {
            let goes_on = test(at);
            done.send(at).expect("somebody listens");
            if !goes_on {
                break;
            }
        }
    });
    let mut runs = 0;
    loop {
        match heard.recv_timeout(LONGEST_RUN) {
            Ok(_) => runs += 1,
            Err(RecvTimeoutError::Timeout) => panic!("it hangs at call {runs}"),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    if let Err(panic) = testing.join() {
        resume_unwind(panic);
    }
    runs
}

fn make_tree(dir: &Path) -> std::io::Result<()> {
    for n in 0..6 {
        let sub = dir.join(format!("{n}/sub"));
        fs::create_dir_all(&sub)?;
        for file in 0..3 {
            fs::write(sub.join(format!("f{file}")), format!("{n} {file}"))?;
        }
    }
    let large: Vec<u8> = (0..LARGE_BYTES).map(|n| (n % 251) as u8).collect();
    fs::write(dir.join("large"), large)?;
    fs::hard_link(dir.join("large"), dir.join("0/sub/link"))
}

/// All files below.
fn files(dir: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.extend(files(&entry.path())?);
        } else {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn tree_options(jobs: usize) -> Options {
    let copier = Copier::new()
        .jobs(NonZeroUsize::new(jobs))
        .filtered(true)
        .interactive(true)
        .preserve(Preserve::ARCHIVE);
    copier.options().clone()
}

/// Copies a tree, over one that is there in part, and looks at what there is after the panic.
fn tree_ends(options: Options) -> usize {
    let temp = tempfile::tempdir().expect("a directory");
    let src = temp.path().join("src");
    make_tree(&src).expect("a tree");
    for_each_call(move |at| {
        let dst = temp.path().join("dst");
        fs::create_dir_all(dst.join("1/sub")).expect("an existing destination");
        fs::write(dst.join("1/sub/f1"), "old").expect("an existing destination");
        let observer = Arc::new(Panics::new(at));
        let copier = Copier::with_options(options.clone()).observer(observer.clone());
        let panicked = panicked(|| copier.copy_tree(&src, &dst).expect("a copy"));
        let goes_on = observer.calls() > at;
        assert_eq!(panicked, goes_on.then_some(at));
        let copied = files(&dst).expect("a destination");
        for copy in &copied {
            let below = copy.strip_prefix(&dst).expect("a path below");
            let whole = fs::read(src.join(below));
            let whole = whole.unwrap_or_else(|_| panic!("{} was left", below.display()));
            let now = fs::read(copy).expect("a copy");
            // What is written in place has lost its old content; the promise is `atomic`'s.
            let existed = below == Path::new("1/sub/f1");
            let may_be = existed && (!options.atomic.wanted() || now == b"old");
            assert!(now == whole || may_be, "{} at {at}", below.display());
        }
        assert!(goes_on || copied.len() == files(&src).expect("a tree").len());
        fs::remove_dir_all(&dst).expect("all of it can be removed");
        goes_on
    })
}

#[test]
fn a_panic_ends_a_tree_with_one_worker() {
    assert!(tree_ends(tree_options(1)) > 51);
}

#[test]
fn a_panic_ends_a_tree_with_several_workers() {
    for jobs in [2, 8] {
        assert!(tree_ends(tree_options(jobs)) > 51);
    }
}

#[test]
fn a_panic_ends_a_tree_that_is_hashed_and_atomic() {
    let mut options = tree_options(2);
    options.atomic = Atomic::Required;
    options.hash = Some(HashKind::Blake3);
    assert!(tree_ends(options) > 51);
}

#[test]
fn a_panic_ends_one_file() {
    let temp = tempfile::tempdir().expect("a directory");
    let src = temp.path().join("src");
    fs::write(&src, vec![7; LARGE_BYTES]).expect("a file");
    let runs = for_each_call(move |at| {
        let dst = temp.path().join("dst");
        let observer = Arc::new(Panics::new(at));
        let panicked = panicked(|| {
            let copier = Copier::new().observer(observer.clone());
            copier.copy(&src, &dst).expect("a copy")
        });
        let goes_on = observer.calls() > at;
        assert_eq!(panicked, goes_on.then_some(at));
        if let Ok(copy) = fs::read(&dst) {
            assert_eq!(copy.len(), LARGE_BYTES);
            fs::remove_file(&dst).expect("it can be removed");
        } else {
            assert!(goes_on);
        }
        goes_on
    });
    assert!(runs > 2);
}

#[test]
fn a_panic_ends_a_comparison() {
    let temp = tempfile::tempdir().expect("a directory");
    let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    make_tree(&src).expect("a tree");
    make_tree(&dst).expect("a tree");
    for file in files(&src).expect("a tree") {
        fs::write(file, "other").expect("a file");
    }
    fs::create_dir(src.join("missing")).expect("a directory");
    for threads in [1, 4] {
        let (src, dst) = (src.clone(), dst.clone());
        let runs = for_each_call(move |at| {
            let found = Panics::new(at);
            let compare = Compare::default().threads(threads);
            let panicked = panicked(|| compare.run(&src, &dst, &CancelToken::new(), &found));
            let goes_on = found.calls() > at;
            assert_eq!(panicked, goes_on.then_some(at));
            goes_on
        });
        assert!(runs > 20);
    }
}
