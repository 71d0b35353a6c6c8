//! All tests on all filesystems, several at a time.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use super::build::Coreutils;
use super::play::{Stage, Verdict};
use super::{farm, list};
use crate::error::{Context, Error, Result};
use crate::lab::{self, Lab};
use crate::{signals, workspace};

/// The user that tests without rights run as, and its group: one of a file's owner's choice.
pub(super) const NOBODY: u32 = 65534;
pub(super) const GROUP: u32 = 100;

/// Tests are small, but some make large sparse files.
const LAB_GIB: u64 = 2;

/// Where, and as whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Variant {
    /// As root, on ext4
    Ext4,
    /// As a user without rights, on ext4
    User,
    /// As root, on btrfs
    Btrfs,
    /// As root, on XFS
    Xfs,
}

impl Variant {
    pub(crate) const ALL: [Self; 4] = [Self::Ext4, Self::User, Self::Btrfs, Self::Xfs];

    fn filesystem(self) -> &'static str {
        match self {
            Self::Ext4 | Self::User => "ext4",
            Self::Btrfs => "btrfs",
            Self::Xfs => "xfs",
        }
    }
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ext4 => "ext4",
            Self::User => "user",
            Self::Btrfs => "btrfs",
            Self::Xfs => "xfs",
        })
    }
}

/// What to run.
#[derive(Debug)]
pub(crate) struct Suite<'a> {
    pub(crate) coreutils: &'a Coreutils,
    pub(crate) cp: &'a Path,
    pub(crate) variants: &'a [Variant],
    pub(crate) matching: &'a str,
}

/// How it went.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Score {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    /// All of them on the list of those that are known to skip.
    pub(crate) skipped: u64,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// One test in one variant.
struct Task {
    test: String,
    variant: Variant,
}

impl Suite<'_> {
    /// Runs it in a lab of its own.
    pub(crate) fn run(&self) -> Result<Score> {
        let labs = workspace::target().join("lab-gnu");
        lab::sweep(&labs)?;
        let mut filesystems: Vec<&str> = self.variants.iter().map(|one| one.filesystem()).collect();
        filesystems.push("tmpfs");
        let at = labs.join(std::process::id().to_string());
        let lab = Lab::up_with(&at, LAB_GIB, &filesystems)?;
        let score = self.run_in(&lab);
        lab.down()?;
        score
    }

    fn run_in(&self, lab: &Lab) -> Result<Score> {
        let stage = self.stage()?;
        let tasks = self.tasks()?;
        let logs = workspace::target().join("gnu-log");
        fs::create_dir_all(&logs).at("create", &logs)?;
        let (next, score) = (AtomicUsize::new(0), Mutex::new(Score::default()));
        let work = |worker: usize| -> Result<()> {
            while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                signals::check()?;
                let started = Instant::now();
                let log = logs.join(format!(
                    "{}@{}.log",
                    task.test.replace('/', "-"),
                    task.variant
                ));
                let (farm, other) = self.place(lab, task.variant, worker)?;
                let verdict = stage.play(&task.test, task.variant, &farm, &other, &log)?;
                lab::clear(&farm)?;
                tell(task, verdict, started, &log, &score);
            }
            Ok(())
        };
        let workers = thread::available_parallelism().map_or(1, usize::from);
        thread::scope(|scope| {
            let work = &work;
            let started: Vec<_> = (0..workers)
                .map(|worker| scope.spawn(move || work(worker)))
                .collect();
            started.into_iter().try_for_each(|worker| {
                let ended = worker.join();
                ended.unwrap_or_else(|_| Err(Error::new("a worker panicked")))
            })
        })?;
        Ok(score.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// The worker's own farm, and its directory on another filesystem, created when first needed.
    fn place(&self, lab: &Lab, variant: Variant, worker: usize) -> Result<(PathBuf, PathBuf)> {
        let name = format!("{variant}-{worker}");
        let at = lab.root().join(variant.filesystem()).join(&name);
        let other = lab.root().join("tmpfs").join(&name);
        if !at.exists() {
            farm::make(&at, self.coreutils, self.cp, variant == Variant::User)?;
            farm::make_public(&other)?;
        }
        Ok((at, other))
    }

    fn stage(&self) -> Result<Stage<'_>> {
        let output = Command::new(self.cp)
            .arg("--version")
            .output()
            .at("run", self.cp)?;
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = said.lines().next().and_then(|line| line.rsplit(' ').next());
        Ok(Stage {
            coreutils: self.coreutils,
            programs: farm::programs(self.coreutils)?.join(" "),
            cp_version: version.unwrap_or_default().to_owned(),
            host: self.coreutils.variable("host_triplet")?,
            awk: self.coreutils.variable("AWK")?,
        })
    }

    fn tasks(&self) -> Result<Vec<Task>> {
        let tests = self.coreutils.source.join("tests");
        let mut tasks = Vec::new();
        for test in list::all(&tests)? {
            let path = tests.join(&test);
            let text = String::from_utf8_lossy(&fs::read(&path).at("read", &path)?).into_owned();
            let variants = self.variants.iter().copied();
            let wanted = variants.filter(|variant| {
                test.contains(self.matching) && list::belongs(&test, &text, *variant)
            });
            tasks.extend(wanted.map(|variant| Task {
                test: test.clone(),
                variant,
            }));
        }
        // The longest first, so that none is left to run alone at the end.
        tasks.sort_by_key(|task| std::cmp::Reverse(list::limit_secs(&task.test)));
        Ok(tasks)
    }
}

/// Counts a test. One that passed is not worth a line.
fn tell(task: &Task, verdict: Verdict, started: Instant, log: &Path, score: &Mutex<Score>) {
    let mut score = score.lock().unwrap_or_else(PoisonError::into_inner);
    let name = format!("{}@{}", task.test, task.variant);
    match verdict {
        Verdict::Passed => score.passed += 1,
        Verdict::Skipped(said) => match list::expected_skip(&task.test) {
            Some(why) => {
                score.skipped += 1;
                println!("skipped {name}: {why}");
            }
            None => {
                score.failed += 1;
                println!("FAILED {name}: skipped, which is not expected: {said}");
            }
        },
        Verdict::Failed(why) => {
            score.failed += 1;
            println!("FAILED {name}: {why}; see {}", log.display());
        }
    }
    let seconds = started.elapsed().as_secs();
    if seconds >= 10 {
        println!("{name} took {seconds} s");
    }
}
