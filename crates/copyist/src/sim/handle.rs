//! A simulated system and its open files, and small things that its calls need.

use std::ffi::OsStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::faults::Faults;
use super::volume::Volume;
use super::world::World;
use super::{Sim, dir};
use crate::system::{At, Platform, Sys, Target};
use crate::words::method::Os;

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

impl Sim {
    pub(super) fn new(os: Os, seed: u64, root: Volume) -> Sim {
        Sim {
            os,
            world: Arc::new(Mutex::new(World::new(os, seed, root))),
        }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        lock(&self.world)
    }

    /// Another system in the same state, with an empty log and without faults.
    pub(super) fn fork(&self) -> Sim {
        let mut world = self.world().clone();
        world.faults = Faults::default();
        world.violations.clear();
        Sim {
            os: self.os,
            world: Arc::new(Mutex::new(world)),
        }
    }

    pub(super) fn handle(&self, id: u64) -> Handle {
        Handle {
            id,
            world: Arc::clone(&self.world),
        }
    }

    /// The inode that an attribute call is about.
    pub(super) fn target(world: &World, target: Target<'_, Sim>) -> Sys<u64> {
        match target {
            Target::Open(handle) => Ok(world.file(handle.id)?.ino),
            Target::Named(at) => world.lookup(dir(world, at)?, at.name, false),
        }
    }
}
