//! Trees: the walk over what is in directories.

pub(crate) mod backup;
pub(crate) mod by_path;
pub(crate) mod concurrency;
pub(crate) mod descriptors;
pub(crate) mod dir;
pub(crate) mod directory;
pub(crate) mod durable;
pub(crate) mod engine;
pub(crate) mod entry;
pub(crate) mod existing;
pub(crate) mod fast;
pub(crate) mod finish;
pub(crate) mod leftovers;
pub(crate) mod link;
pub(crate) mod links;
pub(crate) mod operands;
pub(crate) mod parents;
pub(crate) mod schedule;
pub(crate) mod space_retry;
pub(crate) mod special;
pub(crate) mod up_to_date;
pub(crate) mod walk;
