//! SIGKILL at random moments of `--resume`d copies: continued, each must end as if it had never been
//! interrupted, and not have to do everything again.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fastrand::Rng;
use oracle::lab::place;
use oracle::remove::{Scratch, remove_tree};
use safety::{
    Fallible, Fuse, chance, cp, differences, leftovers, make_tree, report_lines, rounds, run, text,
};

/// Extents that are shared cost nothing: only bytes that are moved can be interrupted.
const OPTIONS: [&str; 4] = ["-aT", "--resume", "--reflink=never", "--jobs=3"];

/// What rounds on one filesystem came to.
#[derive(Default)]
struct Score {
    rounds: usize,
    kills: usize,
    /// Bytes that the last runs copied, and that there are.
    copied: u64,
    whole: u64,
    /// Bytes of half-made large files that were gone on with.
    resumed: u64,
}

fn round(
    (src, fuse): (&Path, &Fuse),
    dir: &Path,
    (random, duration): (&mut Rng, Duration),
    score: &mut Score,
) -> Fallible<()> {
    let (dst, report) = (dir.join("dst"), dir.join("report"));
    for _ in 0..random.usize(1..4) {
        let mut child = cp(&OPTIONS, &[src, &dst]).stderr(Stdio::null()).spawn()?;
        std::thread::sleep(duration.mul_f64(random.f64()));
        let done = child.try_wait()?.is_some();
        child.kill()?;
        child.wait()?;
        if done {
            break;
        }
        score.kills += 1;
    }
    let told = format!("--report={}", report.display());
    let arguments = [&OPTIONS[..], &[&told]].concat();
    let output = run(&mut cp(&arguments, &[src, &dst]))?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let different = differences(&fuse.backing.join("src"), &dst)?;
    assert!(different.is_empty(), "{different:#?}");
    let left = leftovers(dir)?;
    assert!(left.is_empty(), "left behind: {left:?}");
    for line in report_lines(&report)? {
        if line["type"] == "summary" {
            score.copied += line["bytes"].as_u64().unwrap_or(0);
        }
        score.resumed += line["resumed"].as_u64().unwrap_or(0);
    }
    score.rounds += 1;
    remove_tree(&dst)?;
    Ok(())
}

fn on(filesystem: &str, number: usize, random: &mut Rng) -> Fallible<Score> {
    let Some(dir) = place(filesystem) else {
        return Ok(Score::default());
    };
    let scratch = Scratch::new(&dir)?;
    let dst = scratch.path().join("dst");
    // A source that is slow to answer, so that the destination's device keeps pace.
    let Some(slow) = place("ext4") else {
        return Ok(Score::default());
    };
    let slow = Scratch::new(&slow)?;
    let Some(fuse) = Fuse::new(slow.path(), &["--latency-ms=1"])? else {
        return Ok(Score::default());
    };
    let src = fuse.point.join("src");
    make_tree(&fuse.backing.join("src"), random, 500, 24 << 20)?;
    let report = scratch.path().join("report");
    let told = format!("--report={}", report.display());
    let start = Instant::now();
    let output = run(&mut cp(&[&OPTIONS[..], &[&told]].concat(), &[&src, &dst]))?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    let duration = start.elapsed();
    let lines = report_lines(&report)?;
    let summary = lines.last().ok_or("an empty report")?;
    let whole = summary["bytes"].as_u64().ok_or("no summary")?;
    remove_tree(&dst)?;
    let mut score = Score::default();
    for _ in 0..number {
        let chance = (&mut *random, duration);
        round((&src, &fuse), scratch.path(), chance, &mut score)?;
    }
    score.whole = whole * score.rounds as u64;
    println!(
        "{filesystem}: {} rounds of {duration:?}, {} kills; the last runs copied {} of {} MiB, \
         and went on with {} MiB of half-made files",
        score.rounds,
        score.kills,
        score.copied >> 20,
        score.whole >> 20,
        score.resumed >> 20
    );
    Ok(score)
}

#[test]
fn a_killed_copy_is_continued() -> Fallible<()> {
    let mut random = chance("kill");
    let all = rounds(8, 300);
    let mut total = Score::default();
    for filesystem in ["ext4", "xfs", "btrfs", "tmpfs"] {
        let score = on(filesystem, all / 4, &mut random)?;
        total.kills += score.kills;
        total.copied += score.copied;
        total.whole += score.whole;
    }
    if total.whole > 0 {
        assert!(total.kills > 0, "nothing was killed");
        assert!(total.copied < total.whole, "everything was copied again");
    }
    Ok(())
}

/// A reader who looks all the time sees the old file or the new one, and never another.
#[test]
fn a_reader_never_sees_half_a_file() -> Fallible<()> {
    for filesystem in ["ext4", "xfs", "btrfs", "tmpfs", "fuse"] {
        let Some(dir) = place(filesystem) else {
            continue;
        };
        let scratch = Scratch::new(&dir)?;
        let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
        let (old, new) = (vec![b'o'; 3 << 20], vec![b'n'; 5 << 20]);
        fs::write(&dst, &old)?;
        fs::write(&src, &new)?;
        let mut seen = [0, 0];
        for _ in 0..10 {
            let mut child = cp(&["--atomic"], &[&src, &dst]).spawn()?;
            while child.try_wait()?.is_none() {
                let data = fs::read(&dst)?;
                assert!(data == old || data == new, "{} bytes, mixed", data.len());
                seen[usize::from(data == new)] += 1;
            }
            assert!(child.wait()?.success());
            assert!(fs::read(&dst)? == new);
            fs::write(&dst, &old)?;
        }
        println!(
            "{filesystem}: read the old file {} times, the new one {}",
            seen[0], seen[1]
        );
        assert!(seen[0] > 0);
        assert_eq!(leftovers(scratch.path())?, Vec::<std::path::PathBuf>::new());
    }
    Ok(())
}

/// What a killed run has left goes with the next one; what a running one has open stays.
#[test]
fn leftovers_of_killed_runs_are_removed() -> Fallible<()> {
    // FUSE has no files without a name.
    let Some(dir) = place("fuse") else {
        return Ok(());
    };
    let scratch = Scratch::new(&dir)?;
    let (src, dst) = (scratch.path().join("src"), scratch.path().join("dst"));
    fs::create_dir(&src)?;
    fs::write(src.join("large"), vec![7; 64 << 20])?;
    fs::create_dir(&dst)?;
    let begin = || -> Fallible<_> {
        let child = cp(&["-rT", "--atomic"], &[&src, &dst]).spawn()?;
        let deadline = Instant::now() + safety::LIMIT;
        while leftovers(&dst)?.is_empty() {
            assert!(Instant::now() < deadline, "there is never a temporary");
        }
        Ok(child)
    };
    let mut killed = begin()?;
    killed.kill()?;
    killed.wait()?;
    assert_eq!(leftovers(&dst)?.len(), 1);
    fs::create_dir(scratch.path().join("empty"))?;
    let empty = scratch.path().join("empty");
    let output = run(&mut cp(&["-rT", "--atomic"], &[&empty, &dst]))?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(leftovers(&dst)?.len(), 0);

    let mut running = begin()?;
    let output = run(&mut cp(&["-rT", "--atomic"], &[&empty, &dst]))?;
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(running.wait()?.success(), "its temporary was taken away");
    assert!(fs::read(dst.join("large"))? == vec![7; 64 << 20]);
    Ok(())
}
