//! A platform that changes nothing: what would be created is reported as if it existed.
//!
//! A dry run is the whole engine on this platform, so that the same code decides as in a real run. What it can't know
//! is the result of a call that was not made.

use crate::system::filesystem;
use std::collections::HashMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::{
    At, Attribute, Attributes, Batch, Data, DirectAlignment, Machine, Mounted, Move, Names, Node,
    NotMade, Open, Platform, Progress, Seek, Sys, Target, Used, WholeCopy,
};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::facts::{Kernel, Known, VolumeFacts};
use crate::words::method::Os;
use crate::words::options::Flush;
use crate::words::stat::{FileId, FileKind, KeptNames, Stat, Timestamp};

/// A platform that only simulates changes to `real`.
pub(crate) struct Dry<P: Platform> {
    real: P,
    names: Mutex<HashMap<Name, Fate>>,
    next: AtomicU64,
}

/// A directory, and a name as it is passed to the calls.
type Name = (FileId, OsString);

/// What would have happened to a name.
#[derive(Clone, Copy)]
enum Fate {
    /// It would be this file, which does not exist.
    Made(Stat),
    /// The file that has the name would have been removed.
    Removed,
}

/// An open file or directory, or one that would have been created.
pub(crate) enum Handle<P: Platform> {
    Real(Arc<P::Handle>),
    /// Its volume is that of `place`: the file itself, or its nearest ancestor directory that exists.
    Made {
        stat: Stat,
        place: Arc<P::Handle>,
    },
}

/// The most symbolic links that are followed in one name, as on Linux.
const MOST_LINKS: usize = 40;

impl<P: Platform> Dry<P> {
    pub(crate) fn new(real: P) -> Dry<P> {
        Dry {
            real,
            names: Mutex::default(),
            next: AtomicU64::new(1),
        }
    }

    /// Records what would be created under a name.
    fn make_up(&self, at: At<'_, Self>, kind: FileKind, mode: u32) -> Sys<Handle<P>> {
        let place = self.place(at)?;
        let now = Timestamp::now();
        let id = FileId {
            volume: self.real.volume(&place)?.id,
            // Far from the inode numbers that filesystems use.
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
        Ok(Handle::Made { stat, place })
    }

    /// The directory that a name is in: its nearest ancestor directory that exists.
    fn place(&self, at: At<'_, Self>) -> Sys<Arc<P::Handle>> {
        let dir = match at.dir {
            Handle::Real(dir) => dir,
            Handle::Made { place, .. } => return Ok(Arc::clone(place)),
        };
        let parents = Path::new(at.name).ancestors().skip(1);
        for name in parents.map(Path::as_os_str).filter(|it| !it.is_empty()) {
            match self
                .real
                .open(At { dir, name }, Open::Path { follow: true })
            {
                Err(code) if rules::is_not_found(self.os(), code) => {}
                opened => return opened.map(Arc::new),
            }
        }
        Ok(Arc::clone(dir))
    }

    /// The name that a symbolic link leads to; for a dangling link, the name under which a file would be created.
    fn led_to(&self, at: At<'_, Self>) -> OsString {
        let mut name = at.name.to_os_string();
        for _ in 0..MOST_LINKS {
            let at = At {
                dir: at.dir,
                name: &name,
            };
            let Ok(target) = self.read_link(at) else {
                break;
            };
            // Relative to the directory of the link.
            let parent = Path::new(&name).parent().unwrap_or(Path::new(""));
            name = parent.join(target).into_os_string();
        }
        name
    }

    /// An existing file, as if it were open for writing.
    fn written_to(&self, at: At<'_, Self>, stat: Stat, follow: bool) -> Sys<Handle<P>> {
        let opened = match inner(at) {
            // Only regular files are opened: a writer that waits for a FIFO's reader must not be woken.
            Some(at) if stat.kind == FileKind::Regular => {
                self.real.open(at, Open::Read { follow }).ok()
            }
            _ => None,
        };
        // A file that can be written but not read is almost always on the volume of its directory.
        let place = match opened {
            Some(file) => Arc::new(file),
            None if follow => self.place(At {
                dir: at.dir,
                name: &self.led_to(at),
            })?,
            None => self.place(at)?,
        };
        Ok(Handle::Made { stat, place })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Fate>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What would have happened to a name.
    fn fate(&self, at: At<'_, Self>) -> Sys<Option<Fate>> {
        let name = (self.stat_open(at.dir)?.id, at.name.to_os_string());
        Ok(self.lock().get(&name).copied())
    }

    fn set_fate(&self, at: At<'_, Self>, fate: Fate) -> Sys<()> {
        let name = (self.stat_open(at.dir)?.id, at.name.to_os_string());
        self.lock().insert(name, fate);
        Ok(())
    }

    fn is_fifo(&self, at: At<'_, Self>, follow: bool) -> bool {
        self.stat(at, follow)
            .is_ok_and(|stat| stat.kind == FileKind::Fifo)
    }

    fn not_found(&self) -> Code {
        rules::not_found(self.os())
    }
}

fn real<P: Platform>(handle: P::Handle) -> Handle<P> {
    Handle::Real(Arc::new(handle))
}

/// The same name on the real system; `None` if its directory does not exist.
fn inner<'a, P: Platform>(at: At<'a, Dry<P>>) -> Option<At<'a, P>> {
    match at.dir {
        Handle::Real(dir) => Some(At { dir, name: at.name }),
        Handle::Made { .. } => None,
    }
}

fn target<'a, P: Platform>(target: Target<'a, Dry<P>>) -> Option<Target<'a, P>> {
    match target {
        Target::Open(Handle::Real(handle)) => Some(Target::Open(&**handle)),
        Target::Open(Handle::Made { .. }) => None,
        Target::Named(at) => inner(at).map(Target::Named),
    }
}

impl<P: Platform> Machine for Dry<P> {
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

    fn available_memory(&self) -> Option<u64> {
        self.real.available_memory()
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

    fn clock(&self) -> Duration {
        self.real.clock()
    }

    fn has_copy_range(&self) -> Sys<()> {
        self.real.has_copy_range()
    }

    fn release(&self) -> String {
        self.real.release()
    }

    fn file_size_limit(&self) -> u64 {
        self.real.file_size_limit()
    }
}

impl<P: Platform> Names for Dry<P> {
    fn current_dir(&self) -> Sys<Handle<P>> {
        self.real.current_dir().map(real)
    }

    fn root_dir(&self) -> Sys<Handle<P>> {
        self.real.root_dir().map(real)
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat> {
        let not_found = self.not_found();
        match self.fate(at)? {
            Some(Fate::Made(stat)) => Ok(stat),
            Some(Fate::Removed) => Err(not_found),
            None => inner(at).map_or(Err(not_found), |at| self.real.stat(at, follow)),
        }
    }

    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<Handle<P>> {
        match how {
            Open::Create { mode } => {
                if self.stat(at, false).is_ok() {
                    return Err(rules::taken(self.os()));
                }
                self.make_up(at, FileKind::Regular, mode)
            }
            Open::CreateThrough { mode } => {
                if self.stat(at, true).is_ok() {
                    return Err(rules::taken(self.os()));
                }
                let name = self.led_to(at);
                self.make_up(
                    At {
                        dir: at.dir,
                        name: &name,
                    },
                    FileKind::Regular,
                    mode,
                )
            }
            // A file that would be created beside another one is planned as a new one.
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
                self.written_to(at, stat, follow)
            }
            // A writer that waits for a FIFO's reader must not be woken; and without a writer, the open would not
            // return.
            Open::ReadStream { follow } if self.is_fifo(at, follow) => {
                let stat = self.stat(at, follow)?;
                self.written_to(at, stat, follow)
            }
            how => match (self.fate(at)?, inner(at)) {
                (Some(Fate::Made(stat)), _) => {
                    let place = self.place(at)?;
                    Ok(Handle::Made { stat, place })
                }
                (None, Some(at)) => self.real.open(at, how).map(real),
                _ => Err(self.not_found()),
            },
        }
    }

    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()> {
        if self.stat(at, false).is_ok() {
            return Err(rules::taken(self.os()));
        }
        if let Node::HardLink { .. } | Node::Symlink { .. } = node {
            let is_symbolic = matches!(node, Node::Symlink { .. });
            let kind = filesystem::kind_of_parent(self, at);
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
        let made = self.make_up(at, kind, mode)?;
        self.set_fate(at, Fate::Made(self.stat_open(&made)?))
    }

    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString> {
        inner(at).map_or(Err(self.not_found()), |at| self.real.read_link(at))
    }

    fn is_magic_link(&self, at: At<'_, Self>) -> Sys<bool> {
        inner(at).map_or(Ok(false), |at| self.real.is_magic_link(at))
    }

    fn remove(&self, at: At<'_, Self>, _: bool) -> Sys<()> {
        self.set_fate(at, Fate::Removed)
    }

    fn may_write(&self, at: At<'_, Self>) -> bool {
        inner(at).is_none_or(|at| self.real.may_write(at))
    }

    fn kept_names(&self, dir: At<'_, Self>) -> KeptNames {
        inner(dir).map_or(KeptNames::None, |dir| self.real.kept_names(dir))
    }

    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        let stat = self.stat(from, false)?;
        self.set_fate(from, Fate::Removed)?;
        self.set_fate(to, Fate::Made(stat))
    }

    fn rename_new(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        if self.stat(to, false).is_ok() {
            return Err(rules::taken(self.os()));
        }
        self.rename(from, to)
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
}

impl<P: Platform> Data for Dry<P> {
    fn stat_open(&self, handle: &Handle<P>) -> Sys<Stat> {
        match handle {
            Handle::Real(handle) => self.real.stat_open(handle),
            Handle::Made { stat, .. } => Ok(*stat),
        }
    }

    fn volume(&self, handle: &Handle<P>) -> Sys<VolumeFacts> {
        match handle {
            Handle::Real(handle) => self.real.volume(handle),
            Handle::Made { place, .. } => self.real.volume(place),
        }
    }

    fn describe(&self, handle: &Handle<P>) -> Sys<Mounted> {
        match handle {
            Handle::Real(handle) => self.real.describe(handle),
            Handle::Made { place, .. } => self.real.describe(place),
        }
    }

    fn has_mounts_below(&self, handle: &Handle<P>) -> Known {
        match handle {
            Handle::Real(handle) => self.real.has_mounts_below(handle),
            Handle::Made { .. } => Known::No,
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

    fn copy_by_path(&self, _: &WholeCopy<'_, Self>, _: &mut Progress<'_>) -> Result<u64, NotMade> {
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
            // If another handle still refers to the same open file, it is closed with that one.
            Handle::Real(file) => {
                Arc::into_inner(file).map_or(Ok(()), |file| self.real.close(file))
            }
            Handle::Made { .. } => Ok(()),
        }
    }
}

impl<P: Platform> Attributes for Dry<P> {
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
