//! `cp` and `copy`: from settings to a finished copy.

pub(crate) mod count;
pub(crate) mod filter;
pub(crate) mod observer;
pub(crate) mod operands;
pub(crate) mod preflight;
pub(crate) mod resume;
mod run;
pub(crate) mod streams;

pub(crate) use self::run::run;
