use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

use super::succeed;

fn fcntl(file: impl AsFd, command: libc::c_int, argument: libc::c_int) -> Result<(), Errno> {
    // SAFETY: these commands take a number, and touch no memory of ours.
    succeed(unsafe { libc::fcntl(file.as_fd().as_raw_fd(), command, argument) })
}

/// `fcntl(fd, F_NOCACHE, on)`: turns caching of this file's data off (`true`) or on again.
///
/// Pages that are already in the cache are still used. No alignment is required; a transfer that isn't page-aligned
/// goes through the cache all the same.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/fcntl.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn nocache(file: impl AsFd, on: bool) -> Result<(), Errno> {
    fcntl(file, libc::F_NOCACHE, on.into())
}

/// `fcntl(fd, F_RDAHEAD, on)`: turns the system's reading ahead on or off.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/fcntl.2.html)
///
/// # Errors
///
/// The call's errno.
pub fn rdahead(file: impl AsFd, on: bool) -> Result<(), Errno> {
    fcntl(file, libc::F_RDAHEAD, on.into())
}

/// `fcntl(fd, F_FULLFSYNC)`: fsync that also flushes the drive's cache, which fsync on macOS doesn't.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/fcntl.2.html)
///
/// # Errors
///
/// The call's errno; ENOTSUP where the volume has no such thing (network volumes).
pub fn fullfsync(file: impl AsFd) -> Result<(), Errno> {
    fcntl(file, libc::F_FULLFSYNC, 0)
}

/// `fcntl(fd, F_BARRIERFSYNC)`: fsync with a barrier: the drive writes nothing later before it.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/fcntl.2.html)
///
/// # Errors
///
/// The call's errno; ENOTSUP but on APFS.
pub fn barrierfsync(file: impl AsFd) -> Result<(), Errno> {
    fcntl(file, libc::F_BARRIERFSYNC, 0)
}

/// `fcntl(fd, F_PREALLOCATE, { F_ALLOCATEALL, F_PEOFPOSMODE, 0, len })`: reserves `len` bytes
/// beyond what the file has, all or nothing. The file's size stays.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/fcntl.2.html)
///
/// # Errors
///
/// The call's errno: ENOSPC, and ENOTSUP where the volume can't.
pub fn preallocate(file: impl AsFd, len: u64) -> Result<(), Errno> {
    let mut request = libc::fstore_t {
        fst_flags: libc::F_ALLOCATEALL,
        fst_posmode: libc::F_PEOFPOSMODE,
        fst_offset: 0,
        fst_length: i64::try_from(len).map_err(|_| Errno::FBIG)?,
        fst_bytesalloc: 0,
    };
    // SAFETY: this command takes a pointer to an fstore_t, which it reads and answers in; it lives
    // until the call returns.
    succeed(unsafe {
        libc::fcntl(
            file.as_fd().as_raw_fd(),
            libc::F_PREALLOCATE,
            &raw mut request,
        )
    })
}

/// `fcntl(fd, F_LOG2PHYS_EXT, { 0, len, offset })`: the location of a part of a file on its device, and how far it is
/// contiguous there, at most `len` bytes. Returns location and length, bytes.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/fcntl.2.html)
///
/// # Errors
///
/// The call's errno: ERANGE in a hole, ENOTSUP where the volume doesn't report locations.
pub fn log2phys(file: impl AsFd, offset: u64, len: u64) -> Result<(u64, u64), Errno> {
    let mut request = libc::log2phys {
        l2p_flags: 0,
        l2p_contigbytes: i64::try_from(len).map_err(|_| Errno::FBIG)?,
        l2p_devoffset: i64::try_from(offset).map_err(|_| Errno::FBIG)?,
    };
    // SAFETY: this command takes a pointer to a log2phys, which it reads and answers in; it lives
    // until the call returns.
    succeed(unsafe {
        libc::fcntl(
            file.as_fd().as_raw_fd(),
            libc::F_LOG2PHYS_EXT,
            &raw mut request,
        )
    })?;
    let (place, len) = (request.l2p_devoffset, request.l2p_contigbytes);
    // A device has no negative places; -1 is said of what has none.
    match (u64::try_from(place), u64::try_from(len)) {
        (Ok(place), Ok(len)) if len > 0 => Ok((place, len)),
        _ => Err(Errno::RANGE),
    }
}
