//! Cleans up behind this process, however it ends.
//!
//! What probe, bench and doctor make has a name that begins with one of this process alone. A second
//! process waits for the end of this one, by a pipe that nobody writes to, and removes what still
//! has such a name: also when this one was killed, and could do nothing any more.

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

/// Stands for the second process.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    /// From now on nothing in `dirs` whose name begins with `prefix` outlives this process.
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
        // It is ready when it says so: until then a signal to both would end it first.
        let mut ready = [0];
        if let Some(out) = &mut child.stdout {
            out.read_exact(&mut ready)?;
        }
        Ok(Guard(child))
    }

    /// Has everything removed now; whether nothing is left.
    pub(crate) fn clean_up(mut self) -> bool {
        self.end().is_ok_and(|status| status.success())
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        drop(self.0.stdin.take());
        self.0.wait()
    }
}

/// This program. Where there is no /proc (a chroot), it is what it was called by, which `PATH` leads to if it is no
/// path.
fn program() -> io::Result<PathBuf> {
    std::env::current_exe().or_else(|error| {
        let called = std::env::args_os().next().filter(|it| !it.is_empty());
        called.map(PathBuf::from).ok_or(error)
    })
}

impl Drop for Guard {
    fn drop(&mut self) {
        // What is left to do is done by it, and it is nobody's child for long.
        let _ = self.end();
    }
}

/// The second process: waits, and removes. The result is the exit code.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    // Ctrl-C reaches both. Without this, which does nothing else, it would end the wrong one first.
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

/// Nothing but what these commands make is ever removed, whoever calls this.
fn is_ours(prefix: &OsString) -> bool {
    let name = prefix.to_str().and_then(|it| it.strip_prefix(".copyist-"));
    let words = name.map(|name| name.split('-').collect::<Vec<_>>());
    matches!(words.as_deref(), Some([_, process, ""]) if process.parse::<u32>().is_ok())
}

/// How often it is tried to remove what is left, and how long after each other.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// Tries again where something could not be removed. The pipe of a process that is killed is closed before
/// its other files are, and a server may hear of that later still: until then an open file
/// keeps a name on some (NFS: `.nfs...`; FUSE: `.fuse_hidden...`; SMB), and its directory is not empty.
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

/// Removes all that can be; the error is the first.
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
