//! Space on a volume that is nearly full: a large file that doesn't fit takes it from everybody, and gives
//! it back when its copy has failed and is removed. Who found none for a name or a file's data meanwhile
//! waits for that and tries again, so that what one worker alone could copy is copied. (Attributes are not
//! tried again, and with a journal large files keep their room. Large files on another volume are waited
//! for, too: who waits loses no more than time.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

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
