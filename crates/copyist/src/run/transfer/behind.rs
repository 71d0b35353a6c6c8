//! Copies that leave the page cache as it was (`Cache::DropBehind`).
//!
//! Copied data is written to the device and evicted from the cache at some distance behind the copy:
//!
//! ```text
//! 0 ········· dropped ··········· started ··········· offset
//!   written     │   on its way to    │   not a whole
//!   and gone    │   the device       │   window yet
//! ```
//!
//! Each window is waited for before the one after the next begins, so that at most two of them are dirty, and an
//! error of the device is reported while the copy can still fail. Reads and writes bypass the cache themselves where
//! the kernel supports that (Linux 6.14's RWF_DONTCACHE); then there is little left to evict.

use super::{During, Transfer};
use crate::run::step::Stop;
use crate::system::{Platform, Sys};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::observer::Event;

/// How much is written and evicted at a time, bytes: enough to keep a disk busy, and a small part of any memory.
pub(super) const WINDOW_BYTES: u64 = 16 << 20;

/// Whether reads and writes still use RWF_DONTCACHE.
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
            match platform.read_uncached(file, offset, buffer) {
                Ok(read) => return Ok(read),
                // Whether the flag was the reason shows when the plain call is made.
                Err(_) => self.reads = false,
            }
        }
        platform.read(file, offset, buffer).during(Operation::Read)
    }

    /// One write, which writes at least one byte.
    pub(super) fn write<P: Platform>(
        &mut self,
        platform: &P,
        file: &P::Handle,
        offset: Option<u64>,
        data: &[u8],
    ) -> Result<usize, Stop> {
        if let (true, Some(offset)) = (self.writes, offset) {
            match platform.write_uncached(file, offset, data) {
                Ok(written) => return some(Ok(written)),
                Err(_) => self.writes = false,
            }
        }
        some(platform.write(file, offset, data))
    }
}

/// A write that returns 0 would be repeated forever.
pub(super) fn some(written: Sys<usize>) -> Result<usize, Stop> {
    let written = match written {
        Ok(0) => Err(Code::NO_PROGRESS),
        written => written,
    };
    written.during(Operation::Write)
}

/// How much of the copied data has left the cache.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Behind {
    /// Everything before this offset is on the device, and was reported as progress.
    dropped: u64,
    /// Everything before this offset is at least being written.
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
    /// Writes back and evicts complete windows behind the offset. At most two of them contain data: only a hole can
    /// pass more at once.
    pub(super) fn drop_behind(&mut self) -> Result<(), Stop> {
        let Behind { dropped, started } = self.behind;
        let windows = (self.offset() - started) / WINDOW_BYTES;
        if windows == 0 {
            return Ok(());
        }
        let next = started + windows * WINDOW_BYTES;
        self.write_back(started, next, false)?;
        self.behind.started = next;
        self.drop_cached(dropped, started)
    }

    /// Writes back and evicts the rest. A file smaller than a window is not waited for: that would take longer than
    /// its copy, and it can't evict much.
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

    /// Waits for a range that is being written, and evicts it.
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
            // A refusal of the call does not concern the data, which the kernel then writes by its own schedule.
            Err(code) if rules::is_data_failure(self.platform.os(), code) => {
                Err(code).during(Operation::Write)
            }
            _ => Ok(()),
        }
    }

    /// Reports progress: the data that is really on the device.
    fn tell_dropped(&mut self, end: u64) {
        let bytes = end - self.behind.dropped;
        self.behind.dropped = end;
        if bytes > 0 {
            self.context.observer.event(Event::Bytes(bytes));
        }
    }
}
