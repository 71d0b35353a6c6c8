//! Everything that the engine needs from a system.

use super::{Attributes, Data, Names};

/// A system.
pub(crate) trait Platform: Names + Data + Attributes {}

impl<S: Names + Data + Attributes> Platform for S {}
