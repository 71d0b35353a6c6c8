use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

use super::succeed;

/// `fsetattrlist(fd, { ATTR_CMN_CRTIME }, ...)`: sets when a file was made.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/setattrlist.2.html)
///
/// # Errors
///
/// The call's errno.
#[doc(alias = "fsetattrlist")]
pub fn set_creation_time(file: impl AsFd, seconds: i64, nanos: u32) -> Result<(), Errno> {
    let mut attributes = libc::attrlist {
        bitmapcount: libc::ATTR_BIT_MAP_COUNT,
        reserved: 0,
        commonattr: libc::ATTR_CMN_CRTIME,
        volattr: 0,
        dirattr: 0,
        fileattr: 0,
        forkattr: 0,
    };
    let mut time = libc::timespec {
        tv_sec: seconds,
        tv_nsec: nanos.into(),
    };
    // SAFETY: the list names one attribute, whose value is the timespec that the buffer is; both
    // live until the call returns, and the size is the buffer's.
    succeed(unsafe {
        libc::fsetattrlist(
            file.as_fd().as_raw_fd(),
            (&raw mut attributes).cast(),
            (&raw mut time).cast(),
            size_of::<libc::timespec>(),
            0,
        )
    })
}
