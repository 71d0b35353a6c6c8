//! Inputs of the process: the name it was called by, environment variables, signals, and the user's
//! file of measurements.

pub(crate) mod bench_results;
pub(crate) mod environment;
pub(crate) mod invocation;
pub(crate) mod signals;
