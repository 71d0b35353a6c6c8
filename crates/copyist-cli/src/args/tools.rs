//! The command lines of `probe`, `bench` and `doctor`. They replace no other program, so clap reads
//! them.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use clap::builder::Command;

use crate::words::size;

/// `copyist probe`
#[derive(Args, Debug)]
pub(crate) struct ProbeArgs {
    /// A directory on the volume
    #[arg(value_name = "PATH")]
    pub(crate) path: PathBuf,
    /// A directory on the destination volume [default: PATH]
    #[arg(value_name = "DEST")]
    pub(crate) dest: Option<PathBuf>,
    /// Stop after N seconds (0: no limit)
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub(crate) max_seconds: u64,
    /// Print one JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// `copyist bench`
#[derive(Args, Debug)]
pub(crate) struct BenchArgs {
    /// SRC and DIR: the directory (or file) to copy from, and the directory to copy to. One alone is both
    #[arg(value_name = "DIR", num_args = 1..=2, required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// How much each run copies: bytes, or with KiB, MiB, GiB
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = size::parse)]
    pub(crate) size: u64,
    /// The number of files
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) files: u32,
    /// The number of runs of each method, after one that is not counted
    #[arg(long, value_name = "N", default_value_t = 7,
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) runs: u32,
    /// Stop after N seconds, and report what was not measured (0: no limit)
    #[arg(long, value_name = "N", default_value_t = 3600)]
    pub(crate) max_seconds: u64,
    /// Measure only these methods, and read-write, the baseline
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = method)]
    pub(crate) methods: Vec<copyist::Method>,
    /// Evict the source from the page cache before each run
    #[arg(long)]
    pub(crate) cold: bool,
    /// Write all figures to FILE (-: standard output, instead of the table)
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Draw the figures as SVG
    #[arg(long, value_name = "FILE.svg")]
    pub(crate) plot: Option<PathBuf>,
    /// Save the figures, so that copies between these volumes use the fastest method
    #[arg(long)]
    pub(crate) save: bool,
}

/// `copyist doctor`
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// A directory on the filesystem to examine
    #[arg(value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Stop after N seconds, and report what was not tested (0: no limit)
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
        "Show which features and methods a volume, or a pair of volumes, supports";
    const USAGE: &'static str = "copyist probe [OPTION]... PATH [DEST]";
    const AFTER: &'static str = "Features are tried where that is safe, in files without names; nothing is left behind.\n\
         Each result says whether it was tried, reported by the system or taken from a table.\n\n\
         Exit status: 0, or 1 if PATH or DEST can't be examined, 2 for a wrong command\n\
         line, 3 if the time limit was reached first.";
}

impl Tool for BenchArgs {
    const NAME: &'static str = "bench";
    const ABOUT: &'static str = "Measure every copy method between two directories";
    const USAGE: &'static str = "copyist bench [OPTION]... [SRC] DIR";
    const AFTER: &'static str = "Methods take turns, on data that the benchmark creates. Every copy is compared with its source,\n\
         which is not part of the time. Times are those of cp: they do not include a flush.\n\n\
         Exit status: 0, or 1 if something could not be measured or a copy was wrong,\n\
         2 for a wrong command line, 3 if the time limit was reached before all was measured.";
}

impl Tool for DoctorArgs {
    const NAME: &'static str = "doctor";
    const ABOUT: &'static str = "Test which copy methods are safe on a filesystem";
    const USAGE: &'static str = "copyist doctor [OPTION]... DIR";
    const AFTER: &'static str = "Files with known content are copied with every method and compared: data, holes, sizes near\n\
         block sizes and limits of system calls, files that change during the copy, files of /proc.\n\n\
         Exit status: 0, 1 if a method is unsafe or fails, 2 if DIR can't be examined, 3 if the time limit\n\
         was reached before all was tested.";
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
            (bench.paths.len(), bench.size, bench.runs),
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
