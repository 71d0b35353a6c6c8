use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

use super::succeed;

fn fcntl(file: impl AsFd, command: libc::c_int, argument: libc::c_int) -> Result<(), Errno> {
    // SAFETY: these commands take a number, and touch no memory of ours.
    succeed(unsafe { libc::fcntl(file.as_fd().as_raw_fd(), command, argument) })
}

/// `fcntl(fd, F_NOCACHE, on)`: turns caching of this file's data off (`true`) or on again.
///
/// What is in the cache already is still used. There is no alignment to keep; a transfer that
/// isn't page-aligned goes through the cache all the same.
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

/// `fcntl(fd, F_FULLFSYNC)`: asks the drive too to write down what it holds; fsync doesn't.
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

/// `fcntl(fd, F_BARRIERFSYNC)`: as fsync, and the drive writes nothing of later before it.
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
