use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

/// `sync_file_range(fd, offset, len, flags)`: starts writing a range of a file's dirty pages to the device, and with
/// `wait` waits for that. It writes no metadata, so the data is not durable after it; but the pages are clean and can
/// be evicted.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/sync_file_range.2.html)
///
/// # Errors
///
/// The call's errno; EIO and ENOSPC are errors of the write.
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
