//! One run of the program under strace.

use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Context, Result};
use crate::patience::Patience;

/// A run that takes longer hangs: the slowest takes well below a second.
const LONGEST: Duration = Duration::from_secs(30);

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Code(i32),
    Signal(i32),
    /// It had to be killed.
    Hung,
}

/// What a run did.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) ended: Ended,
    pub(super) stderr: String,
}

/// Runs `cp` in `place`, traced to `log`; `faults` are strace's options.
pub(super) fn traced(
    place: &Path,
    log: &Path,
    faults: &[String],
    program: &Path,
    arguments: impl Iterator<Item = &'static str>,
) -> Result<Ran> {
    let told = place.join("stderr");
    let mut strace = Command::new("strace");
    strace.current_dir(place).args(["-f", "-qq", "-o"]).arg(log);
    strace.args(faults).arg(program).arg("cp").args(arguments);
    strace.env("LC_ALL", "C").process_group(0);
    strace.stdin(Stdio::null()).stdout(Stdio::null());
    strace.stderr(File::create(&told).at("create", &told)?);
    let mut child = strace.spawn().doing("run `strace`")?;
    let mut patience = Patience::new(LONGEST);
    let ended = loop {
        if let Some(status) = child.try_wait().doing("wait for `strace`")? {
            // strace ends as what it traces does.
            break match (status.code(), status.signal()) {
                (Some(code), _) => Ended::Code(code),
                (None, signal) => Ended::Signal(signal.unwrap_or(0)),
            };
        }
        if patience.is_over() {
            if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
                // It may just have ended.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait().doing("wait for `strace`")?;
            break Ended::Hung;
        }
        thread::sleep(Duration::from_millis(1));
    };
    let stderr = fs::read(&told).at("read", &told)?;
    let stderr = String::from_utf8_lossy(&stderr).into_owned();
    Ok(Ran { ended, stderr })
}
