//! What the report says about how a file was copied, on every filesystem of the lab, and what happens where a
//! copy can't succeed.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use oracle::Fallible;
use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;
use serde_json::Value;

const MIB: u64 = 1 << 20;

/// Every kind of filesystem that data can be put on in quantity.
const FILESYSTEMS: [&str; 7] = [
    "btrfs",
    "xfs",
    "xfs-plain",
    "ext4",
    "tmpfs",
    "fuse",
    "fuse-lies",
];

/// The filesystems whose map of holes copyist does not use.
const UNSOUND: [&str; 2] = ["fuse", "fuse-lies"];

/// The filesystems that can clone.
const CLONING: [&str; 2] = ["btrfs", "xfs"];

fn cp(arguments: &[&str], src: &Path, dst: &Path) -> io::Result<Output> {
    let program = Program::under_test();
    let mut command = Command::new(&program.path);
    command.arg0("cp").args(arguments);
    command.arg(src).arg(dst).env("LC_ALL", "C").output()
}

/// How much of a file is in the page cache, bytes, as fincore(1) says.
fn cached_bytes(file: &Path) -> Fallible<u64> {
    let output = Command::new("fincore")
        .args(["--bytes", "--noheadings", "--output=RES"])
        .arg(file)
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// `drop` and `direct` leave (nearly) nothing of the copy in the cache, `keep` all of it.
#[test]
fn a_copy_leaves_in_the_cache_what_it_may() -> Fallible<()> {
    for filesystem in ["btrfs", "xfs", "ext4"] {
        let Some(dir) = place(filesystem) else {
            continue;
        };
        let scratch = Scratch::new(&dir)?;
        let src = scratch.path().join("src");
        let data: Vec<u8> = (0..80 * MIB).map(|n| (n / 977) as u8).collect();
        fs::write(&src, &data)?;
        for (cache, all) in [("keep", true), ("drop", false), ("direct", false)] {
            let dst = scratch.path().join(cache);
            let report = reported(
                &["--reflink=never", &format!("--cache={cache}")],
                &src,
                &dst,
            )?;
            assert_eq!(report["bytes"], 80 * MIB, "{filesystem} {cache}: {report}");
            let cached = cached_bytes(&dst)?;
            assert_eq!(
                cached > 40 * MIB,
                all,
                "{filesystem} {cache}: {cached} bytes in the cache"
            );
            assert!(fs::read(&dst)? == data, "{filesystem} {cache}: other bytes");
        }
    }
    Ok(())
}

/// The report of one copied file.
fn reported(arguments: &[&str], src: &Path, dst: &Path) -> Fallible<Value> {
    let output = cp(&[&["--report=-"], arguments].concat(), src, dst)?;
    let text = String::from_utf8(output.stdout)?;
    let first = text.lines().next().ok_or("an empty report")?;
    let file: Value = serde_json::from_str(first)?;
    assert_eq!(file["type"], "file", "{file}");
    let parts = ["cloned", "offloaded", "moved", "holes"];
    let sum: u64 = parts.iter().filter_map(|part| file[part].as_u64()).sum();
    assert_eq!(file["bytes"], sum, "{file}");
    Ok(file)
}

/// Data that doesn't repeat, with a hole in the middle and an unaligned end.
fn make_source(path: &Path) -> io::Result<()> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut data = vec![0; 3 << 20];
    random.fill(&mut data);
    let file = File::create(path)?;
    file.write_all_at(&data, 0)?;
    file.write_all_at(&data[..(1 << 20) + 4097], 8 << 20)
}

fn same(src: &Path, dst: &Path) -> io::Result<bool> {
    Ok(fs::read(src)? == fs::read(dst)?)
}

#[test]
fn each_method_alone_copies_or_says_what_is_in_the_way() -> Fallible<()> {
    for name in FILESYSTEMS {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        make_source(&src)?;
        for method in ["clone", "copy-range", "sendfile", "direct", "read-write"] {
            let what = format!("{method} on {name}");
            let alone = format!("--method={method}");
            if method == "clone" && !CLONING.contains(&name) {
                let output = cp(&[&alone], &src, &dst)?;
                let expected = format!(
                    "cp: failed to clone '{}' from '{}': Operation not supported\n",
                    dst.display(),
                    src.display()
                );
                assert_eq!(String::from_utf8(output.stderr)?, expected, "{what}");
                assert_eq!(output.status.code(), Some(1), "{what}");
                assert!(!dst.exists(), "{what}: left behind");
                continue;
            }
            // Where the map of holes is not used, holes are found by reading, or not at all.
            if UNSOUND.contains(&name) && ["copy-range", "sendfile"].contains(&method) {
                let output = cp(&[&alone], &src, &dst)?;
                let expected = format!(
                    "cp: cannot copy '{}' to '{}': no allowed method works here; \
                     {method}: it can't make the holes that are wanted, or fill them\n",
                    src.display(),
                    dst.display()
                );
                assert_eq!(String::from_utf8(output.stderr)?, expected, "{what}");
                assert!(!dst.exists(), "{what}: left behind");
                continue;
            }
            let file = reported(&[&alone], &src, &dst)?;
            assert_eq!(file["method"], method, "{what}: {file}");
            assert_eq!(file["attempts"].as_array().map(Vec::len), Some(1), "{what}");
            assert!(same(&src, &dst)?, "{what}: other bytes");
            fs::remove_file(&dst)?;
        }
    }
    Ok(())
}

#[test]
fn a_gigabyte_is_cloned_where_that_can_be_and_costs_no_space() -> Fallible<()> {
    for name in CLONING {
        let Some(dir) = place(name) else { continue };
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        let file = File::create(&src)?;
        let data: Vec<u8> = (0..MIB).map(|at| (at % 251) as u8).collect();
        for n in 0..1024 {
            file.write_all_at(&data, n * MIB)?;
        }
        file.sync_all()?;
        let before = free_bytes(&file)?;
        let report = reported(&[], &src, &dst)?;
        assert_eq!(report["method"], "clone", "{name}: {report}");
        assert_eq!(report["cloned"], 1024 * MIB, "{name}: {report}");
        assert!(
            all_is_shared(&dst)?,
            "{name}: filefrag sees unshared extents"
        );
        let used = before.saturating_sub(free_bytes(&file)?);
        assert!(used < 4 * MIB, "{name}: {used} bytes were used");
        println!("{name}: 1 GiB cloned in {used} bytes");
    }
    Ok(())
}

fn free_bytes(file: &File) -> Fallible<u64> {
    rustix::fs::syncfs(file)?;
    let volume = rustix::fs::fstatvfs(file)?;
    Ok(volume.f_bfree * volume.f_frsize)
}

/// Whether filefrag (FIEMAP) shows every extent of a file as shared.
fn all_is_shared(path: &Path) -> Fallible<bool> {
    let output = Command::new("filefrag").arg("-v").arg(path).output()?;
    let text = String::from_utf8(output.stdout)?;
    // "   0:        0..   32767:      34816..     67583:  32768:             last,shared,eof"
    let is_extent = |line: &&str| {
        let number = line.split(':').next().unwrap_or_default().trim();
        number.parse::<u32>().is_ok()
    };
    let extents: Vec<&str> = text.lines().filter(is_extent).collect();
    Ok(!extents.is_empty() && extents.iter().all(|line| line.contains("shared")))
}

/// The codes of the attempts that were refused before the one that succeeded.
fn refusals(report: &Value) -> Vec<String> {
    let attempts = report["attempts"].as_array().into_iter().flatten();
    let refused = attempts.filter(|attempt| attempt["ended"] == "next");
    refused
        .map(|it| format!("{} {}", it["method"], it["code"]).replace('"', ""))
        .collect()
}

#[test]
fn refused_attempts_are_reported_with_their_codes() -> Fallible<()> {
    let (Some(ext4), Some(xfs), Some(tmpfs)) = (place("ext4"), place("xfs"), place("tmpfs")) else {
        return Ok(());
    };
    let scratches = [&ext4, &xfs, &tmpfs].map(|dir| Scratch::new(dir));
    let [ext4, xfs, tmpfs] = scratches;
    let (ext4, xfs, tmpfs) = (ext4?, xfs?, tmpfs?);
    let src = ext4.path().join("src");
    make_source(&src)?;
    let cases = [
        (&ext4, vec!["clone EOPNOTSUPP"], "copy-range"),
        (&xfs, vec!["copy-range EXDEV"], "sendfile"),
        (&tmpfs, vec!["copy-range EXDEV"], "sendfile"),
    ];
    for (scratch, refused, method) in cases {
        let dst = scratch.path().join("dst");
        let report = reported(&[], &src, &dst)?;
        assert_eq!(refusals(&report), refused, "{report}");
        assert_eq!(report["method"], method, "{report}");
        assert!(same(&src, &dst)?, "{report}");
    }
    Ok(())
}

#[test]
fn a_full_filesystem_is_said_so_and_the_rest_is_copied() -> Fallible<()> {
    let Some(dir) = place("tiny") else {
        return Ok(());
    };
    let from = Scratch::new(&std::env::temp_dir())?;
    let tree = from.path().join("tree");
    fs::create_dir(&tree)?;
    let large = File::create(tree.join("large"))?;
    large.write_all_at(&vec![1; 40 << 20], 0)?;
    for n in 0..10 {
        fs::write(tree.join(format!("small{n}")), format!("{n}"))?;
    }
    for method in [
        "--method=read-write",
        "--method=sendfile",
        "--method=direct",
        "-v",
    ] {
        let scratch = Scratch::new(&dir)?;
        let copy = scratch.path().join("copy");
        let output = cp(&["-r", method], &tree, &copy)?;
        let told = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(1), "{method}: {told}");
        assert!(told.contains("/large"), "{method}: {told}");
        assert!(told.contains("No space left on device"), "{method}: {told}");
        assert!(!copy.join("large").exists(), "{method}: a part is left");
        for n in 0..10 {
            let small = fs::read_to_string(copy.join(format!("small{n}")));
            assert_eq!(small.ok(), Some(format!("{n}")), "{method}: small{n}");
        }
    }
    Ok(())
}

/// On a mount where each request takes time, so that the source changes while it is copied.
#[test]
fn a_source_that_is_cut_short_or_grows_is_told_of() -> Fallible<()> {
    let Some(dir) = place("fuse-slow") else {
        return Ok(());
    };
    for (new_size, cut) in [(5 * MIB + 1, true), (80 * MIB + 1, false)] {
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        let source = OpenOptions::new().write(true).create_new(true).open(&src)?;
        source.write_all_at(&vec![1; 64 << 20], 0)?;
        let copying = std::thread::spawn({
            let (src, dst) = (src.clone(), dst.clone());
            move || cp(&["--method=read-write"], &src, &dst)
        });
        // It has begun once some of it is there.
        while fs::metadata(&dst).map_or(0, |it| it.size()) < MIB {
            assert!(!copying.is_finished(), "it ended before it had begun");
            std::thread::sleep(Duration::from_millis(1));
        }
        source.set_len(new_size)?;
        let output = copying
            .join()
            .map_err(|_| "the copying thread panicked")??;
        let told = String::from_utf8(output.stderr)?;
        let warning = format!(
            "changed while it was copied: from {} bytes to {new_size}",
            64 * MIB
        );
        assert!(told.contains(&warning), "{told}");
        let copied = fs::metadata(&dst)?.size();
        if cut {
            assert!(copied < 64 * MIB, "{copied} bytes: padded");
        } else {
            assert!(copied >= 64 * MIB, "{copied} bytes");
        }
    }
    Ok(())
}
