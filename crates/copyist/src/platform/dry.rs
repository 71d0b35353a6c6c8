//! A system on which nothing is changed: what would be made is answered as if it were there.
//!
//! A dry run is the whole engine on this waist, so that it decides what a run would decide, by the
//! same lines. What it can't know is what a call would have answered that was not made.

use std::collections::HashMap;
use std::ffi::OsString;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::{
    At, Attribute, Batch, DirectAlignment, FileId, FileKind, Flush, Move, Node, NotMade, Open,
    Platform, Progress, Seek, Stat, Sys, Target, Timestamp, Used, WholeCopy,
};
use crate::error::Code;
use crate::facts::{Kernel, VolumeFacts};
use crate::method::Os;
use crate::{rules, volumes};

/// Such a system.
pub(crate) struct Dry<P: Platform> {
    real: P,
    /// What would have been made, but for files with content, by where it is.
    made: Mutex<HashMap<(FileId, OsString), Stat>>,
    next: AtomicU64,
}

/// An open file or directory, or one that would be open.
pub(crate) enum Handle<P: Platform> {
    Real(P::Handle),
    Made { stat: Stat, volume: VolumeFacts },
}

impl<P: Platform> Dry<P> {
    pub(crate) fn new(real: P) -> Dry<P> {
        Dry {
            real,
            made: Mutex::default(),
            next: AtomicU64::new(1),
        }
    }

    /// What would be made in a directory.
    fn make_up(&self, dir: &Handle<P>, kind: FileKind, mode: u32) -> Sys<Handle<P>> {
        let volume = self.volume(dir)?;
        let now = Timestamp::now();
        let id = FileId {
            volume: volume.id,
            // Far from the numbers that filesystems give.
            inode: u128::MAX - u128::from(self.next.fetch_add(1, Ordering::Relaxed)),
        };
        let stat = Stat {
            id,
            kind,
            mode,
            uid: 0,
            gid: 0,
            size: 0,
            allocated_bytes: 0,
            links: 1,
            device: 0,
            accessed: now,
            modified: now,
            changed: now,
            created: None,
            flags: None,
        };
        Ok(Handle::Made { stat, volume })
    }

    /// What would have been made under this name.
    fn found(&self, at: At<'_, Self>) -> Sys<Option<Stat>> {
        let key = (self.stat_open(at.dir)?.id, at.name.to_os_string());
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(made.get(&key).copied())
    }

    fn not_found(&self) -> Code {
        rules::not_found(self.os())
    }
}

/// The same name on the real system; `None` in a directory that is not there.
fn inner<'a, P: Platform>(at: At<'a, Dry<P>>) -> Option<At<'a, P>> {
    match at.dir {
        Handle::Real(dir) => Some(At { dir, name: at.name }),
        Handle::Made { .. } => None,
    }
}

fn target<'a, P: Platform>(target: Target<'a, Dry<P>>) -> Option<Target<'a, P>> {
    match target {
        Target::Open(Handle::Real(handle)) => Some(Target::Open(handle)),
        Target::Open(Handle::Made { .. }) => None,
        Target::Named(at) => inner(at).map(Target::Named),
    }
}

impl<P: Platform> Platform for Dry<P> {
    type Handle = Handle<P>;

    fn is_dry(&self) -> bool {
        true
    }

    fn os(&self) -> Os {
        self.real.os()
    }

    fn kernel(&self) -> Kernel {
        self.real.kernel()
    }

    fn umask(&self) -> u32 {
        self.real.umask()
    }

    fn is_privileged(&self) -> bool {
        self.real.is_privileged()
    }

    fn memory_is_limited(&self) -> bool {
        self.real.memory_is_limited()
    }

    fn open_file_limit(&self) -> Option<u64> {
        self.real.open_file_limit()
    }

    fn used(&self) -> Used {
        self.real.used()
    }

    fn current_dir(&self) -> Sys<Handle<P>> {
        self.real.current_dir().map(Handle::Real)
    }

    fn root_dir(&self) -> Sys<Handle<P>> {
        self.real.root_dir().map(Handle::Real)
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        let real = inner(at).map_or(Err(self.not_found()), |at| self.real.stat(at, follow));
        match real {
            Err(code) if rules::is_not_found(self.os(), code) => self.found(at)?.ok_or(code),
            real => real,
        }
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<Handle<P>> {
        match how {
            Open::Create { mode } | Open::CreateThrough { mode } => {
                if self.stat(at, false).is_ok() {
                    return Err(rules::taken(self.os()));
                }
                // Where the directory is not there, nothing can be made.
                self.make_up(at.dir, FileKind::Regular, mode)
            }
            // An atomic copy is planned as another one.
            Open::CreateDraft { .. } | Open::Draft | Open::Nameless { .. } => {
                Err(rules::not_supported(self.os()))
            }
            Open::Write { follow }
            | Open::WriteStream { follow }
            | Open::WriteEmptied { follow } => {
                let stat = self.stat(at, follow)?;
                if !self.may_write(at) {
                    return Err(rules::access_denied(self.os()));
                }
                let volume = self.volume(at.dir)?;
                Ok(Handle::Made { stat, volume })
            }
            how => match inner(at).map(|at| self.real.open(at, how)) {
                Some(Ok(handle)) => Ok(Handle::Real(handle)),
                Some(Err(code)) if !rules::is_not_found(self.os(), code) => Err(code),
                _ => {
                    let stat = self.found(at)?.ok_or(self.not_found())?;
                    let volume = self.volume(at.dir)?;
                    Ok(Handle::Made { stat, volume })
                }
            },
        }
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        if self.stat(at, false).is_ok() {
            return Err(rules::taken(self.os()));
        }
        if let Node::HardLink { .. } | Node::Symlink { .. } = node {
            let is_symbolic = matches!(node, Node::Symlink { .. });
            let kind = volumes::kind_of_parent(self, at);
            if let Some(code) = rules::lacks_links(self.os(), kind, is_symbolic) {
                return Err(code);
            }
        }
        let (kind, mode) = match node {
            Node::Directory { mode } => (FileKind::Directory, mode),
            Node::Symlink { .. } => (FileKind::Symlink, 0o777),
            Node::Special { kind, mode, .. } => (kind, mode),
            Node::HardLink { .. } => (FileKind::Regular, 0o666),
        };
        if let Handle::Made { stat, .. } = self.make_up(at.dir, kind, mode)? {
            let key = (self.stat_open(at.dir)?.id, at.name.to_os_string());
            let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
            made.insert(key, stat);
        }
        Ok(())
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        inner(at).map_or(Err(self.not_found()), |at| self.real.read_link(at))
    }

    fn is_magic_link(&self, at: At<'_, Self>) -> Sys<bool> {
        inner(at).map_or(Ok(false), |at| self.real.is_magic_link(at))
    }

    fn remove(&self, _: At<'_, Self>, _: bool) -> Sys<()> {
        Ok(())
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        inner(at).is_none_or(|at| self.real.may_write(at))
    }

    fn rename(&self, _: At<'_, Self>, _: At<'_, Self>) -> Sys<()> {
        Ok(())
    }

    fn read_dir(&self, dir: &Handle<P>, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()> {
        match dir {
            Handle::Real(dir) => self.real.read_dir(dir, buffer, batch),
            Handle::Made { .. } => {
                batch.clear();
                Ok(())
            }
        }
    }

    fn has_copy_range(&self) -> Sys<()> {
        self.real.has_copy_range()
    }

    fn stat_open(&self, handle: &Handle<P>) -> Sys<Stat> {
        match handle {
            Handle::Real(handle) => self.real.stat_open(handle),
            Handle::Made { stat, .. } => Ok(*stat),
        }
    }

    fn volume(&self, handle: &Handle<P>) -> Sys<VolumeFacts> {
        match handle {
            Handle::Real(handle) => self.real.volume(handle),
            Handle::Made { volume, .. } => Ok(*volume),
        }
    }

    fn read(&self, file: &Handle<P>, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize> {
        match file {
            Handle::Real(file) => self.real.read(file, offset, buffer),
            Handle::Made { .. } => Ok(0),
        }
    }

    fn write(&self, _: &Handle<P>, _: Option<u64>, _: &[u8]) -> Sys<usize> {
        Err(rules::not_supported(self.os()))
    }

    fn move_data(&self, _: Move, _: &Handle<P>, _: &Handle<P>, _: u64, _: u64) -> Sys<u64> {
        Err(rules::not_supported(self.os()))
    }

    fn copy_whole(&self, _: &WholeCopy<'_, Self>, _: &mut Progress<'_>) -> Result<u64, NotMade> {
        Err(rules::not_supported(self.os()).into())
    }

    fn seek(&self, file: &Handle<P>, offset: u64, what: Seek) -> Sys<Option<u64>> {
        match file {
            Handle::Real(file) => self.real.seek(file, offset, what),
            Handle::Made { .. } => Ok(None),
        }
    }

    fn allocate(&self, _: &Handle<P>, _: u64, _: u64) -> Sys<()> {
        Ok(())
    }

    fn set_len(&self, _: &Handle<P>, _: u64) -> Sys<()> {
        Ok(())
    }

    fn direct_on(&self, _: &Handle<P>) -> Sys<DirectAlignment> {
        Err(rules::not_supported(self.os()))
    }

    fn direct_off(&self, _: &Handle<P>) -> Sys<()> {
        Ok(())
    }

    fn flush(&self, _: &Handle<P>, _: Flush) -> Sys<()> {
        Ok(())
    }

    fn close(&self, file: Handle<P>) -> Sys<()> {
        match file {
            Handle::Real(file) => self.real.close(file),
            Handle::Made { .. } => Ok(()),
        }
    }

    fn set(&self, _: Target<'_, Self>, _: Attribute) -> Sys<()> {
        Ok(())
    }

    fn flags(&self, file: &Handle<P>) -> Sys<u32> {
        match file {
            Handle::Real(file) => self.real.flags(file),
            Handle::Made { .. } => Ok(0),
        }
    }

    fn xattr_names(&self, of: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()> {
        names.clear();
        target(of).map_or(Ok(()), |of| self.real.xattr_names(of, names))
    }

    fn xattr(&self, of: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool> {
        target(of).map_or(Ok(false), |of| self.real.xattr(of, name, value))
    }

    fn set_xattr(&self, _: Target<'_, Self>, _: &[u8], _: &[u8]) -> Sys<()> {
        Ok(())
    }

    fn remove_xattr(&self, _: Target<'_, Self>, _: &[u8]) -> Sys<()> {
        Ok(())
    }
}
