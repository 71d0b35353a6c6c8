//! The command lines that calls fail under, and which calls each of them makes.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::run::{self, Ended};
use super::tree::{self, Picture};
use crate::error::{Context, Error, Result};

/// A command line.
#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) name: &'static str,
    options: &'static [&'static str],
    /// Other files have the names of the copies already.
    pub(super) is_over: bool,
    pub(super) keeps: Keeps,
}

/// What a copy is to have of its source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keeps {
    /// Type and content.
    Content,
    /// Every attribute too.
    All,
}

const fn copy(name: &'static str, options: &'static [&'static str]) -> Scenario {
    let (is_over, keeps) = (false, Keeps::All);
    Scenario {
        name,
        options,
        is_over,
        keeps,
    }
}

const fn over(name: &'static str, options: &'static [&'static str]) -> Scenario {
    let (is_over, keeps) = (true, Keeps::All);
    Scenario {
        name,
        options,
        is_over,
        keeps,
    }
}

/// One worker, so that the n-th call is the same one in every run, but where that is said.
pub(super) const SCENARIOS: &[Scenario] = &[
    copy("a tree", &["-a", "--jobs=1"]),
    Scenario {
        keeps: Keeps::Content,
        ..copy("without attributes", &["-r", "--jobs=1"])
    },
    copy("two workers", &["-a", "--jobs=2"]),
    copy("in order", &["-av"]),
    copy(
        "by copy_file_range",
        &["-a", "--jobs=1", "--method=copy-range,read-write"],
    ),
    copy(
        "by sendfile",
        &["-a", "--jobs=1", "--method=sendfile,read-write"],
    ),
    copy("direct", &["-a", "--jobs=1", "--method=direct,read-write"]),
    copy(
        "by read and write",
        &["-a", "--jobs=1", "--method=read-write"],
    ),
    copy("holes made", &["-a", "--jobs=1", "--sparse=always"]),
    copy(
        "attributes asked for",
        &["-r", "--jobs=1", "--preserve=all,xattr"],
    ),
    over("over others", &["-a", "--jobs=1"]),
    over(
        "over others, with backups",
        &["-a", "--jobs=1", "--backup=numbered"],
    ),
    over(
        "others removed first",
        &["-a", "--jobs=1", "--remove-destination"],
    ),
    over("over others, by force", &["-af", "--jobs=1"]),
];

impl Scenario {
    /// Below the directory where it runs.
    pub(super) fn arguments(&self) -> impl Iterator<Item = &'static str> {
        let fixed = ["-T", "src", "dst"];
        self.options.iter().copied().chain(fixed)
    }
}

/// A scenario that was run without faults.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) scenario: &'static Scenario,
    /// Where a call of that name is made, by the program's first thread.
    pub(super) calls: HashMap<String, Count>,
    /// The source.
    pub(super) src: Picture,
    /// What the destination is before.
    pub(super) old: Picture,
}

/// How often a call is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Count {
    /// Before the program's own code: by the loader and the language's start.
    pub(super) before: u32,
    /// By the program.
    pub(super) own: u32,
}

impl Known {
    /// Runs it in `work`, and sees what it does.
    pub(super) fn learn(scenario: &'static Scenario, program: &Path, work: &Path) -> Result<Self> {
        let place = Place::new(work.join(scenario.name.replace([' ', ','], "-")))?;
        place.lay(scenario.is_over)?;
        let src = tree::picture(&place.path.join("src"))?;
        let old = tree::picture(&place.path.join("dst"))?;
        let log = place.path.join("log");
        let ran = run::traced(&place.path, &log, &[], program, scenario.arguments())?;
        if ran.ended != Ended::Code(0) {
            let said = ran.stderr;
            return Err(Error::new(format!(
                "{} fails without faults: {said}",
                scenario.name
            )));
        }
        let log = fs::read_to_string(&log).at("read", &log)?;
        let calls = count(&log);
        if calls.values().all(|count| count.own == 0) {
            return Err(Error::new("strace shows no call of the program's own"));
        }
        Ok(Self {
            scenario,
            calls,
            src,
            old,
        })
    }
}

/// Counts the calls of the first thread. The last thing that the start does is to ignore SIGPIPE
/// (`start.rs` of copyist-start).
fn count(log: &str) -> HashMap<String, Count> {
    let first = log.split_whitespace().next().unwrap_or_default();
    let lines: Vec<&str> = log
        .lines()
        .filter_map(|line| line.strip_prefix(first))
        .map(str::trim_start)
        .collect();
    let starts = lines.iter().take_while(|line| !line.starts_with("umask("));
    let start = starts.clone().enumerate();
    let start = start.filter(|(_, line)| line.starts_with("rt_sigaction(SIGPIPE"));
    let start = start.map(|(n, _)| n).last().unwrap_or(0);
    let mut calls: HashMap<String, Count> = HashMap::new();
    for (n, line) in lines.iter().enumerate() {
        // "<... read resumed>" is the end of a call that has been counted.
        let Some((name, _)) = line.split_once('(') else {
            continue;
        };
        if name.starts_with('<') {
            continue;
        }
        let count = calls.entry(name.to_owned()).or_default();
        if n <= start {
            count.before += 1;
        } else {
            count.own += 1;
        }
    }
    calls
}

/// A directory to run in, which is removed when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) path: PathBuf,
}

impl Place {
    pub(super) fn new(path: PathBuf) -> Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path).at("remove", &path)?;
        }
        fs::create_dir_all(&path).at("create", &path)?;
        Ok(Self { path })
    }

    /// The source and, if wanted, an existing destination.
    pub(super) fn lay(&self, is_over: bool) -> Result<()> {
        tree::source(&self.path.join("src"))?;
        if is_over {
            tree::existing(&self.path.join("dst"))?;
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Whoever looks at the place's parent will see that it is still there.
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::{Count, count};

    #[test]
    fn calls_are_counted_from_the_program_s_own_code_on() {
        let log = "\
30850 openat(AT_FDCWD, \"/lib/libc.so.6\") = 3
30850 fcntl(0, F_GETFD) = 0
30850 rt_sigaction(SIGPIPE, {...}, {...}, 8) = 0
30850 openat(AT_FDCWD, \".\" <unfinished ...>
30851 openat(AT_FDCWD, \"other thread\") = 5
30850 <... openat resumed>) = 4
30850 umask(077) = 022
30850 openat(4, \"a\") = 5
";
        let calls = count(log);
        assert_eq!(calls["openat"], Count { before: 1, own: 2 });
        assert_eq!(calls["umask"], Count { before: 0, own: 1 });
    }
}
