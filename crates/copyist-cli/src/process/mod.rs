//! What this process was started with and what it may receive: its name, the environment, signals, and the
//! user's file of measurements.

pub(crate) mod bench_results;
pub(crate) mod environment;
pub(crate) mod invocation;
pub(crate) mod signals;
