//! Our cp beside GNU cp on the filesystem of the temporary directory.
//!
//! COPYIST_ORACLE_SEED (a number, or `random`), COPYIST_ORACLE_CASES, COPYIST_ORACLE_SIZE,
//! COPYIST_ORACLE_KEEP=1 (leave the last situation), COPYIST_GNU_CP (another GNU cp than the system's: its output is
//! compared too) and COPYIST_CP_UNDER_TEST (another program that behaves as cp) change what is played.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;
#[path = "oracle/selftest.rs"]
mod selftest;

use oracle::Fallible;
use oracle::harness::{Settings, conclude, play_all, play_complete};

#[test]
fn copies_everything_as_gnu_cp_does() -> Fallible<()> {
    let features = play_complete(
        &Settings::from_env("oracle_local", 1),
        &std::env::temp_dir(),
    )?;
    println!("made here: {features:?}");
    Ok(())
}

#[test]
fn copies_as_gnu_cp_does() -> Fallible<()> {
    let settings = Settings::from_env("oracle_local", 150);
    let (failures, _) = play_all(&settings, &std::env::temp_dir())?;
    Ok(conclude(&settings, "here", &failures)?)
}
