//! The volumes to be flushed at the end.

use crate::system::Platform;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The volumes that were copied to.
pub(super) struct Volumes<P: Platform>(pub(super) Mutex<Vec<Volume<P>>>);

pub(super) struct Volume<P: Platform> {
    pub(super) id: u64,
    /// Opened before the first byte is written: syncfs reports errors since the open.
    pub(super) handle: Arc<P::Handle>,
    pub(super) dst: PathBuf,
}

impl<P: Platform> Default for Volumes<P> {
    fn default() -> Volumes<P> {
        Volumes(Mutex::default())
    }
}
