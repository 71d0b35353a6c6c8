//! Retries on a volume that is nearly full. A large file that does not fit takes the space of others, and frees it
//! when its copy has failed and is removed. Another file or name that found no space in the meantime waits for that
//! and is tried again, so that whatever one worker alone could copy is copied. (Attributes are not retried; with a
//! journal, large files keep their space. Large files on other volumes are waited for too, which costs only time.)

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A file of at least this many bytes takes long enough to affect others: while one worker copies it, another may run
/// out of work, or of space.
pub(super) const LARGE_BYTES: u64 = 1 << 20;

/// The number of workers that write large files.
#[derive(Debug, Default)]
pub(super) struct SpaceRetry {
    writers: Mutex<usize>,
    /// The number of large files that were written or have failed. Changed only while `writers` is locked.
    ended: AtomicU64,
    changed: Condvar,
    /// Held by a worker that writes a large file for the second time.
    again: Mutex<()>,
}

impl SpaceRetry {
    /// The number of large files that have ended so far.
    pub(super) fn ended(&self) -> u64 {
        self.ended.load(Ordering::Acquire)
    }

    /// A large file is written until the result is dropped.
    pub(super) fn write(&self) -> Writing<'_> {
        *self.lock() += 1;
        Writing(self)
    }

    // The count is consistent after a panic too.
    fn lock(&self) -> MutexGuard<'_, usize> {
        self.writers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, waits: impl FnMut(&mut usize) -> bool) {
        let waited = self.changed.wait_while(self.lock(), waits);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Before an attempt that may find no space.
    pub(super) fn tries(&self) -> Tries<'_> {
        self.tries_since(self.ended())
    }

    /// After an attempt that began when [`SpaceRetry::ended`] returned this number.
    pub(super) fn tries_since(&self, seen: u64) -> Tries<'_> {
        Tries {
            space: self,
            seen,
            alone: None,
        }
    }
}

/// The attempts to create one file, and the number of ended large files before the last one.
#[derive(Debug)]
pub(super) struct Tries<'a> {
    space: &'a SpaceRetry,
    seen: u64,
    /// Held during the second attempt at a large file.
    alone: Option<MutexGuard<'a, ()>>,
}

impl Tries<'_> {
    /// After a lack of space: if large files are being written, waits for one of them. Returns whether one has ended
    /// since the last attempt, so that there may be space now.
    pub(super) fn again(&mut self) -> bool {
        let Tries { space, seen, .. } = self;
        space.wait_while(|writers| *writers > 0 && space.ended() == *seen);
        let before = std::mem::replace(seen, space.ended());
        before != *seen
    }

    /// The same for a large file, after its own end. Waits until no other is being written; it is then written without
    /// the others that were waiting, and only once more, since it may take hours.
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
