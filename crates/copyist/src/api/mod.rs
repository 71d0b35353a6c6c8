//! The public interface; the only module that names the native system.

#[cfg(feature = "verify")]
pub(crate) mod compare;
pub(crate) mod copier;
#[cfg(feature = "preflight")]
pub(crate) mod preflight;
#[cfg(feature = "probe")]
pub(crate) mod probe;
#[cfg(feature = "sandbox")]
pub(crate) mod sandbox;
mod setters;
pub(crate) mod tools;
mod watch;
