//! Space on a volume that is nearly full: a large file that doesn't fit takes it from everybody, and gives
//! it back when its copy has failed and is removed. Who found none for a name or a file's data meanwhile
//! waits for that and tries again, so that what one worker alone could copy is copied. (Attributes are not
//! tried again, and with a journal large files keep their room. Large files on another volume are waited
//! for, too: who waits loses no more than time.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::dir::Entry;
use super::engine::Session;
use super::walk::Worker;
use crate::file::target::Existing;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Open, Platform, Sys};
use crate::think::rules;
use crate::words::error::Error;
use crate::words::stat::{FileKind, Stat};

/// A file of so many bytes takes long enough to be in the way of others: while a worker copies it, another
/// may run out of work, or of room.
pub(super) const LARGE_BYTES: u64 = 1 << 20;

/// The workers that write large files.
#[derive(Debug, Default)]
pub(super) struct SpaceRetry {
    writers: Mutex<usize>,
    /// How many large files have been written, or have failed. Changed only while `writers` is locked.
    ended: AtomicU64,
    changed: Condvar,
    /// Held by a worker that writes a large file for the second time.
    again: Mutex<()>,
}

impl SpaceRetry {
    /// How many large files have come to an end so far.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// A large file is being written until the answer is dropped.
    pub(super) fn write(&self) -> Writing<'_> {
        *self.lock() += 1;
        Writing(self)
    }

    // A count is whole whoever panicked.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, waits: impl FnMut(&mut usize) -> bool) {
        let waited = self.changed.wait_while(self.lock(), waits);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Before something is made that may find no room.
    pub(super) fn tries(&self) -> Tries<'_> {
        self.tries_since(self.ended())
    }

    /// After a first try to make it, which began when so many large files had [`SpaceRetry::ended`].
    pub(super) fn tries_since(&self, seen: u64) -> Tries<'_> {
        Tries {
            space: self,
            seen,
            alone: None,
        }
    }
}

/// Tries to make one thing, and what was seen of others before the last of them.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    space: &'a SpaceRetry,
    seen: u64,
    /// Held for the second try of a large file.
    alone: Option<MutexGuard<'a, ()>>,
}

impl Tries<'_> {
    /// There was no room. If large files are being written, waits for one of them; answers whether one has
    /// come to an end since the last try, so that there may be room now.
    pub(super) fn again(&mut self) -> bool {
        let Tries { space, seen, .. } = self;
        space.wait_while(|writers| *writers > 0 && space.ended() == *seen);
        let before = std::mem::replace(seen, space.ended());
        before != *seen
    }

    /// The same for a large file, after its own end. It waits until none is written any more and is then
    /// written alone, but for those that others begin; and once, as it may take hours.
    pub(super) fn again_alone(&mut self) -> bool {
        if self.alone.is_some() {
            return false;
        }
        let lock = self.space.again.lock();
        self.alone = Some(lock.unwrap_or_else(PoisonError::into_inner));
        self.space.wait_while(|writers| *writers > 0);
        // Its own end is one of them.
        self.space.ended() > self.seen + 1
    }
}

/// A large file that is being written.
#[derive(Debug)]
pub(super) struct Writing<'a>(&'a SpaceRetry);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        let mut writers = self.0.lock();
        *writers -= 1;
        self.0.ended.fetch_add(1, Ordering::Release);
        drop(writers);
        self.0.changed.notify_all();
    }
}

impl<P: Platform> Worker<'_, '_, P> {
    /// Makes what takes little room under a name.
    pub(super) fn make_node(&self, at: At<'_, P>, node: Node<'_, P>) -> Sys<()> {
        let Session {
            platform,
            space_retry,
            ..
        } = self.session;
        let mut tries = space_retry.tries();
        loop {
            match platform.make(at, node) {
                Err(code) if rules::is_out_of_room(platform.os(), code) && tries.again() => {}
                made => return made,
            }
        }
    }

    /// Whether a file that found no room may find some now, and can be copied once more.
    pub(super) fn retry_after_enospc(
        &self,
        entry: &Entry<'_, P>,
        (src, existing): (&Stat, Existing),
        error: &Error,
        tries: &mut Tries<'_>,
    ) -> bool {
        let Session {
            platform, options, ..
        } = self.session;
        let lacked = |code| rules::is_out_of_room(platform.os(), code);
        let begins_anew = match existing {
            Existing::Stream { .. } => false,
            // What a link to nothing leads to was made, and is not known.
            Existing::Nothing => !options.write_through_dangling,
            Existing::File | Existing::LinkToFile(_) => true,
        };
        if src.kind != FileKind::Regular || !begins_anew || !error.code().is_some_and(lacked) {
            return false;
        }
        if src.size < LARGE_BYTES {
            return tries.again();
        }
        // What a journal knows of a large file stays, and keeps its room, until the copy is resumed.
        self.session.journal.is_none() && tries.again_alone() && self.fits(entry, src)
    }

    /// Whether there is as much room as a file takes, with what has its name already.
    fn fits(&self, entry: &Entry<'_, P>, src: &Stat) -> bool {
        let platform = self.session.platform;
        let place = parent_dir(entry.dst_at());
        let Ok(dir) = platform.open(place, Open::Directory { follow: true }) else {
            return false;
        };
        // What was removed just now may be free only when that is written (btrfs).
        let _ = platform.flush_volume(&dir);
        // Where that is not known the try shows it.
        let free = platform
            .describe(&dir)
            .map_or(Some(0), |it| it.space.free_bytes);
        let free = free.unwrap_or(u64::MAX);
        let old = platform.stat(entry.dst_at(), true);
        let old = old.map_or(0, |it| it.allocated_bytes);
        free.saturating_add(old) >= src.size.min(src.allocated_bytes)
    }
}
