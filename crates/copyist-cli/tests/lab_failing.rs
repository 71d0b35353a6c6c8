//! Devices that fail in the middle: a full disk, a quota, a bad sector, a mount that goes away. Each
//! copy ends with a message and a failure, without a hang; files under their final names are complete,
//! and what can be copied is copied.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fastrand::Rng;
use oracle::lab::place;
use oracle::remove::Scratch;
use safety::{
    Fallible, Fuse, LIMIT, Mounted, chance, cp, finish, leftovers, noise, rounds, run, text, tool,
};

/// The ways of writing, which differ in what a failure leaves behind.
const WAYS: [&[&str]; 5] = [
    &["-r"],
    &["-r", "--atomic"],
    &["-r", "--atomic", "--fsync=file"],
    &["-r", "--fsync=end"],
    &["-r", "--method=direct,read-write"],
];

/// Held by whoever fills the tiny volume.
static TINY: Mutex<()> = Mutex::new(());

fn fill_tiny() -> MutexGuard<'static, ()> {
    TINY.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_files(dir: &Path, sizes: &[usize], random: &mut Rng) -> Fallible<()> {
    fs::create_dir(dir)?;
    for (n, size) in sizes.iter().enumerate() {
        fs::write(dir.join(format!("f{n:03}")), noise(random, *size))?;
    }
    Ok(())
}

/// Checks that each file of `dst` is as in `src`. Returns their number.
fn whole_files(src: &Path, dst: &Path) -> Fallible<usize> {
    let mut count = 0;
    if !dst.exists() {
        return Ok(0); // it came to nothing at all
    }
    for entry in fs::read_dir(dst)? {
        let path = entry?.path();
        let name = path.file_name().ok_or("a file without a name")?;
        let (ours, theirs) = (fs::read(&path)?, fs::read(src.join(name))?);
        assert!(
            ours == theirs,
            "{}: {} of {} bytes",
            path.display(),
            ours.len(),
            theirs.len()
        );
        count += 1;
    }
    Ok(count)
}

#[track_caller]
fn failed_because(output: &Output, why: &str) {
    let err = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.contains(why), "{err}");
}

#[test]
fn a_full_disk() -> Fallible<()> {
    let Some(dir) = place("tiny") else {
        return Ok(());
    };
    let Some(from) = place("ext4") else {
        return Ok(());
    };
    let _alone = fill_tiny();
    let mut random = chance("full disk");
    for round in 0..rounds(1, 10) {
        let (source, scratch) = (Scratch::new(&from)?, Scratch::new(&dir)?);
        let src = source.path().join("src");
        // Two that can never fit, and small ones that always do.
        let mut sizes = vec![4000; 40];
        sizes[random.usize(..20)] = 40 << 20;
        sizes[20 + random.usize(..20)] = 33 << 20;
        make_files(&src, &sizes, &mut random)?;
        for way in WAYS {
            let dst = scratch.path().join("dst");
            let output = run(&mut cp(way, &[&src, &dst]))?;
            failed_because(&output, "No space left on device");
            let count = whole_files(&src, &dst)?;
            assert_eq!(count, 38, "{way:?}");
            assert_eq!(leftovers(&dst)?.len(), 0, "{way:?}");
            println!("round {round}, {way:?}: {count} of 40 files, and a message");
            oracle::remove::remove_tree(&dst)?;
        }
    }
    Ok(())
}

/// Each of the two would fit, and both do not: one is copied, though both were begun.
#[test]
fn a_disk_that_is_too_small_for_two() -> Fallible<()> {
    let Some(dir) = place("tiny") else {
        return Ok(());
    };
    let Some(from) = place("ext4") else {
        return Ok(());
    };
    let _alone = fill_tiny();
    let mut random = chance("too small for two");
    let (source, scratch) = (Scratch::new(&from)?, Scratch::new(&dir)?);
    let src = source.path().join("src");
    make_files(&src, &[18 << 20, 4000, 19 << 20, 4000], &mut random)?;
    for round in 0..rounds(6, 60) {
        let way = WAYS[round % WAYS.len()];
        let dst = scratch.path().join("dst");
        let mut command = if round % 2 == 0 {
            cp(way, &[&src, &dst])
        } else {
            // From a current directory on another volume.
            fs::create_dir(&dst)?;
            let files = ["f000", "f001", "f002", "f003"].map(|name| src.join(name));
            let mut operands: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
            operands.push(&dst);
            cp(way, &operands)
        };
        let output = run(&mut command)?;
        failed_because(&output, "No space left on device");
        assert_eq!(whole_files(&src, &dst)?, 3, "{way:?}, round {round}");
        assert_eq!(leftovers(&dst)?.len(), 0, "{way:?}");
        oracle::remove::remove_tree(&dst)?;
    }
    Ok(())
}

/// A subvolume of btrfs that may have 8 MiB.
fn with_quota(image: &Path, at: &Path) -> Fallible<(Mounted, PathBuf)> {
    File::create(image)?.set_len(400 << 20)?;
    tool(&["mkfs.btrfs", "-q", &image.to_string_lossy()])?;
    let mounted = Mounted::new(image, at, "loop")?;
    let limited = at.join("limited");
    let (top, sub) = (at.to_string_lossy(), limited.to_string_lossy());
    tool(&["btrfs", "quota", "enable", &top])?;
    tool(&["btrfs", "subvolume", "create", &sub])?;
    tool(&["btrfs", "qgroup", "limit", "8M", &sub])?;
    Ok((mounted, limited))
}

#[test]
fn a_quota() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let mut random = chance("quota");
    for way in WAYS {
        let scratch = Scratch::new(&dir)?;
        let (image, at) = (scratch.path().join("image"), scratch.path().join("m"));
        let (mounted, limited) = with_quota(&image, &at)?;
        let src = scratch.path().join("src");
        let mut sizes = vec![4000; 20];
        sizes[7] = 20 << 20;
        make_files(&src, &sizes, &mut random)?;
        let dst = limited.join("dst");
        let output = run(&mut cp(way, &[&src, &dst]))?;
        failed_because(&output, "Disk quota exceeded");
        let count = whole_files(&src, &dst)?;
        println!(
            "{way:?}: {count} of 20 files; {}",
            text(&output.stderr).trim()
        );
        assert_eq!(count, 19, "{way:?}");
        drop(mounted);
    }
    Ok(())
}

#[test]
fn a_bad_sector() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let mut random = chance("bad sector");
    for round in 0..rounds(2, 20) {
        // The FUSE side fails a read of the source, and the kernel's two further tries, or a write,
        // fsync or close of the copy.
        let nth = random.usize(2..20);
        for (fault, way) in [
            ("read", WAYS[0]),
            ("write", WAYS[0]),
            ("write", WAYS[1]),
            ("fsync", WAYS[2]),
            ("flush", WAYS[0]),
        ] {
            let scratch = Scratch::new(&dir)?;
            let tries = if fault == "read" { 3 } else { 1 };
            let faults: Vec<_> = (nth..nth + tries)
                .map(|n| format!("--fail={fault}:EIO:{n}"))
                .collect();
            let options: Vec<&str> = faults.iter().map(String::as_str).collect();
            let Some(fuse) = Fuse::new(scratch.path(), &options)? else {
                return Ok(());
            };
            let is_source = fault == "read";
            let (plain, other) = (scratch.path().join("plain"), fuse.point.join("files"));
            // What is made under the mount would be counted; its backing store is not.
            let backing = scratch.path().join("backing/files");
            let src = if is_source { &backing } else { &plain };
            make_files(src, &[20_000; 40], &mut random)?;
            let (src, dst) = if is_source {
                (&other, &plain)
            } else {
                (&plain, &other)
            };
            let output = run(&mut cp(&[way, &["--jobs=1"]].concat(), &[src, dst]))?;
            println!(
                "round {round}, {fault} {nth}, {way:?}: {}",
                text(&output.stderr).trim()
            );
            failed_because(&output, "Input/output error");
            let count = whole_files(if is_source { &backing } else { &plain }, dst)?;
            assert!(count >= 37, "{fault} {nth} {way:?}: {count} files");
        }
    }
    Ok(())
}

#[test]
fn a_mount_that_goes_away() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let mut random = chance("a mount that goes away");
    for round in 0..rounds(2, 20) {
        for is_source in [true, false] {
            let scratch = Scratch::new(&dir)?;
            let Some(mut fuse) = Fuse::new(scratch.path(), &["--latency-ms=2"])? else {
                return Ok(());
            };
            let (plain, other) = (scratch.path().join("plain"), fuse.point.join("files"));
            let backing = scratch.path().join("backing/files");
            make_files(
                if is_source { &backing } else { &plain },
                &[50_000; 200],
                &mut random,
            )?;
            let (src, dst) = if is_source {
                (&other, &plain)
            } else {
                (&plain, &other)
            };
            let mut command = cp(WAYS[random.usize(..2)], &[src, dst]);
            let child = command.stderr(Stdio::piped()).spawn()?;
            std::thread::sleep(Duration::from_millis(random.u64(20..150)));
            fuse.kill()?;
            let output = finish(child, LIMIT)?;
            let err = text(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{err}");
            let told = ["not connected", "connection abort", "Input/output error"];
            assert!(told.iter().any(|why| err.contains(why)), "{err}");
            if is_source {
                let count = whole_files(&backing, &plain)?;
                println!("round {round}: the source went away after {count} of 200 files");
            } else {
                println!(
                    "round {round}: the destination went away; {} lines",
                    err.lines().count()
                );
            }
        }
    }
    Ok(())
}
