use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

/// `sync_file_range(fd, offset, len, flags)`: starts to write a range of a file's cached data to
/// the device, and waits for it if `wait` says so. It forces no metadata down: nothing is durable
/// for it, but what was written can be dropped from the cache.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/sync_file_range.2.html)
///
/// # Errors
///
/// The call's errno; EIO and ENOSPC are those of the writing.
pub fn sync_file_range(file: impl AsFd, offset: u64, len: u64, wait: bool) -> Result<(), Errno> {
    let mut flags = libc::SYNC_FILE_RANGE_WRITE;
    if wait {
        flags |= libc::SYNC_FILE_RANGE_WAIT_BEFORE | libc::SYNC_FILE_RANGE_WAIT_AFTER;
    }
    let (offset, len) = (offset.cast_signed(), len.cast_signed());
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: the descriptor is borrowed for the time of the call, which touches no memory.
    if unsafe { libc::sync_file_range(fd, offset, len, flags) } == 0 {
        Ok(())
    } else {
        Err(super::last_error())
    }
}
