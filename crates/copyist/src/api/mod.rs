//! What users of the library meet; the only room that names the machine copyist runs on.

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
