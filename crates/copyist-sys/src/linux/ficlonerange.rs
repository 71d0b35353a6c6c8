use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

/// `ioctl(dst, FICLONERANGE, { src, src_offset, src_length, dst_offset })`: shares a range of
/// extents between two files.
///
/// `len` 0 means up to the end of the source. Offsets and length are multiples of the filesystem's
/// block, but for a range that ends at the end of the source.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/ioctl_ficlonerange.2.html)
///
/// # Errors
///
/// The call's errno.
#[doc(alias = "ioctl_ficlonerange")]
pub fn ficlonerange(
    src: impl AsFd,
    src_offset: u64,
    len: u64,
    dst: impl AsFd,
    dst_offset: u64,
) -> Result<(), Errno> {
    let argument = libc::file_clone_range {
        src_fd: src.as_fd().as_raw_fd().into(),
        src_offset,
        src_length: len,
        dest_offset: dst_offset,
    };
    // SAFETY: the request takes a pointer to a file_clone_range, which it only reads and which
    // lives until the call returns; both descriptors are borrowed for as long.
    let result = unsafe {
        libc::ioctl(
            dst.as_fd().as_raw_fd(),
            libc::FICLONERANGE,
            &raw const argument,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(super::last_error())
    }
}
