//! A real build with ours as the system's `cp`: coreutils configured, built and installed once with
//! GNU cp and once with ours first on the PATH, and the two installed trees compared.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::build::Coreutils;
use crate::command;
use crate::error::{Context, Result};

/// Builds and compares in `work`, which is created again.
pub(super) fn run(coreutils: &Coreutils, cp: &Path, work: &Path) -> Result<()> {
    if work.exists() {
        fs::remove_dir_all(work).at("remove", work)?;
    }
    // Both in one place, because programs hold the path of their source.
    let place = work.join("place");
    let [gnu, ours] = [(coreutils.cp(), "gnu"), (cp.to_owned(), "ours")].map(|(cp, name)| {
        let done = work.join(name);
        install(coreutils, &cp, &place)?;
        fs::rename(&place, &done).at("rename", &place)?;
        Ok(done.join("tree"))
    });
    let (gnu, ours): (PathBuf, PathBuf) = (gnu?, ours?);
    let (left, right) = (listing(&gnu)?, listing(&ours)?);
    fs::write(work.join("gnu.list"), &left).at("write", work)?;
    fs::write(work.join("ours.list"), &right).at("write", work)?;
    let calls = fs::read_to_string(work.join("ours/calls")).unwrap_or_default();
    println!("our cp was called {} times", calls.lines().count());
    println!("{} entries installed", left.lines().count());
    let mut diff = Command::new("diff");
    diff.arg(work.join("gnu.list")).arg(work.join("ours.list"));
    command::succeed(&mut diff)?;
    let mut diff = Command::new("diff");
    diff.args(["-r", "--no-dereference"]).arg(&gnu).arg(&ours);
    command::succeed(&mut diff)?;
    println!("the trees are the same: names, types, modes, owners, sizes, links and content");
    Ok(())
}

/// One build, with this cp; it is installed in `tree`.
fn install(coreutils: &Coreutils, cp: &Path, at: &Path) -> Result<()> {
    let (bin, build, tree) = (at.join("bin"), at.join("build"), at.join("tree"));
    for dir in [&bin, &build] {
        fs::create_dir_all(dir).at("create", dir)?;
    }
    let real = at.join("real/cp");
    fs::create_dir_all(at.join("real")).at("create", at)?;
    fs::copy(cp, &real).at("copy", cp)?;
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>'{}'\nexec '{}' \"$@\"\n",
        at.join("calls").display(),
        real.display()
    );
    let wrapper = bin.join("cp");
    fs::write(&wrapper, script).at("write", &wrapper)?;
    command::succeed(Command::new("chmod").arg("755").arg(&wrapper))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", bin.display());
    // The source itself is copied by it too, and built from that copy.
    let source = at.join("source");
    let from = fs::canonicalize(&coreutils.source).at("resolve", &coreutils.source)?;
    let mut copy = Command::new(&wrapper);
    command::succeed(copy.arg("-a").arg(&from).arg(&source))?;
    let run = |command: &mut Command| {
        command.current_dir(&build).env("PATH", &path);
        command::succeed(command.env("FORCE_UNSAFE_CONFIGURE", "1"))
    };
    // This script installs by cp; the program `install` would copy by itself.
    let by_cp = format!("INSTALL={}/build-aux/install-sh -c", source.display());
    run(Command::new(source.join("configure")).args(["-q", "--disable-nls", "CFLAGS=-O1 -g0"]))?;
    run(Command::new("make").args(["-s", "-j2", "SUBDIRS=.", &by_cp]))?;
    let into = format!("DESTDIR={}", tree.display());
    run(Command::new("make").args(["-s", "install", "SUBDIRS=.", &into, &by_cp]))
}

/// One line for each entry: type, mode, owner, size, links, name and target.
fn listing(tree: &Path) -> Result<String> {
    let mut find = Command::new("find");
    find.current_dir(tree)
        .args([".", "-printf", "%P %y %m %U:%G %n %l\\n"]);
    let output = find.output().doing("list a tree")?;
    let mut lines: Vec<&str> = std::str::from_utf8(&output.stdout)
        .doing("read names")?
        .lines()
        .collect();
    lines.sort_unstable();
    Ok(lines.join("\n") + "\n")
}
