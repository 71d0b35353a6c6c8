//! The options that only `copy` takes.

use super::{Opt, TELL};
use crate::getopt::Flag;
use crate::getopt::Takes::{self, Nothing};

/// What they mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    Json,
    Quiet,
}

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
    copy(Copy::Json, "", &["json"], Nothing, TELL, "Write what was done to standard output, one JSON object a line (same as --report=-)"),
    copy(Copy::Quiet, "q", &["quiet"], Nothing, TELL, "No progress, and no last line that says what was done"),
];
