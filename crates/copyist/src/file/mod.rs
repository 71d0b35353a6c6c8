//! One file: from two names to a report.

pub(crate) mod atomic;
pub(crate) mod attributes;
pub(crate) mod by_path;
pub(crate) mod change;
pub(crate) mod destination;
pub(crate) mod dry;
pub(crate) mod failure;
pub(crate) mod flush;
pub(crate) mod follow;
#[cfg(feature = "journal")]
pub(crate) mod journal;
#[cfg(not(feature = "journal"))]
#[path = "journal/none.rs"]
pub(crate) mod journal;
pub(crate) mod one_file;
pub(crate) mod publish;
pub(crate) mod single;
pub(crate) mod small;
pub(crate) mod temp_file;
pub(crate) mod verify;
pub(crate) mod verify_draft;
