//! The vocabulary of all other modules: values. Nothing here makes a system call or a decision.

pub(crate) mod bench_results;
pub(crate) mod code;
pub(crate) mod error;
pub(crate) mod facts;
#[cfg(feature = "hash")]
pub(crate) mod hash;
#[cfg(not(feature = "hash"))]
#[path = "no_hash.rs"]
pub(crate) mod hash;
pub(crate) mod method;
pub(crate) mod observer;
pub(crate) mod operand;
pub(crate) mod options;
pub(crate) mod report;
pub(crate) mod stat;
pub(crate) mod xattr_names;
