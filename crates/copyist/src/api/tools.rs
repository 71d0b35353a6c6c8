//! What users meet besides copies: questions about files and the process.

use std::ops::Range;
use std::path::Path;

#[cfg(feature = "hash")]
use crate::run::buffers::Buffers;
#[cfg(feature = "hash")]
use crate::run::content;
#[cfg(feature = "hash")]
use crate::run::digest::Digest;
use crate::run::holes::next_data;
use crate::run::prove::shared;
#[cfg(feature = "hash")]
use crate::run::transfer::InFlight;
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

/// Lets this process have as many files open as the system allows it to, which on Unix is often
/// more than it begins with (RLIMIT_NOFILE). A walk has two directories open for each level of the
/// tree that it is in; a program that copies deep trees calls this once, at its start.
///
/// A limit that can't be raised stays as it is.
///
/// ```
/// copyist::process::raise_open_file_limit();
/// ```
pub fn raise_open_file_limit() {
    // With the old limit everything works that has worked before.
    let _ = native::raise_open_file_limit();
}

/// The ranges of a file that its filesystem says are data (SEEK_DATA, SEEK_HOLE), in order, bytes.
/// Where it doesn't tell, all is data.
///
/// That the filesystem says so doesn't make it so: some are known to call data a hole.
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

/// The hash of a file's content.
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
/// With `from_device` the file is read from its device, as far as the
/// system lets the cache be left out.
///
/// # Errors
///
/// If the file can't be read to its end; on a local filesystem, if a read ends before its size. If it is cancelled
/// ([`Error::is_cancelled`]).
#[cfg(feature = "hash")]
pub fn hash_file(
    path: impl AsRef<Path>,
    kind: HashKind,
    from_device: bool,
    cancel: &CancelToken,
) -> Result<Hash> {
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
        content::leave_cache(platform, &file);
    }
    let stat = platform.stat_open(&file);
    let stat = stat.map_err(failed(Operation::StatSource))?;
    let hash = InFlight::new(Digest::reported(kind), false);
    let mut buffers = Buffers::default();
    content::hash(platform, (&file, &stat), hash, &mut buffers, cancel).map_err(|code| match code {
        Code::CANCELLED => {
            let cause = Cause::Refused(Refusal::Cancelled);
            let path = path.as_ref().to_path_buf();
            Error::new(platform.os(), Operation::Read, cause).with_paths(Some(path), None)
        }
        code => failed(Operation::Read)(code),
    })
}

/// How many bytes of `dst` the filesystem keeps in the same place as those of `src`: the bytes
/// that a copy did not have to store anew.
///
/// It is the filesystem that is asked (Linux: FIEMAP; macOS: F_LOG2PHYS_EXT; Windows:
/// FSCTL_GET_RETRIEVAL_POINTERS), and data that waits to be written is written out first, on Windows
/// as far as this user may write to the file. Files on two volumes share nothing. Data so small that it
/// lies beside the file's attributes is nobody else's and counts as not shared.
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
/// If a file can't be opened or read, or the filesystem doesn't tell where data lies (tmpfs, FUSE
/// and network filesystems: EOPNOTSUPP).
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

/// Writes a file out, asks the system to forget what it keeps of it in memory, and answers whether
/// it has: `false` where some of it is still there (always on tmpfs, which has no other place).
///
/// Linux: fsync, POSIX_FADV_DONTNEED, and reads with RWF_NOWAIT that tell what is left. What a
/// device, or the host of a virtual machine, keeps for itself is beyond its reach.
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
