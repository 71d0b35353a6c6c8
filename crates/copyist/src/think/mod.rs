//! Decisions from facts and options: pure, without a single system call.

pub(crate) mod disposition;
pub(crate) mod linking;
pub(crate) mod plan;
pub(crate) mod policy;
#[cfg(feature = "preflight")]
pub(crate) mod preflight;
pub(crate) mod recipe;
pub(crate) mod rules;
pub(crate) mod same_file;
pub(crate) mod times;
