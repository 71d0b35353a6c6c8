//! GNU coreutils' own tests of cp, from Debian's source package, run against ours.
//!
//! - `build`: fetches and builds coreutils, once; the tests need its helpers and its other programs
//! - `list`: which tests, and which of them are known to skip, and why
//! - `farm`: a directory that looks to a test like a build tree of coreutils whose cp is ours
//! - `play`: one test
//! - `suite`: all tests on all filesystems
//! - `real`: coreutils itself, built and installed with ours as `cp`
//!
//! Nothing of GNU's is part of this project: the tests are fetched where they are run.

mod build;
mod farm;
mod list;
mod play;
mod real;
mod suite;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::error::{Context, Result};
use crate::{command, signals, workspace};

pub(crate) use build::{Coreutils, missing_packages};
pub(crate) use suite::{Suite, Variant};

/// Arguments of `xtask gnu`.
#[derive(Debug, clap::Args)]
pub(crate) struct GnuArgs {
    /// The program to test [default: ours, built for release]
    #[arg(long, value_name = "PROGRAM")]
    cp: Option<PathBuf>,

    /// Where to run the tests
    #[arg(long, value_delimiter = ',', default_values_t = Variant::ALL)]
    variants: Vec<Variant>,

    /// Only tests whose name has this in it
    #[arg(long, value_name = "TEXT", default_value = "")]
    matching: String,

    /// Only build coreutils, and print where its cp is
    #[arg(long)]
    build: bool,

    /// Build and install coreutils with GNU cp and with ours as `cp`, and compare the trees
    #[arg(long)]
    real_build: bool,
}

/// Runs `xtask gnu`.
pub(crate) fn run(args: &GnuArgs) -> Result<ExitCode> {
    signals::catch()?;
    let coreutils = Coreutils::prepare()?;
    if args.build {
        println!("{}", coreutils.cp().display());
        return Ok(ExitCode::SUCCESS);
    }
    let cp = match &args.cp {
        Some(cp) => fs::canonicalize(cp).at("find", cp)?,
        None => build_ours()?,
    };
    if args.real_build {
        let work = workspace::target().join("real-build");
        real::run(&coreutils, &cp, &work)?;
        return Ok(ExitCode::SUCCESS);
    }
    let suite = Suite {
        coreutils: &coreutils,
        cp: &cp,
        variants: &args.variants,
        matching: &args.matching,
    };
    let score = suite.run()?;
    println!("{score}");
    Ok(if score.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Our program, built for release.
pub(crate) fn build_ours() -> Result<PathBuf> {
    let mut cargo = command::cargo(workspace::root());
    cargo.args(["build", "--release", "--package", "copyist-cli"]);
    command::succeed(&mut cargo)?;
    Ok(workspace::target().join("release/copyist"))
}
