//! The project's own tasks, for `cargo xtask`. They need Linux: the lab mounts real filesystems.

#![forbid(unsafe_code)]

mod api;
mod choice;
mod command;
mod compare;
mod cross;
mod dist;
mod error;
mod faults;
mod fuse;
mod gnu;
mod install;
mod lab;
mod patience;
mod races;
mod signals;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use clap::Parser;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask", about = "The project's own tasks")]
enum Task {
    /// Run all checks and tests; installs what is missing
    Test(test::TestArgs),
    /// Check the sources for what no compiler checks
    Tidy,
    /// The library's public API, compared with docs/api.txt
    Api(api::ApiArgs),
    /// Real filesystems for tests: loop-mounted, checked, torn down
    Lab(lab::LabArgs),
    /// Build for systems that are elsewhere; installs what is missing
    Cross(cross::CrossArgs),
    /// Each system call of the released program made to fail, with every code
    Faults(faults::FaultsArgs),
    /// Copies under attack: names that change places while a superuser copies
    Races(races::RacesArgs),
    /// A FUSE filesystem over a directory, with latency, lies and faults
    Fuse(fuse::FuseArgs),
    /// GNU coreutils' own tests of cp, fetched and built, run against ours
    Gnu(gnu::GnuArgs),
    /// A release archive and a Debian package, with man pages and completions
    Dist(dist::DistArgs),
    /// copyist beside other copiers, for docs/benchmarks.md; installs those that are missing
    Compare(compare::CompareArgs),
}

fn main() -> ExitCode {
    let outcome = match Task::parse() {
        Task::Test(args) => test::run(&args),
        Task::Tidy => tidy::run(),
        Task::Api(args) => api::run(&args),
        Task::Cross(args) => cross::run(&args),
        Task::Lab(args) => lab::run(&args),
        Task::Faults(args) => faults::run(&args),
        Task::Races(args) => races::run(&args),
        Task::Gnu(args) => gnu::run(&args),
        Task::Dist(args) => dist::run(&args),
        Task::Compare(args) => compare::run(&args),
        Task::Fuse(args) => fuse::run(args).map(|()| ExitCode::SUCCESS),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("xtask: {error}");
        ExitCode::FAILURE
    })
}
