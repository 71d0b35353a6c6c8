//! Everything that a user or a program reads: messages, the last line, the report, progress.

pub(crate) mod console;
pub(crate) mod explain;
pub(crate) mod last_line;
pub(crate) mod manifest;
pub(crate) mod messages;
pub(crate) mod narrow;
pub(crate) mod no_links;
pub(crate) mod progress;
pub(crate) mod replaced;
pub(crate) mod report;
