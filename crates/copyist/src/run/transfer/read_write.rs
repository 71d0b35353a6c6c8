//! `ReadWrite`: buffered, from anything that can be read to anything that can be written.

use super::Transfer;
use crate::run::step::Stop;
use crate::system::Platform;

impl<P: Platform> Transfer<'_, P> {
    pub(super) fn read_write(&mut self) -> Result<(), Stop> {
        self.lay_out()?;
        self.write_pending()?;
        if self.shape.threads > 1 && self.shape.size_counts {
            return self.read_write_parallel();
        }
        while let Some(end) = self.next_data_hashing()? {
            if self.read_write_until(end)? {
                break;
            }
        }
        self.finish()
    }

    /// Copies up to `end`; `true` at the end of the source.
    fn read_write_until(&mut self, end: u64) -> Result<bool, Stop> {
        loop {
            if self.state.offset >= end {
                return Ok(false);
            }
            let asked = self.buffer_bytes(end);
            let offset = (!self.shape.src_streams).then_some(self.state.offset);
            let buffer = &mut self.buffers.plain()[..asked];
            let read = self
                .uncached
                .read(self.platform, self.src, offset, buffer)?;
            if read == 0 {
                return Ok(true);
            }
            self.state.pending = 0..read;
            self.write_pending()?;
        }
    }

    /// [`Transfer::next_data`], which also adds the hole that it skips to the hash.
    fn next_data_hashing(&mut self) -> Result<Option<u64>, Stop> {
        let before = self.state.offset;
        let next = self.next_data();
        let after = self.state.offset;
        if let Some(hash) = &mut self.in_flight
            && after > before
        {
            hash.zeros(before, after - before, self.context.cancel)?;
        }
        next
    }

    /// How much to read: up to the next hole, otherwise a full buffer, which is more than is left, so that the call
    /// that reads a small file's data also shows that there is no more.
    fn buffer_bytes(&mut self, end: u64) -> usize {
        let whole = self.buffers.plain().len();
        if !self.shape.holes.use_map() {
            return whole;
        }
        let left = end - self.state.offset;
        usize::try_from(left).map_or(whole, |left| left.min(whole))
    }

    /// Writes what was read, except blocks of zeros that are to become holes.
    fn write_pending(&mut self) -> Result<(), Stop> {
        let whole = self.state.pending.end;
        if self.state.pending.is_empty() {
            return Ok(());
        }
        while !self.state.pending.is_empty() {
            let data = &self.buffers.plain()[self.state.pending.clone()];
            let (run, zero) = self.shape.next_run(data, 0);
            let len = run.len();
            if zero {
                self.state.pending.start += len;
                self.pass_hole(len as u64)?;
            } else {
                self.write_some(len)?;
            }
        }
        // The buffer holds one read from its start, all of which was written.
        if let Some(hash) = &mut self.in_flight {
            hash.data(self.state.offset - whole as u64, whole, self.buffers);
        }
        Ok(())
    }

    /// One write of at most `len` pending bytes.
    fn write_some(&mut self, len: usize) -> Result<(), Stop> {
        let offset = (!self.shape.dst_streams).then_some(self.state.offset);
        let start = self.state.pending.start;
        let data = &self.buffers.plain()[start..start + len];
        let written = self.uncached.write(self.platform, self.dst, offset, data)?;
        self.state.pending.start += written;
        self.advance(written as u64)
    }
}
