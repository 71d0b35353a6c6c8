//! `cargo xtask test`: every check of the project in lanes, each with one line at its end.

mod examples;
mod features;
mod lanes;
mod libtest;
mod publish;
mod summary;
mod wine;

use std::process::ExitCode;
use std::time::Instant;

use clap::ValueEnum;

use crate::error::Result;
use crate::signals;
use lanes::Lane;
use summary::Outcome;

/// Arguments of `xtask test`.
#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    /// Run only these lanes [default: all, in this order]
    lanes: Vec<Lane>,
}

/// Runs the lanes, one after the other, and sums them up.
pub(crate) fn run(args: &TestArgs) -> Result<ExitCode> {
    signals::catch()?;
    let lanes = if args.lanes.is_empty() {
        Lane::value_variants().to_vec()
    } else {
        args.lanes.clone()
    };
    // Where everything is expected to run, what does not run is a failure.
    let strict = std::env::var("CI").is_ok_and(|ci| ci == "true");
    lanes::install(&lanes);
    let mut outcomes = Vec::new();
    for lane in lanes {
        if signals::interrupted() {
            break;
        }
        let started = Instant::now();
        let (ending, tests) = lane.run();
        let outcome = Outcome::new(lane.name(), ending, tests, started.elapsed(), strict);
        println!("{outcome}");
        outcomes.push(outcome);
    }
    println!();
    if signals::interrupted() {
        println!("interrupted: the other lanes were not run");
    }
    let all_good = summary::print(&outcomes) && !signals::interrupted();
    Ok(if all_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
