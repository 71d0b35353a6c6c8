//! `copyist doctor` finds no fault of correct filesystems, and finds the faults of faulty ones.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use oracle::Fallible;
use oracle::lab::place;
use oracle::random::NOBODY;
use oracle::remove::Scratch;
use oracle::run::Program;
use safety::Fuse;
use serde_json::Value;

const METHODS: [&str; 5] = ["clone", "copy-range", "sendfile", "direct", "read-write"];

fn examined(dir: &Path) -> Fallible<(Value, Option<i32>)> {
    let mut command = Command::new(Program::under_test().path);
    let output = command
        .args(["doctor", "--json", "--max-seconds=0"])
        .arg(dir)
        .output()?;
    let found = serde_json::from_slice(&output.stdout)
        .map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())?;
    assert!(fs::read_dir(dir)?.next().is_none(), "left behind");
    Ok((found, output.status.code()))
}

fn finding<'a>(found: &'a Value, about: &str) -> &'a Value {
    let findings = found["findings"].as_array().into_iter().flatten();
    findings
        .into_iter()
        .find(|it| it["about"] == about)
        .unwrap_or(&Value::Null)
}

fn is_honest(name: &str, clones: bool) -> Fallible<()> {
    let Some(dir) = place(name) else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let (found, code) = examined(scratch.path())?;
    assert_eq!(code, Some(0), "{name}: {found}");
    for about in METHODS {
        let expected = if about == "clone" && !clones {
            "refused"
        } else {
            "safe"
        };
        let finding = finding(&found, about);
        assert_eq!(finding["verdict"], expected, "{about} on {name}: {finding}");
    }
    let plain = finding(&found, "read-write");
    let files = plain["right"].as_u64().unwrap_or(0);
    assert_eq!(
        plain["refused"].as_array().map(Vec::len),
        Some(0),
        "{name}: {plain}"
    );
    assert!(files >= 24, "{name}: {plain}");
    assert_eq!(
        finding(&found, "hole-map")["verdict"],
        "safe",
        "{name}: {found}"
    );
    println!("{name}: {files} files; not tried: {}", found["not_tried"]);
    Ok(())
}

#[test]
fn filesystems_that_clone_are_safe() -> Fallible<()> {
    is_honest("btrfs", true)?;
    is_honest("xfs", true)
}

#[test]
fn filesystems_that_do_not_clone_are_safe() -> Fallible<()> {
    for name in ["xfs-plain", "ext4", "tmpfs", "tiny"] {
        is_honest(name, false)?;
    }
    Ok(())
}

#[test]
fn honest_servers_are_safe() -> Fallible<()> {
    for name in ["fuse", "fuse-slow", "casefold"] {
        is_honest(name, false)?;
    }
    Ok(())
}

#[test]
fn a_lie_about_holes_is_found_and_no_method_falls_for_it() -> Fallible<()> {
    let Some(dir) = place("fuse-lies") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let (found, code) = examined(scratch.path())?;
    assert_eq!(code, Some(1), "{found}");
    assert_eq!(finding(&found, "hole-map")["verdict"], "unsafe", "{found}");
    for about in ["copy-range", "sendfile", "direct", "read-write"] {
        assert_eq!(
            finding(&found, about)["verdict"],
            "safe",
            "{about}: {found}"
        );
    }
    Ok(())
}

#[test]
fn a_copy_file_range_that_corrupts_is_found() -> Fallible<()> {
    let Some(dir) = place("fuse-corrupts") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let (found, code) = examined(scratch.path())?;
    assert_eq!(code, Some(1), "{found}");
    let range = finding(&found, "copy-range");
    assert_eq!(range["verdict"], "unsafe", "{range}");
    let first = &range["wrong"][0];
    assert_eq!(first["file"], "one byte", "{range}");
    assert_eq!(first["why"], "byte 0 of the copy is 00, not 01", "{range}");
    for about in ["sendfile", "direct", "read-write", "hole-map"] {
        assert_eq!(
            finding(&found, about)["verdict"],
            "safe",
            "{about}: {found}"
        );
    }
    Ok(())
}

#[test]
fn a_user_may_ask_and_somebody_else_s_directory_is_said_so() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let within = Scratch::new(&std::env::temp_dir())?;
    let program = Program::under_test().within_reach(within.path())?;
    let scratch = Scratch::new(&dir)?;
    let run = || {
        let mut command = Command::new(&program.path);
        command.arg("doctor").arg(scratch.path()).env("LC_ALL", "C");
        command.uid(NOBODY).gid(NOBODY).output()
    };
    let refused = run()?;
    let told = String::from_utf8(refused.stderr)?;
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("Permission denied"), "{told}");
    std::os::unix::fs::chown(scratch.path(), Some(NOBODY), Some(NOBODY))?;
    let done = run()?;
    assert_eq!(done.status.code(), Some(0), "{done:?}");
    Ok(())
}

#[test]
fn a_read_only_mount_can_t_be_examined() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let read_only =
        r#"mount --bind "$2" "$2" && mount -o remount,ro,bind "$2" && exec "$1" doctor "$2""#;
    let mut command = Command::new("unshare");
    command
        .args(["-m", "sh", "-c", read_only, "sh"])
        .arg(Program::under_test().path);
    let output = command.arg(scratch.path()).env("LC_ALL", "C").output()?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("Read-only file system"), "{told}");
    Ok(())
}

/// A directory is not empty for a moment where a server processes the close of a file in it late.
#[test]
fn what_can_not_be_removed_at_once_is_removed_later() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    // One attempt of the command itself, and one of the process that cleans up.
    for fails in [1, 2] {
        let scratch = Scratch::new(&dir)?;
        let options: Vec<_> = (1..=fails)
            .map(|n| format!("--fail=rmdir:EBUSY:{n}"))
            .collect();
        let options: Vec<_> = options.iter().map(String::as_str).collect();
        let Some(fuse) = Fuse::new(scratch.path(), &options)? else {
            return Ok(());
        };
        let output = Command::new(Program::under_test().path)
            .args(["doctor", "--max-seconds=1"])
            .arg(&fuse.point)
            .output()?;
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!told.contains("cannot remove"), "{fails}: {told}");
        assert_ne!(output.status.code(), Some(2), "{fails}: {told}");
        assert!(
            fs::read_dir(&fuse.backing)?.next().is_none(),
            "{fails}: left behind"
        );
    }
    Ok(())
}
