//! The volumes that are to be flushed at the end.

use crate::system::Platform;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// The volumes that something was copied to.
pub(super) struct Volumes<P: Platform>(pub(super) Mutex<Vec<Volume<P>>>);

pub(super) struct Volume<P: Platform> {
    pub(super) id: u64,
    /// Open from before the first byte was written, so that no error goes by unheard.
    pub(super) handle: Arc<P::Handle>,
    pub(super) dst: PathBuf,
}

impl<P: Platform> Default for Volumes<P> {
    fn default() -> Volumes<P> {
        Volumes(Mutex::default())
    }
}
