//! Files that are appended to, truncated, rewritten or replaced while they are copied: the copy is the
//! file as it was at some time, or it is reported that it is not; there is never padding, and never a
//! hang.
//!
//! Every byte of a file depends on the version and the offset. A version is written from the beginning
//! to the end, so at any time the file is a new beginning and an old end.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
mod safety;

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use oracle::lab::place;
use oracle::remove::Scratch;
use safety::{Fallible, LIMIT, chance, cp, finish, rounds, text};

const BLOCK: usize = 64 << 10;
const BLOCKS: usize = 32;

/// The number of versions before the first is repeated.
const VERSIONS: u8 = 60;

/// How the file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Append,
    Truncate,
    Rewrite,
    Replace,
}

/// No byte is 0: what is 0 is padding.
fn block(version: u8, n: usize) -> Vec<u8> {
    vec![version.wrapping_mul(31).wrapping_add(n as u8) | 1; BLOCK]
}

fn version(version: u8) -> Vec<u8> {
    let mut data = Vec::with_capacity(BLOCKS * BLOCK);
    (0..BLOCKS).for_each(|n| data.extend_from_slice(&block(version, n)));
    data
}

/// Continues until `stop` is set. Returns the last version.
fn disturb(path: &Path, deed: Deed, stop: &AtomicBool, mut random: Rng) -> std::io::Result<u8> {
    let mut last: u8 = 0;
    let mut blocks = BLOCKS;
    while !stop.load(Ordering::Relaxed) {
        let file = OpenOptions::new().write(true).open(path)?;
        match deed {
            Deed::Append if blocks < 4 * BLOCKS => {
                file.write_all_at(&block(0, blocks), (blocks * BLOCK) as u64)?;
                blocks += 1;
            }
            Deed::Append => {}
            Deed::Truncate => {
                let left = random.usize(..BLOCKS);
                file.set_len((left * BLOCK) as u64)?;
                for n in left..BLOCKS {
                    file.write_all_at(&block(0, n), (n * BLOCK) as u64)?;
                }
            }
            Deed::Rewrite => {
                last = (last + 1) % VERSIONS;
                for n in 0..BLOCKS {
                    file.write_all_at(&block(last, n), (n * BLOCK) as u64)?;
                }
            }
            Deed::Replace => {
                last = (last + 1) % VERSIONS;
                let new = path.with_extension("new");
                fs::write(&new, version(last))?;
                fs::rename(&new, path)?;
            }
        }
        if random.bool() {
            thread::sleep(Duration::from_micros(random.u64(..20_000)));
        }
    }
    Ok(last)
}

/// Whether the copy is the file at some moment.
fn is_of_one_moment(copy: &[u8], deed: Deed) -> bool {
    if matches!(deed, Deed::Append | Deed::Truncate) {
        let mut parts = copy.chunks(BLOCK).enumerate();
        return parts.all(|(n, part)| part == &block(0, n)[..part.len()]);
    }
    let len = BLOCKS * BLOCK;
    let may_begin = |n: &u8| copy.first() == block(*n, 0).first();
    copy.len() == len
        && (0..VERSIONS).filter(may_begin).any(|n| {
            let (new, old) = (version(n), version((n + VERSIONS - 1) % VERSIONS));
            // Not byte by byte: a build for tests is slow at that.
            let blocks = (0..BLOCKS).map(|n| n * BLOCK..(n + 1) * BLOCK);
            let same = blocks.take_while(|it| new[it.clone()] == copy[it.clone()]);
            let at = same.count() * BLOCK;
            let within = new[at..]
                .iter()
                .zip(&copy[at..])
                .take_while(|(a, b)| a == b);
            let at = at + within.count();
            at == len || deed == Deed::Rewrite && old[at..] == copy[at..]
        })
}

/// Checks that each byte was in the file at that offset at some time.
fn is_of_the_file(copy: &[u8], deed: Deed) -> bool {
    match deed {
        Deed::Append | Deed::Truncate => is_of_one_moment(copy, deed),
        Deed::Rewrite | Deed::Replace => !copy.contains(&0),
    }
}

fn round(dir: &Path, policy: &str, deed: Deed, random: &mut Rng) -> Fallible<&'static str> {
    let (src, dst) = (dir.join("src"), dir.join("dst"));
    let _ = fs::remove_file(&dst);
    File::create(&src)?.write_all_at(&version(0), 0)?;
    let stop = AtomicBool::new(false);
    let way = ["--atomic", "--atomic=no"][random.usize(..2)];
    let methods = [
        "--method=read-write",
        "--method=copy-range,read-write",
        "--sparse=always",
    ];
    let method = methods[random.usize(..methods.len())];
    let random = random.fork();
    let output = thread::scope(|scope| -> Fallible<_> {
        let writer = scope.spawn(|| disturb(&src, deed, &stop, random));
        thread::sleep(Duration::from_millis(3));
        let mut command = cp(&[policy, way, method], &[&src, &dst]);
        let child = command.stderr(Stdio::piped()).spawn();
        let output = child.and_then(|child| finish(child, LIMIT));
        stop.store(true, Ordering::Relaxed);
        writer.join().map_err(|_| "the writer panicked")??;
        Ok(output?)
    })?;
    let err = text(&output.stderr);
    let what = format!("{deed:?} {policy} {way} {method}: {err}");
    let changed = err.contains("changed") || err.contains("file may be");
    if !output.status.success() {
        assert_eq!(policy, "--on-change=fail", "{what}");
        // The file was replaced between stat and open.
        let replaced = deed == Deed::Replace && err.contains("as it was replaced");
        assert!(changed || replaced, "{what}");
        assert!(!dst.exists(), "{what}: a failed copy has the name");
        return Ok("refused");
    }
    let copy = fs::read(&dst)?;
    assert!(
        is_of_the_file(&copy, deed),
        "{what}: bytes that the file never had"
    );
    if changed {
        return Ok("reported");
    }
    assert!(
        is_of_one_moment(&copy, deed),
        "{what}: a mixture, and nobody was told"
    );
    Ok("whole")
}

#[test]
fn files_that_change_while_they_are_copied() -> Fallible<()> {
    let mut random = chance("live files");
    let all = rounds(48, 240);
    for filesystem in ["ext4", "xfs", "btrfs", "tmpfs"] {
        let Some(dir) = place(filesystem) else {
            continue;
        };
        let scratch = Scratch::new(&dir)?;
        let mut counts = std::collections::BTreeMap::new();
        for n in 0..all / 4 {
            let deed = [Deed::Append, Deed::Truncate, Deed::Rewrite, Deed::Replace][n % 4];
            let policies = ["--on-change=fail", "--on-change=retry"];
            let policy = policies[(n / 4) % policies.len()];
            let came = round(scratch.path(), policy, deed, &mut random)?;
            *counts.entry(came).or_insert(0) += 1;
        }
        println!("{filesystem}: {counts:?}");
    }
    Ok(())
}

#[test]
fn the_judge_tells_mixtures() {
    let (old, new) = (version(4), version(5));
    let cut = 10 * BLOCK + 77;
    let mixed = [&new[..cut], &old[cut..]].concat();
    let torn = [&old[..cut], &new[cut..]].concat();
    assert!(is_of_one_moment(&mixed, Deed::Rewrite));
    assert!(!is_of_one_moment(&torn, Deed::Rewrite));
    assert!(!is_of_one_moment(&mixed, Deed::Replace));
    assert!(is_of_one_moment(&old, Deed::Replace));
    let mut padded = version(0);
    padded[cut] = 0;
    assert!(!is_of_the_file(&padded, Deed::Truncate));
    assert!(!is_of_the_file(&padded, Deed::Rewrite));
}
