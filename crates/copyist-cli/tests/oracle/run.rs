//! Runs a cp: which one, as whom, with which umask, and never for longer than a limit.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::case::Case;
use super::random::NOBODY;

/// A program that behaves as cp.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// What to run.
    pub(crate) path: PathBuf,
    /// Ours, of which more is asked than of GNU's.
    pub(crate) is_ours: bool,
}

impl Program {
    /// GNU cp, the oracle: what COPYIST_GNU_CP names, or the system's.
    pub(crate) fn gnu() -> Self {
        let named = std::env::var_os("COPYIST_GNU_CP").filter(|path| !path.is_empty());
        Self {
            path: named.unwrap_or("/usr/bin/cp".into()).into(),
            is_ours: false,
        }
    }

    /// What COPYIST_CP_UNDER_TEST names, or the binary that was built with these tests.
    pub(crate) fn under_test() -> Self {
        match std::env::var_os("COPYIST_CP_UNDER_TEST") {
            Some(path) => Self {
                path: path.into(),
                is_ours: false,
            },
            None => Self {
                path: env!("CARGO_BIN_EXE_copyist").into(),
                is_ours: true,
            },
        }
    }

    /// Copies the program to a directory that every user can reach: a build directory may be private.
    pub(crate) fn within_reach(&self, dir: &Path) -> io::Result<Self> {
        if !self.is_ours {
            return Ok(self.clone());
        }
        let path = dir.join("copyist");
        // Not by this process: what another test forks meanwhile has the copy open for writing until it
        // is another program, and so long nobody can run it ("Text file busy").
        let copied = Command::new("cp").arg(&self.path).arg(&path).status()?;
        if !copied.success() {
            return Err(io::Error::other("the program can't be copied within reach"));
        }
        Ok(Self {
            path,
            ..self.clone()
        })
    }
}

/// Whether the oracle is the system's cp, which may be older than 9.10: it says some things in
/// other words, and knows other options.
pub(crate) fn oracle_is_old() -> bool {
    std::env::var_os("COPYIST_GNU_CP").is_none_or(|path| path.is_empty())
}

/// How a run ended.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// `None` when it had to be killed after the time limit.
    pub(crate) status: Option<ExitStatus>,
    /// Standard output.
    pub(crate) stdout: Vec<u8>,
    /// Standard error.
    pub(crate) stderr: Vec<u8>,
}

impl Outcome {
    /// The end in words that two runs can be compared by.
    pub(crate) fn ending(&self) -> String {
        match self.status {
            None => "hang".into(),
            Some(status) => match status.signal() {
                Some(signal) => format!("signal {signal}"),
                None => format!("exit {}", status.code().unwrap_or(-1)),
            },
        }
    }
}

/// Runs a case's command in `work`; its output goes through files beside it.
pub(crate) fn run(
    program: &Program,
    case: &Case,
    work: &Path,
    limit: Duration,
) -> io::Result<Outcome> {
    let [input, output, errors] =
        ["stdin", "stdout", "stderr"].map(|name| work.with_extension(name));
    File::create(&input)?.write_all(case.stdin.as_bytes())?;
    // std has no umask for a child, and this process has other threads: a shell sets it.
    // bash's can also call a program by the name cp, whatever it is called: messages begin with it.
    let mut command = Command::new("/bin/bash");
    command.args(["-c", "umask \"$0\"; exec -a cp \"$@\"", case.umask]);
    command.arg(&program.path).args(&case.args);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/bin:/bin")
        .envs(case.env.iter().copied());
    command.current_dir(work);
    command
        .stdin(File::open(&input)?)
        .stdout(File::create(&output)?)
        .stderr(File::create(&errors)?);
    if case.unprivileged {
        command.uid(NOBODY).gid(NOBODY);
    }
    let mut child = command.spawn()?;
    let is_over = AtomicBool::new(false);
    let status = std::thread::scope(|scope| {
        if case.fills_pipes() {
            scope.spawn(|| feed_pipes(work, &case.pipes, &is_over));
        }
        let start = Instant::now();
        let status = loop {
            match child.try_wait() {
                Ok(None) if start.elapsed() < limit => std::thread::sleep(Duration::from_millis(1)),
                Ok(None) => break child.kill().and_then(|()| child.wait()).map(|_| None),
                other => break other,
            }
        };
        is_over.store(true, Ordering::Relaxed);
        status
    })?;
    Ok(Outcome {
        status,
        stdout: std::fs::read(&output)?,
        stderr: std::fs::read(&errors)?,
    })
}

/// Gives each pipe that somebody opens for reading a few bytes, once, and then its end.
fn feed_pipes(work: &Path, pipes: &[Vec<u8>], is_over: &AtomicBool) {
    let mut hungry: Vec<&Vec<u8>> = pipes.iter().collect();
    while !is_over.load(Ordering::Relaxed) && !hungry.is_empty() {
        hungry.retain(|pipe| {
            let path = work.join(std::ffi::OsStr::from_bytes(pipe));
            // Without a reader this fails with ENXIO, at once.
            let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let Ok(fd) = openat(CWD, &path, flags, Mode::empty()) else {
                return true;
            };
            File::from(fd).write_all(b"from a pipe\n").is_err()
        });
        std::thread::sleep(Duration::from_millis(1));
    }
}
