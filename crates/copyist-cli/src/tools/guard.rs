//! Removes the files of this process, however it ends.
//!
//! Files of probe, bench and doctor have names with a prefix that only this process uses. A second process
//! waits for the end of this one, by a pipe that is never written to, and removes the files that still
//! exist, also if this process was killed.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use crate::process::signals::Signals;

/// The hidden command that the second process is called with.
pub(crate) const COMMAND: &str = "__clean-up-after";

/// A handle of the second process.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    /// Starts the second process, which removes everything in `dirs` whose name begins with `prefix`.
    ///
    /// # Errors
    ///
    /// If the second process can't be started.
    pub(crate) fn over(dirs: &[&Path], prefix: &str) -> io::Result<Guard> {
        let mut command = Command::new(program()?);
        command.arg(COMMAND).arg(prefix);
        for dir in dirs {
            command.arg(fs::canonicalize(dir)?);
        }
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // Wait until it ignores signals: before that, a signal to both would end it.
        let mut ready = [0];
        if let Some(out) = &mut child.stdout {
            out.read_exact(&mut ready)?;
        }
        Ok(Guard(child))
    }

    /// Removes everything now. Returns whether nothing is left.
    pub(crate) fn clean_up(mut self) -> bool {
        self.end().is_ok_and(|status| status.success())
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        drop(self.0.stdin.take());
        self.0.wait()
    }
}

/// The path of this program. Without /proc (in a chroot) it is `argv[0]`, which is found by `PATH` if it is not a path.
fn program() -> io::Result<PathBuf> {
    std::env::current_exe().or_else(|error| {
        let called = std::env::args_os().next().filter(|it| !it.is_empty());
        called.map(PathBuf::from).ok_or(error)
    })
}

impl Drop for Guard {
    fn drop(&mut self) {
        // It removes the rest, and is waited for.
        let _ = self.end();
    }
}

/// The second process: waits, then removes. Returns the exit code.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    // Ctrl-C is sent to both processes, and must not end this one.
    let ignores = Signals::ignore();
    let mut arguments = arguments;
    let Some(prefix) = arguments.next().filter(is_ours) else {
        return 2;
    };
    let said_ready = io::stdout()
        .write_all(b"!")
        .and_then(|()| io::stdout().flush());
    let waited = io::stdin().read_to_end(&mut Vec::new());
    let removed = arguments.map(|dir| remove_for_sure(&PathBuf::from(dir), &prefix));
    let failed = removed.filter(Result::is_err).count();
    u8::from(failed > 0 || said_ready.is_err() || waited.is_err() || ignores.is_err())
}

/// Whether the prefix is one of these commands: nothing else is removed, whoever calls this.
fn is_ours(prefix: &OsString) -> bool {
    let name = prefix.to_str().and_then(|it| it.strip_prefix(".copyist-"));
    let words = name.map(|name| name.split('-').collect::<Vec<_>>());
    matches!(words.as_deref(), Some([_, process, ""]) if process.parse::<u32>().is_ok())
}

/// The number of attempts to remove files, and the pause between them.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Tries again what could not be removed. The pipe of a killed process is closed before its other files,
/// and a server may process that later still. Until then an open file keeps a name on some filesystems (NFS: `.nfs...`; FUSE: `.fuse_hidden...`; SMB), and its directory is not empty.
fn remove_for_sure(dir: &Path, prefix: &OsString) -> io::Result<()> {
    let mut tries = 1;
    loop {
        match remove(dir, prefix) {
            Err(_) if tries < TRIES => tries += 1,
            result => return result,
        }
        thread::sleep(PAUSE);
    }
}

/// Removes as much as possible; the error is the first.
fn remove(dir: &Path, prefix: &OsString) -> io::Result<()> {
    let mut removed = Ok(());
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let begins = name
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes());
        if !begins {
            continue;
        }
        let result = if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())
        } else {
            fs::remove_file(entry.path())
        };
        removed = removed.and(match result {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        });
    }
    removed
}

#[cfg(test)]
mod tests {
    use super::is_ours;

    #[test]
    fn only_our_own_names_are_ever_removed() {
        assert!(is_ours(&".copyist-bench-123-".into()));
        for other in [
            "",
            ".",
            ".copyist-",
            ".copyist-bench-",
            ".copyist-bench-x-",
            "a-1-",
        ] {
            assert!(!is_ours(&other.into()), "{other}");
        }
    }
}
