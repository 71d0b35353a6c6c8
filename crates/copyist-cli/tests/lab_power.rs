//! Power failures: the destination's block device as it was at random moments of `--fsync=file`
//! copies, mounted. Every file that was reported as done by then is complete, and with `--atomic`
//! every file has its old or its new content.
//!
//! The device is a file on a filesystem that clones: a clone of that file is the device at one
//! moment, with everything that was written to it and nothing that was only in memory.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use fastrand::Rng;
use oracle::lab::place;
use oracle::remove::Scratch;
use safety::{Fallible, Mounted, chance, cp, noise, report_lines, rounds, text, tool};
use serde_json::Value;

const IMAGE_BYTES: u64 = 512 << 20;

/// The device at one moment.
struct Moment {
    image: PathBuf,
    /// What had been reported by then.
    done: Vec<Value>,
}

/// The filesystems that may be mounted beside themselves.
const KINDS: [(&str, &[&str], &str); 2] = [
    ("ext4", &["mkfs.ext4", "-q", "-F"], "loop"),
    ("xfs", &["mkfs.xfs", "-q"], "loop,nouuid"),
];

fn make_source(src: &Path, random: &mut Rng) -> Fallible<()> {
    for dir in ["", "a", "a/b", "c"] {
        fs::create_dir_all(src.join(dir))?;
    }
    for n in 0..120 {
        let dir = ["", "a", "a/b", "c"][n % 4];
        let len = if n % 40 == 0 {
            6 << 20
        } else {
            random.usize(..90_000)
        };
        fs::write(src.join(dir).join(format!("f{n}")), noise(random, len))?;
    }
    Ok(())
}

/// Copies, and takes the device's picture whenever some more entries are reported, at most `number`
/// times; the last is as the copy ended, or after it.
fn take(
    dir: &Path,
    (mounted, name): (&Path, &str),
    arguments: &[&str],
    (number, random): (usize, &mut Rng),
) -> Fallible<Vec<Moment>> {
    let (src, report) = (dir.join("src"), dir.join("report"));
    let _ = fs::remove_file(&report);
    let told = format!("--report={}", report.display());
    let arguments = [
        arguments,
        &["-aT", "--fsync=file", "--reflink=never", &told],
    ]
    .concat();
    let mut child = cp(&arguments, &[&src, &mounted.join(name)]).spawn()?;
    let mut moments: Vec<Moment> = Vec::new();
    let (mut awaited, mut ended) = (0, false);
    while !ended && moments.len() < number {
        let done = loop {
            // Queried before the report is read: the report of a copy that has ended is complete.
            ended = child.try_wait()?.is_some();
            let done = report_lines(&report)?;
            if ended || done.len() >= awaited {
                break done;
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        awaited = done.len() + random.usize(1..32);
        let image = dir.join(format!("{name}-{}", moments.len()));
        rustix::fs::ioctl_ficlone(File::create(&image)?, File::open(dir.join("image"))?)?;
        moments.push(Moment { image, done });
    }
    assert!(child.wait()?.success(), "the copy failed");
    Ok(moments)
}

/// Mounts the device as it was, and looks at what had been reported.
fn check(dir: &Path, mounted: &Path, options: &str, moment: &Moment) -> Fallible<usize> {
    let at = dir.join("after");
    let after = Mounted::new(&moment.image, &at, options)?;
    for line in &moment.done {
        // The summary has no name.
        let Some(dst) = line["dst"].as_str() else {
            assert_eq!(line["type"], "summary");
            continue;
        };
        let path = at.join(Path::new(dst).strip_prefix(mounted)?);
        match line["type"].as_str() {
            Some("file") => {
                let src = fs::read(line["src"].as_str().ok_or("no source")?)?;
                let now =
                    fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
                assert!(
                    now == src,
                    "{}: {} of {} bytes",
                    path.display(),
                    now.len(),
                    src.len()
                );
            }
            Some("entry") => assert!(path.exists(), "{} is not there", path.display()),
            _ => {}
        }
    }
    drop(after);
    fs::remove_file(&moment.image)?;
    Ok(moment.done.len())
}

/// Every file of a tree that is replaced has its old or its new content.
fn check_replaced(dir: &Path, options: &str, moment: &Moment) -> Fallible<usize> {
    let at = dir.join("after");
    let after = Mounted::new(&moment.image, &at, options)?;
    let (mut old, mut new) = (0, 0);
    for entry in fs::read_dir(at.join("replaced"))? {
        let path = entry?.path();
        let name = path.file_name().ok_or("a file without a name")?.to_owned();
        if !path.is_file() || name.to_string_lossy().starts_with(".copyist-") {
            continue;
        }
        let now = fs::read(&path)?;
        if now == b"old" {
            old += 1;
        } else {
            assert!(
                now == fs::read(dir.join("src").join(&name))?,
                "{}",
                path.display()
            );
            new += 1;
        }
    }
    drop(after);
    println!("    {old} old and {new} new files");
    Ok(old + new)
}

fn on(
    (kind, mkfs, options): (&str, &[&str], &str),
    number: usize,
    random: &mut Rng,
) -> Fallible<()> {
    let Some(lab) = place("xfs") else {
        return Ok(());
    };
    let scratch = Scratch::new(&lab)?;
    let dir = scratch.path();
    File::create(dir.join("image"))?.set_len(IMAGE_BYTES)?;
    let image = dir.join("image").to_string_lossy().into_owned();
    tool(&[mkfs, &[&image]].concat())?;
    make_source(&dir.join("src"), random)?;
    let mounted = Mounted::new(Path::new(&image), &dir.join("now"), options)?;
    let (mut taken, mut reported, mut partly) = (0, 0, 0);
    for run in 0.. {
        if taken >= number {
            break;
        }
        let name = format!("run{run}");
        let arguments: &[&str] = if run % 2 == 0 { &[] } else { &["--atomic"] };
        let left = (number - taken).min(12);
        let moments = take(dir, (&mounted.0, &name), arguments, (left, random))?;
        for moment in &moments {
            let lines = check(dir, &mounted.0, options, moment)?;
            reported += lines;
            partly += usize::from(lines > 0);
        }
        taken += moments.len();
        fs::remove_dir_all(mounted.0.join(&name))?;
    }
    println!("{kind}: {taken} moments, {partly} with something done; {reported} entries whole");
    assert!(partly > 0, "nothing was ever reported in time");
    Ok(())
}

#[test]
fn what_is_reported_as_done_survives_a_power_failure() -> Fallible<()> {
    let mut random = chance("power");
    for kind in KINDS {
        on(kind, rounds(16, 100) / 2, &mut random)?;
    }
    Ok(())
}

#[test]
fn what_is_replaced_keeps_its_content_until_then() -> Fallible<()> {
    let mut random = chance("power, replaced");
    for (kind, mkfs, options) in KINDS {
        let Some(lab) = place("xfs") else {
            return Ok(());
        };
        let scratch = Scratch::new(&lab)?;
        let dir = scratch.path();
        File::create(dir.join("image"))?.set_len(IMAGE_BYTES)?;
        let image = dir.join("image").to_string_lossy().into_owned();
        tool(&[mkfs, &[&image]].concat())?;
        make_source(&dir.join("src"), &mut random)?;
        let mounted = Mounted::new(Path::new(&image), &dir.join("now"), options)?;
        let old = mounted.0.join("replaced");
        fs::create_dir(&old)?;
        for entry in fs::read_dir(dir.join("src"))? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                fs::write(old.join(entry.file_name()), b"old")?;
            }
        }
        tool(&["sync", "-f", &old.to_string_lossy()])?;
        let count = rounds(4, 12);
        let place = (mounted.0.as_path(), "replaced");
        let moments = take(dir, place, &["--atomic"], (count, &mut random))?;
        for moment in &moments {
            assert_eq!(check_replaced(dir, options, moment)?, 30);
        }
        println!(
            "{kind}: {} moments of a tree that is replaced",
            moments.len()
        );
        assert!(!moments.is_empty());
        let text = text(&fs::read(dir.join("report"))?);
        assert!(text.contains("\"summary\""));
    }
    Ok(())
}
