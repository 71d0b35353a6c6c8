//! `probe`, `bench` and `doctor` on a mount on which they would take very long: they stop when the time
//! is up or at a signal, report what was left out, and leave nothing behind.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;
use rustix::process::{Pid, Signal, kill_process};
use safety::{Fallible, Fuse, LIMIT, finish, text};

/// Each request takes so long that none of the commands could be done in `SECONDS`.
const SLOW: &[&str] = &["--latency-ms=50"];

/// Long enough for a progress line.
const SECONDS: &str = "--max-seconds=5";

/// The arguments of each, and its message about what was left out.
const COMMANDS: [(&[&str], &str); 2] = [
    (&["doctor"], "copies, as the time was up (--max-seconds=5)"),
    (
        &["bench", "--size=64MiB", "--files=1000"],
        "runs were not measured, as the time was up (--max-seconds=5)",
    ),
];

fn command(words: &[&str], dir: &Path) -> Command {
    let mut command = Command::new(Program::under_test().path);
    command.args(words).arg(dir).env("LC_ALL", "C");
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn is_empty(dir: &Path) -> Fallible<bool> {
    Ok(fs::read_dir(dir)?.next().is_none())
}

#[test]
fn they_stop_when_the_time_is_up() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    for (words, said) in COMMANDS {
        let scratch = Scratch::new(&dir)?;
        let Some(fuse) = Fuse::new(scratch.path(), SLOW)? else {
            return Ok(());
        };
        let mut command = command(words, &fuse.point);
        command.arg(SECONDS);
        let output = finish(command.spawn()?, LIMIT)?;
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(3), "{words:?}: {out}{err}");
        assert!(out.contains(said), "{words:?}: {out}");
        let is_progress = |line: &str| line.contains(" of ") && line.contains(" done: ");
        assert!(err.lines().any(is_progress), "{words:?}: {err}");
        assert!(is_empty(&fuse.backing)?, "{words:?} left something");
    }
    Ok(())
}

#[test]
fn they_stop_at_a_signal() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    for (words, _) in COMMANDS {
        for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
            let scratch = Scratch::new(&dir)?;
            let Some(fuse) = Fuse::new(scratch.path(), SLOW)? else {
                return Ok(());
            };
            let child = command(words, &fuse.point).spawn()?;
            let deadline = Instant::now() + LIMIT;
            while is_empty(&fuse.backing)? {
                assert!(Instant::now() < deadline, "{words:?} never begins");
                std::thread::sleep(Duration::from_millis(5));
            }
            let pid = Pid::from_raw(i32::try_from(child.id())?).ok_or("no process")?;
            kill_process(pid, signal)?;
            let output = finish(child, LIMIT)?;
            let err = text(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{words:?}: {err}");
            assert!(is_empty(&fuse.backing)?, "{words:?} left something");
        }
    }
    Ok(())
}

/// It has little to do: one request that takes longer than its time.
#[test]
fn a_probe_tries_nothing_more_when_the_time_is_up() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let Some(fuse) = Fuse::new(scratch.path(), &["--latency-ms=1100"])? else {
        return Ok(());
    };
    let mut command = command(&["probe", "--max-seconds=1"], &fuse.point);
    let output = finish(command.spawn()?, LIMIT)?;
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(3), "{out}{err}");
    let said = "not everything was tried, as the time was up (--max-seconds=1)";
    assert!(err.contains(said), "{err}");
    assert!(out.contains("unknown"), "{out}");
    assert!(is_empty(&fuse.backing)?, "it left something");
    Ok(())
}
