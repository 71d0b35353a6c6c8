//! Copies that leave the cache as it was (`Cache::Drop`).
//!
//! What was copied is written to the device and dropped from the cache some way behind the copy:
//!
//! ```text
//! 0 ········· dropped ··········· started ··········· offset
//!   written     │   on its way to    │   not a whole
//!   and gone    │   the device       │   window yet
//! ```
//!
//! Each window is waited for before the one after the next begins, so that no more than two of them
//! are ever dirty, and an error of the device shows while the copy can still fail. Reads and writes
//! go past the cache themselves where the kernel has that (Linux 6.14's RWF_DONTCACHE), and
//! then there is little left to drop.

use super::{During, Stop, Transfer};
use crate::error::{Code, Operation};
use crate::platform::{Platform, Sys};
use crate::progress::Event;
use crate::rules;

/// What is written and dropped at a time, bytes: enough to keep a disk busy, and a small part of any
/// memory.
pub(super) const WINDOW_BYTES: u64 = 16 << 20;

/// Which reads and writes are still asked to go past the cache.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uncached {
    reads: bool,
    writes: bool,
}

impl Uncached {
    pub(super) fn new(wanted: bool) -> Uncached {
        Uncached {
            reads: wanted,
            writes: wanted,
        }
    }

    /// One read; 0 is the end.
    pub(super) fn read<P: Platform>(
        &mut self,
        platform: &P,
        file: &P::Handle,
        offset: Option<u64>,
        buffer: &mut [u8],
    ) -> Result<usize, Stop> {
        if let (true, Some(offset)) = (self.reads, offset) {
            let result = platform.read_uncached(file, offset, buffer);
            match unless_unsupported(platform, result) {
                Some(result) => return result.during(Operation::Read),
                None => self.reads = false,
            }
        }
        platform.read(file, offset, buffer).during(Operation::Read)
    }

    /// One write, of a byte at least.
    pub(super) fn write<P: Platform>(
        &mut self,
        platform: &P,
        file: &P::Handle,
        offset: Option<u64>,
        data: &[u8],
    ) -> Result<usize, Stop> {
        if let (true, Some(offset)) = (self.writes, offset) {
            let result = platform.write_uncached(file, offset, data);
            match unless_unsupported(platform, result) {
                Some(result) => return some(result),
                None => self.writes = false,
            }
        }
        some(platform.write(file, offset, data))
    }
}

/// `None` where there is no such call.
fn unless_unsupported<P: Platform>(platform: &P, result: Sys<usize>) -> Option<Sys<usize>> {
    match result {
        Err(code) if rules::is_unsupported(platform.os(), code) => None,
        result => Some(result),
    }
}

/// A write of nothing would be repeated for ever.
pub(super) fn some(written: Sys<usize>) -> Result<usize, Stop> {
    let written = match written {
        Ok(0) => Err(Code::NO_PROGRESS),
        written => written,
    };
    written.during(Operation::Write)
}

/// How far what was copied has left the cache.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Behind {
    /// Everything before it is on the device, and told as progress.
    dropped: u64,
    /// Everything before it is at least on its way.
    started: u64,
}

impl Behind {
    /// Nothing before `offset` is in the cache.
    pub(super) fn at(offset: u64) -> Behind {
        Behind {
            dropped: offset,
            started: offset,
        }
    }
}

impl<P: Platform> Transfer<'_, P> {
    /// Writes back and drops whole windows behind the offset.
    pub(super) fn drop_behind(&mut self) -> Result<(), Stop> {
        while self.offset() - self.behind.started >= WINDOW_BYTES {
            let Behind { dropped, started } = self.behind;
            let next = started + WINDOW_BYTES;
            self.write_back(started, next, false)?;
            self.behind.started = next;
            self.drop_cached(dropped, started)?;
        }
        Ok(())
    }

    /// Writes back and drops what is left. A file of less than a window is not waited for: that
    /// would take longer than its copy, and it is no danger to the cache.
    pub(super) fn drop_rest(&mut self) -> Result<(), Stop> {
        let (Behind { dropped, started }, end) = (self.behind, self.offset());
        self.write_back(started, end, false)?;
        self.behind.started = end;
        if end >= WINDOW_BYTES {
            return self.drop_cached(dropped, end);
        }
        self.platform.drop_cached(self.src, dropped..end);
        self.tell_dropped(end);
        Ok(())
    }

    /// Waits for a range that is on its way, and lets it go.
    fn drop_cached(&mut self, start: u64, end: u64) -> Result<(), Stop> {
        self.write_back(start, end, true)?;
        if start < end {
            self.platform.drop_cached(self.src, start..end);
            self.platform.drop_cached(self.dst, start..end);
        }
        self.tell_dropped(end);
        Ok(())
    }

    fn write_back(&self, start: u64, end: u64, wait: bool) -> Result<(), Stop> {
        if start >= end {
            return Ok(());
        }
        match self.platform.write_back(self.dst, start..end, wait) {
            // What can't be written back by ranges is written when the system likes.
            Err(code) if !rules::is_unsupported(self.platform.os(), code) => {
                Err(code).during(Operation::Write)
            }
            _ => Ok(()),
        }
    }

    /// Progress is what is really on the device.
    fn tell_dropped(&mut self, end: u64) {
        let bytes = end - self.behind.dropped;
        self.behind.dropped = end;
        if bytes > 0 {
            self.watch.observer.event(Event::Bytes(bytes));
        }
    }
}
