//! Reading what files contain: to hash it, and to compare two of them.

use std::path::Path;

use crate::buffers::Buffers;
use crate::error::{Cause, Code, Error, Operation, Result};
use crate::exec::RETRIES;
use crate::hash::{Hash, HashKind};
use crate::platform::native::Native;
use crate::platform::{At, Flush, Open, Platform, Sys, start_dir};
use crate::progress::CancelToken;
use crate::rules;
use crate::transfer::InFlight;

/// The hash of a file's content. With `from_device` the file is read from its device, as far as the
/// system lets the cache be left out.
///
/// # Errors
///
/// If the file can't be read to the end that its size says.
pub fn hash_file(path: impl AsRef<Path>, kind: HashKind, from_device: bool) -> Result<Hash> {
    let platform = &Native::new();
    let failed = |operation| {
        let path = path.as_ref().to_path_buf();
        move |code| {
            Error::new(platform.os(), operation, Cause::System(code)).with_paths(Some(path), None)
        }
    };
    let dir = start_dir(platform, [path.as_ref()]).map_err(failed(Operation::OpenSource))?;
    let at = At {
        dir: &dir,
        name: path.as_ref().as_os_str(),
    };
    let file = platform
        .open(at, Open::Read { follow: true })
        .map_err(failed(Operation::OpenSource))?;
    if from_device {
        leave_cache(platform, &file);
    }
    let stat = platform.stat_open(&file);
    let size = stat.map_err(failed(Operation::StatSource))?.size;
    let hash = InFlight::new(kind, false);
    hash_open(platform, (&file, size), hash).map_err(failed(Operation::Read))
}

/// Lets the next reads come from the device. Where that can't be, what the cache says is all there is.
pub(crate) fn leave_cache<P: Platform>(platform: &P, file: &P::Handle) {
    // Only what has been written out can be let go of.
    let _ = platform.flush(file, Flush::Ordered);
    let _ = platform.uncache(file);
}

fn hash_open<P: Platform>(platform: &P, file: (&P::Handle, u64), hash: InFlight) -> Sys<Hash> {
    let mut buffers = Buffers::default();
    self::hash(platform, file, hash, &mut buffers, &CancelToken::new())
}

/// Reads an open file of this size from end to end. Cancelled, it ends with [`Code::CANCELLED`].
pub(crate) fn hash<P: Platform>(
    platform: &P,
    (file, size): (&P::Handle, u64),
    mut hash: InFlight,
    buffers: &mut Buffers,
    cancel: &CancelToken,
) -> Sys<Hash> {
    let mut offset = 0;
    loop {
        if cancel.is_cancelled() {
            return Err(Code::CANCELLED);
        }
        let read = read(platform, file, offset, buffers.plain())?;
        if read == 0 {
            break;
        }
        hash.data(offset, read, buffers);
        offset += read as u64;
    }
    // A read that ends early has not seen the file.
    if offset < size {
        return Err(Code::NO_PROGRESS);
    }
    // A thread that hashed can only be lost by a panic.
    hash.finish(offset).ok_or(Code::NO_PROGRESS)
}

/// One read, whatever signals come.
pub(crate) fn read<P: Platform>(
    platform: &P,
    file: &P::Handle,
    offset: u64,
    buffer: &mut [u8],
) -> Sys<usize> {
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

/// Fills the buffer as far as the file goes.
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
