//! What the system keeps of a file in memory, for those who measure.

use std::path::Path;

use crate::error::{Cause, Error, Operation, Result};
use crate::platform::native::Native;
use crate::platform::{At, Flush, Open, Platform, Sys, start_dir};

/// Writes a file out, asks the system to forget what it keeps of it in memory, and answers whether
/// it has: `false` where some of it is still there (always on tmpfs, which has no other place).
///
/// Linux: fsync, POSIX_FADV_DONTNEED, and reads with RWF_NOWAIT that tell what is left. What a
/// device, or the host of a virtual machine, keeps for itself is beyond its reach.
///
/// # Errors
///
/// If the file can't be opened or written out, or the system has no such call (macOS, Windows).
pub fn forget_cached(path: impl AsRef<Path>) -> Result<bool> {
    forget_in(&Native::new(), path.as_ref())
}

fn forget_in<P: Platform>(platform: &P, path: &Path) -> Result<bool> {
    let failed = |operation| {
        move |code| {
            Error::new(platform.os(), operation, Cause::System(code))
                .with_paths(Some(path.to_path_buf()), None)
        }
    };
    let dir = start_dir(platform, [path]).map_err(failed(Operation::OpenSource))?;
    let at = At {
        dir: &dir,
        name: path.as_os_str(),
    };
    let file = platform
        .open(at, Open::Read { follow: true })
        .map_err(failed(Operation::OpenSource))?;
    platform
        .flush(&file, Flush::Durable)
        .map_err(failed(Operation::Flush))?;
    forget(platform, &file).map_err(failed(Operation::Read))
}

/// How many places of a file are looked at.
const SAMPLES: u64 = 64;

fn forget<P: Platform>(platform: &P, file: &P::Handle) -> Sys<bool> {
    platform.uncache(file)?;
    let size = platform.stat_open(file)?.size;
    for n in 0..SAMPLES.min(size) {
        if platform.is_cached(file, size / SAMPLES * n)? {
            return Ok(false);
        }
    }
    Ok(true)
}
