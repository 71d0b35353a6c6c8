//! What the tests of safety have in common: how many rounds, trees to copy, and comparing them.
//!
//! Each plays a sample with a fixed seed; with `COPYIST_SAFETY=whole` it plays all of its rounds, and
//! `COPYIST_SAFETY_SEED` chooses others.

#![allow(dead_code, reason = "each test program uses a part of this")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant, SystemTime};

use fastrand::Rng;
use serde_json::Value;

use crate::oracle::lab::not_run;

pub(crate) type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// How long a command may take that has nothing to wait for.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// How many rounds to play: a sample, or all.
pub(crate) fn rounds(sample: usize, whole: usize) -> usize {
    let all = std::env::var("COPYIST_SAFETY").is_ok_and(|it| it == "whole");
    if all { whole } else { sample }
}

/// The random seed; printed, so that a failure can be repeated.
pub(crate) fn chance(test: &str) -> Rng {
    let given = std::env::var("COPYIST_SAFETY_SEED").ok();
    let seed = given.and_then(|it| it.parse().ok()).unwrap_or(2025);
    println!("{test}: COPYIST_SAFETY_SEED={seed}");
    Rng::with_seed(seed)
}

/// `cp` of the program under test.
pub(crate) fn cp(arguments: &[&str], operands: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_copyist"));
    command.arg0("cp").args(arguments).args(operands);
    command.env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Waits for a command; one that hangs is killed, and fails the test.
pub(crate) fn finish(mut child: Child, limit: Duration) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
    while child.try_wait()?.is_none() {
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::other(format!(
                "it hangs: not done after {limit:?}"
            )));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.wait_with_output()
}

pub(crate) fn run(command: &mut Command) -> io::Result<Output> {
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    finish(piped.spawn()?, LIMIT)
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs a tool that must succeed.
pub(crate) fn tool(words: &[&str]) -> Fallible<()> {
    let output = Command::new(words[0]).args(&words[1..]).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("{words:?}: {}", text(&output.stderr)).into())
}

/// Random bytes.
pub(crate) fn noise(random: &mut Rng, len: usize) -> Vec<u8> {
    let mut data = vec![0; len];
    random.fill(&mut data);
    data
}

/// A mount that is unmounted when it is dropped.
pub(crate) struct Mounted(pub(crate) PathBuf);

impl Mounted {
    pub(crate) fn new(image: &Path, at: &Path, options: &str) -> Fallible<Mounted> {
        fs::create_dir_all(at)?;
        let (image, path) = (image.to_string_lossy(), at.to_string_lossy());
        tool(&["mount", "-o", options, &image, &path])?;
        Ok(Mounted(at.to_path_buf()))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg(&self.0).status();
        if !unmounted.is_ok_and(|it| it.success()) {
            let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        }
    }
}

/// A FUSE filesystem that is slow, or fails, as asked.
pub(crate) struct Fuse {
    process: Child,
    pub(crate) point: PathBuf,
    pub(crate) backing: PathBuf,
}

impl Fuse {
    /// Mounts it on `dir/mount`; its files are in `dir/backing`. `None`, and a line that says why,
    /// where it can't be.
    pub(crate) fn new(dir: &Path, options: &[&str]) -> Fallible<Option<Fuse>> {
        let Some(xtask) = std::env::var_os("COPYIST_XTASK") else {
            not_run("COPYIST_XTASK is not set; use cargo xtask test");
            return Ok(None);
        };
        let (point, backing) = (dir.join("mount"), dir.join("backing"));
        fs::create_dir_all(&point)?;
        fs::create_dir_all(&backing)?;
        let mut command = Command::new(xtask);
        command.arg("fuse").args([&point, &backing]).args(options);
        let process = command.spawn()?;
        let device = |path: &Path| rustix::fs::stat(path).map(|it| it.st_dev);
        let deadline = Instant::now() + LIMIT;
        while device(&point)? == device(&backing)? {
            if Instant::now() > deadline {
                return Err("it is not mounted".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Some(Fuse {
            process,
            point,
            backing,
        }))
    }

    /// It is gone from one moment to the next.
    pub(crate) fn kill(&mut self) -> io::Result<()> {
        self.process.kill()
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.point).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A tree with everything in it: `files` small ones, links, odd permissions, and one of `large` bytes.
pub(crate) fn make_tree(
    root: &Path,
    random: &mut Rng,
    files: usize,
    large: usize,
) -> io::Result<()> {
    fs::create_dir(root)?;
    let mut dirs = vec![root.to_path_buf()];
    for n in 0..files.div_ceil(20) {
        let dir = dirs[random.usize(..dirs.len())].join(format!("d{n}"));
        fs::create_dir(&dir)?;
        dirs.push(dir);
    }
    for n in 0..files {
        let path = dirs[random.usize(..dirs.len())].join(format!("f{n}"));
        let len = random.usize(..40_000);
        fs::write(&path, noise(random, len))?;
        let mode = [0o644, 0o600, 0o400, 0o755][random.usize(..4)];
        fs::set_permissions(&path, fs::Permissions::from_mode(mode))?;
        if n % 10 == 0 {
            fs::hard_link(
                &path,
                dirs[random.usize(..dirs.len())].join(format!("h{n}")),
            )?;
            symlink(
                &path,
                dirs[random.usize(..dirs.len())].join(format!("s{n}")),
            )?;
            chown(&path, Some(1234), Some(567))?;
        }
    }
    if large > 0 {
        let file = File::create(root.join("large"))?;
        file.write_all_at(&noise(random, large), 0)?;
        file.write_all_at(b"end", large as u64 + (1 << 20))?;
    }
    for (n, dir) in dirs.iter().enumerate().rev() {
        let mode = [0o755, 0o555, 0o700][n % 3];
        fs::set_permissions(dir, fs::Permissions::from_mode(mode))?;
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + n as u64);
        File::open(dir)?.set_modified(time)?;
    }
    Ok(())
}

/// What is compared of an entry.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    links: u64,
    target: Option<PathBuf>,
    content: Option<Vec<u8>>,
}

fn entries(root: &Path) -> io::Result<BTreeMap<PathBuf, Entry>> {
    let mut found = BTreeMap::new();
    let mut left = vec![root.to_path_buf()];
    while let Some(path) = left.pop() {
        let stat = fs::symlink_metadata(&path)?;
        let is_dir = stat.is_dir();
        if is_dir {
            for entry in fs::read_dir(&path)? {
                left.push(entry?.path());
            }
        }
        let name = path.strip_prefix(root).unwrap_or(&path).to_path_buf();
        let entry = Entry {
            mode: stat.mode(),
            owner: (stat.uid(), stat.gid()),
            modified: (stat.mtime(), stat.mtime_nsec()),
            links: if is_dir { 0 } else { stat.nlink() },
            target: fs::read_link(&path).ok(),
            content: stat.is_file().then(|| fs::read(&path)).transpose()?,
        };
        found.insert(name, entry);
    }
    Ok(found)
}

/// The differences between two trees, a line each.
pub(crate) fn differences(src: &Path, dst: &Path) -> io::Result<Vec<String>> {
    let (src, dst) = (entries(src)?, entries(dst)?);
    let names: BTreeSet<&PathBuf> = src.keys().chain(dst.keys()).collect();
    let mut lines = Vec::new();
    for name in names {
        let brief = |entry: Option<&Entry>| {
            entry.map(|it| {
                let len = it.content.as_ref().map(Vec::len);
                format!(
                    "{:o} {:?} {:?} {} {len:?}",
                    it.mode, it.owner, it.modified, it.links
                )
            })
        };
        let (a, b) = (src.get(name), dst.get(name));
        if a != b {
            lines.push(format!(
                "{}: {:?} and {:?}",
                name.display(),
                brief(a),
                brief(b)
            ));
        }
    }
    Ok(lines)
}

/// Temporaries and journals anywhere below a directory.
pub(crate) fn leftovers(root: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut found, mut left) = (Vec::new(), vec![root.to_path_buf()]);
    while let Some(dir) = left.pop() {
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with(".copyist-") || name.ends_with(".copyist-journal") {
                found.push(entry.path());
            }
            if entry.file_type()?.is_dir() {
                left.push(entry.path());
            }
        }
    }
    Ok(found)
}

/// The complete lines of a report, which may still be written.
pub(crate) fn report_lines(path: &Path) -> Fallible<Vec<Value>> {
    let all = fs::read(path).unwrap_or_default();
    let end = all
        .iter()
        .rposition(|&byte| byte == b'\n')
        .map_or(0, |at| at + 1);
    let lines = all[..end]
        .split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| Ok(serde_json::from_slice(line)?))
        .collect()
}
