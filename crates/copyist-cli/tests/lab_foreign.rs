//! Destinations that have less than the source: no links, whole seconds, access lists that can't be
//! removed. What they can't store is not a failure, and is not copied again.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use oracle::lab::place;
use oracle::remove::Scratch;
use safety::{Fallible, Fuse, cp, run, text};

/// A mount with these options, for a test of its own.
fn mount(scratch: &Scratch, options: &[&str]) -> Fallible<Option<Fuse>> {
    Fuse::new(scratch.path(), options)
}

fn copyist(arguments: &[&str], operands: &[&Path]) -> Fallible<Output> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copyist"));
    command.args(arguments).args(operands).env("LC_ALL", "C");
    Ok(run(&mut command)?)
}

fn ended(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), text(&output.stderr))
}

#[test]
fn links_become_copies_where_there_are_none() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let options = ["--fail=link:EPERM:1+", "--fail=symlink:EPERM:1+"];
    let Some(fuse) = mount(&scratch, &options)? else {
        return Ok(());
    };
    let src = scratch.path().join("src");
    fs::create_dir(&src)?;
    fs::write(src.join("a"), "data")?;
    fs::hard_link(src.join("a"), src.join("b"))?;
    fs::hard_link(src.join("a"), src.join("c"))?;

    let copied = copyist(&["copy"], &[&src, &fuse.point.join("x")])?;
    assert_eq!(ended(&copied), (Some(0), String::new()));
    let line = text(&copied.stdout);
    assert!(
        line.starts_with("Copied 3 files and 1 directory (12 B)"),
        "{line}"
    );
    assert!(
        line.ends_with("; 2 hard links became copies: fuse has none\n"),
        "{line}"
    );
    // Over what is there as well.
    let again = copyist(&["copy"], &[&src.join("."), &fuse.point.join("x")])?;
    assert_eq!(ended(&again), (Some(0), String::new()));
    for name in ["a", "b", "c"] {
        assert_eq!(fs::read(fuse.point.join("x").join(name))?, b"data");
    }
    assert_eq!(
        fs::read_dir(fuse.backing.join("x"))?.count(),
        3,
        "nothing else"
    );

    let by_cp = ended(&run(&mut cp(&["-a"], &[&src, &fuse.point.join("y")]))?);
    let warning = "cp: warning: 2 hard links became copies: fuse has none\n";
    assert_eq!(by_cp, (Some(0), warning.to_owned()));

    symlink("a", src.join("l"))?;
    let failed = copyist(&["copy"], &[&src, &fuse.point.join("z")])?;
    assert_eq!(failed.status.code(), Some(1));
    let line = text(&failed.stdout);
    assert!(
        line.contains("; 1 symbolic link could not be made: fuse has none; 1 FAILED"),
        "{line}"
    );
    Ok(())
}

#[test]
fn whole_seconds_are_not_copied_again() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let Some(fuse) = mount(&scratch, &["--whole-seconds"])? else {
        return Ok(());
    };
    let src = scratch.path().join("src");
    fs::create_dir(&src)?;
    let time = std::time::UNIX_EPOCH + std::time::Duration::new(1_600_000_001, 900_000_000);
    for name in ["a", "b"] {
        let file = fs::File::create(src.join(name))?;
        file.set_modified(time)?;
    }
    let dst = fuse.point.join("x");
    let first = run(&mut cp(&["-a"], &[&src, &dst]))?;
    assert_eq!(ended(&first), (Some(0), String::new()));
    assert_eq!(
        fs::metadata(dst.join("a"))?.mtime_nsec(),
        0,
        "the mount is as it should be"
    );
    let names = |output: Output| {
        assert_eq!(ended(&output), (Some(0), String::new()));
        text(&output.stdout).lines().count()
    };
    let again = || run(&mut cp(&["-auv"], &[&src.join("."), &dst]));
    assert_eq!(names(again()?), 0);
    assert_eq!(
        fs::read_dir(fuse.backing.join("x"))?.count(),
        2,
        "nothing else"
    );
    let verified = copyist(&["verify"], &[&src, &dst])?;
    assert_eq!(
        verified.status.code(),
        Some(0),
        "{}",
        text(&verified.stdout)
    );

    // What is newer by a second is.
    let file = fs::File::options().write(true).open(src.join("b"))?;
    file.set_modified(time + std::time::Duration::from_secs(1))?;
    assert_eq!(names(again()?), 1);
    Ok(())
}

#[test]
fn what_was_never_there_is_not_removed() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let src = scratch.path().join("src");
    fs::write(&src, "data")?;
    for code in ["EINVAL", "EBUSY", "ENOSYS", "EIO"] {
        let mount_dir = scratch.path().join(code);
        fs::create_dir(&mount_dir)?;
        let fault = format!("--fail=removexattr:{code}:1+");
        let Some(fuse) = Fuse::new(&mount_dir, &[&fault])? else {
            return Ok(());
        };
        let dst = fuse.point.join("x");
        for options in [["-p"], ["-p"], ["-a"], ["-a"]] {
            let output = run(&mut cp(&options, &[&src, &dst]))?;
            assert_eq!(
                ended(&output),
                (Some(0), String::new()),
                "{code} {options:?}"
            );
        }
    }
    Ok(())
}
