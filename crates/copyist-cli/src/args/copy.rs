//! The options that only `copy` takes.

use super::option::{Copy, HOW, Opt, REPORT, WHAT};
use crate::args::getopt::Flag;
use crate::args::getopt::Takes::{self, Nothing, Required};

const fn copy(
    id: Copy,
    short: &'static str,
    long: &'static [&'static str],
    takes: Takes,
    group: &'static str,
    help: &'static str,
) -> Flag<Opt> {
    Flag {
        id: Opt::Copy(id),
        short,
        long,
        takes,
        group,
        help,
        ours: true,
    }
}

#[rustfmt::skip] // one option, one line: a table
pub(super) const COPY: &[Flag<Opt>] = &[
    copy(Copy::DryRun, "", &["dry-run"], Nothing, REPORT, "Change nothing; say what would be done"),
    copy(Copy::Exclude, "", &["exclude"], Required("GLOB"), WHAT, "Leave out what matches GLOB, a pattern of gitignore: a name at any depth, or with a slash a path below SOURCE, or with one at its end a directory"),
    copy(Copy::ExcludeFrom, "", &["exclude-from"], Required("FILE"), WHAT, "Like --exclude for each line of FILE but empty ones and those that begin with # (- for standard input)"),
    copy(Copy::IgnoreFile, "", &["ignore-file"], Required("FILE"), WHAT, "Leave out what the gitignore rules in FILE say (! takes back), relative to SOURCE (- for standard input)"),
    copy(Copy::Include, "", &["include"], Required("GLOB"), WHAT, "Copy what matches GLOB, whatever the other filters say; without others, only files that match"),
    copy(Copy::Json, "", &["json"], Nothing, REPORT, "Write what was done to standard output, one JSON object a line (same as --report=-)"),
    copy(Copy::NoPreflight, "", &["no-preflight"], Nothing, HOW, "Don't look first whether space, names or sizes stand in the way"),
    copy(Copy::Quiet, "q", &["quiet"], Nothing, REPORT, "No progress, and no last line that says what was done"),
];
