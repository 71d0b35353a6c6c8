//! The content of two files, compared in parts.

use std::sync::atomic::Ordering;

use super::{CHUNK_BYTES, Difference, Files, PART_BYTES, Session};
use crate::buffers::Aligned;
use crate::content;
use crate::error::{Code, Operation};
use crate::platform::Platform;

impl<P: Platform> Session<'_, P> {
    pub(super) fn whole(&self, files: &Files<P>, buffers: &mut [Aligned; 2]) {
        let mut start = 0;
        loop {
            self.part(files, start, buffers);
            start += PART_BYTES;
            if files.size.is_none_or(|size| start >= size) {
                return;
            }
        }
    }

    /// Compares a part of two files; the last part to be compared reports the first difference.
    pub(super) fn part(&self, files: &Files<P>, start: u64, buffers: &mut [Aligned; 2]) {
        let Some(size) = files.size else {
            return self.until_both_end(files, buffers);
        };
        let end = size.min(start + PART_BYTES);
        let mut offset = start;
        // What lies behind a difference makes none.
        while offset < end && files.first.load(Ordering::Relaxed) > offset {
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
                    break;
                }
            }
            offset += len.min(CHUNK_BYTES) as u64;
        }
        self.counts.bytes.fetch_add(end - start, Ordering::Relaxed);
        let was_last = files.left.fetch_sub(1, Ordering::AcqRel) == 1;
        let first = files.first.load(Ordering::Relaxed);
        if was_last && first != u64::MAX {
            self.tell(&files.path, &Difference::Content(first));
        }
    }

    /// Compares two files of which stat's word is no proof of the length: each ends where a read returns
    /// nothing.
    fn until_both_end(&self, files: &Files<P>, buffers: &mut [Aligned; 2]) {
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
        self.counts.bytes.fetch_add(offset, Ordering::Relaxed);
    }

    /// Where the chunks differ.
    fn chunk(
        &self,
        files: &Files<P>,
        offset: u64,
        len: usize,
        buffers: &mut [Aligned; 2],
    ) -> Result<Option<u64>, (Operation, Code)> {
        match self.chunks(files, offset, len, buffers)? {
            // One that ends early has changed.
            (read, None) if read < len => Err((Operation::Read, Code::NO_PROGRESS)),
            (_, difference) => Ok(difference),
        }
    }

    /// How much of the source was read, up to `len` bytes, and where the copy differs from that.
    fn chunks(
        &self,
        files: &Files<P>,
        offset: u64,
        len: usize,
        [one, other]: &mut [Aligned; 2],
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
