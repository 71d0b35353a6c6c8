//! The commands that look and measure. They are nobody's replacement, so that their command lines
//! are as clap has them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::Command;

use crate::size;

/// `copyist probe`
#[derive(Args, Debug)]
pub(crate) struct ProbeArgs {
    /// A directory on the volume to look at
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// A directory that would be copied to [default: PATH]
    #[arg(value_name = "DEST")]
    pub(crate) dest: Option<PathBuf>,
    /// Try nothing more after so long (0: no limit)
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) max_seconds: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `copyist bench`
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// The directory to copy in, or the one to copy from and the one to copy to; SRC may be a file
    #[arg(value_name = "SRC] [DIR", num_args = 1..=2, required = true)]
    pub(crate) places: Vec<PathBuf>,
    /// How much is copied in a run: bytes, or with KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size::parse)]
    pub(crate) size: u64,
    /// In how many files
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) files: u32,
    /// How many runs of each method count; one more before them warms up
    #[arg(long, value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) runs: u32,
    /// Stop after so long, and say what was not measured (0: no limit)
    #[arg(long, value_name = "N", default_value_t = 3600)]
    pub(crate) max_seconds: u64,
    /// Only these methods (read-write, which the others are compared with, is always there)
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = method)]
    pub(crate) methods: Vec<copyist::Method>,
    /// Before each run have the system forget what it keeps of the source in memory
    #[arg(long)]
    pub(crate) cold: bool,
    /// Write all figures to FILE (-: standard output, instead of the table)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the figures as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Remember the figures, so that copies between these volumes use the fastest method
    #[arg(long)]
    pub(crate) save: bool,
}

/// `copyist doctor`
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// A directory on the filesystem to examine
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Stop after so long, and say what was not tested (0: no limit)
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) max_seconds: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

fn method(name: &str) -> Result<copyist::Method, String> {
    name.parse()
        .map_err(|unknown: copyist::error::UnknownMethod| unknown.to_string())
}

/// A command of this kind.
pub(crate) trait Tool: Args {
    const NAME: &'static str;
    const ABOUT: &'static str;
    const USAGE: &'static str;
    const AFTER: &'static str;
}

impl Tool for ProbeArgs {
    const NAME: &'static str = "probe";
    const ABOUT: &'static str =
        "Show what a volume, or a pair of volumes, can do, and how that is known";
    const USAGE: &'static str = "copyist probe [OPTION]... PATH [DEST]";
    const AFTER: &'static str = "What can be tried without harm is tried, in nameless files; nothing is left behind.\n\
         Each answer says whether it was tried, is reported by the system or known from a table.\n\n\
         Exit status: 0, or 1 if PATH or DEST can't be examined, 2 for a wrong command line, 3 if the time was up\n\
         before all was tried.";
}

impl Tool for BenchArgs {
    const NAME: &'static str = "bench";
    const ABOUT: &'static str = "Measure every method of copying between two places";
    const USAGE: &'static str = "copyist bench [OPTION]... [SRC] DIR";
    const AFTER: &'static str = "Methods take turns, on data of the benchmark's own; every copy is compared with its source,\n\
         outside of what is measured. Times are of copying, as cp would: not of forcing data down.\n\n\
         Exit status: 0, or 1 if something could not be measured or a copy was wrong,\n\
         2 for a wrong command line, 3 if the time was up before all was measured.";
}

impl Tool for DoctorArgs {
    const NAME: &'static str = "doctor";
    const ABOUT: &'static str = "Find out which methods of copying are safe on a filesystem";
    const USAGE: &'static str = "copyist doctor [OPTION]... DIR";
    const AFTER: &'static str = "Files with known content are copied with every method, and compared: data, holes, sizes\n\
         around blocks and the limits of calls, files that are written meanwhile, files of /proc.\n\n\
         Exit status: 0, 1 if a method is unsafe or fails, 2 if DIR can't be examined, 3 if the time was up\n\
         before all was tested.";
}

/// All of them, for the help, the man pages and the completions.
pub(crate) fn tool_commands() -> [Command; 3] {
    [
        command::<ProbeArgs>(),
        command::<BenchArgs>(),
        command::<DoctorArgs>(),
    ]
}

fn command<T: Tool>() -> Command {
    T::augment_args(Command::new(T::NAME))
        .bin_name(format!("copyist {}", T::NAME))
        .about(T::ABOUT)
        .override_usage(T::USAGE)
        .after_help(T::AFTER)
}

/// Reads the arguments that follow the command's name.
pub(crate) fn read<T: Tool>(arguments: impl Iterator<Item = OsString>) -> Result<T, clap::Error> {
    let words = std::iter::once(OsString::from(T::NAME)).chain(arguments);
    let matches = command::<T>().try_get_matches_from(words)?;
    T::from_arg_matches(&matches)
}

#[cfg(test)]
mod tests {
    use super::{BenchArgs, ProbeArgs, read, tool_commands};

    #[test]
    fn clap_accepts_them() {
        for command in tool_commands() {
            command.debug_assert();
        }
    }

    #[test]
    fn arguments_are_read() {
        let words = |line: &str| {
            line.split(' ')
                .map(Into::into)
                .collect::<Vec<_>>()
                .into_iter()
        };
        let bench: BenchArgs =
            read(words("a b --size 64MiB --methods clone,direct --runs 3")).expect("arguments");
        assert_eq!(
            (bench.places.len(), bench.size, bench.runs),
            (2, 64 << 20, 3)
        );
        assert_eq!(bench.methods.len(), 2);
        assert!(read::<BenchArgs>(words("a --runs 0")).is_err());
        assert!(read::<BenchArgs>(words("a --methods=teleport")).is_err());
        assert!(read::<BenchArgs>(words("a b c")).is_err());
        let probe: ProbeArgs = read(words("a --json")).expect("arguments");
        assert!(probe.json && probe.dest.is_none());
    }
}
