//! A tree of 20,000 files, copied under Wine by copyist, by Wine's xcopy and by a loop of CopyFileExW, in
//! turns. (Wine 8's robocopy copies nothing.)

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime};

use rustix::fs::XattrFlags;

use super::windows::{Server, TARGET, cargo_variables, runner};
use super::{cargo, succeed};
use crate::compare::Summary;
use crate::error::{Context, Error, Result};
use crate::{signals, workspace};

const DIRS: usize = 200;
const FILES_IN_EACH: usize = 100;

/// The disk is not in the race.
const MEMORY: &str = "/dev/shm";

/// Where Wine keeps the attributes that Unix has none for, and "hidden" and "archive" there.
const ATTRIBUTES: &str = "user.DOSATTRIB";
const HIDDEN: &[u8] = b"0x22";

/// The program that copies, and which of the source's attributes its copy has.
struct Runner {
    name: &'static str,
    /// Ours end in `.exe`; another is Wine's.
    program: &'static str,
    words: &'static [&'static str],
    keeps_times: bool,
    keeps_dir_times: bool,
}

/// The loop is the last: what the others are measured beside.
const RUNNERS: [Runner; 5] = [
    Runner {
        name: "cp -r",
        program: "copyist.exe",
        words: &["cp", "-r"],
        keeps_times: false,
        keeps_dir_times: false,
    },
    Runner {
        name: "cp -r, one worker",
        program: "copyist.exe",
        words: &["cp", "-r", "--jobs=1"],
        keeps_times: false,
        keeps_dir_times: false,
    },
    Runner {
        name: "cp -a",
        program: "copyist.exe",
        words: &["cp", "-a"],
        keeps_times: true,
        keeps_dir_times: true,
    },
    Runner {
        name: "xcopy",
        program: "xcopy",
        words: &["/E", "/I", "/Q", "/Y", "/H", "/K"],
        keeps_times: true,
        keeps_dir_times: false,
    },
    Runner {
        name: "CopyFileExW",
        program: "examples/copyfileexw_loop.exe",
        words: &[],
        keeps_times: true,
        keeps_dir_times: false,
    },
];

pub(super) fn run(rounds: usize) -> Result<()> {
    build()?;
    // Starting it later would count as the work of the first program.
    let _server = Server::start()?;
    let root = Path::new(MEMORY).join("copyist-race");
    remove(&root)?;
    let src = root.join("src");
    let hides = make_tree(&src)?;
    println!(
        "{} files, {}; Wine's drive Z: on {}",
        DIRS * FILES_IN_EACH,
        if hides {
            "some hidden, some read-only"
        } else {
            "some read-only (hidden ones need user xattrs)"
        },
        root.display()
    );
    let mut times = [const { Vec::new() }; RUNNERS.len()];
    for round in 0..rounds {
        for (n, runner) in RUNNERS.iter().enumerate() {
            signals::check()?;
            let dst = root.join("dst");
            let took = copy(runner, &src, &dst)?;
            times[n].push(took.as_secs_f64());
            if round == 0 {
                compare(runner, &src, &dst, hides)?;
            }
            remove(&dst)?;
        }
    }
    remove(&root)?;
    let median = |times: Vec<f64>| Summary::of(times).map_or(f64::NAN, |it| it.median);
    let medians = times.map(median);
    let floor = medians[RUNNERS.len() - 1];
    println!("medians of {rounds} rounds, seconds, and beside the loop:");
    for (runner, median) in RUNNERS.iter().zip(&medians) {
        let ratio = median / floor;
        println!("{:18} {median:6.2}  {ratio:.2}", runner.name);
    }
    Ok(())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}

fn build() -> Result<()> {
    let mut build = cargo("build", TARGET, &cargo_variables());
    build.args(["--release", "--bins", "--examples"]);
    succeed(&mut build, |_| {})
}

fn content(n: usize) -> Vec<u8> {
    let bytes = n * 37 % (16 << 10);
    (0..bytes).map(|at| ((at + n) % 251) as u8).collect()
}

/// Returns whether there are hidden files in it.
fn make_tree(src: &Path) -> Result<bool> {
    let old = SystemTime::UNIX_EPOCH + Duration::from_secs(1_500_000_000);
    let mut hides = true;
    for dir in 0..DIRS {
        let dir_path = src.join(format!("dir {dir}"));
        fs::create_dir_all(&dir_path).at("create the directory", &dir_path)?;
        for n in 0..FILES_IN_EACH {
            let number = dir * FILES_IN_EACH + n;
            let path = dir_path.join(format!("file {n}.txt"));
            fs::write(&path, content(number)).at("write", &path)?;
            // Windows counts in 100 ns.
            let time = old + Duration::from_nanos(number as u64 * 1_000_000_700);
            let file = File::open(&path).at("open", &path)?;
            file.set_modified(time).at("set the times of", &path)?;
            let mut permissions = file.metadata().at("look at", &path)?.permissions();
            permissions.set_readonly(n % 10 == 1);
            file.set_permissions(permissions)
                .at("set the mode of", &path)?;
            if n % 10 == 2 {
                let set = rustix::fs::setxattr(&path, ATTRIBUTES, HIDDEN, XattrFlags::empty());
                hides &= set.is_ok();
            }
        }
        let dir = File::open(&dir_path).at("open", &dir_path)?;
        dir.set_modified(old).at("set the times of", &dir_path)?;
    }
    Ok(hides)
}

/// As Wine names it: its drive Z: is the root.
fn on_z(path: &Path) -> PathBuf {
    PathBuf::from(format!("Z:{}", path.display()).replace('/', "\\"))
}

fn copy(by: &Runner, src: &Path, dst: &Path) -> Result<Duration> {
    let ours = workspace::target().join(TARGET).join("release");
    let mut copy = Command::new(runner());
    if by.program.ends_with(".exe") {
        copy.arg(ours.join(by.program));
    } else {
        copy.arg(by.program);
    }
    copy.args(by.words);
    // Not to a pipe of ours: Wine's services, which the first program starts, would hold it.
    copy.stdin(Stdio::null()).stdout(Stdio::null());
    let start = Instant::now();
    let status = copy.arg(on_z(src)).arg(on_z(dst)).status();
    let took = start.elapsed();
    if status.doing("run Wine")?.success() {
        return Ok(took);
    }
    Err(Error::new(format!("{}: failed", by.name)))
}

/// Content, times and attributes, as this system sees them.
fn compare(by: &Runner, src: &Path, dst: &Path, hides: bool) -> Result<()> {
    let wrong = |path: &Path, what: &str| {
        Error::new(format!("{}: {what} differs: {}", by.name, path.display()))
    };
    let mut files = 0;
    for dir in 0..DIRS {
        let dir = format!("dir {dir}");
        let (from, to) = (src.join(&dir), dst.join(&dir));
        if by.keeps_dir_times && modified(&from)? != modified(&to)? {
            return Err(wrong(&to, "the time"));
        }
        for entry in fs::read_dir(&to).at("read the directory", &to)? {
            let path = entry.at("read the directory", &to)?.path();
            let from = from.join(path.file_name().unwrap_or_default());
            files += 1;
            let read = |path: &Path| fs::read(path).at("read", path);
            if read(&from)? != read(&path)? {
                return Err(wrong(&path, "the content"));
            }
            if by.keeps_times && modified(&from)? != modified(&path)? {
                return Err(wrong(&path, "the time"));
            }
            let is_read_only = |path: &Path| {
                fs::metadata(path)
                    .map(|it| it.permissions().readonly())
                    .at("look at", path)
            };
            if is_read_only(&from)? != is_read_only(&path)? {
                return Err(wrong(&path, "\"read-only\""));
            }
            if hides && is_hidden(&from) != is_hidden(&path) {
                return Err(wrong(&path, "\"hidden\""));
            }
        }
    }
    if files != DIRS * FILES_IN_EACH {
        return Err(Error::new(format!("{}: {files} files", by.name)));
    }
    let what = match (by.keeps_times, by.keeps_dir_times) {
        (true, true) => "content, attributes, times",
        (true, false) => "content, attributes, times of files",
        _ => "content, attributes",
    };
    println!("{}: {files} files as in the source: {what}", by.name);
    Ok(())
}

fn modified(path: &Path) -> Result<(i64, i64)> {
    let metadata = fs::metadata(path).at("look at", path)?;
    Ok((metadata.mtime(), metadata.mtime_nsec()))
}

fn is_hidden(path: &Path) -> bool {
    let mut value = [0; 16];
    let found = rustix::fs::getxattr(path, ATTRIBUTES, &mut value[..]);
    let digits = found.ok().and_then(|len| value.get(2..len));
    let number = digits.and_then(|it| std::str::from_utf8(it).ok());
    number
        .is_some_and(|it| u32::from_str_radix(it.trim_end_matches('\0'), 16).unwrap_or(0) & 2 != 0)
}
