//! /usr copied with `-a` onto every filesystem of the lab, and compared by programs that are not ours.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};

use oracle::Fallible;
use oracle::lab::{not_run, place};
use oracle::remove::Scratch;
use oracle::run::Program;

/// Copies `source` onto a filesystem of the lab and compares, if there is room.
fn copies_onto(name: &str, source: &str) -> Fallible<()> {
    let Some(dir) = place(name) else {
        return Ok(());
    };
    if !rustix::process::geteuid().is_root() {
        not_run(&format!("{name}: only root can copy owners"));
        return Ok(());
    }
    // A fifth more: filesystems differ in what they need for a small file, and for themselves.
    let (needed, free) = (bytes_in(source)? / 5 * 6, free_bytes(&dir)?);
    if free < needed {
        not_run(&format!(
            "{name}: {source} needs {} MiB, free are {} MiB",
            needed >> 20,
            free >> 20
        ));
        return Ok(());
    }
    let scratch = Scratch::new(&dir)?;
    let destination = scratch.path().join("copy");
    let program = Program::under_test();
    let mut copy = Command::new(&program.path);
    let copied = copy
        .arg0("cp")
        .args(["-a", source])
        .arg(&destination)
        .output()?;
    check_silent("the copy", &copied)?;
    let compared_by = compare_by_rsync(source, &destination)?;
    let diff = Command::new("diff")
        .args(["-r", "--no-dereference", source])
        .arg(&destination)
        .output()?;
    check_silent("diff -r --no-dereference", &diff)?;
    println!(
        "{name}: {source} copied; {compared_by} and diff -r --no-dereference find no difference"
    );
    Ok(())
}

fn bytes_in(source: &str) -> Fallible<u64> {
    let sum = Command::new("du").args(["-s", "-B1", source]).output()?;
    let text = String::from_utf8(sum.stdout)?;
    Ok(text
        .split_whitespace()
        .next()
        .ok_or("du printed nothing")?
        .parse()?)
}

fn free_bytes(dir: &Path) -> Fallible<u64> {
    let volume = rustix::fs::statvfs(dir)?;
    Ok(volume.f_bavail * volume.f_frsize)
}

/// Compares with rsync, and says which attributes it compared.
fn compare_by_rsync(source: &str, destination: &Path) -> Fallible<&'static str> {
    let run = |flags: &str| {
        let from = format!("{source}/");
        let to = destination.join("");
        let words = [flags, "--delete", "--itemize-changes"];
        Command::new("rsync").args(words).arg(from).arg(to).output()
    };
    let all = run("-aHAXn")?;
    if String::from_utf8_lossy(&all.stderr).contains("Operation not supported") {
        println!(
            "rsync cannot read ACLs or xattrs in {}: compared without",
            destination.display()
        );
        check_silent("rsync -aHn", &run("-aHn")?)?;
        return Ok("rsync -aHn (no -A -X here)");
    }
    check_silent("rsync -aHAXn", &all)?;
    Ok("rsync -aHAXn")
}

/// A program must succeed and print nothing.
fn check_silent(what: &str, output: &Output) -> Result<(), String> {
    if output.status.success() && output.stdout.is_empty() && output.stderr.is_empty() {
        return Ok(());
    }
    let text = [output.stdout.as_slice(), &output.stderr].concat();
    let lines: Vec<String> = text
        .split(|byte| *byte == b'\n')
        .take(30)
        .map(|line| line.escape_ascii().to_string())
        .collect();
    Err(format!("{what}: {}\n{}", output.status, lines.join("\n")))
}

#[test]
fn onto_btrfs() -> Fallible<()> {
    copies_onto("btrfs", "/usr")
}

#[test]
fn onto_xfs() -> Fallible<()> {
    copies_onto("xfs", "/usr")
}

#[test]
fn onto_xfs_without_reflink() -> Fallible<()> {
    copies_onto("xfs-plain", "/usr")
}

#[test]
fn onto_ext4() -> Fallible<()> {
    copies_onto("ext4", "/usr")
}

#[test]
fn onto_tmpfs() -> Fallible<()> {
    copies_onto("tmpfs", "/usr")
}

/// A part only: every call goes through a server. The case-folding filesystem is left out, because /usr may
/// hold names that differ in case only.
#[test]
fn onto_fuse() -> Fallible<()> {
    copies_onto("fuse", "/usr/share/doc")
}
