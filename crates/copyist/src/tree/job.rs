//! The jobs of the workers.

use super::dir::Dir;
use crate::system::{Batch, Platform};
use crate::words::operand::Operand;
use std::ops::Range;
use std::sync::Arc;

/// A job.
pub(super) enum Job<P: Platform> {
    /// Copy an operand.
    Operand(Operand),
    /// Read the next names of a directory, and copy them.
    Read(Arc<Dir<P>>),
    /// Copy a part of a batch. (The walk has gone down into a directory before it, or another worker shares it.)
    Rest(Rest<P>),
}

/// Names of a directory that are not copied yet.
pub(super) struct Rest<P: Platform> {
    pub(super) dir: Arc<Dir<P>>,
    pub(super) batch: Arc<Batch>,
    pub(super) names: Range<usize>,
}
