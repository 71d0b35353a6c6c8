//! Measures one kind of work on one filesystem: each program beside copyist, round after round.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::check::{Sharing, Source, Wanted};
use super::place::Place;
use super::programs::{Program, Programs};
use super::record::{Pair, Round};
use super::rows::{Row, Work};
use super::tools::{self, DST, SRC, Tool};
use crate::error::{Context, Error, Result};
use crate::lab::Lab;
use crate::signals;

/// How often one small file is copied in one round; its time is the median of these.
const STARTS: u64 = 200;

/// The time for what filesystems still do after files were removed.
const REST: Duration = Duration::from_millis(100);

/// The size of a lab's filesystems; they take what is in them, no more.
const LAB_GIB: u64 = 16;

/// Where labs stand, and how much is measured.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    pub(super) labs: &'a Path,
    pub(super) programs: &'a Programs,
    pub(super) rounds: usize,
    /// 1 to measure, more to try this program.
    pub(super) scale: u64,
}

/// What all runs of one kind of work on one filesystem have in common.
struct Bench<'a> {
    row: &'a Row,
    on: Place,
    plan: &'a Plan<'a>,
    src: PathBuf,
    dst: PathBuf,
    source: Source,
    /// What is synced between runs.
    volumes: [PathBuf; 2],
}

/// copyist or one of the others.
#[derive(Clone, Copy)]
struct Runner<'a> {
    program: &'a Program,
    words: &'a [&'static str],
}

/// What one run took.
struct Took {
    ms: f64,
    peak_kib: u64,
}

impl Plan<'_> {
    /// Makes a lab with the data, measures, and takes it down.
    pub(super) fn measure(
        &self,
        row: &Row,
        on: Place,
        tools: &[Tool],
        run: &str,
    ) -> Result<Vec<Pair>> {
        let root = self.labs.join(std::process::id().to_string());
        let lab = Lab::up_with(&root, LAB_GIB, &on.filesystems())?;
        let (src_volume, dst_volume) = on.directories(lab.root());
        let src = src_volume.join("source");
        let attributes = matches!(row.work, Work::Archive | Work::Again);
        row.data.scaled(self.scale).make(&src, attributes)?;
        let bench = Bench {
            row,
            on,
            plan: self,
            source: Source::list(&src)?,
            src,
            dst: dst_volume.join("copy"),
            volumes: [src_volume, dst_volume],
        };
        let pairs = bench.pairs(tools, run);
        lab.down()?;
        pairs
    }
}

impl Bench<'_> {
    fn pairs(&self, tools: &[Tool], run: &str) -> Result<Vec<Pair>> {
        let work = self.row.work;
        let words = tools::copyist(work);
        let copyist = Runner {
            program: match work {
                Work::Library(_) => &self.plan.programs.loops,
                _ => &self.plan.programs.copyist,
            },
            words: &words,
        };
        if work == Work::Again {
            let first = self.once(copyist.with(&["cp", "-a", SRC, DST]))?;
            first.map_err(|said| Error::new(format!("the first copy failed: {said}")))?;
        }
        let mut others = Vec::new();
        for &tool in tools {
            let program = self.plan.programs.of(tool);
            if let (Some(program), Some(words)) = (program, tool.words(work, self.on)) {
                let other = Runner { program, words };
                others.push((other, self.empty(tool, other, copyist, run)));
            }
        }
        self.warm_up(copyist, &mut others)?;
        let rounds = if self.row.is_about_memory() {
            1
        } else {
            self.plan.rounds
        };
        for round in 0..rounds {
            self.round(round, copyist, &mut others)?;
        }
        Ok(others.into_iter().map(|(_, pair)| pair).collect())
    }

    fn empty(&self, tool: Tool, other: Runner<'_>, copyist: Runner<'_>, run: &str) -> Pair {
        Pair {
            row: self.row.name.into(),
            on: self.on,
            tool,
            run: run.into(),
            version: other.program.version.clone(),
            command: other.told(),
            copyist_command: copyist.told(),
            rounds: Vec::new(),
            copyist_peak_kib: 0,
            peak_kib: 0,
            fault: None,
        }
    }

    /// One run of each, which is not counted, and shows who makes no right copy. Where memory is
    /// measured, each run takes long and the state of caches changes nothing.
    fn warm_up(&self, copyist: Runner<'_>, others: &mut [(Runner<'_>, Pair)]) -> Result<()> {
        if self.row.is_about_memory() {
            return Ok(());
        }
        self.own(copyist)?;
        for (other, pair) in others {
            if let Err(fault) = self.run(*other)? {
                self.tell(&format!("{}: {fault}", pair.tool.title()));
                pair.fault = Some(fault);
            }
        }
        Ok(())
    }

    /// Each of the other programs beside copyist. Which of the two is first alternates, and the order of the others
    /// changes.
    fn round(
        &self,
        round: usize,
        copyist: Runner<'_>,
        others: &mut [(Runner<'_>, Pair)],
    ) -> Result<()> {
        let count = others.len();
        for index in 0..count {
            let which = (index + round) % count;
            let (other, pair) = &mut others[which];
            if pair.fault.is_some() {
                continue;
            }
            let copyist_is_first = (which + round).is_multiple_of(2);
            let mut ours = None;
            if copyist_is_first {
                ours = Some(self.own(copyist)?);
            }
            let theirs = match self.run(*other)? {
                Ok(theirs) => theirs,
                Err(fault) => {
                    self.tell(&format!("{}: {fault}", pair.tool.title()));
                    pair.fault = Some(format!("{fault} (in round {})", round + 1));
                    continue;
                }
            };
            let ours = match ours {
                Some(ours) => ours,
                None => self.own(copyist)?,
            };
            pair.copyist_peak_kib = pair.copyist_peak_kib.max(ours.peak_kib);
            pair.peak_kib = pair.peak_kib.max(theirs.peak_kib);
            let (copyist, other) = (ours.ms, theirs.ms);
            pair.rounds.push(Round { copyist, other });
            let title = pair.tool.title();
            let ratio = copyist / other;
            self.tell(&format!(
                "round {}: {title} {other:.1} ms, copyist {copyist:.1} ms: {ratio:.2}",
                round + 1
            ));
        }
        Ok(())
    }

    fn tell(&self, what: &str) {
        eprintln!("{} on {}, {what}", self.row.name, self.on.title());
    }

    /// Nothing is to be said for speed if ours is wrong.
    fn own(&self, copyist: Runner<'_>) -> Result<Took> {
        let outcome = self.run(copyist)?;
        outcome.map_err(|fault| Error::new(format!("copyist made no right copy: {fault}")))
    }

    /// One run, from a clean state, and whether it made a right copy.
    fn run(&self, runner: Runner<'_>) -> Result<Result<Took, String>> {
        if self.row.work != Work::Again {
            remove(&self.dst)?;
        }
        self.settle()?;
        let took = match self.once(runner)? {
            Ok(took) => took,
            Err(said) => return Ok(Err(said)),
        };
        let fault = self.source.fault(&self.dst, self.wanted())?;
        signals::check()?;
        Ok(match fault {
            Some(fault) => Err(fault),
            None => Ok(took),
        })
    }

    /// Writes down what the last run and its removal left to do, so that the next does not pay for it.
    fn settle(&self) -> Result<()> {
        for volume in &self.volumes {
            let directory = File::open(volume).at("open", volume)?;
            rustix::fs::syncfs(directory).at("sync", volume)?;
        }
        if self.plan.scale == 1 {
            thread::sleep(REST);
        }
        signals::check()
    }

    /// One run, timed; what it said if it failed.
    fn once(&self, runner: Runner<'_>) -> Result<Result<Took, String>> {
        let mut command = Command::new(&self.plan.programs.yardstick);
        command.arg("run");
        if self.row.work == Work::Start {
            let starts = STARTS.div_ceil(self.plan.scale).to_string();
            command.args(["--times", &starts, "--fresh"]).arg(&self.dst);
        }
        command.arg("--").arg(&runner.program.path);
        for word in runner.words {
            let path = |path: &Path| path.display().to_string();
            command.arg(
                word.replace(SRC, &path(&self.src))
                    .replace(DST, &path(&self.dst)),
            );
        }
        // The same language for all: the words of some come from large files.
        command.env("LC_ALL", "C").process_group(0);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().doing("start yardstick")?;
        let watched = signals::watch(&child);
        let output = child.wait_with_output().doing("wait for yardstick")?;
        drop(watched);
        signals::check()?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Ok(Err(first_words(&said)));
        }
        read(&String::from_utf8_lossy(&output.stdout)).map(Ok)
    }

    fn wanted(&self) -> Wanted {
        let work = self.row.work;
        Wanted {
            attributes: matches!(work, Work::Archive | Work::Again),
            holes: work == Work::Sparse,
            sharing: match work {
                Work::Clone => Sharing::All,
                Work::Move if self.on.can_clone() => Sharing::None,
                _ => Sharing::Either,
            },
        }
    }
}

impl<'a> Runner<'a> {
    fn with(self, words: &'a [&'static str]) -> Self {
        Self { words, ..self }
    }

    /// The command line for people.
    fn told(&self) -> String {
        let words = self.words.iter().copied();
        let words: Vec<_> = std::iter::once(&*self.program.name).chain(words).collect();
        words.join(" ")
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::symlink_metadata(path) {
        Ok(stat) if stat.is_dir() => fs::remove_dir_all(path).at("remove", path),
        Ok(_) => fs::remove_file(path).at("remove", path),
        Err(_) => Ok(()),
    }
}

/// What yardstick prints, see its `stopwatch.rs`.
fn read(line: &str) -> Result<Took> {
    let numbers: Vec<u64> = line
        .split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect();
    let &[wall_ns, _user_us, _system_us, peak_kib] = &numbers[..] else {
        return Err(Error::new(format!("yardstick printed `{}`", line.trim())));
    };
    Ok(Took {
        ms: (wall_ns / 1000) as f64 / 1000.0,
        peak_kib,
    })
}

/// Enough to know what a program complained of.
fn first_words(said: &str) -> String {
    let first = said.lines().find(|line| !line.trim().is_empty());
    let line = first.unwrap_or("it failed and said nothing").trim();
    line.chars().take(160).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_stopwatch_is_read() {
        let took = read("1234567 10 20 2048\n").expect("a line");
        assert_eq!((took.ms, took.peak_kib), (1.234, 2048));
        assert!(read("1 2 3").is_err());
    }
}
