//! Every option and pair of options, played by GNU cp 9.10 and by ours: exit code, output and the whole tree.
//!
//! `cargo xtask test gnu` builds GNU cp, names it in COPYIST_GNU_CP and runs a sample. All of them:
//!
//! ```sh
//! COPYIST_GNU_CP=$(cargo xtask gnu --build) COPYIST_ORACLE_CASES=12000 \\
//!     cargo test --release -p copyist-cli --test gnu_options
//! ```
//!
//! The variables of `oracle_local` work here too.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::statfs;

use oracle::Fallible;
use oracle::harness::{Settings, conclude, play_all};
use oracle::pairs::PAIRS;
use oracle::run::oracle_is_old;
use oracle::{case, kinds};

/// tmpfs, if there is one: it counts its inodes, so that the order of what is printed can be compared.
fn place(settings: &mut Settings) -> PathBuf {
    let shm = PathBuf::from("/dev/shm");
    let is_tmpfs = statfs(&shm).is_ok_and(|fs| fs.f_type == TMPFS_MAGIC);
    settings.counts_inodes = is_tmpfs;
    if is_tmpfs { shm } else { std::env::temp_dir() }
}

/// See statfs(2).
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

/// How many cases a sample has, and how many all of them are: each pair in four rounds.
const SAMPLE: u64 = 2500;
const ALL: u64 = 4 * PAIRS;

/// Prime to the number of cases, so that a sample is spread over all of them.
const STRIDE: u64 = 7919;

#[test]
fn options_and_pairs_of_options_do_as_gnu_cps_do() -> Fallible<()> {
    if oracle_is_old() {
        println!("not run: COPYIST_GNU_CP names no GNU cp 9.10");
        return Ok(());
    }
    let mut settings = Settings::from_env("gnu_options", SAMPLE);
    settings.make = case::make_pair;
    if settings.cases > 1 {
        settings.stride = STRIDE;
        settings.modulo = ALL;
    }
    settings.size = settings.size.min(8);
    let base = place(&mut settings);
    let (failures, _) = play_all(&settings, &base)?;
    Ok(conclude(&settings, "here", &failures)?)
}

#[test]
fn random_trees_and_options_do_as_gnu_cps_do() -> Fallible<()> {
    if oracle_is_old() {
        println!("not run: COPYIST_GNU_CP names no GNU cp 9.10");
        return Ok(());
    }
    let mut settings = Settings::from_env("gnu_options", 400);
    let base = place(&mut settings);
    let (failures, _) = play_all(&settings, &base)?;
    Ok(conclude(&settings, "here", &failures)?)
}

/// All of them take half an hour or so: COPYIST_ORACLE_CASES=KINDS, where KINDS is what this test prints.
#[test]
fn every_kind_over_every_other_does_as_gnu_cps_does() -> Fallible<()> {
    if oracle_is_old() {
        println!("not run: COPYIST_GNU_CP names no GNU cp 9.10");
        return Ok(());
    }
    let mut settings = Settings::from_env("gnu_options", 1500);
    println!("{} of {} cases", settings.cases, kinds::ALL);
    settings.make = kinds::make;
    if settings.cases > 1 {
        settings.stride = STRIDE;
        settings.modulo = kinds::ALL;
    }
    settings.limit = Duration::from_secs(10);
    let base = place(&mut settings);
    let (failures, _) = play_all(&settings, &base)?;
    Ok(conclude(&settings, "here", &failures)?)
}
