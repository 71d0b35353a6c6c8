use std::ffi::OsStr;
use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

use super::{c_name, succeed};

/// Clone a symbolic link itself, not what it leads to. Value: sys/clonefile.h of xnu.
pub const CLONE_NOFOLLOW: u32 = 0x0001;
/// Let the clone belong to the caller, even if the caller might set another owner.
pub const CLONE_NOOWNERCOPY: u32 = 0x0002;
/// Copy the source's ACL too (macOS 12.5 and later). Without it the clone inherits that of its directory.
pub const CLONE_ACL: u32 = 0x0004;

/// `clonefileat(src_dir, src, dst_dir, dst, flags)`: makes `dst` share everything with `src`,
/// which may be a directory with all that is in it.
///
/// The clone has the source's attributes and extended attributes, but set-id bits of regular
/// files; hard links become files of their own. `dst` must not exist. Apple discourages clones of
/// directories by this call, which holds up others while it runs: keep them small.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/clonefile.2.html)
///
/// # Errors
///
/// The call's errno: EEXIST (`dst` exists), EXDEV (another volume), ENOTSUP (a filesystem without clones, or a file
/// type other than file, directory and symbolic link).
#[doc(alias = "clonefile")]
pub fn clonefileat(
    src_dir: impl AsFd,
    src: &OsStr,
    dst_dir: impl AsFd,
    dst: &OsStr,
    flags: u32,
) -> Result<(), Errno> {
    let (src, dst) = (c_name(src)?, c_name(dst)?);
    // SAFETY: both names end in a NUL and live until the call returns, and both descriptors are
    // borrowed for as long; the call writes to no memory.
    succeed(unsafe {
        libc::clonefileat(
            src_dir.as_fd().as_raw_fd(),
            src.as_ptr(),
            dst_dir.as_fd().as_raw_fd(),
            dst.as_ptr(),
            flags,
        )
    })
}

/// `fclonefileat(src, dst_dir, dst, flags)`: the same from an open file, so that no name can be
/// swapped under it.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/clonefile.2.html)
///
/// # Errors
///
/// See [`clonefileat`].
pub fn fclonefileat(
    src: impl AsFd,
    dst_dir: impl AsFd,
    dst: &OsStr,
    flags: u32,
) -> Result<(), Errno> {
    let dst = c_name(dst)?;
    // SAFETY: as in `clonefileat`.
    succeed(unsafe {
        libc::fclonefileat(
            src.as_fd().as_raw_fd(),
            dst_dir.as_fd().as_raw_fd(),
            dst.as_ptr(),
            flags,
        )
    })
}
