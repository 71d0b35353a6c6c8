//! Without the feature `hash`: no content is hashed, so these types have no values.

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HashKind {}

/// A hash of some content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {}
