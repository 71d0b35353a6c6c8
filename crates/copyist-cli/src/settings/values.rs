//! The settings that a command line is read into.

use std::ffi::OsString;

use copyist::Options;
use copyist::hash::HashKind;

/// The settings of a command line.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// For the library.
    pub(crate) options: Options,
    /// Sources and, unless `target_directory` is set, the destination.
    pub(crate) operands: Vec<OsString>,
    pub(crate) target_directory: Option<OsString>,
    /// The directory that sources are copied into, once that is known.
    pub(crate) into: Option<OsString>,
    pub(crate) no_target_directory: bool,
    pub(crate) parents: bool,
    pub(crate) strip_trailing_slashes: bool,
    /// `-f` was given (`options.force` may say `RemoveFirst` all the same).
    pub(crate) force: bool,
    pub(crate) verbose: bool,
    pub(crate) debug: bool,
    pub(crate) progress: When,
    pub(crate) report: Option<OsString>,
    /// The file for the hashes of copied files.
    pub(crate) manifest: Option<OsString>,
    pub(crate) hash: Option<HashKind>,
    /// Which entries of a tree are copied.
    pub(crate) filters: Vec<FilterRule>,
    pub(crate) quiet: bool,
    /// Change nothing, and show what would be done.
    pub(crate) dry_run: bool,
    /// Check for space, names and sizes before copying.
    pub(crate) preflight: bool,
    /// Change nothing, and show which methods would be used.
    pub(crate) explain: bool,
    pub(crate) sandbox: When,
    /// Keep a journal, or continue from it.
    pub(crate) resume: bool,
    /// The journal's file, if it is named.
    pub(crate) journal: Option<OsString>,
    /// Print a summary at the end, to standard output.
    pub(crate) last_line: bool,
}

impl Settings {
    /// Whether nothing is changed.
    pub(crate) fn is_dry(&self) -> bool {
        self.dry_run || self.explain
    }
}

/// When something is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum When {
    #[default]
    Never,
    /// If it goes to a terminal.
    Auto,
    Always,
}

/// A filter option; their order is that of the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FilterRule {
    Exclude(OsString),
    Include(OsString),
    /// A file of patterns to exclude; `-` is standard input.
    ExcludeFrom(OsString),
    /// A file of gitignore rules; `-` is standard input.
    IgnoreFile(OsString),
}

/// Why there is nothing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `--help`
    Help,
    /// `--version`
    Version,
    /// A command line that can't be read, and the long option that may have been meant. GNU's getopt names the
    /// program as typed.
    Syntax(String, Option<&'static str>),
    /// Contradictory or missing arguments; the message refers to the help.
    Usage(String),
    /// Another error.
    Fatal(String),
}
