//! Installs what the lanes need and the machine lacks.

use std::path::PathBuf;
use std::process::Command;

use super::lanes::Lane;
use crate::command::succeed;
use crate::error::{Error, Result};
use crate::{command, gnu, workspace};

/// Programs that the lab and its tests call, each with its package on Debian and Ubuntu.
const PROGRAMS: &[(&str, &str)] = &[
    ("mkfs.xfs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("mkfs.ext4", "e2fsprogs"),
    ("filefrag", "e2fsprogs"),
    ("mount", "mount"),
    ("losetup", "mount"),
    ("setfacl", "acl"),
    ("setfattr", "attr"),
    ("setcap", "libcap2-bin"),
    ("rsync", "rsync"),
    ("strace", "strace"),
    ("fusermount3", "fuse3"),
];

/// Installs for these lanes. A failure is only told here: the lane that lacks something will say
/// so, and count.
pub(super) fn for_lanes(lanes: &[Lane]) {
    for lane in lanes {
        let installed = match lane {
            Lane::Format => component("rustfmt", "cargo-fmt"),
            Lane::Clippy => component("clippy", "cargo-clippy"),
            Lane::Filesystems => packages(missing_of_lab()),
            Lane::Gnu => packages(missing_of_lab().chain(gnu::missing_packages())),
            Lane::Tidy | Lane::Docs | Lane::Unit | Lane::Deny => Ok(()),
        };
        if let Err(error) = installed {
            eprintln!("xtask: {error}");
        }
    }
}

/// The programs of [`PROGRAMS`] that are not there.
pub(super) fn missing_programs() -> Vec<&'static str> {
    let programs = PROGRAMS.iter().map(|(program, _)| *program);
    programs
        .filter(|program| !command::exists(program))
        .collect()
}

/// The packages of [`PROGRAMS`] that are not there.
fn missing_of_lab() -> impl Iterator<Item = &'static str> {
    let missing = PROGRAMS
        .iter()
        .filter(|(program, _)| !command::exists(program));
    missing.map(|(_, package)| *package)
}

fn packages(missing: impl Iterator<Item = &'static str>) -> Result<()> {
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

fn component(name: &str, program: &str) -> Result<()> {
    if command::exists(program) || !command::exists("rustup") {
        return Ok(());
    }
    succeed(Command::new("rustup").args(["component", "add", name]))
}

/// The path of cargo-deny, which is built into the build directory if need be: two minutes, once.
pub(super) fn cargo_deny() -> Result<PathBuf> {
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
