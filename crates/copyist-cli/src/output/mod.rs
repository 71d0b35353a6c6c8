//! Output for users and programs: messages, the last line, the report, the manifest, progress.

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
