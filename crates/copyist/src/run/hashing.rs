//! Hashing while copying: data that was written is passed to the hash in order.
//!
//! A method that bypasses memory leaves the hash incomplete: the caller then reads the copy to hash it. For a large
//! file that one thread copies, a separate thread hashes: it receives full buffers and returns them. Several threads
//! that copy take turns at hashing.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use crate::run::buffers::{Aligned, BUFFER_BYTES, Buffers, PAGE_BYTES};
use crate::run::digest::{Digest, Hasher};
use crate::run::step::Stop;
use crate::words::hash::Hash;
use crate::words::observer::CancelToken;

/// How much of a hole is hashed between two checks for cancellation, bytes: some 20 ms at the speed of SHA-256.
const ZEROS_BYTES: u64 = 8 << 20;

/// The number of buffers that circulate between copying and hashing.
const BUFFERS: usize = 4;

/// A hash, and how much of the file it covers.
#[derive(Debug)]
pub(crate) struct InFlight {
    digest: Digest,
    /// Everything before this offset is hashed.
    at: u64,
    feed: Feed,
}

#[derive(Debug)]
enum Feed {
    Here(Hasher),
    Beside(Beside),
    /// The thread has ended by a panic, which it has reported.
    Lost,
}

/// A thread that hashes.
#[derive(Debug)]
struct Beside {
    full: SyncSender<Part>,
    free: Receiver<Aligned>,
    thread: JoinHandle<Hasher>,
}

enum Part {
    Data(Aligned, usize),
    Zeros(u64),
}

impl InFlight {
    /// `beside`: in a separate thread, if one can be started.
    pub(crate) fn new(digest: Digest, beside: bool) -> InFlight {
        let here = || Feed::Here(Hasher::new(digest));
        let feed = if beside {
            Beside::start(digest).map_or_else(here, Feed::Beside)
        } else {
            here()
        };
        InFlight {
            digest,
            at: 0,
            feed,
        }
    }

    /// The first `len` bytes of the plain buffer were written, at `start` of the file.
    pub(crate) fn data(&mut self, start: u64, len: usize, buffers: &mut Buffers) {
        let full = buffers.swap_plain(Aligned::default());
        let free = self.piece(start, len, full);
        buffers.swap_plain(free);
    }

    /// The first `len` bytes of a buffer of [`BUFFER_BYTES`] were written, at `start` of the file. Returns a buffer
    /// to continue with.
    pub(super) fn piece(&mut self, start: u64, len: usize, full: Aligned) -> Aligned {
        if self.at != start {
            return full;
        }
        self.at += len as u64;
        match &mut self.feed {
            Feed::Here(hasher) => {
                hasher.update(&full.as_slice()[..len]);
                full
            }
            Feed::Beside(beside) => match beside.exchange(full, len) {
                Ok(free) => free,
                Err(free) => {
                    self.feed = Feed::Lost;
                    free
                }
            },
            Feed::Lost => full,
        }
    }

    /// A hole of `len` bytes at `start` of the file. Its zeros are hashed in parts, so that a cancellation is
    /// noticed.
    pub(crate) fn zeros(&mut self, start: u64, len: u64, cancel: &CancelToken) -> Result<(), Stop> {
        let (mut at, end) = (start, start + len);
        while at < end && self.at == at {
            if cancel.is_cancelled() {
                return Err(Stop::Cancelled);
            }
            let part = match self.digest.is_reported() {
                true => ZEROS_BYTES.min(end - at),
                false => end - at, // it takes no time
            };
            self.some_zeros(part);
            at += part;
        }
        Ok(())
    }

    fn some_zeros(&mut self, len: u64) {
        self.at += len;
        match &mut self.feed {
            Feed::Here(hasher) => hasher.zeros(len),
            Feed::Beside(beside) => {
                if beside.full.send(Part::Zeros(len)).is_err() {
                    self.feed = Feed::Lost;
                }
            }
            Feed::Lost => {}
        }
    }

    /// The hash of a file of `len` bytes; `None` if not all of it was added.
    pub(crate) fn finish(self, len: u64) -> Option<Hash> {
        let hasher = match self.feed {
            Feed::Here(hasher) => hasher,
            Feed::Beside(Beside { full, thread, .. }) => {
                drop(full);
                thread.join().ok()?
            }
            Feed::Lost => return None,
        };
        (self.at == len).then(|| hasher.finish())
    }
}

impl Beside {
    fn start(digest: Digest) -> Option<Beside> {
        let (full, parts) = sync_channel::<Part>(BUFFERS);
        let (give_back, free) = sync_channel(BUFFERS + 1);
        for _ in 1..BUFFERS {
            // The channel has capacity for every buffer.
            let _ = give_back.send(Aligned::new(BUFFER_BYTES, PAGE_BYTES));
        }
        let hash = move || {
            let mut hasher = Hasher::new(digest);
            for part in parts {
                match part {
                    Part::Data(buffer, len) => {
                        hasher.update(&buffer.as_slice()[..len]);
                        // The receiver may have ended.
                        let _ = give_back.send(buffer);
                    }
                    Part::Zeros(len) => hasher.zeros(len),
                }
            }
            hasher
        };
        let thread = std::thread::Builder::new().spawn(hash).ok()?;
        Some(Beside { full, free, thread })
    }

    /// Sends a full buffer and receives a free one; if the thread has ended, `Err` with a buffer.
    fn exchange(&self, full: Aligned, len: usize) -> Result<Aligned, Aligned> {
        let Ok(free) = self.free.recv() else {
            return Err(full);
        };
        match self.full.send(Part::Data(full, len)) {
            Ok(()) => Ok(free),
            Err(_) => Err(free),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::InFlight;
    use crate::run::buffers::{BUFFER_BYTES, Buffers};
    use crate::run::digest::Digest;
    use crate::run::step::Stop;
    use crate::words::hash::{Hash, HashKind};
    use crate::words::observer::CancelToken;

    #[test]
    fn what_was_seen_from_end_to_end_has_a_hash() {
        for beside in [false, true] {
            let mut buffers = Buffers::default();
            let cancel = CancelToken::new();
            let mut hash = InFlight::new(Digest::Reported(HashKind::Blake3), beside);
            let mut all = Vec::new();
            for n in 0..20_u8 {
                buffers.plain().fill(n);
                hash.data(all.len() as u64, BUFFER_BYTES, &mut buffers);
                all.resize(all.len() + BUFFER_BYTES, n);
                hash.zeros(all.len() as u64, 5000, &cancel).unwrap();
                all.resize(all.len() + 5000, 0);
            }
            let expected = Hash::of(HashKind::Blake3, &all);
            assert_eq!(hash.finish(all.len() as u64), Some(expected));

            let mut hash = InFlight::new(Digest::Reported(HashKind::Blake3), beside);
            hash.data(10, 10, &mut buffers);
            hash.zeros(0, 7, &cancel).unwrap();
            assert_eq!(hash.finish(17), None, "something was not seen");
        }
    }

    #[test]
    fn a_hole_that_is_only_compared_takes_no_time() {
        for beside in [false, true] {
            let mut hash = InFlight::new(Digest::Compared, beside);
            let len = u64::MAX >> 1;
            hash.zeros(0, len, &CancelToken::new()).unwrap();
            assert!(hash.finish(len).is_some());
        }
    }

    #[test]
    fn a_hole_is_not_hashed_to_its_end_when_the_run_is_cancelled() {
        for beside in [false, true] {
            let cancel = CancelToken::new();
            let mut hash = InFlight::new(Digest::Reported(HashKind::Sha256), beside);
            cancel.cancel();
            let hashed = hash.zeros(0, u64::MAX >> 1, &cancel);
            assert_eq!(hashed, Err(Stop::Cancelled));
        }
    }
}
