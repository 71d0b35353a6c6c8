//! Reads the content of files: to hash it, and to compare two of them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::system::filesystem::is_on;

use super::buffers::Buffers;
use super::hashing::InFlight;
use super::holes;
use super::step::RETRIES;
use crate::system::{Platform, Sys};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::facts::FsKind;
use crate::words::hash::Hash;
use crate::words::observer::CancelToken;
use crate::words::options::Flush;
use crate::words::stat::Stat;

/// Evicts a file from the page cache, so that the next reads come from the device. Where that is impossible, the
/// cache is read.
pub(crate) fn leave_cache<P: Platform>(platform: &P, file: &P::Handle) {
    // Only clean pages can be evicted.
    let _ = platform.flush(file, Flush::Ordered);
    let _ = platform.uncache(file);
}

/// The volumes that were flushed, so that pages of their files are clean and can be evicted.
#[derive(Debug, Default)]
pub(crate) struct FlushedVolumes(Mutex<HashMap<u64, bool>>);

impl FlushedVolumes {
    /// [`leave_cache`] for one of many files, on the volume with this number: the volume is flushed once, and where that is
    /// not possible each file is.
    pub(crate) fn leave_cache<P: Platform>(&self, platform: &P, file: &P::Handle, volume: u64) {
        let is_flushed = {
            let mut volumes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let flush = || platform.flush_volume(file).is_ok();
            *volumes.entry(volume).or_insert_with(flush)
        };
        if is_flushed {
            let _ = platform.uncache(file);
        } else {
            leave_cache(platform, file);
        }
    }
}

/// Reads and hashes an open file from start to end, except for the holes that its filesystem reports. If cancelled,
/// the result is [`Code::CANCELLED`].
pub(crate) fn hash<P: Platform>(
    platform: &P,
    (file, stat): (&P::Handle, &Stat),
    mut hash: InFlight,
    buffers: &mut Buffers,
    cancel: &CancelToken,
) -> Sys<Hash> {
    let size = stat.size;
    let has_holes = stat.allocated_bytes < size && is_on(platform, file, FsKind::hole_map_is_sound);
    let (mut offset, mut data_end) = (0, if has_holes { 0 } else { u64::MAX });
    loop {
        if cancel.is_cancelled() {
            return Err(Code::CANCELLED);
        }
        if offset == data_end && offset < size {
            let data = holes::next_data(platform, file, offset, size).unwrap_or(size..size);
            hash.zeros(offset, data.start - offset, cancel)
                .map_err(|_| Code::CANCELLED)?;
            (offset, data_end) = (data.start, data.end);
        }
        let buffer = buffers.plain();
        let left = usize::try_from(data_end.saturating_sub(offset)).unwrap_or(usize::MAX);
        // After the reported size, a read of 0 bytes shows the end.
        let asked = if offset < size {
            buffer.len().min(left)
        } else {
            buffer.len()
        };
        let read = read(platform, file, offset, &mut buffer[..asked])?;
        if read == 0 {
            break;
        }
        hash.data(offset, read, buffers);
        offset += read as u64;
    }
    // Where reads end at stat's size, a read that ends earlier has not returned the whole file.
    if offset < size && is_on(platform, file, FsKind::stat_size_is_sound) {
        return Err(Code::NO_PROGRESS);
    }
    // The hashing thread can only be lost by a panic.
    hash.finish(offset).ok_or(Code::NO_PROGRESS)
}

/// The largest offset of a file (`off_t`): a read after it is an error, and not the end of the file.
const LARGEST_OFFSET: u64 = i64::MAX as u64;

/// One read, repeated after signals.
pub(crate) fn read<P: Platform>(
    platform: &P,
    file: &P::Handle,
    offset: u64,
    buffer: &mut [u8],
) -> Sys<usize> {
    let left = usize::try_from(LARGEST_OFFSET.saturating_sub(offset)).unwrap_or(usize::MAX);
    let asked = buffer.len().min(left);
    let buffer = &mut buffer[..asked];
    if buffer.is_empty() {
        return Ok(0);
    }
    let mut retries = 0;
    loop {
        match platform.read(file, Some(offset), buffer) {
            Err(code) if retries < RETRIES && rules::is_interrupted(platform.os(), code) => {
                retries += 1;
            }
            read => return read,
        }
    }
}

/// Fills the buffer, or reads to the end of the file.
pub(crate) fn read_full<P: Platform>(
    platform: &P,
    file: &P::Handle,
    offset: u64,
    buffer: &mut [u8],
) -> Sys<usize> {
    let mut len = 0;
    while len < buffer.len() {
        match read(platform, file, offset + len as u64, &mut buffer[len..])? {
            0 => break,
            more => len += more,
        }
    }
    Ok(len)
}
