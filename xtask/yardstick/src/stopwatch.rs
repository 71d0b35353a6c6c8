//! Times a program from before it is started until it has ended, with what the kernel counted for it.

use std::ffi::{OsStr, OsString};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use wait4::{ResourceUsage, Wait4};

/// Runs it so many times and prints one line: the median of the wall time in ns, and of the times in user
/// and system mode in us, and the largest peak of resident memory in KiB.
///
/// `fresh` is removed before each run but the first, which is not timed.
pub(crate) fn run(times: u32, fresh: Option<&OsStr>, words: &[OsString]) -> Result<(), String> {
    let mut runs = Vec::new();
    for number in 0..times {
        if let Some(fresh) = fresh.filter(|_| number > 0) {
            std::fs::remove_file(fresh)
                .map_err(|error| format!("cannot remove {}: {error}", fresh.display()))?;
        }
        runs.push(once(words)?);
    }
    let median = |of: fn(&(Duration, ResourceUsage)) -> Duration| {
        let mut all: Vec<Duration> = runs.iter().map(of).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    };
    let wall = median(|(wall, _)| *wall).as_nanos();
    let user = median(|(_, usage)| usage.utime).as_micros();
    let system = median(|(_, usage)| usage.stime).as_micros();
    let bytes = runs.iter().map(|(_, usage)| usage.maxrss).max();
    println!(
        "{wall} {user} {system} {}",
        bytes.unwrap_or_default() / 1024
    );
    Ok(())
}

fn once(words: &[OsString]) -> Result<(Duration, ResourceUsage), String> {
    let program = &words[0];
    let failed = |error| format!("cannot run {}: {error}", program.display());
    let mut command = Command::new(program);
    command.args(&words[1..]);
    // What a program tells on its way would otherwise be timed with whoever reads it.
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().map_err(failed)?;
    let ended = child.wait4().map_err(failed)?;
    let wall = started.elapsed();
    if ended.status.success() {
        return Ok((wall, ended.rusage));
    }
    Err(format!("{} ended with {}", program.display(), ended.status))
}
