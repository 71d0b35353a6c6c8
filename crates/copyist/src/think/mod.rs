//! What is decided from facts and options: pure, not one system call.

pub(crate) mod plan;
pub(crate) mod recipe;
pub(crate) mod rules;
pub(crate) mod same_file;
pub(crate) mod times;
