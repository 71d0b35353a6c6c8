//! `--explain` between the lab's filesystems: what it says is what the copy then does.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use oracle::Fallible;
use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;
use serde_json::Value;

const FILESYSTEMS: [&str; 5] = ["btrfs", "xfs", "xfs-plain", "ext4", "tmpfs"];

/// A file for which cloning pays, and one for which nothing does.
const SIZES: [usize; 2] = [9 << 20, 100];

/// Runs `cp` in a directory of neither volume.
fn cp(here: &Path, arguments: &[&str]) -> Fallible<String> {
    let mut command = Command::new(&Program::under_test().path);
    command.arg0("cp").args(arguments).current_dir(here);
    let output = command.env("LC_ALL", "C").output()?;
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {err}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The methods that `--explain` names, in their order, and its line about the volumes.
fn said(text: &str) -> (Vec<String>, String) {
    let lines = text.lines().map(str::trim);
    let method = |line: &str| {
        let tried = line.strip_prefix("try ").or(line.strip_prefix("then "));
        tried.map(str::to_owned)
    };
    let volumes = lines.clone().find(|line| line.starts_with("from "));
    (
        lines.filter_map(method).collect(),
        volumes.unwrap_or_default().to_owned(),
    )
}

/// The methods that ran, by the report.
fn ran(report: &Path) -> Fallible<Vec<String>> {
    let mut all = Vec::new();
    for line in fs::read_to_string(report)?.lines() {
        let event: Value = serde_json::from_str(line)?;
        let attempts = event["attempts"].as_array().into_iter().flatten();
        all.extend(attempts.filter_map(|it| it["method"].as_str().map(str::to_owned)));
    }
    Ok(all)
}

#[test]
fn a_plan_that_is_printed_is_the_plan_that_runs() -> Fallible<()> {
    let mut played = 0;
    for from in FILESYSTEMS {
        for to in FILESYSTEMS {
            let (Some(src), Some(dst)) = (place(from), place(to)) else {
                continue;
            };
            let (src, dst) = (Scratch::new(&src)?, Scratch::new(&dst)?);
            let here = Scratch::new(&std::env::temp_dir())?;
            let report = here.path().join("report");
            fs::create_dir(src.path().join("tree"))?;
            fs::create_dir(dst.path().join("there"))?;
            std::os::unix::fs::symlink(dst.path().join("there"), here.path().join("link"))?;
            for (n, size) in SIZES.into_iter().enumerate() {
                let file = src.path().join("tree/file");
                fs::write(&file, vec![n as u8 + 1; size])?;
                let (file, tree) = (file.display().to_string(), src.path().join("tree"));
                let (tree, dst) = (tree.display().to_string(), dst.path().display());
                let existing = format!("{dst}/existing");
                fs::write(&existing, "old")?;
                let copies: [&[&str]; 8] = [
                    &[&file, &format!("{dst}/new-{n}")],
                    &[&file, &existing],
                    &["--remove-destination", &file, &existing],
                    &["--backup=simple", &file, &existing],
                    &["--atomic", &file, &existing],
                    &[&file, "link"],
                    // How many threads another worker leaves free differs from run to run.
                    &["-r", "--jobs=1", &tree, &format!("{dst}/tree-{n}")],
                    &["--parents", &file, &format!("{dst}/there")],
                ];
                for copy in copies {
                    let what = format!("{from} to {to}, {size} bytes, {copy:?}");
                    let text = cp(here.path(), &[&["--explain"], copy].concat())?;
                    let (said, volumes) = said(&text);
                    let name = format!("--report={}", report.display());
                    cp(here.path(), &[&[name.as_str()], copy].concat())?;
                    let ran = ran(&report)?;
                    assert!(!ran.is_empty(), "{what}: nothing ran");
                    assert!(said.starts_with(&ran), "{what}: {ran:?} ran, after\n{text}");
                    let same = volumes.contains("on the same volume");
                    assert_eq!(same, from == to, "{what}: {volumes}");
                    played += 1;
                }
            }
        }
    }
    assert!(played > 0 || place("ext4").is_none());
    Ok(())
}
