//! `cp` and `copy`: from settings to a finished copy.

pub(crate) mod count;
pub(crate) mod filter;
pub(crate) mod operands;
pub(crate) mod preflight;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod streams;
pub(crate) mod watch;
