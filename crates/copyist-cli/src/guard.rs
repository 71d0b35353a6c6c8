//! Cleans up behind this process, however it ends.
//!
//! What probe, bench and doctor make has a name that begins with one of this process alone. A second
//! process waits for the end of this one, by a pipe that nobody writes to, and removes what still
//! has such a name: also when this one was killed, and could do nothing any more.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::signals::Signals;

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
        let mut command = Command::new(std::env::current_exe()?);
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
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // What is left to do is done by it, and it is nobody's child for long.
        let _ = self.0.wait();
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
    let told = io::stdout()
        .write_all(b"!")
        .and_then(|()| io::stdout().flush());
    let waited = io::stdin().read_to_end(&mut Vec::new());
    let removed = arguments.map(|dir| remove(&PathBuf::from(dir), &prefix));
    let failed = removed.filter(Result::is_err).count();
    u8::from(failed > 0 || told.is_err() || waited.is_err() || ignores.is_err())
}

/// Nothing but what these commands make is ever removed, whoever calls this.
fn is_ours(prefix: &OsString) -> bool {
    let name = prefix.to_str().and_then(|it| it.strip_prefix(".copyist-"));
    let words = name.map(|name| name.split('-').collect::<Vec<_>>());
    matches!(words.as_deref(), Some([_, process, ""]) if process.parse::<u32>().is_ok())
}

fn remove(dir: &Path, prefix: &OsString) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        let begins = name
            .as_encoded_bytes()
            .starts_with(prefix.as_encoded_bytes());
        if begins && entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else if begins {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
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
