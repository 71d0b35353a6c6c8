use std::ffi::{CStr, OsStr};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

use super::{c_name, succeed};

/// `mknod(path, mode, device)`, `mkfifo(path, mode)`: makes a device or FIFO in an open directory.
///
/// The calls that take a directory came with macOS 13; before that, the directory's path leads
/// there (F_GETPATH).
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/mknod.2.html)
///
/// # Errors
///
/// The call's errno; EINVAL for a socket, which only bind(2) makes.
#[doc(alias = "mkfifo")]
pub fn mknod(dir: impl AsFd, name: &OsStr, mode: u32, device: u64) -> Result<(), Errno> {
    let path = path_in(dir, name)?;
    let mode = libc::mode_t::try_from(mode).map_err(|_| Errno::INVAL)?;
    let result = if mode & libc::S_IFMT == libc::S_IFIFO {
        // SAFETY: the path ends in a NUL and lives until the call returns.
        unsafe { libc::mkfifo(path.as_ptr(), mode & !libc::S_IFMT) }
    } else {
        // A device number is 32 bits here, in stat as in mknod.
        let device = libc::dev_t::try_from(device.cast_signed()).map_err(|_| Errno::INVAL)?;
        // SAFETY: the path ends in a NUL and lives until the call returns.
        unsafe { libc::mknod(path.as_ptr(), mode, device) }
    };
    succeed(result)
}

/// The path of a name in an open directory.
fn path_in(dir: impl AsFd, name: &OsStr) -> Result<std::ffi::CString, Errno> {
    if name.as_bytes().starts_with(b"/") {
        return c_name(name);
    }
    let dir = rustix::fs::getpath(dir)?;
    let mut path = CStr::to_bytes(&dir).to_vec();
    path.push(b'/');
    path.extend_from_slice(name.as_bytes());
    c_name(OsStr::from_bytes(&path))
}
