//! Installs what the lanes need and the machine lacks.

use std::path::PathBuf;
use std::process::Command;

use crate::command::succeed;
use crate::error::{Context, Error, Result};
use crate::{command, workspace};

/// Programs that the lab and its tests call, each with its package on Debian and Ubuntu.
pub(crate) const PROGRAMS: &[(&str, &str)] = &[
    ("mkfs.xfs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("mkfs.ext4", "e2fsprogs"),
    ("filefrag", "e2fsprogs"),
    ("fincore", "util-linux"),
    ("mount", "mount"),
    ("losetup", "mount"),
    ("setfacl", "acl"),
    ("setfattr", "attr"),
    ("setcap", "libcap2-bin"),
    ("rsync", "rsync"),
    ("strace", "strace"),
    ("fusermount3", "fuse3"),
];

/// The programs of [`PROGRAMS`] that are not there.
pub(crate) fn missing_programs() -> Vec<&'static str> {
    let programs = PROGRAMS.iter().map(|(program, _)| *program);
    programs
        .filter(|program| !command::exists(program))
        .collect()
}

/// The packages of [`PROGRAMS`] that are not there.
pub(crate) fn missing_of_lab() -> impl Iterator<Item = &'static str> {
    let missing = PROGRAMS
        .iter()
        .filter(|(program, _)| !command::exists(program));
    missing.map(|(_, package)| *package)
}

/// Installs packages that are known to be missing.
pub(crate) fn packages(missing: impl Iterator<Item = &'static str>) -> Result<()> {
    let mut packages: Vec<&str> = missing.collect();
    packages.sort_unstable();
    packages.dedup();
    if packages.is_empty() {
        return Ok(());
    }
    if !rustix::process::geteuid().is_root() || !command::exists("apt-get") {
        let packages = packages.join(" ");
        return Err(Error::new(format!(
            "please install {packages}: that needs root and apt-get"
        )));
    }
    let install = || {
        let mut apt = Command::new("apt-get");
        apt.args(["install", "-y", "-q", "--no-install-recommends"])
            .args(&packages);
        succeed(apt.env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // The list of packages is fetched only if it turns out to be missing or old.
    install().or_else(|_| {
        succeed(Command::new("apt-get").args(["update", "-q"])).and_then(|()| install())
    })
}

/// Installs the standard library for a target, unless it is there.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    let mut rustc = Command::new("rustc");
    rustc.args(["--print", "target-libdir", "--target", target]);
    let there = rustc.output().doing("run `rustc`")?;
    let dir = PathBuf::from(String::from_utf8_lossy(&there.stdout).trim().to_owned());
    if there.status.success() && dir.is_dir() {
        return Ok(());
    }
    if !command::exists("rustup") {
        return Err(Error::new(format!(
            "please install Rust's standard library for {target}: there is no rustup"
        )));
    }
    let mut rustup = Command::new("rustup");
    succeed(
        rustup
            .args(["target", "add", target])
            .current_dir(workspace::root()),
    )
}

/// Installs a version of Rust with its compiler alone, unless it is there.
pub(crate) fn toolchain(version: &str) -> Result<()> {
    if !command::exists("rustup") {
        return Err(Error::new(format!(
            "Rust {version} is needed, another version is here, and there is no rustup to install it"
        )));
    }
    let mut there = Command::new("rustup");
    let there = there.args(["run", version, "rustc", "--version"]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    succeed(rustup.args(["toolchain", "install", version, "--profile", "minimal"]))
}

pub(crate) fn component(name: &str, program: &str) -> Result<()> {
    if command::exists(program) || !command::exists("rustup") {
        return Ok(());
    }
    succeed(Command::new("rustup").args(["component", "add", name]))
}

/// The path of cargo-deny, which is built into the build directory if need be: two minutes, once.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    if command::exists("cargo-deny") {
        return Ok("cargo-deny".into());
    }
    let tools = workspace::target().join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        let mut install = command::cargo(workspace::root());
        install
            .args(["install", "cargo-deny", "--locked", "--quiet", "--root"])
            .arg(&tools);
        succeed(&mut install)?;
    }
    Ok(program)
}
