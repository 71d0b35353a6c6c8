//! The FUSE processes of a lab: started here, and found again by their pid files.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::lock::Lock;
use super::mounts;
use crate::error::{Context, Error, Result};
use crate::signals;

const PATIENCE: Duration = Duration::from_secs(5);

/// Starts `xtask fuse` and waits until it is mounted.
///
/// It holds the lock until then. It gets its own process group, so that Ctrl-C reaches us alone and we can unmount in order.
pub(super) fn start(root: &Path, name: &str, options: &[&str], lock: &Lock) -> Result<()> {
    let mountpoint = root.join(name);
    let backing = root.join(super::spec::BACKING).join(name);
    fs::create_dir_all(&backing).at("create", &backing)?;
    let log_path = state(root).join(format!("{name}.log"));
    let log = File::create(&log_path).at("create", &log_path)?;
    let program = std::env::current_exe().doing("find this program")?;
    let mut child = Command::new(program)
        .arg("fuse")
        .args(options)
        .arg("--pid-file")
        .arg(state(root).join(format!("{name}.pid")))
        .args([&mountpoint, &backing])
        .stdin(lock.input()?)
        .stdout(Stdio::null())
        .stderr(log)
        .process_group(0)
        .spawn()
        .doing("start xtask fuse")?;
    let deadline = Instant::now() + PATIENCE;
    while !mounts::under(root)?.contains(&mountpoint) {
        signals::check()?;
        let ended = child.try_wait().doing("watch xtask fuse")?;
        if ended.is_some() || Instant::now() > deadline {
            let said = fs::read_to_string(&log_path).unwrap_or_default();
            return Err(Error::new(format!(
                "{name} was not mounted: {}",
                said.trim()
            )));
        }
        thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}

/// Ends the FUSE processes of this lab: they end by themselves once unmounted, and are killed if
/// they do not.
pub(super) fn stop_all(root: &Path) -> Result<()> {
    for pid_file in pid_files(root)? {
        let text = fs::read_to_string(&pid_file).at("read", &pid_file)?;
        // An empty file was left by a process that was killed before it could mount anything.
        let Some(pid) = text.trim().parse().ok().and_then(Pid::from_raw) else {
            continue;
        };
        for signal in [None, Some(Signal::TERM), Some(Signal::KILL)] {
            if let Some(signal) = signal.filter(|_| is_ours(pid, &pid_file)) {
                // It may end between the question and the signal.
                let _ = rustix::process::kill_process(pid, signal);
            }
            wait_for_end(pid, &pid_file);
        }
        if is_ours(pid, &pid_file) {
            let pid = pid.as_raw_nonzero();
            return Err(Error::new(format!("the FUSE process {pid} does not end")));
        }
    }
    Ok(())
}

fn wait_for_end(pid: Pid, pid_file: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while is_ours(pid, pid_file) && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(10));
    }
}

/// Whether this process still runs and is the one that wrote the pid file: after a crash the
/// number may belong to a stranger. A zombie has no command line.
fn is_ours(pid: Pid, pid_file: &Path) -> bool {
    let command_line = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()));
    let wanted = pid_file.as_os_str().as_encoded_bytes();
    command_line.is_ok_and(|line| line.split(|byte| *byte == 0).any(|word| word == wanted))
}

fn pid_files(root: &Path) -> Result<Vec<PathBuf>> {
    let state = state(root);
    let entries = match fs::read_dir(&state) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.at("list", &state)?,
    };
    let paths = entries.flatten().map(|entry| entry.path());
    Ok(paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "pid"))
        .collect())
}

fn state(root: &Path) -> PathBuf {
    root.join(super::STATE)
}
