//! The command line of `copyist verify`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args as _, Command};

// No documentation: clap would show it in place of `about`.
#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// Check the files below DIR (or the current directory) against FILE, as --manifest, b3sum, sha256sum or xxh128sum wrote it (- for standard input)
    #[arg(long, value_name = "FILE")]
    pub(crate) manifest: Option<OsString>,
    /// The manifest's hash: blake3, xxh3 or sha256; without it, it is found from the manifest
    #[arg(long, value_name = "KIND", requires = "manifest", value_parser = ["blake3", "xxh3", "sha256"])]
    pub(crate) hash: Option<String>,
    /// Read files from the page cache if they are there; without it they are read from the device, where the system allows that
    #[arg(long)]
    pub(crate) cached: bool,
    /// Don't compare these attributes: a list of mode, ownership, timestamps, xattr and all
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "manifest",
          value_parser = ["mode", "ownership", "timestamps", "xattr", "all"])]
    pub(crate) ignore: Vec<String>,
    /// The number of threads (default: one for each processor, and at least 8 to read from devices)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) jobs: Option<u16>,
    /// Write what is found to standard output as JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing; the exit status is the result
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// SRC and DST; with --manifest, DIR
    #[arg(value_name = "PATH", num_args = 0..=2)]
    pub(crate) paths: Vec<PathBuf>,
}

/// The command line, as clap knows it.
pub(crate) fn command() -> Command {
    let command = Command::new("verify")
        .about("Compare a copy with its source or a manifest")
        .override_usage(
            "copyist verify [OPTION]... SRC DST\n       \
             copyist verify [OPTION]... --manifest=FILE [DIR]",
        )
        .after_help(
            "Each difference is a line: the name, and how the destination differs. A value that the \
             destination's filesystem can't store exactly is not a difference: a time rounded to its \
             unit (FAT: two seconds) or limited to its range, and an NFSv4 access control list that \
             only repeats the permission bits.\n\n\
             Exit status: 0 if there is no difference, 1 if there is one, 2 if something could not be \
             compared.",
        );
    VerifyArgs::augment_args(command)
}
