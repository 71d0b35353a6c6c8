//! What a program does with a library: many files copied one by one, or a tree, in one process.
//!
//! A program of its own, so that the stopwatch stays small.

#![forbid(unsafe_code)]

use std::fmt::Display;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use copyist::Copier;

const USAGE: &str = "usage: loops std|reflink-copy|copy|copier SOURCE DESTINATION
       loops tree|fs-extra SOURCE DESTINATION";

type Result<T, E = String> = std::result::Result<T, E>;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let outcome = match &arguments[..] {
        [what, src, dst] => run(&what.to_string_lossy(), src, dst),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("loops: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(what: &str, src: &Path, dst: &Path) -> Result<()> {
    match what {
        "std" => each(src, dst, |src, dst| fs::copy(src, dst)),
        "reflink-copy" => each(src, dst, |src, dst| reflink_copy::reflink_or_copy(src, dst)),
        "copy" => each(src, dst, |src, dst| copyist::copy(src, dst)),
        "copier" => {
            let copier = Copier::new();
            each(src, dst, |src, dst| copier.copy(src, dst))
        }
        "tree" => named(src, Copier::new().copy_tree(src, dst)),
        "fs-extra" => {
            let options = fs_extra::dir::CopyOptions::new().copy_inside(true);
            named(src, fs_extra::dir::copy(src, dst, &options))
        }
        _ => Err(USAGE.to_owned()),
    }
}

/// Copies the files of the directory `src`, which has nothing else in it, to the new directory `dst`.
fn each<T, E: Display>(
    src: &Path,
    dst: &Path,
    copy: impl Fn(&Path, &Path) -> Result<T, E>,
) -> Result<()> {
    named(dst, fs::create_dir(dst))?;
    for entry in fs::read_dir(src).map_err(|error| error.to_string())? {
        let name = entry.map_err(|error| error.to_string())?.file_name();
        let file = src.join(&name);
        named(&file, copy(&file, &dst.join(&name)))?;
    }
    Ok(())
}

fn named<T, E: Display>(path: &Path, outcome: Result<T, E>) -> Result<()> {
    let outcome = outcome.map(drop);
    outcome.map_err(|error| format!("{}: {error}", path.display()))
}
