//! The public functions besides copying: queries about files, and changes to the process.

use std::ops::Range;
use std::path::Path;

use crate::run::buffers::Buffers;
#[cfg(feature = "hash")]
use crate::run::content;
#[cfg(feature = "hash")]
use crate::run::digest::Digest;
#[cfg(feature = "hash")]
use crate::run::hashing::InFlight;
use crate::run::holes::next_data;
use crate::run::prove::shared;
use crate::system::Data;
use crate::system::Machine;
#[cfg(feature = "hash")]
use crate::system::Names;
use crate::system::native::{self, Native};
use crate::system::{At, Open, Platform, Sys, start_dir};
#[cfg(feature = "hash")]
use crate::words::code::Code;
#[cfg(feature = "hash")]
use crate::words::error::Refusal;
use crate::words::error::{Cause, Error, Operation, Result};
#[cfg(feature = "hash")]
use crate::words::hash::{Hash, HashKind};
#[cfg(feature = "hash")]
use crate::words::observer::CancelToken;
use crate::words::options::Flush;
#[cfg(feature = "hash")]
use crate::words::stat::Stat;

/// Raises the soft limit on open files (RLIMIT_NOFILE) to the hard limit, on Unix; on Windows it does nothing. A walk
/// has two directories open for each level of the tree that it is in, so a program that copies deep trees should call
/// this once, at its start.
///
/// If the limit can't be raised, it stays as it is.
///
/// ```
/// copyist::process::raise_open_file_limit();
/// ```
pub fn raise_open_file_limit() {
    // If it fails, everything works as with the old limit.
    let _ = native::raise_open_file_limit();
}

/// The ranges of a file that its filesystem reports as data (SEEK_DATA, SEEK_HOLE), in order, in bytes. Where the
/// filesystem doesn't report holes, the whole file is data.
///
/// The map may be wrong: some filesystems are known to report data as a hole.
///
/// ```
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// let data = copyist::measure::data_ranges(&src)?;
/// assert_eq!(data, [0..4]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the file can't be opened.
pub fn data_ranges(path: impl AsRef<Path>) -> Result<Vec<Range<u64>>> {
    data_ranges_in(&Native::new(), path.as_ref())
}

fn data_ranges_in<P: Platform>(platform: &P, path: &Path) -> Result<Vec<Range<u64>>> {
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
    let size = platform
        .stat_open(&file)
        .map_err(failed(Operation::StatSource))?
        .size;
    let mut ranges = Vec::new();
    let mut at = 0;
    while at < size
        && let Some(range) = next_data(platform, &file, at, size)
    {
        at = range.end;
        ranges.push(range);
    }
    Ok(ranges)
}

/// The hash of a file's content. With `from_device` the file is read from its device, as far as the system allows the
/// page cache to be bypassed.
///
/// ```
/// use copyist::CancelToken;
/// use copyist::hash::{HashKind, hash_file};
///
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// let hash = hash_file(&src, HashKind::Sha256, false, &CancelToken::new())?;
/// assert!(hash.to_string().starts_with("3a6eb079"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the file can't be read to its end; on a local filesystem, if a read ends before the file's size. If it is
/// cancelled ([`Error::is_cancelled`]).
#[cfg(feature = "hash")]
pub fn hash_file(
    path: impl AsRef<Path>,
    kind: HashKind,
    from_device: bool,
    cancel: &CancelToken,
) -> Result<Hash> {
    hash_of(path.as_ref(), kind, cancel, |platform, file, _| {
        if from_device {
            content::leave_cache(platform, file);
        }
    })
}

/// Hashes many files from their devices, as far as the system allows the page cache to be bypassed. Only what is on the
/// device can be evicted from the cache: on Linux each volume is flushed once (syncfs), before the first of its files is
/// read; [`hash_file`] flushes each file. A file that is modified after that may be read from the cache.
///
/// ```
/// use copyist::CancelToken;
/// use copyist::hash::{DeviceHasher, HashKind};
///
/// # let temp = tempfile::tempdir()?;
/// # let paths = [temp.path().join("src"), temp.path().join("dst")];
/// # for path in &paths { std::fs::write(path, "data")? };
/// let hasher = DeviceHasher::new();
/// for path in &paths {
///     let hash = hasher.hash_file(path, HashKind::Sha256, &CancelToken::new())?;
///     assert!(hash.to_string().starts_with("3a6eb079"));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "hash")]
#[derive(Debug, Default)]
pub struct DeviceHasher {
    flushed: content::FlushedVolumes,
}

#[cfg(feature = "hash")]
impl DeviceHasher {
    /// No volume was flushed yet.
    #[must_use]
    pub fn new() -> DeviceHasher {
        DeviceHasher::default()
    }

    /// The hash of a file's content.
    ///
    /// # Errors
    ///
    /// As [`hash_file`].
    pub fn hash_file(
        &self,
        path: impl AsRef<Path>,
        kind: HashKind,
        cancel: &CancelToken,
    ) -> Result<Hash> {
        hash_of(path.as_ref(), kind, cancel, |platform, file, stat| {
            self.flushed.leave_cache(platform, file, stat.id.volume);
        })
    }
}

/// Hashes a file, after `prepare` was called with it.
#[cfg(feature = "hash")]
fn hash_of(
    path: &Path,
    kind: HashKind,
    cancel: &CancelToken,
    prepare: impl FnOnce(&Native, &<Native as Machine>::Handle, &Stat),
) -> Result<Hash> {
    let platform = &Native::new();
    let failed = |operation| {
        let path = path.to_path_buf();
        move |code| {
            Error::new(platform.os(), operation, Cause::System(code)).with_paths(Some(path), None)
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
    let stat = platform.stat_open(&file);
    let stat = stat.map_err(failed(Operation::StatSource))?;
    prepare(platform, &file, &stat);
    let hash = InFlight::new(Digest::reported(kind), false);
    let mut buffers = Buffers::default();
    content::hash(platform, (&file, &stat), hash, &mut buffers, cancel).map_err(|code| match code {
        Code::CANCELLED => {
            let cause = Cause::Refused(Refusal::Cancelled);
            let path = path.to_path_buf();
            Error::new(platform.os(), Operation::Read, cause).with_paths(Some(path), None)
        }
        code => failed(Operation::Read)(code),
    })
}

/// The number of bytes of `dst` that the filesystem stores at the same location as those of `src`: the bytes that a
/// copy did not have to store again.
///
/// The filesystem is queried (Linux: FIEMAP; macOS: F_LOG2PHYS_EXT; Windows: FSCTL_GET_RETRIEVAL_POINTERS). Dirty
/// data is written out first, on Windows only if this user may write to the file. Files on two volumes share nothing.
/// Data that is small enough to be stored in the inode is never shared.
///
/// ```
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// copyist::copy(&src, &dst)?;
/// match copyist::measure::shared_bytes(&src, &dst) {
///     Ok(bytes) => println!("{bytes} bytes are shared"),
///     Err(error) => println!("not known: {error}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If a file can't be opened or read, or the filesystem doesn't report where data is located (tmpfs, FUSE and network
/// filesystems: EOPNOTSUPP).
pub fn shared_bytes(src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<u64> {
    shared_between(&Native::new(), src.as_ref(), dst.as_ref())
}

fn shared_between<P: Platform>(platform: &P, src: &Path, dst: &Path) -> Result<u64> {
    let failed = |operation| {
        move |code| {
            Error::new(platform.os(), operation, Cause::System(code))
                .with_paths(Some(src.to_path_buf()), Some(dst.to_path_buf()))
        }
    };
    let open = |path: &Path, operation| {
        let dir = start_dir(platform, [path]).map_err(failed(operation))?;
        let at = At {
            dir: &dir,
            name: path.as_os_str(),
        };
        platform
            .open(at, Open::Read { follow: true })
            .map_err(failed(operation))
    };
    let src = open(src, Operation::OpenSource)?;
    let dst = open(dst, Operation::OpenDestination)?;
    shared(platform, &src, &dst).map_err(failed(Operation::FindExtents))
}

/// Writes a file out, evicts it from the page cache, and returns whether that succeeded: `false` if some of it is
/// still cached (always on tmpfs, which has no other storage).
///
/// Linux: fsync, POSIX_FADV_DONTNEED, and reads with RWF_NOWAIT that show what is left. The caches of a device, or of
/// the host of a virtual machine, are not affected.
///
/// ```
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// match copyist::measure::evict_from_cache(&src) {
///     Ok(is_cold) => println!("cold: {is_cold}"),
///     Err(error) => println!("not here: {error}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// If the file can't be opened or written out, or the system has no such call (macOS, Windows).
pub fn evict_from_cache(path: impl AsRef<Path>) -> Result<bool> {
    evict_in(&Native::new(), path.as_ref())
}

fn evict_in<P: Platform>(platform: &P, path: &Path) -> Result<bool> {
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

/// The number of offsets in a file that are checked.
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
