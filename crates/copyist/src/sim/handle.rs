//! An open file of the simulator, and small things that its calls need.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::world::World;
use crate::method::Os;
use crate::platform::{At, Platform};

/// An open file of a [`Sim`]; closed when it is dropped, as descriptors are.
#[derive(Debug)]
pub(crate) struct Handle {
    pub(super) id: u64,
    pub(super) world: Arc<Mutex<World>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        lock(&self.world).close_file(self.id);
    }
}

pub(super) fn lock(world: &Mutex<World>) -> MutexGuard<'_, World> {
    world.lock().unwrap_or_else(PoisonError::into_inner)
}

/// macOS and Windows reach access control lists through calls of their own, and list them nowhere.
pub(super) fn hides_acls(os: Os) -> bool {
    matches!(os, Os::Macos | Os::Windows)
}

/// A name in the directory of a handle.
pub(super) fn at<'a, P: Platform>(dir: &'a P::Handle, name: &'a str) -> At<'a, P> {
    At {
        dir,
        name: OsStr::new(name),
    }
}
