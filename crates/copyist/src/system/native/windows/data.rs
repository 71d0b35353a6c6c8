//! Data: sharing it, moving it around the cache, and locating it.

use copyist_sys::windows::{self as sys, Extents, constants as c};

use super::code::code;
use super::handle::Handle;
use super::handle::SECTOR_BYTES;
use crate::system::{Extent, Seek, Sys};
use crate::think::rules::windows::ERROR_NOT_SUPPORTED;

/// The caller aligns the range: see `transfer/clone.rs`.
///
/// Several concurrent clones of one source with dirty data may share zeros: ReFS ignores that one of them could not
/// write it out (<https://github.com/microsoft/CopyOnWrite/issues/12>). So the source is opened without buffering
/// first. Where that is refused, it is cloned as it is.
pub(super) fn clone_range(src: &Handle, dst: &Handle, offset: u64, len: u64) -> Sys<u64> {
    let extents = Extents { offset, len };
    let source = src.unbuffered().unwrap_or(&src.file);
    sys::duplicate_extents(source, &dst.file, extents).map_err(code)?;
    Ok(len)
}

/// Several requests in flight; a part that doesn't fill a sector goes through the cache.
pub(super) fn copy_unbuffered(src: &Handle, dst: &Handle, offset: u64, len: u64) -> Sys<u64> {
    let sector = SECTOR_BYTES as u64;
    let whole = len - len % sector;
    if !offset.is_multiple_of(sector) || whole == 0 {
        let mut buffer = [0; SECTOR_BYTES];
        let asked = usize::try_from(len.min(sector - offset % sector)).unwrap_or(SECTOR_BYTES);
        let read = sys::read(&src.file, Some(offset), &mut buffer[..asked]).map_err(code)?;
        let written = sys::write(&dst.file, Some(offset), &buffer[..read]).map_err(code)?;
        return Ok(written as u64);
    }
    let (from, to) = (src.overlapped()?, dst.overlapped()?);
    let (moved, result) = sys::copy_unbuffered(&from, &to, offset..offset + whole);
    // A partial result is returned as success; the next call gets the error again.
    if moved == 0 {
        result.map_err(code)?;
    }
    Ok(moved)
}

pub(super) fn seek(file: &Handle, offset: u64, what: Seek) -> Sys<Option<u64>> {
    let size = sys::information(&file.file).map_err(code)?.size;
    if offset >= size {
        return Ok(None);
    }
    let data = sys::allocated_ranges(&file.file, offset, size).map_err(code)?;
    let data = data.filter(|data| data.offset < size);
    Ok(match (what, data) {
        (Seek::Data, data) => data.map(|data| data.offset.max(offset)),
        (Seek::Hole, Some(data)) if data.offset <= offset => {
            Some((data.offset + data.len).clamp(offset, size))
        }
        (Seek::Hole, _) => Some(offset),
    })
}

/// The location of the data. Dirty data has no location yet: it is written out first, unless this user may not write
/// to the file; such data is reported without a location.
pub(super) fn extents(file: &Handle, from: u64, found: &mut Vec<Extent>) -> Sys<bool> {
    if from == 0 {
        let _ = file.with(c::FILE_WRITE_DATA, |file| sys::flush(file));
    }
    let volume = sys::volume(&file.file).map_err(code)?;
    let cluster = u64::from(volume.cluster_bytes);
    let first = from.checked_div(cluster).ok_or(ERROR_NOT_SUPPORTED)?;
    let mut runs = Vec::new();
    let more = sys::retrieval_pointers(&file.file, first, &mut runs).map_err(code)?;
    found.extend(runs.iter().map(|run| Extent {
        offset: run.first.saturating_mul(cluster),
        len: run.clusters.saturating_mul(cluster),
        place: run.place.map(|place| place.saturating_mul(cluster)),
        is_encoded: false,
    }));
    Ok(more)
}
