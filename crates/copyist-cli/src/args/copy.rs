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
    copy(Copy::DryRun, "", &["dry-run"], Nothing, REPORT, "Change nothing; show what would be done"),
    copy(Copy::Exclude, "", &["exclude"], Required("GLOB"), WHAT, "Leave out what matches GLOB, a pattern as in gitignore: a name at any depth; with a slash, a path below SOURCE; with a slash at the end, a directory"),
    copy(Copy::ExcludeFrom, "", &["exclude-from"], Required("FILE"), WHAT, "Like --exclude for each line of FILE, except empty lines and those that begin with # (- for standard input)"),
    copy(Copy::IgnoreFile, "", &["ignore-file"], Required("FILE"), WHAT, "Leave out what matches the gitignore rules in FILE (! includes again), relative to SOURCE (- for standard input)"),
    copy(Copy::Include, "", &["include"], Required("GLOB"), WHAT, "Copy what matches GLOB, whatever the other filters say; with no other filters, copy only files that match"),
    copy(Copy::Json, "", &["json"], Nothing, REPORT, "Write what was done to standard output, one JSON object a line (same as --report=-)"),
    copy(Copy::NoPreflight, "", &["no-preflight"], Nothing, HOW, "Don't check for space, names and sizes before copying"),
    copy(Copy::Quiet, "q", &["quiet"], Nothing, REPORT, "Show no progress and no summary line"),
];
