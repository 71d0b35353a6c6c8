//! Compares the content of two files, in parts.

use std::ops::Range;
use std::sync::atomic::Ordering;

use super::{Buffers, CHUNK_BYTES, Difference, Files, PART_BYTES, Session};
use crate::run::content;
use crate::run::holes;
use crate::system::Platform;
use crate::words::code::Code;
use crate::words::error::Operation;

impl<P: Platform> Session<'_, P> {
    /// Calls `compare` with the start of each part in which one of the files has data.
    pub(super) fn each_part(&self, files: &Files<P>, mut compare: impl FnMut(u64)) {
        let mut next = Some(0);
        while let Some(start) = next
            && !self.cancel.is_cancelled()
        {
            files.left.fetch_add(1, Ordering::Relaxed);
            compare(start);
            next = files.size.and_then(|size| {
                let data = self.next_data(files, start.saturating_add(PART_BYTES), size)?;
                Some(data - data % PART_BYTES)
            });
        }
        self.end_part(files);
    }

    /// The next range at or after `offset` in which one of the files has data.
    fn next_data(&self, files: &Files<P>, offset: u64, size: u64) -> Option<u64> {
        if offset >= size || !files.have_holes {
            return Some(offset).filter(|_| offset < size);
        }
        let data = [&files.src, &files.dst]
            .map(|file| holes::next_data(self.platform, file, offset, size));
        data.into_iter().flatten().map(|data| data.start).min()
    }

    /// Compares a part of two files.
    pub(super) fn part(&self, files: &Files<P>, start: u64, buffers: &mut Buffers) {
        match files.size {
            None => self.until_both_end(files, buffers),
            Some(size) => self.sized_part(files, start..size.min(start + PART_BYTES), buffers),
        }
        self.end_part(files);
    }

    fn sized_part(&self, files: &Files<P>, part: Range<u64>, buffers: &mut Buffers) {
        let Range { start, end } = part;
        let mut next = self.next_data(files, start, end);
        while let Some(offset) = next
            // Only the first difference is reported.
            && files.first.load(Ordering::Relaxed) > offset
        {
            if self.cancel.is_cancelled() {
                return;
            }
            let len = usize::try_from(end - offset).unwrap_or(CHUNK_BYTES);
            match self.chunk(files, offset, len.min(CHUNK_BYTES), buffers) {
                Ok(None) => {}
                Ok(Some(at)) => {
                    files.first.fetch_min(at, Ordering::Relaxed);
                }
                Err((operation, code)) => {
                    self.fail(&files.path, operation, code);
                    return;
                }
            }
            next = self.next_data(files, offset + len.min(CHUNK_BYTES) as u64, end);
        }
    }

    /// The last part to end counts the file's bytes, and reports the first difference.
    fn end_part(&self, files: &Files<P>) {
        if files.left.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        self.count_bytes(files.size.unwrap_or_default());
        let first = files.first.load(Ordering::Relaxed);
        if first != u64::MAX {
            self.tell(&files.path, &Difference::Content(first));
        }
    }

    /// Compares two files whose length stat does not prove: each ends where a read returns 0.
    fn until_both_end(&self, files: &Files<P>, buffers: &mut Buffers) {
        let mut offset = 0;
        while !self.cancel.is_cancelled() {
            let (read, difference) = match self.chunks(files, offset, CHUNK_BYTES, buffers) {
                Ok(compared) => compared,
                Err((operation, code)) => {
                    self.fail(&files.path, operation, code);
                    break;
                }
            };
            offset += read as u64;
            if let Some(at) = difference {
                self.tell(&files.path, &Difference::Content(at));
            }
            if read < CHUNK_BYTES || difference.is_some() {
                break;
            }
        }
        self.count_bytes(offset);
    }

    fn count_bytes(&self, bytes: u64) {
        let add = |sum: u64| Some(sum.saturating_add(bytes));
        // The closure never returns `None`.
        let _ = (self.counts.bytes).fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// The first offset at which the chunks differ.
    fn chunk(
        &self,
        files: &Files<P>,
        offset: u64,
        len: usize,
        buffers: &mut Buffers,
    ) -> Result<Option<u64>, (Operation, Code)> {
        match self.chunks(files, offset, len, buffers)? {
            // A file that ends early has changed.
            (read, None) if read < len => Err((Operation::Read, Code::NO_PROGRESS)),
            (_, difference) => Ok(difference),
        }
    }

    /// How much of the source was read, up to `len` bytes, and the offset at which the copy differs.
    fn chunks(
        &self,
        files: &Files<P>,
        offset: u64,
        len: usize,
        [one, other]: &mut Buffers,
    ) -> Result<(usize, Option<u64>), (Operation, Code)> {
        let one = &mut one.as_mut_slice()[..len];
        let other = &mut other.as_mut_slice()[..len];
        let read = content::read_full(self.platform, &files.src, offset, one)
            .map_err(|code| (Operation::Read, code))?;
        let back = content::read_full(self.platform, &files.dst, offset, other)
            .map_err(|code| (Operation::Verify, code))?;
        if one[..read] == other[..back] {
            return Ok((read, None));
        }
        let pairs = one[..read].iter().zip(&other[..back]);
        let at = pairs.take_while(|(a, b)| a == b).count();
        Ok((read, Some(offset + at as u64)))
    }
}
