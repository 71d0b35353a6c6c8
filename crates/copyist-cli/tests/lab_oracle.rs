//! Our cp beside GNU cp on every filesystem of the lab: one case that holds everything, and random ones.
//!
//! The variables of `oracle_local` work here too; COPYIST_ORACLE_FS=NAME plays on one filesystem only.

#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod oracle;

use oracle::Fallible;
use oracle::harness::{Settings, conclude, play_all, play_complete};
use oracle::lab::place;
use oracle::make::Feature;

/// Plays on one filesystem, which must have all features: nothing is left out silently.
fn plays_on(name: &str) -> Fallible<()> {
    let Some(dir) = place(name) else {
        return Ok(());
    };
    let settings = Settings::from_env("lab_oracle", 60);
    let made = play_complete(&settings, &dir)?;
    let lacking: Vec<Feature> = (Feature::ALL.into_iter())
        .filter(|feature| !made.contains(feature))
        .collect();
    if !lacking.is_empty() {
        let text = format!("{name} cannot make {lacking:?}");
        if rustix::process::geteuid().is_root() {
            return Err(text.into());
        }
        println!("not root: {text}");
    }
    let (failures, _) = play_all(&settings, &dir)?;
    Ok(conclude(&settings, name, &failures)?)
}

#[test]
fn on_btrfs() -> Fallible<()> {
    plays_on("btrfs")
}

#[test]
fn on_xfs() -> Fallible<()> {
    plays_on("xfs")
}

#[test]
fn on_xfs_without_reflink() -> Fallible<()> {
    plays_on("xfs-plain")
}

#[test]
fn on_ext4() -> Fallible<()> {
    plays_on("ext4")
}

#[test]
fn on_tmpfs() -> Fallible<()> {
    plays_on("tmpfs")
}

#[test]
fn on_casefold() -> Fallible<()> {
    plays_on("casefold")
}

#[test]
fn on_fuse() -> Fallible<()> {
    plays_on("fuse")
}
