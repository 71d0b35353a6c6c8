//! Attributes of a name in an open directory: the calls that Linux has since 6.6 and 6.13. The C library has none of
//! them yet, so that programs which replace its functions (fakeroot, say) would not see these calls: in such a
//! process they return ENOSYS, as an older kernel does.

use std::ffi::{CString, OsStr, c_long};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

/// From openat2 on calls have the same numbers everywhere, but for what a processor adds to all of them.
const fn number(unified: c_long) -> c_long {
    libc::SYS_openat2 - 437 + unified
}

const FCHMODAT2: c_long = number(452);
const SETXATTRAT: c_long = number(463);
const GETXATTRAT: c_long = number(464);
const LISTXATTRAT: c_long = number(465);
const REMOVEXATTRAT: c_long = number(466);

/// `struct xattr_args` of `linux/xattr.h`.
#[repr(C, align(8))]
struct XattrArgs {
    value: u64,
    size: u32,
    flags: u32,
}

const FLAGS: i32 = libc::AT_SYMLINK_NOFOLLOW;

/// A name for the kernel; a call that must not be made here is one that there isn't.
fn prepare(name: &OsStr) -> Result<CString, Errno> {
    if super::direct::is_replaced() {
        return Err(Errno::NOSYS);
    }
    CString::new(name.as_bytes()).map_err(|_| Errno::INVAL)
}

fn result(answer: c_long) -> Result<usize, Errno> {
    usize::try_from(answer).map_err(|_| super::last_error())
}

/// `fchmodat2(dir, name, mode, AT_SYMLINK_NOFOLLOW)`, since Linux 6.6.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/fchmodat2.2.html)
///
/// # Errors
///
/// The call's errno: EOPNOTSUPP for a symbolic link, ENOSYS where there is no such call.
pub fn fchmodat2(dir: &OwnedFd, name: &OsStr, mode: u32) -> Result<(), Errno> {
    let name = prepare(name)?;
    let dir = dir.as_raw_fd();
    // SAFETY: the descriptor is open, and the name ends in a zero.
    let answer = unsafe { libc::syscall(FCHMODAT2, dir, name.as_ptr(), mode, FLAGS) };
    result(answer).map(drop)
}

/// `listxattrat(dir, name, AT_SYMLINK_NOFOLLOW, list, size)`, since Linux 6.13.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/listxattr.2.html)
///
/// # Errors
///
/// The call's errno: ENOSYS where there is no such call.
pub fn listxattrat(dir: &OwnedFd, name: &OsStr, list: &mut [u8]) -> Result<usize, Errno> {
    let name = prepare(name)?;
    let (start, len) = (list.as_mut_ptr(), list.len());
    let dir = dir.as_raw_fd();
    // SAFETY: the descriptor is open, the name ends in a zero, and the list has that length.
    let answer = unsafe { libc::syscall(LISTXATTRAT, dir, name.as_ptr(), FLAGS, start, len) };
    result(answer)
}

/// `getxattrat(dir, name, AT_SYMLINK_NOFOLLOW, xattr, args, sizeof args)`, since Linux 6.13.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/getxattr.2.html)
///
/// # Errors
///
/// The call's errno: ENOSYS where there is no such call.
pub fn getxattrat(
    dir: &OwnedFd,
    name: &OsStr,
    xattr: &OsStr,
    value: &mut [u8],
) -> Result<usize, Errno> {
    let start = value.as_mut_ptr() as u64;
    with_args(GETXATTRAT, (dir, name), xattr, (start, value.len()))
}

/// `setxattrat(dir, name, AT_SYMLINK_NOFOLLOW, xattr, args, sizeof args)`, since Linux 6.13.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/setxattr.2.html)
///
/// # Errors
///
/// The call's errno: ENOSYS where there is no such call.
pub fn setxattrat(dir: &OwnedFd, name: &OsStr, xattr: &OsStr, value: &[u8]) -> Result<(), Errno> {
    let start = value.as_ptr() as u64;
    with_args(SETXATTRAT, (dir, name), xattr, (start, value.len())).map(drop)
}

/// The value is where the caller says, and as long; nothing is written to it but by [`GETXATTRAT`].
fn with_args(
    call: c_long,
    (dir, name): (&OwnedFd, &OsStr),
    xattr: &OsStr,
    (value, size): (u64, usize),
) -> Result<usize, Errno> {
    let (name, xattr) = (prepare(name)?, prepare(xattr)?);
    let args = XattrArgs {
        value,
        size: u32::try_from(size).map_err(|_| Errno::TOOBIG)?,
        flags: 0,
    };
    // SAFETY: the descriptor is open, the names end in a zero, the arguments have that size, and the
    // value is borrowed by the caller, for writing where the call writes.
    let answer = unsafe {
        libc::syscall(
            call,
            dir.as_raw_fd(),
            name.as_ptr(),
            FLAGS,
            xattr.as_ptr(),
            &raw const args,
            size_of::<XattrArgs>(),
        )
    };
    result(answer)
}

/// `removexattrat(dir, name, AT_SYMLINK_NOFOLLOW, xattr)`, since Linux 6.13.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/removexattr.2.html)
///
/// # Errors
///
/// The call's errno: ENOSYS where there is no such call.
pub fn removexattrat(dir: &OwnedFd, name: &OsStr, xattr: &OsStr) -> Result<(), Errno> {
    let (name, xattr) = (prepare(name)?, prepare(xattr)?);
    let dir = dir.as_raw_fd();
    // SAFETY: the descriptor is open, and the names end in a zero.
    let answer = unsafe { libc::syscall(REMOVEXATTRAT, dir, name.as_ptr(), FLAGS, xattr.as_ptr()) };
    result(answer).map(drop)
}

/// Calls `act` in a separate thread, whose current directory alone is `dir`: for calls that take paths and no
/// directory. Since no path leads to the directory, no other process can redirect the call.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/unshare.2.html)
///
/// # Errors
///
/// The errno of unshare(2) or fchdir(2), or of `act`; EAGAIN where no thread can be started.
#[doc(alias = "unshare")]
pub fn inside<T: Send>(
    dir: &OwnedFd,
    act: impl FnOnce() -> Result<T, Errno> + Send,
) -> Result<T, Errno> {
    let enter = move || {
        // SAFETY: the thread leaves the directory, root and umask that it shares to the others; it shares
        // its memory and descriptors as before, and nothing depends on its directory but `act`.
        if unsafe { libc::unshare(libc::CLONE_FS) } == -1 {
            return Err(super::last_error());
        }
        rustix::process::fchdir(dir)?;
        act()
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().spawn_scoped(scope, enter);
        let ended = thread.map_err(|_| Errno::AGAIN)?.join();
        // A panic is the caller's.
        ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[cfg(test)]
mod tests {
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_thread_inside_a_directory_leaves_the_process_where_it_is() {
        let before = std::env::current_dir().expect("a directory");
        let root = OwnedFd::from(std::fs::File::open("/").expect("a root"));
        let inside = inside(&root, || Ok(std::env::current_dir().expect("a directory")));
        assert_eq!(
            inside.expect("it can be entered"),
            std::path::Path::new("/")
        );
        assert_eq!(std::env::current_dir().expect("a directory"), before);
    }
}
