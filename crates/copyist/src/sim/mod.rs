//! A simulated Linux, macOS or Windows: one more implementation of [`crate::system::Platform`], in memory, with the
//! faults that real systems have and that no test machine shows on demand.
//!
//! [`Sim`] has volumes, inodes and names ([`world`]), files with holes and shared blocks ([`data`]), volumes with and
//! without each feature, some of which misreport it ([`volume`]), and a log of its calls, any of which can be made to
//! fail ([`faults`]). It is deterministic: the same calls with the same seed return the same results.
//!
//! The tests with it: [`sweep`] fails every call with every code, and the [`oracle`] judges the run; [`planted`]
//! shows that this finds bugs; [`races`] changes files during a run; [`panics`] panics; [`dry`] compares plans with
//! runs; [`conformance`] compares the simulator with this system.

use std::ffi::OsString;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::system::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Machine, Mounted, Move, Names, Node,
    NotMade, Open, Progress, Seek, Sys, Target, Used, WholeCopy,
};
use crate::think::rules;
use crate::words::facts::{Kernel, Known, VolumeFacts};
use crate::words::method::Os;
use crate::words::options::Flush;
use crate::words::stat::{FileKind, KeptNames, Stat};
use crate::words::xattr_names::{access_acl, owner_record};

mod build;
mod by_path;
mod codes;
mod data;
mod faults;
mod files;
mod handle;
mod medium;
mod names;
mod owner;
mod volume;
mod world;

mod attributes;
mod buggy;
mod calls;
mod compare;
mod compared;
mod conformance;
mod crash;
mod dry;
mod in_place;
mod kept_names;
mod links;
mod macos;
mod no_chmod;
mod no_current_dir;
mod numberless;
mod open_names;
mod oracle;
mod panics;
mod planted;
mod preflight;
mod races;
mod refusals;
mod scenarios;
mod selftests;
mod single;
mod snapshot;
mod sweep;
mod undone;
mod windows;
mod workers;

use by_path::Onto;
use faults::Call;
use handle::{Handle, at, hides_acls};
use names::Make;
use world::{Body, ROOT, World};

/// A simulated system. Clones are the same system; [`Sim::fork`] makes another one.
#[derive(Clone, Debug)]
pub(crate) struct Sim {
    os: Os,
    world: Arc<Mutex<World>>,
}

/// The inode of the directory that a name is in.
fn dir(world: &World, at: At<'_, Sim>) -> Sys<u64> {
    Ok(world.file(at.dir.id)?.ino)
}

impl Sim {
    /// Linux 6.14 has RWF_DONTCACHE.
    fn has_uncached(&self) -> Sys<()> {
        if self.kernel() >= Kernel(6, 14) {
            return Ok(());
        }
        Err(rules::not_supported(self.os()))
    }
}

impl Machine for Sim {
    type Handle = Handle;

    fn os(&self) -> Os {
        self.os
    }

    fn kernel(&self) -> Kernel {
        self.world().kernel
    }

    fn umask(&self) -> u32 {
        self.world().umask
    }

    fn is_privileged(&self) -> bool {
        self.world().privileged
    }

    fn memory_is_limited(&self) -> bool {
        false
    }

    fn open_file_limit(&self) -> Option<u64> {
        self.world().says_most_open
    }

    fn used(&self) -> Used {
        Used::default()
    }

    /// Each call takes a millisecond, so that what is done at intervals does not depend on the machine that tests
    /// run on.
    fn clock(&self) -> Duration {
        Duration::from_millis(self.world().faults.log.len() as u64)
    }

    fn has_copy_range(&self) -> Sys<()> {
        Ok(())
    }
}

impl Names for Sim {
    fn current_dir(&self) -> Sys<Handle> {
        let mut world = self.world();
        world.enter(Call::CurrentDir)?;
        let id = world.open_inode(ROOT, true, false);
        Ok(self.handle(id))
    }

    fn root_dir(&self) -> Sys<Handle> {
        let mut world = self.world();
        world.enter(Call::RootDir)?;
        let id = world.open_inode(ROOT, true, false);
        Ok(self.handle(id))
    }

    fn stat(&self, at: At<'_, Sim>, follow: bool) -> Sys<Stat> {
        let mut world = self.world();
        world.enter(Call::Stat)?;
        let ino = world.lookup(dir(&world, at)?, at.name, follow)?;
        Ok(world.seen(ino))
    }

    fn open(&self, at: At<'_, Sim>, how: Open) -> Sys<Handle> {
        let mut world = self.world();
        world.enter(Call::Open)?;
        if world.open.len() >= world.most_open {
            return Err(world.codes.mfile);
        }
        let dir = dir(&world, at)?;
        let id = world.open_name(dir, at.name, how)?;
        Ok(self.handle(id))
    }

    fn make(&self, at: At<'_, Sim>, node: Node<'_, Sim>) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::Make)?;
        let make = match node {
            Node::Directory { mode } => Make::Directory { mode },
            Node::Symlink { target, .. } => Make::Symlink { target },
            Node::Special { kind, mode, device } => Make::Special { kind, mode, device },
            Node::HardLink { to, follow } => Make::HardLink {
                ino: world.lookup(dir(&world, to)?, to.name, follow)?,
            },
        };
        let dir = dir(&world, at)?;
        world.make_node(dir, at.name, &make)
    }

    fn read_link(&self, at: At<'_, Sim>) -> Sys<OsString> {
        let mut world = self.world();
        world.enter(Call::ReadLink)?;
        let ino = world.lookup(dir(&world, at)?, at.name, false)?;
        match &world.node(ino).body {
            Body::Link(target) | Body::MagicLink(target, _) => Ok(target.clone()),
            _ => Err(world.codes.inval),
        }
    }

    fn is_magic_link(&self, at: At<'_, Sim>) -> Sys<bool> {
        let mut world = self.world();
        world.enter(Call::IsMagicLink)?;
        let ino = world.lookup(dir(&world, at)?, at.name, false)?;
        Ok(matches!(world.node(ino).body, Body::MagicLink(..)))
    }

    fn remove(&self, at: At<'_, Sim>, is_dir: bool) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::Remove)?;
        let dir = dir(&world, at)?;
        world.remove_name(dir, at.name, is_dir)
    }

    fn kept_names(&self, at: At<'_, Sim>) -> KeptNames {
        let world = self.world();
        let place = dir(&world, at).and_then(|it| world.lookup(it, at.name, true));
        place.map_or(KeptNames::None, |it| world.kept_names(it))
    }

    fn may_write(&self, at: At<'_, Sim>) -> bool {
        let mut world = self.world();
        let may = |world: &World| {
            let ino = world.lookup(dir(world, at)?, at.name, true)?;
            world.check(ino, 2)
        };
        world
            .enter(Call::MayWrite)
            .and_then(|_| may(&world))
            .is_ok()
    }

    fn rename(&self, from: At<'_, Sim>, to: At<'_, Sim>) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::Rename)?;
        let (from_dir, to_dir) = (dir(&world, from)?, dir(&world, to)?);
        world.rename_node((from_dir, from.name), (to_dir, to.name))
    }

    fn rename_new(&self, from: At<'_, Sim>, to: At<'_, Sim>) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::RenameNew)?;
        let (from_dir, to_dir) = (dir(&world, from)?, dir(&world, to)?);
        world.check_free((to_dir, to.name))?;
        world.rename_node((from_dir, from.name), (to_dir, to.name))
    }

    fn name(&self, file: &Handle, at: At<'_, Sim>) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::Name)?;
        let ino = world.file(file.id)?.ino;
        let dir = dir(&world, at)?;
        world.make_node(dir, at.name, &Make::HardLink { ino })
    }

    fn read_dir(&self, dir: &Handle, _buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        let mut world = self.world();
        batch.clear();
        world.enter(Call::ReadDir)?;
        world.read_names(dir.id, batch)
    }
}

impl Data for Sim {
    fn stat_open(&self, handle: &Handle) -> Sys<Stat> {
        let mut world = self.world();
        world.enter(Call::StatOpen)?;
        let ino = world.file(handle.id)?.ino;
        Ok(world.seen(ino))
    }

    fn volume(&self, handle: &Handle) -> Sys<VolumeFacts> {
        let mut world = self.world();
        world.enter(Call::Volume)?;
        let ino = world.file(handle.id)?.ino;
        let volume = world.volume_of(ino);
        Ok(VolumeFacts {
            id: volume.id,
            kind: volume.kind,
            block_bytes: data::BLOCK as u32,
            clone: volume.says_clone,
            folds_case: if volume.folds_case {
                Known::Yes
            } else {
                Known::No
            },
            parallel_from_bytes: volume.parallel_from_bytes,
        })
    }

    fn describe(&self, handle: &Handle) -> Sys<Mounted> {
        let world = self.world();
        let ino = world.file(handle.id)?.ino;
        Ok(world.volume_of(ino).describe())
    }

    fn has_mounts_below(&self, dir: &Handle) -> Known {
        let world = self.world();
        let has = world.file(dir.id).map(|it| world.has_mounts_below(it.ino));
        has.map_or(
            Known::Unknown,
            |has| if has { Known::Yes } else { Known::No },
        )
    }

    fn read(&self, file: &Handle, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        let mut world = self.world();
        let effect = world.enter(Call::Read)?;
        world.read_file(file.id, offset, buffer, effect.as_ref())
    }

    fn write(&self, file: &Handle, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        let mut world = self.world();
        let effect = world.enter(Call::Write)?;
        world.write_file(file.id, offset, data, effect.as_ref())
    }

    fn read_uncached(&self, file: &Handle, offset: u64, buffer: &mut [u8]) -> Sys<usize> {
        self.has_uncached()?;
        self.read(file, Some(offset), buffer)
    }

    fn write_uncached(&self, file: &Handle, offset: u64, data: &[u8]) -> Sys<usize> {
        self.has_uncached()?;
        self.write(file, Some(offset), data)
    }

    fn write_back(&self, _: &Handle, _: Range<u64>, _: bool) -> Sys<()> {
        self.world().enter(Call::WriteBack).map(drop)
    }

    fn move_data(&self, how: Move, src: &Handle, dst: &Handle, offset: u64, len: u64) -> Sys<u64> {
        let mut world = self.world();
        let effect = world.enter(Call::Move(how))?;
        world.move_between(how, (src.id, dst.id), (offset, len), effect.as_ref())
    }

    fn copy_by_path(
        &self,
        copy: &WholeCopy<'_, Sim>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        let mut world = self.world();
        let effect = world.enter(Call::Whole(copy.how))?;
        let src = Sim::target(&world, copy.src)?;
        let onto = match copy.dst {
            Target::Open(handle) => Onto::Open(world.file(handle.id)?.ino),
            Target::Named(at) => Onto::Named(dir(&world, at)?, at.name),
        };
        world.copy_by_path(copy.how, src, &onto, copy.takes, effect.as_ref(), progress)
    }

    fn seek(&self, file: &Handle, offset: u64, what: Seek) -> Sys<Option<u64>> {
        let mut world = self.world();
        world.enter(Call::Seek)?;
        world.seek_file(file.id, offset, what)
    }

    fn allocate(&self, file: &Handle, offset: u64, len: u64) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::Allocate)?;
        world.allocate_range(file.id, offset, len)
    }

    fn set_len(&self, file: &Handle, len: u64) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::SetLen)?;
        world.set_file_len(file.id, len)
    }

    fn direct_on(&self, file: &Handle) -> Sys<DirectAlignment> {
        let mut world = self.world();
        world.enter(Call::DirectOn)?;
        world.turn_direct(file.id, true)
    }

    fn direct_off(&self, file: &Handle) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::DirectOff)?;
        world.turn_direct(file.id, false).map(|_| ())
    }

    fn flush(&self, file: &Handle, _: Flush) -> Sys<()> {
        let mut world = self.world();
        world.flush_open(file.id)
    }

    fn flush_volume(&self, handle: &Handle) -> Sys<()> {
        let mut world = self.world();
        world.flush_volume_of(handle.id)
    }

    fn lock(&self, file: &Handle) -> Sys<bool> {
        let mut world = self.world();
        world.enter(Call::Lock)?;
        world.lock_file(file.id)
    }

    fn check_close_errors(&self, file: &Handle) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::CheckCloseErrors)?;
        world.file(file.id).map(|_| ())
    }

    fn uncache(&self, file: &Handle) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::Uncache)?;
        world.file(file.id).map(|_| ())
    }

    fn close(&self, file: Handle) -> Sys<()> {
        // The handle is closed whatever the result: `file` is dropped once the world is unlocked.
        let result = self.world().enter(Call::Close);
        drop(file);
        result.map(|_| ())
    }
}

impl Attributes for Sim {
    fn set(&self, target: Target<'_, Sim>, attribute: Attribute) -> Sys<()> {
        let mut world = self.world();
        world.enter(match attribute {
            Attribute::Mode(_) => Call::SetMode,
            Attribute::Owner { .. } => Call::SetOwner,
            Attribute::Times { .. } => Call::SetTimes,
            Attribute::Created(_) => Call::SetCreated,
            Attribute::Flags(_) => Call::SetFlags,
        })?;
        let ino = Sim::target(&world, target)?;
        world.set_attribute(ino, attribute)
    }

    fn flags(&self, file: &Handle) -> Sys<u32> {
        let mut world = self.world();
        world.enter(Call::Flags)?;
        let ino = world.file(file.id)?.ino;
        if world.volume_of(ino).flags {
            Ok(world.node(ino).flags)
        } else {
            Err(world.codes.notsup)
        }
    }

    fn xattr_names(&self, target: Target<'_, Sim>, names: &mut Vec<u8>) -> Sys<()> {
        let mut world = self.world();
        names.clear();
        world.enter(Call::XattrNames)?;
        let ino = Sim::target(&world, target)?;
        if !world.volume_of(ino).xattrs {
            return Err(world.codes.notsup);
        }
        let hidden = hides_acls(self.os).then(|| access_acl(self.os));
        let listed = world.node(ino).xattrs.keys();
        for name in listed.filter(|name| Some(name.as_slice()) != hidden) {
            names.extend_from_slice(name);
            names.push(0);
        }
        Ok(())
    }

    fn xattr(&self, target: Target<'_, Sim>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
        let mut world = self.world();
        value.clear();
        world.enter(Call::Xattr)?;
        let ino = Sim::target(&world, target)?;
        if !world.volume_of(ino).takes(name) {
            return Err(world.codes.notsup);
        }
        if Some(name) == owner_record(self.os) {
            value.extend(owner::of(world.node(ino)));
            return Ok(true);
        }
        let found = world.node(ino).xattrs.get(name);
        value.extend(found.into_iter().flatten());
        Ok(found.is_some())
    }

    fn set_xattr(&self, target: Target<'_, Sim>, name: &[u8], value: &[u8]) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::SetXattr)?;
        let ino = Sim::target(&world, target)?;
        if !world.volume_of(ino).takes(name) {
            return Err(world.codes.notsup);
        }
        // user.* is for regular files and directories: see xattr(7).
        let takes_user = matches!(
            world.node(ino).kind(),
            FileKind::Regular | FileKind::Directory
        );
        if name.starts_with(b"user.") && !takes_user {
            return Err(world.codes.perm);
        }
        world.check_unlocked(ino)?;
        if Some(name) == owner_record(self.os) {
            return world.set_attribute(ino, owner::attribute(value));
        }
        let (name, value) = (name.to_vec(), value.to_vec());
        world.node_mut(ino).xattrs.insert(name, value);
        Ok(())
    }

    fn remove_xattr(&self, target: Target<'_, Sim>, name: &[u8]) -> Sys<()> {
        let mut world = self.world();
        world.enter(Call::RemoveXattr)?;
        let ino = Sim::target(&world, target)?;
        match world.volume_of(ino) {
            volume if !volume.takes(name) => return Err(world.codes.notsup),
            volume if !volume.gives_up(name) => return Err(world.codes.inval),
            _ => {}
        }
        world.check_unlocked(ino)?;
        world.node_mut(ino).xattrs.remove(name);
        Ok(())
    }
}
