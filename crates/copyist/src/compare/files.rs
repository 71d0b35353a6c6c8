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
            if start >= files.size {
                return;
            }
        }
    }

    /// Compares a part of two files; whoever is the last to do so tells of the first difference.
    pub(super) fn part(&self, files: &Files<P>, start: u64, buffers: &mut [Aligned; 2]) {
        let end = files.size.min(start + PART_BYTES);
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
        let add = |bytes: u64| Some(bytes.saturating_add(end - start));
        // It never declines.
        let _ = (self.counts.bytes).fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
        let was_last = files.left.fetch_sub(1, Ordering::AcqRel) == 1;
        let first = files.first.load(Ordering::Relaxed);
        if was_last && first != u64::MAX {
            self.tell(&files.path, &Difference::Content(first));
        }
    }

    /// Where the chunks differ.
    fn chunk(
        &self,
        files: &Files<P>,
        offset: u64,
        len: usize,
        [one, other]: &mut [Aligned; 2],
    ) -> Result<Option<u64>, (Operation, Code)> {
        let one = &mut one.as_mut_slice()[..len];
        let other = &mut other.as_mut_slice()[..len];
        let read = content::read_full(self.platform, &files.src, offset, one)
            .map_err(|code| (Operation::Read, code))?;
        let back = content::read_full(self.platform, &files.dst, offset, other)
            .map_err(|code| (Operation::Verify, code))?;
        if one[..read] == other[..back] {
            // One that ends early has changed, or lies about its size.
            let early = (read < len).then_some((Operation::Read, Code::NO_PROGRESS));
            return early.map_or(Ok(None), Err);
        }
        let pairs = one[..read].iter().zip(&other[..back]);
        let at = pairs.take_while(|(a, b)| a == b).count();
        Ok(Some(offset + at as u64))
    }
}
