//! Limits of real filesystems: many links, read-only mounts, transfers that move less than they are
//! asked for, mounts inside of a tree.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use oracle::Fallible;
use oracle::lab::place;
use oracle::remove::Scratch;
use oracle::run::Program;

fn cp(arguments: &[&str], src: &Path, dst: &Path) -> io::Result<Output> {
    let program = Program::under_test();
    let mut command = Command::new(&program.path);
    command.arg0("cp").args(arguments);
    command.arg(src).arg(dst).env("LC_ALL", "C").output()
}

/// The output of a command that should print nothing.
fn quiet(output: &Output) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), &*told), (Some(0), ""));
}

/// More than ext4 allows a file (65,000).
#[test]
fn a_hundred_thousand_names_of_one_file_are_links_to_one_copy() -> Fallible<()> {
    const NAMES: u64 = 100_000;
    let Some(dir) = place("xfs") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    fs::create_dir(&src)?;
    fs::write(src.join("0"), "one")?;
    for n in 1..NAMES {
        let dir = src.join(format!("{}", n % 97 + 1));
        if n <= 97 {
            fs::create_dir(&dir)?;
        }
        fs::hard_link(src.join("0"), dir.join(format!("{n}")))?;
    }
    quiet(&cp(&["-a"], &src, &dst)?);
    assert_eq!(fs::metadata(dst.join("0"))?.nlink(), NAMES);
    // Where a file can't have so many names, the next one is a second copy, and the rest are links to that.
    if let Some(dir) = place("ext4") {
        let scratch = Scratch::new(&dir)?;
        let dst = scratch.path().join("dst");
        let output = cp(&["-a"], &src, &dst)?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let warning =
            "cp: warning: 1 hard link became a copy: the filesystem allows a file no more names\n";
        assert_eq!((output.status.code(), &*said), (Some(0), warning));
        let mut names = HashMap::new();
        for entry in fs::read_dir(&dst)? {
            let path = entry?.path();
            let files = if path.is_dir() {
                fs::read_dir(&path)?
                    .map(|file| file.map(|it| it.path()))
                    .collect::<io::Result<Vec<_>>>()?
            } else {
                vec![path]
            };
            for file in files {
                let stat = fs::symlink_metadata(file)?;
                names.insert(stat.ino(), stat.nlink());
            }
        }
        let mut names: Vec<u64> = names.into_values().collect();
        names.sort_unstable();
        assert_eq!(names, [NAMES - 65_000, 65_000]);
    }
    Ok(())
}

/// 2^63 - 1 bytes, on which no call may depend.
#[test]
fn a_hole_of_the_largest_size_is_copied_and_verified_at_once() -> Fallible<()> {
    for name in ["xfs", "btrfs", "tmpfs"] {
        let Some(dir) = place(name) else {
            return Ok(());
        };
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("hole"), scratch.path().join("copy"));
        File::create(&src)?.set_len(i64::MAX as u64)?;
        for options in [
            &["--reflink=never"][..],
            &["--verify"],
            &["--verify", "--reflink=never"],
            &["--sparse=always", "--reflink=never"],
            &["--cache=drop", "--reflink=never"],
            &["--resume", "--reflink=never"],
        ] {
            quiet(&cp(options, &src, &dst)?);
            assert_eq!(fs::metadata(&dst)?.len(), i64::MAX as u64, "{options:?}");
            fs::remove_file(&dst)?;
        }
    }
    Ok(())
}

fn mount(arguments: &[&str], at: &Path) -> Fallible<()> {
    let status = Command::new("mount").args(arguments).arg(at).status()?;
    Ok(status.success().then_some(()).ok_or("mount has failed")?)
}

/// Unmounts when it is dropped, also where the test fails.
struct Mounted<'a>(&'a Path);

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(self.0).status();
        if !unmounted.is_ok_and(|status| status.success()) {
            eprintln!("cannot unmount {}", self.0.display());
        }
    }
}

#[test]
fn a_read_only_destination_is_said_to_be_one() -> Fallible<()> {
    let Some(dir) = place("ext4") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    for tree in [&src, &dst] {
        fs::create_dir_all(tree.join("sub"))?;
        fs::write(tree.join("sub/old"), "old")?;
    }
    fs::write(src.join("new"), "new")?;
    let (from, to) = (dst.display().to_string(), dst.clone());
    mount(&["--bind", &from], &to)?;
    let _mounted = Mounted(&dst);
    mount(&["-o", "remount,bind,ro"], &dst)?;
    let output = cp(&["-rT"], &src, &dst)?;
    let told = String::from_utf8(output.stderr)?;
    assert_eq!(output.status.code(), Some(1));
    let mut lines: Vec<&str> = told.lines().collect();
    lines.sort_unstable();
    let expected = ["new", "sub/old"].map(|name| {
        let path = dst.join(name);
        let path = path.display();
        format!("cp: cannot create regular file '{path}': Read-only file system")
    });
    assert_eq!(lines, expected);
    assert_eq!(fs::read_to_string(dst.join("sub/old"))?, "old");
    Ok(())
}

/// What is mounted in a tree is not entered with `-x`: its directory is created, as by GNU cp. A second mount
/// of the same filesystem is not another one.
#[test]
fn one_file_system_means_one() -> Fallible<()> {
    let (Some(dir), Some(other)) = (place("ext4"), place("tmpfs")) else {
        return Ok(());
    };
    let (scratch, other) = (Scratch::new(&dir)?, Scratch::new(&other)?);
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    for name in ["elsewhere", "here", "plain"] {
        fs::create_dir_all(src.join(name))?;
    }
    fs::write(src.join("plain/file"), "plain")?;
    fs::write(other.path().join("file"), "elsewhere")?;
    let (elsewhere, here) = (src.join("elsewhere"), src.join("here"));
    mount(&["--bind", &other.path().display().to_string()], &elsewhere)?;
    let _elsewhere = Mounted(&elsewhere);
    mount(&["--bind", &src.join("plain").display().to_string()], &here)?;
    let _here = Mounted(&here);
    for options in ["-ax", "-rx"] {
        quiet(&cp(&[options], &src, &dst)?);
        assert_eq!(fs::read_dir(dst.join("elsewhere"))?.count(), 0, "{options}");
        for name in ["here/file", "plain/file"] {
            assert_eq!(fs::read_to_string(dst.join(name))?, "plain", "{options}");
        }
        fs::remove_dir_all(&dst)?;
    }
    Ok(())
}

/// A read, a write or a copy_file_range may move less than it is asked for, and often does where
/// they go over a network.
#[test]
fn short_transfers_are_continued() -> Fallible<()> {
    let Some(short) = place("fuse-short") else {
        return Ok(());
    };
    let Some(whole) = place("ext4") else {
        return Ok(());
    };
    let (short, whole) = (Scratch::new(&short)?, Scratch::new(&whole)?);
    let mut data = vec![0; 1_500_001];
    fastrand::Rng::with_seed(11).fill(&mut data);
    data[300_000..900_000].fill(0);
    let pairs = [(&short, &short), (&short, &whole), (&whole, &short)];
    for (n, (from, to)) in pairs.into_iter().enumerate() {
        let (src, dst) = (from.path().join("src"), to.path().join(format!("dst{n}")));
        let file = File::create(&src)?;
        file.write_all_at(&data, 0)?;
        for method in ["copy-range", "sendfile", "direct", "read-write"] {
            if method == "copy-range" && n > 0 {
                continue; // not between two filesystems
            }
            for sparse in ["--sparse=auto", "--sparse=always"] {
                if sparse == "--sparse=always" && ["copy-range", "sendfile"].contains(&method) {
                    continue; // they find no holes
                }
                let output = cp(&[&format!("--method={method}"), sparse], &src, &dst)?;
                // sendfile takes a short read of FUSE for the end of the file; without another method
                // that is an error, and nothing is left.
                let told = String::from_utf8_lossy(&output.stderr);
                if method == "sendfile"
                    && told.contains("by sendfile: it ended before the end of the file")
                {
                    assert!(output.status.code() == Some(1) && !dst.exists(), "{told}");
                    continue;
                }
                quiet(&output);
                assert!(fs::read(&dst)? == data, "{method} {sparse} {n}");
                fs::remove_file(&dst)?;
            }
        }
    }
    Ok(())
}

/// A signal in the middle of a large file, on a mount where each request takes its time.
#[test]
fn a_signal_is_heard_on_a_slow_mount() -> Fallible<()> {
    let Some(slow) = place("fuse-slow") else {
        return Ok(());
    };
    let scratch = Scratch::new(&slow)?;
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    File::create(&src)?.write_all_at(&vec![1; 192 << 20], 0)?;
    for method in ["sendfile", "read-write", "direct"] {
        let program = Program::under_test();
        let mut command = Command::new(&program.path);
        command.arg0("cp").arg(format!("--method={method}"));
        command.arg(&src).arg(&dst).stderr(Stdio::null());
        let mut child = command.spawn()?;
        while fs::metadata(&dst).map_or(0, |it| it.size()) < 1 << 20 {
            assert!(child.try_wait()?.is_none(), "{method}: it ended by itself");
            std::thread::sleep(Duration::from_millis(1));
        }
        let pid = rustix::process::Pid::from_child(&child);
        let began = Instant::now();
        rustix::process::kill_process(pid, rustix::process::Signal::INT)?;
        let status = child.wait()?;
        println!("{method}: stopped after {:?}", began.elapsed());
        assert_eq!(status.code(), Some(130), "{method}");
        assert!(!dst.exists(), "{method}: a half copy is left");
        // The rest of the file takes 15 s, at 5 ms for each 128 KiB that are read and written.
        assert!(began.elapsed() < Duration::from_secs(10), "{method}");
    }
    Ok(())
}
