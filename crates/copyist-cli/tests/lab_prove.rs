//! `--prove` reports what filefrag and btrfs report for the same files.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use oracle::Fallible;
use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;
use serde_json::Value;

const MIB: u64 = 1 << 20;

/// The filesystems that report the location of data.
const TELLING: [&str; 4] = ["btrfs", "xfs", "xfs-plain", "ext4"];
const SILENT: [&str; 2] = ["tmpfs", "fuse"];
const CLONING: [&str; 2] = ["btrfs", "xfs"];

/// The last two lines of the report of one copied file.
fn copied(arguments: &[&str], src: &Path, dst: &Path) -> Fallible<(Value, Value)> {
    let mut command = Command::new(Program::under_test().path);
    command.arg0("cp").args(["--prove", "--report=-"]);
    let output = command.args(arguments).arg(src).arg(dst).output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let text = String::from_utf8(output.stdout)?;
    let mut lines = text.lines();
    let mut line = || -> Fallible<Value> {
        Ok(serde_json::from_str(
            lines.next().ok_or("an empty report")?,
        )?)
    };
    Ok((line()?, line()?))
}

fn random(path: &Path, bytes: u64) -> Fallible<File> {
    let mut data = vec![0; bytes as usize];
    fastrand::Rng::with_seed(bytes).fill(&mut data);
    let file = File::create(path)?;
    file.write_all_at(&data, 0)?;
    file.sync_all()?;
    Ok(file)
}

/// The bytes of a file, up to its size, in extents that filefrag shows as shared.
fn filefrag_shared(path: &Path) -> Fallible<u64> {
    let output = Command::new("filefrag")
        .args(["-v", "-b1"])
        .arg(path)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let size = fs::metadata(path)?.len();
    let mut shared = 0;
    for line in text.lines().filter(|line| line.contains("shared")) {
        // "   0:        0..   32767:      34816..     67583:  32768:             last,shared,eof"
        let logical = line.split(':').nth(1).ok_or("no extent")?;
        let (from, to) = logical.split_once("..").ok_or("no range")?;
        let (from, to): (u64, u64) = (from.trim().parse()?, to.trim().parse()?);
        shared += (to + 1).min(size).saturating_sub(from);
    }
    Ok(shared)
}

/// The shared bytes by `btrfs filesystem du`: its total less "exclusive".
fn btrfs_shared(path: &Path) -> Fallible<u64> {
    let output = Command::new("btrfs")
        .args(["filesystem", "du", "--raw", "-s"])
        .arg(path)
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let line = text.lines().nth(1).ok_or("no line")?;
    let mut columns = line.split_whitespace();
    let mut column = || -> Fallible<u64> { Ok(columns.next().ok_or("no column")?.parse()?) };
    Ok(column()? - column()?)
}

#[test]
fn cloned_half_rewritten_and_copied_files_are_told_apart() -> Fallible<()> {
    for name in CLONING {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let path = |name: &str| scratch.path().join(name);
        let (src, dst) = (path("src"), path("dst"));
        // Its end is in the middle of a block.
        let size = 8 * MIB + 1234;
        random(&src, size)?;
        let (file, summary) = copied(&["--reflink=always"], &src, &dst)?;
        assert_eq!(file["shared"], size, "{name}: {file}");
        assert_eq!(summary["shared"], size, "{name}: {summary}");
        assert_eq!(filefrag_shared(&dst)?, size, "{name}");

        // The first half of the clone is overwritten.
        let rewritten = OpenOptions::new().write(true).open(&dst)?;
        rewritten.write_all_at(&vec![7; 4 << 20], 0)?;
        let shared = copyist::measure::shared_bytes(&src, &dst)?;
        assert_eq!(shared, size - 4 * MIB, "{name}");
        assert_eq!(filefrag_shared(&dst)?, shared, "{name}");
        if name == "btrfs" {
            // btrfs counts in blocks.
            let du = btrfs_shared(&dst)?;
            assert_eq!(du, shared.next_multiple_of(4096), "{name}");
        }

        // A copy shares nothing, although its source shares something with a third file.
        let (file, summary) = copied(&["--reflink=never"], &src, &path("copy"))?;
        assert_eq!(file["shared"], 0, "{name}: {file}");
        assert_eq!(summary["shared"], 0, "{name}: {summary}");
        assert_eq!(filefrag_shared(&path("copy"))?, 0, "{name}");
        assert!(filefrag_shared(&src)? > 0, "{name}");

        // copy_file_range shares by itself here, and its bytes are not called cloned.
        let (file, _) = copied(&["--method=copy-range"], &src, &path("range"))?;
        assert_eq!(file["cloned"], 0, "{name}: {file}");
        assert_eq!(
            file["shared"],
            filefrag_shared(&path("range"))?,
            "{name}: {file}"
        );
        println!(
            "{name}: copy-range shares {} of {size} bytes",
            file["shared"]
        );
    }
    Ok(())
}

#[test]
fn files_that_are_copied_share_nothing() -> Fallible<()> {
    for name in TELLING {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let src = scratch.path().join("src");
        random(&src, 3 * MIB + 1)?;
        for method in ["sendfile", "direct", "read-write"] {
            let dst = scratch.path().join(method);
            let (file, _) = copied(&[&format!("--method={method}")], &src, &dst)?;
            assert_eq!(file["shared"], 0, "{method} on {name}: {file}");
        }
    }
    Ok(())
}

#[test]
fn a_filesystem_that_does_not_tell_is_said_so() -> Fallible<()> {
    for name in SILENT {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        random(&src, MIB)?;
        let (file, summary) = copied(&[], &src, &dst)?;
        assert_eq!(file["shared"], Value::Null, "{name}: {file}");
        assert!(file["shared_code"].is_string(), "{name}: {file}");
        assert!(summary.get("shared").is_none(), "{name}: {summary}");
    }
    Ok(())
}

#[test]
fn two_volumes_share_nothing_and_subvolumes_may() -> Fallible<()> {
    let (Some(btrfs), Some(xfs)) = (place("btrfs"), place("xfs")) else {
        return Ok(());
    };
    let (here, there) = (Scratch::new(&btrfs)?, Scratch::new(&xfs)?);
    let src = here.path().join("src");
    random(&src, MIB)?;
    let (file, _) = copied(&[], &src, &there.path().join("dst"))?;
    assert_eq!(file["shared"], 0, "{file}");

    let subvolume = here.path().join("subvolume");
    let btrfs = |words: &[&str]| Command::new("btrfs").args(words).arg(&subvolume).output();
    let made = btrfs(&["subvolume", "create"])?;
    assert!(made.status.success(), "{made:?}");
    let copied = copied(&["--reflink=always"], &src, &subvolume.join("dst"));
    let removed = btrfs(&["subvolume", "delete"])?;
    assert!(removed.status.success(), "{removed:?}");
    let (file, _) = copied?;
    assert_eq!(file["shared"], MIB, "{file}");
    Ok(())
}

/// Data that is not written back has no extents; it is flushed before the query.
#[test]
fn dirty_files_are_proved_too() -> Fallible<()> {
    for name in CLONING {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        fs::write(&src, vec![1; 1 << 20])?;
        let (file, _) = copied(&["--reflink=always"], &src, &dst)?;
        assert_eq!(file["shared"], MIB, "{name}: {file}");
    }
    Ok(())
}
