//! `cargo xtask cross`: what can be known here about systems that are elsewhere.

mod imports;
mod linux;
mod macos;
mod race;
mod windows;

pub(crate) use windows::Server as WineServer;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use clap::ValueEnum;
use serde_json::Value;

use crate::error::{Context, Error, Result};
use crate::{command, install, signals, workspace};

/// The packages that are for every system. (The tasks need Linux.)
const PACKAGES: [&str; 4] = ["copyist-sys", "copyist-start", "copyist", "copyist-cli"];

/// Arguments of `xtask cross`.
#[derive(Debug, clap::Args)]
pub(crate) struct CrossArgs {
    /// The system to build for
    system: System,
    /// Windows: copies 20,000 files under Wine, beside a loop of CopyFileExW, and says how long each took
    #[arg(long, value_name = "ROUNDS", num_args = 0..=1, default_missing_value = "5")]
    race: Option<usize>,
}

/// A system that is built for, and not run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum System {
    /// Apple silicon and Intel: check, lint and link, tests included
    Macos,
    /// Check and lint: the portable path
    Freebsd,
    /// Check: aarch64, riscv64, i686 and s390x, and musl on x86_64 and aarch64
    Linux,
    /// Lint and link; check for the MSVC target
    Windows,
}

/// Sets up what is missing, and builds.
pub(crate) fn run(args: &CrossArgs) -> Result<ExitCode> {
    signals::catch()?;
    match args.system {
        System::Windows => set_up_wine()?,
        _ if args.race.is_some() => return Err(Error::new("--race is for windows")),
        other => set_up(other)?,
    }
    if let Some(rounds) = args.race {
        return race::run(rounds.max(1)).map(|()| ExitCode::SUCCESS);
    }
    let count = build(args.system)?;
    println!("{:?}: {count} checks passed", args.system);
    Ok(ExitCode::SUCCESS)
}

/// Installs compilers' halves and linkers, as far as they are missing.
pub(crate) fn set_up(system: System) -> Result<()> {
    match system {
        System::Macos => {
            macos::TARGETS
                .iter()
                .try_for_each(|target| install::rust_target(target))?;
            macos::set_up()
        }
        System::Freebsd => install::rust_target(FREEBSD),
        System::Linux => linux::TARGETS
            .iter()
            .try_for_each(|target| install::rust_target(target)),
        System::Windows => {
            install::rust_target(windows::TARGET)?;
            install::rust_target(windows::MSVC)?;
            windows::set_up()
        }
    }
}

/// Writes a script, unless it has that content already: cargo would link everything again.
fn write_script(path: &Path, text: &str) -> Result<()> {
    write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).at("make executable", path)
}

/// Writes a file unless it says that already.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == text.as_bytes()) {
        return Ok(());
    }
    fs::write(path, text).at("write", path)
}

/// The same for Windows, and Wine with a drive.
pub(crate) fn set_up_wine() -> Result<()> {
    set_up(System::Windows)?;
    windows::set_up_wine()
}

/// The tests for Windows, to be run by Wine.
pub(crate) fn windows_tests() -> Command {
    windows::test()
}

/// Builds everything, with warnings denied; returns how many things were checked.
pub(crate) fn build(system: System) -> Result<u64> {
    match system {
        System::Macos => macos::build(),
        System::Freebsd => lint(FREEBSD, &[]).map(|()| 1),
        System::Linux => linux::build(),
        System::Windows => windows::build(),
    }
}

/// The command's tests, to be run as a static program with musl.
pub(crate) fn musl_tests() -> Command {
    let mut test = command::cargo(workspace::root());
    test.args(["test", "--target", linux::MUSL]);
    test
}

const FREEBSD: &str = "x86_64-unknown-freebsd";

type Variables = [(String, String)];

/// Cargo on the packages, for a target.
fn cargo(subcommand: &str, target: &str, variables: &Variables) -> Command {
    let mut cargo = command::cargo(workspace::root());
    cargo.args([subcommand, "--target", target]);
    for package in PACKAGES {
        cargo.args(["--package", package]);
    }
    cargo.envs(variables.iter().map(|(name, value)| (name, value)));
    cargo
}

fn lint(target: &str, variables: &Variables) -> Result<()> {
    let mut clippy = cargo("clippy", target, variables);
    clippy.args(["--all-targets", "--", "-D", "warnings"]);
    succeed(&mut clippy, |_| {})
}

/// Links the program and all tests; returns the paths of the results.
fn link(target: &str, variables: &Variables) -> Result<Vec<String>> {
    let mut executables = Vec::new();
    for arguments in [&["build"][..], &["test", "--no-run"]] {
        let mut cargo = cargo(arguments[0], target, variables);
        cargo.args(&arguments[1..]).arg("--message-format=json");
        let output = cargo
            .output()
            .doing(&format!("run `cargo {}`", arguments[0]))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::new(format!(
                "`cargo {} --target {target}` failed: {}",
                arguments.join(" "),
                said.trim()
            )));
        }
        let lines = output.stdout.split(|&byte| byte == b'\n');
        executables.extend(lines.filter_map(executable));
    }
    Ok(executables)
}

/// The executable that a line of cargo's messages names.
fn executable(line: &[u8]) -> Option<String> {
    let message: Value = serde_json::from_slice(line).ok()?;
    message["executable"].as_str().map(str::to_owned)
}

fn succeed(command: &mut Command, on_line: impl FnMut(&str)) -> Result<()> {
    let status = command::stream(command, on_line)?;
    if status.success() {
        return Ok(());
    }
    let words = command.get_args().take(3);
    let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
    Err(Error::new(format!("`{} ...`, {status}", words.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_found_in_cargo_s_messages() {
        let line = br#"{"reason":"compiler-artifact","executable":"/t/x"}"#;
        assert_eq!(executable(line), Some("/t/x".to_owned()));
        assert_eq!(executable(br#"{"reason":"x","executable":null}"#), None);
        assert_eq!(executable(b""), None);
    }
}
