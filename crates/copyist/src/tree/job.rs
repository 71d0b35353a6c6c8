//! What a worker does next.

use super::dir::Dir;
use crate::system::{Batch, Platform};
use crate::words::operand::Operand;
use std::ops::Range;
use std::sync::Arc;

/// Something to do.
pub(super) enum Job<P: Platform> {
    /// Copy something that the caller named.
    Operand(Operand),
    /// Read the next names of a directory, and copy them.
    Read(Arc<Dir<P>>),
    /// Copy a part of a batch: the walk went down before it, or another worker shares it.
    Rest(Rest<P>),
}

/// Names of a directory that are still to be copied.
pub(super) struct Rest<P: Platform> {
    pub(super) dir: Arc<Dir<P>>,
    pub(super) batch: Arc<Batch>,
    pub(super) names: Range<usize>,
}
