//! Runs other programs. None gets our input: nothing here may wait for a person.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use crate::error::{Context, Error, Result};
use crate::signals;

/// Runs a program quietly; what it printed becomes part of the error if it fails.
///
/// Its input is `input`, which it is not expected to read.
pub(crate) fn run(command: &mut Command, input: impl Into<Stdio>) -> Result<()> {
    let line = line(command);
    let output = command
        .stdin(input)
        .output()
        .doing(&format!("run `{line}`"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(Error::new(format!(
        "`{line}` failed, {}: {}",
        output.status,
        said.trim()
    )))
}

/// Runs a program, shows its output as it comes, and gives each line of standard output to
/// `on_line` too. A signal to us ends it and all that it started.
pub(crate) fn stream(command: &mut Command, mut on_line: impl FnMut(&str)) -> Result<ExitStatus> {
    let line = line(command);
    signals::check()?;
    eprintln!("$ {line}");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().doing(&format!("run `{line}`"))?;
    let watched = signals::watch(&child);
    if let Some(output) = child.stdout.take() {
        for text in BufReader::new(output).split(b'\n') {
            let text = text.doing(&format!("read the output of `{line}`"))?;
            let text = String::from_utf8_lossy(&text);
            println!("{text}");
            on_line(&text);
        }
    }
    let status = child.wait().doing(&format!("wait for `{line}`"))?;
    drop(watched);
    signals::check()?;
    Ok(status)
}

/// [`stream`] for a program that must succeed.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let status = stream(command, |_| {})?;
    if status.success() {
        return Ok(());
    }
    let program = command.get_program().to_string_lossy();
    Err(Error::new(format!("{program} failed, {status}")))
}

/// Whether [`system`] would find a program of this name.
pub(crate) fn exists(program: &str) -> bool {
    search_path()
        .iter()
        .any(|directory| directory.join(program).is_file())
}

/// A program of the system. Those for administrators may lie outside the PATH, even root's.
pub(crate) fn system(program: &str) -> Command {
    let mut command = Command::new(program);
    // PATH cannot hold a directory with a colon, so this fails for no directory that came from it.
    if let Ok(path) = std::env::join_paths(search_path()) {
        command.env("PATH", path);
    }
    command
}

fn search_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let administration = ["/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path).chain(administration).collect()
}

/// `cargo`, as it was called for us, so that the toolchain stays the same.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// What to call a command in messages: with the program's name, wherever it may be installed.
fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let words = std::iter::once(program.file_name().unwrap_or(command.get_program()));
    let words: Vec<_> = words
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}
