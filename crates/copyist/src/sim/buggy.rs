//! A bug of copyist, planted between the simulated system and the engine: the engine behaves as if it had that bug,
//! and the sweep must notice.

use std::ffi::OsString;
use std::ops::Range;
use std::time::Duration;

use super::faults::Deed;
use super::{Handle, Sim};
use crate::system::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Machine, Move, Names, Node, NotMade,
    Open, Progress, Seek, Sys, Target, Used, WholeCopy,
};
use crate::think::rules::{linux, macos};
use crate::words::facts::{FsKind, Kernel, VolumeFacts};
use crate::words::method::Os;
use crate::words::options::Flush;
use crate::words::stat::{KeptNames, Stat, Timestamp};

/// A bug.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bug {
    /// A failed close of the destination is a success.
    CloseErrorSwallowed,
    /// A short write counts as a whole one.
    ShortWriteIgnored,
    /// 0 bytes from copy_file_range are the end of the file.
    FirstZeroIsTheEnd,
    /// Every volume's map of holes is believed.
    WrongHoleTrusted,
    /// A device error is taken for "not supported".
    FallbackAfterIoError,
    /// An interrupted call is made again for ever.
    RetriedForEver,
    /// An incomplete file is not removed.
    FailedFileNotRemoved,
    /// A refused clone is copied, and reported as a clone.
    CopyReportedAsClone,
    /// Symbolic links are followed where they must not be.
    LinksFollowed,
    /// A read error is the end of the file.
    ReadErrorIsTheEnd,
    /// A file whose close failed stays open.
    HandleLeaked,
    /// Each write begins at the start of the file again.
    StartsOver,
    /// If a file's length can't be set, that is ignored.
    LengthErrorSwallowed,
    /// An attribute that can't be set is not reported.
    AttributeErrorSwallowed,
    /// An existing file is opened where a new one was to be made.
    CreatesOverExisting,
    /// The backup is forgotten: the old file is removed and not renamed.
    BackupRemoved,
    /// The source is emptied, and not the destination.
    WritesToTheSource,
    /// What has the name of a clone is unlinked, and then it is cloned.
    TakenNameUnlinked,
    /// What the system's copier has left of a failed copy stays.
    PartOfWholeLeft,
    /// An atomic copy replaces a file that has been created under its name meanwhile.
    PublishesOverAnything,
    /// A volume reports a flush that was not made.
    VolumeNotFlushed,
    /// A failed flush is a success.
    FlushErrorSwallowed,
    /// The data written is not the data given.
    FlipsABit,
    /// After it was overwritten, a file is shown with its old content, size and time.
    ShowsOld,
}

/// A [`Sim`] seen through a [`Bug`].
pub(super) struct Buggy {
    pub(super) sim: Sim,
    pub(super) bug: Bug,
}

/// More attempts than any run without the bug needs, so that the test ends.
const FOR_EVER: usize = 30_000;

impl Buggy {
    fn has(&self, bug: Bug) -> bool {
        self.bug == bug
    }

    fn again<T>(&self, mut call: impl FnMut() -> Sys<T>) -> Sys<T> {
        for _ in 0..FOR_EVER {
            match call() {
                Err(linux::EINTR) if self.has(Bug::RetriedForEver) => {}
                result => return result,
            }
        }
        call()
    }

    /// What readers see of a file that was overwritten.
    fn old_of(&self, handle: &Handle) -> Option<(u64, Timestamp)> {
        if !self.has(Bug::ShowsOld) {
            return None;
        }
        let world = self.sim.world();
        let file = world.file(handle.id).ok().filter(|it| !it.writes)?;
        world.overwritten.get(&file.ino).copied()
    }

    fn open_as(&self, how: Open) -> Open {
        match how {
            Open::Read { .. } if self.has(Bug::LinksFollowed) => Open::Read { follow: true },
            Open::Write { .. } if self.has(Bug::LinksFollowed) => Open::Write { follow: true },
            Open::Directory { .. } if self.has(Bug::LinksFollowed) => {
                Open::Directory { follow: true }
            }
            Open::Create { mode } if self.has(Bug::CreatesOverExisting) => {
                Open::CreateThrough { mode }
            }
            how => how,
        }
    }
}

fn inner<'a>(at: At<'a, Buggy>) -> At<'a, Sim> {
    At {
        dir: at.dir,
        name: at.name,
    }
}

fn target<'a>(target: Target<'a, Buggy>) -> Target<'a, Sim> {
    match target {
        Target::Open(handle) => Target::Open(handle),
        Target::Named(at) => Target::Named(inner(at)),
    }
}

impl Machine for Buggy {
    type Handle = Handle;

    fn os(&self) -> Os {
        self.sim.os()
    }

    fn kernel(&self) -> Kernel {
        self.sim.kernel()
    }

    fn umask(&self) -> u32 {
        self.sim.umask()
    }

    fn is_privileged(&self) -> bool {
        self.sim.is_privileged()
    }

    fn memory_is_limited(&self) -> bool {
        self.sim.memory_is_limited()
    }

    fn open_file_limit(&self) -> Option<u64> {
        self.sim.open_file_limit()
    }

    fn used(&self) -> Used {
        self.sim.used()
    }

    fn clock(&self) -> Duration {
        self.sim.clock()
    }

    fn has_copy_range(&self) -> Sys<()> {
        self.sim.has_copy_range()
    }
}

impl Names for Buggy {
    fn current_dir(&self) -> Sys<Handle> {
        self.sim.current_dir()
    }

    fn root_dir(&self) -> Sys<Handle> {
        self.sim.root_dir()
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        self.sim.stat(inner(at), follow)
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<Handle> {
        let old = match how {
            Open::WriteEmptied { follow } if self.has(Bug::ShowsOld) => {
                self.sim.stat(inner(at), follow).ok()
            }
            _ => None,
        };
        let handle = self.sim.open(inner(at), self.open_as(how))?;
        if let Some(old) = old {
            let mut world = self.sim.world();
            let ino = world.file(handle.id)?.ino;
            world
                .overwritten
                .entry(ino)
                .or_insert((old.size, old.modified));
        }
        Ok(handle)
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        let node = match node {
            Node::Directory { mode } => Node::Directory { mode },
            Node::Symlink { target, to_dir } => Node::Symlink { target, to_dir },
            Node::Special { kind, mode, device } => Node::Special { kind, mode, device },
            Node::HardLink { to, follow } => Node::HardLink {
                to: inner(to),
                follow,
            },
        };
        self.sim.make(inner(at), node)
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        self.sim.read_link(inner(at))
    }

    fn is_magic_link(&self, at: At<'_, Self>) -> Sys<bool> {
        self.sim.is_magic_link(inner(at))
    }

    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()> {
        if self.has(Bug::FailedFileNotRemoved) {
            return Ok(());
        }
        self.sim.remove(inner(at), is_dir)
    }

    fn kept_names(&self, dir: At<'_, Buggy>) -> KeptNames {
        self.sim.kept_names(inner(dir))
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        self.sim.may_write(inner(at))
    }

    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        if self.has(Bug::BackupRemoved) {
            return self.sim.remove(inner(from), false);
        }
        self.sim.rename(inner(from), inner(to))
    }

    fn rename_new(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        if self.has(Bug::PublishesOverAnything) {
            return self.sim.rename(inner(from), inner(to));
        }
        self.sim.rename_new(inner(from), inner(to))
    }

    fn name(&self, file: &Handle, at: At<'_, Self>) -> Sys<()> {
        self.sim.name(file, inner(at))
    }

    fn read_dir(&self, dir: &Handle, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        self.sim.read_dir(dir, buffer, batch)
    }
}

impl Data for Buggy {
    fn flush_volume(&self, handle: &Handle) -> Sys<()> {
        if self.has(Bug::VolumeNotFlushed) {
            return Ok(());
        }
        let result = self.sim.flush_volume(handle);
        if self.has(Bug::FlushErrorSwallowed) {
            Ok(())
        } else {
            result
        }
    }

    fn lock(&self, file: &Handle) -> Sys<bool> {
        self.sim.lock(file)
    }

    fn check_close_errors(&self, file: &Handle) -> Sys<()> {
        let result = self.sim.check_close_errors(file);
        if self.has(Bug::CloseErrorSwallowed) {
            Ok(())
        } else {
            result
        }
    }

    fn stat_open(&self, handle: &Handle) -> Sys<Stat> {
        let stat = self.sim.stat_open(handle)?;
        Ok(match self.old_of(handle) {
            Some((size, modified)) => Stat {
                size,
                modified,
                changed: modified,
                ..stat
            },
            None => stat,
        })
    }

    fn volume(&self, handle: &Handle) -> Sys<VolumeFacts> {
        let mut facts = self.sim.volume(handle)?;
        if self.has(Bug::WrongHoleTrusted) && !facts.kind.hole_map_is_sound() {
            facts.kind = FsKind::Xfs;
        }
        Ok(facts)
    }

    fn read(&self, file: &Handle, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        if let (Some((size, _)), Some(offset)) = (self.old_of(file), offset) {
            let len = buffer.len().min(size.saturating_sub(offset) as usize);
            buffer[..len].fill(b'o');
            return Ok(len);
        }
        let read = self.again(|| self.sim.read(file, offset, buffer));
        if self.has(Bug::ReadErrorIsTheEnd) {
            read.or(Ok(0))
        } else {
            read
        }
    }

    fn write(&self, file: &Handle, offset: Option<u64>, data: &[u8]) -> Sys<usize> {
        let offset = if self.has(Bug::StartsOver) {
            offset.map(|_| 0)
        } else {
            offset
        };
        let mut data = data.to_vec();
        if self.has(Bug::FlipsABit)
            && let Some(byte) = data.last_mut()
        {
            *byte ^= 1;
        }
        let written = self.again(|| self.sim.write(file, offset, &data))?;
        Ok(if self.has(Bug::ShortWriteIgnored) {
            data.len()
        } else {
            written
        })
    }

    fn move_data(&self, how: Move, src: &Handle, dst: &Handle, offset: u64, len: u64) -> Sys<u64> {
        let result = self.again(|| self.sim.move_data(how, src, dst, offset, len));
        match (self.bug, how, result) {
            (Bug::FirstZeroIsTheEnd, Move::CopyRange, Ok(0)) => Ok(len),
            (Bug::FallbackAfterIoError, _, Err(linux::EIO)) => Err(linux::EOPNOTSUPP),
            (Bug::CopyReportedAsClone, Move::CloneFile, Err(_)) => {
                self.sim.move_data(Move::CopyRange, src, dst, offset, len)
            }
            (_, _, result) => result,
        }
    }

    fn copy_by_path(
        &self,
        copy: &WholeCopy<'_, Self>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade> {
        let copy = WholeCopy {
            how: copy.how,
            src: target(copy.src),
            dst: target(copy.dst),
            takes: copy.takes,
            cancel: copy.cancel,
        };
        let mut result = self.sim.copy_by_path(&copy, progress);
        if self.has(Bug::TakenNameUnlinked)
            && let (Err(failed), Target::Named(at)) = (result, copy.dst)
            && failed.code == macos::EEXIST
        {
            self.sim.remove(at, false)?;
            result = self.sim.copy_by_path(&copy, progress);
        }
        match result {
            Err(failed) if self.has(Bug::PartOfWholeLeft) => Err(failed.code.into()),
            result => result,
        }
    }

    fn read_uncached(&self, file: &Handle, offset: u64, buffer: &mut [u8]) -> Sys<usize> {
        self.sim.read_uncached(file, offset, buffer)
    }

    fn write_uncached(&self, file: &Handle, offset: u64, data: &[u8]) -> Sys<usize> {
        self.sim.write_uncached(file, offset, data)
    }

    fn write_back(&self, file: &Handle, range: Range<u64>, wait: bool) -> Sys<()> {
        self.sim.write_back(file, range, wait)
    }

    fn flush(&self, file: &Handle, how: Flush) -> Sys<()> {
        let result = self.sim.flush(file, how);
        if self.has(Bug::FlushErrorSwallowed) {
            Ok(())
        } else {
            result
        }
    }

    fn seek(&self, file: &Handle, offset: u64, what: Seek) -> Sys<Option<u64>> {
        self.sim.seek(file, offset, what)
    }

    fn allocate(&self, file: &Handle, offset: u64, len: u64) -> Sys<()> {
        self.sim.allocate(file, offset, len)
    }

    fn set_len(&self, file: &Handle, len: u64) -> Sys<()> {
        if self.has(Bug::ShowsOld) {
            let mut world = self.sim.world();
            let ino = world.file(file.id)?.ino;
            let stat = world.stat(ino);
            world
                .overwritten
                .entry(ino)
                .or_insert((stat.size, stat.modified));
        }
        if self.has(Bug::WritesToTheSource) && len == 0 {
            self.sim.world().does(&Deed::Shrink {
                path: "/from/src/a",
                len: 0,
            });
        }
        let result = self.sim.set_len(file, len);
        if self.has(Bug::LengthErrorSwallowed) {
            Ok(())
        } else {
            result
        }
    }

    fn direct_on(&self, file: &Handle) -> Sys<DirectAlignment> {
        self.sim.direct_on(file)
    }

    fn direct_off(&self, file: &Handle) -> Sys<()> {
        self.sim.direct_off(file)
    }

    fn uncache(&self, file: &Handle) -> Sys<()> {
        self.sim.uncache(file)
    }

    fn close(&self, file: Handle) -> Sys<()> {
        if self.has(Bug::HandleLeaked) {
            std::mem::forget(file);
            return Ok(());
        }
        let result = self.sim.close(file);
        if self.has(Bug::CloseErrorSwallowed) {
            Ok(())
        } else {
            result
        }
    }
}

impl Attributes for Buggy {
    fn set(&self, of: Target<'_, Self>, attribute: Attribute) -> Sys<()> {
        let result = self.sim.set(target(of), attribute);
        if self.has(Bug::AttributeErrorSwallowed) {
            Ok(())
        } else {
            result
        }
    }

    fn flags(&self, file: &Handle) -> Sys<u32> {
        self.sim.flags(file)
    }

    fn xattr_names(&self, of: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()> {
        self.sim.xattr_names(target(of), names)
    }

    fn xattr(&self, of: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
        self.sim.xattr(target(of), name, value)
    }

    fn set_xattr(&self, of: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()> {
        self.sim.set_xattr(target(of), name, value)
    }

    fn remove_xattr(&self, of: Target<'_, Self>, name: &[u8]) -> Sys<()> {
        self.sim.remove_xattr(target(of), name)
    }
}
