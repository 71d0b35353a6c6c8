//! One file: from two names to a report.

pub(crate) mod atomic;
pub(crate) mod attributes;
pub(crate) mod by_path;
pub(crate) mod change;
pub(crate) mod copier;
pub(crate) mod data;
pub(crate) mod destination;
pub(crate) mod dry;
pub(crate) mod failure;
pub(crate) mod flush;
pub(crate) mod follow;
pub(crate) mod in_place;
#[cfg(feature = "journal")]
pub(crate) mod journal;
#[cfg(not(feature = "journal"))]
#[path = "journal/none.rs"]
pub(crate) mod journal;
pub(crate) mod one_file;
pub(crate) mod plan;
pub(crate) mod publish;
pub(crate) mod single;
pub(crate) mod source;
pub(crate) mod target;
pub(crate) mod temp_file;
pub(crate) mod verify;
pub(crate) mod verify_draft;
