//! Moving the bytes of one file.

pub(crate) mod buffers;
pub(crate) mod clone_flags;
pub(crate) mod content;
pub(crate) mod context;
#[cfg(feature = "hash")]
pub(crate) mod digest;
#[cfg(not(feature = "hash"))]
#[path = "no_digest.rs"]
pub(crate) mod digest;
pub(crate) mod exec;
pub(crate) mod hashing;
pub(crate) mod holes;
pub(crate) mod measured;
pub(crate) mod panics;
#[cfg(any(feature = "preflight", feature = "verify"))]
pub(crate) mod pool;
pub(crate) mod progress_sink;
pub(crate) mod prove;
pub(crate) mod step;
pub(crate) mod thread_budget;
pub(crate) mod transfer;
pub(crate) mod volumes;
