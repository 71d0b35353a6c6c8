use std::ffi::{c_int, c_void};
use std::os::fd::{AsFd, AsRawFd};

use rustix::io::Errno;

use super::{last_error, succeed};

/// ACL_TYPE_EXTENDED of sys/acl.h: the only kind that macOS has.
const ACL_TYPE_EXTENDED: c_int = 0x100;
/// FILESEC_ACL of sys/types.h, and the value that asks for its removal (_FILESEC_REMOVE_ACL).
const FILESEC_ACL: c_int = 5;
const REMOVE_ACL: *const c_void = std::ptr::without_provenance(1);

// acl(3) and filesec(3): the libc crate has neither.
unsafe extern "C" {
    fn acl_get_fd_np(fd: c_int, kind: c_int) -> *mut c_void;
    fn acl_set_fd_np(fd: c_int, acl: *mut c_void, kind: c_int) -> c_int;
    fn acl_size(acl: *mut c_void) -> libc::ssize_t;
    fn acl_copy_ext_native(
        buffer: *mut c_void,
        acl: *mut c_void,
        size: libc::ssize_t,
    ) -> libc::ssize_t;
    fn acl_copy_int_native(buffer: *const c_void) -> *mut c_void;
    fn acl_free(object: *mut c_void) -> c_int;
    fn filesec_init() -> *mut c_void;
    fn filesec_set_property(security: *mut c_void, property: c_int, value: *const c_void) -> c_int;
    fn filesec_free(security: *mut c_void);
    fn fchmodx_np(fd: c_int, security: *mut c_void) -> c_int;
}

/// An `acl_t`, freed on every path.
struct Acl(*mut c_void);

impl Drop for Acl {
    fn drop(&mut self) {
        // SAFETY: it came from a call that hands it over, and is freed once.
        unsafe { acl_free(self.0) };
    }
}

/// `acl_get_fd_np(fd, ACL_TYPE_EXTENDED)`: a file's access control list into `list` (cleared
/// first), in the form that [`set_acl`] takes; `false` if it has none.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/acl_get.3.html)
///
/// # Errors
///
/// The call's errno.
#[doc(alias = "acl_get_fd_np")]
pub fn acl(file: impl AsFd, list: &mut Vec<u8>) -> Result<bool, Errno> {
    list.clear();
    // SAFETY: the call takes numbers only.
    let acl = unsafe { acl_get_fd_np(file.as_fd().as_raw_fd(), ACL_TYPE_EXTENDED) };
    if acl.is_null() {
        return match last_error() {
            Errno::NOENT => Ok(false),
            errno => Err(errno),
        };
    }
    let acl = Acl(acl);
    // SAFETY: the list is alive.
    let size = unsafe { acl_size(acl.0) };
    list.resize(usize::try_from(size).map_err(|_| last_error())?, 0);
    // SAFETY: the list is alive, and the buffer has the size that is named.
    let copied = unsafe { acl_copy_ext_native(list.as_mut_ptr().cast(), acl.0, size) };
    list.truncate(usize::try_from(copied).map_err(|_| last_error())?);
    Ok(true)
}

/// `acl_set_fd_np(fd, acl, ACL_TYPE_EXTENDED)`: gives a file an access control list that
/// [`acl()`] has returned in this process.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/acl_set.3.html)
///
/// # Errors
///
/// The call's errno; EINVAL for what is no list.
#[doc(alias = "acl_set_fd_np")]
pub fn set_acl(file: impl AsFd, list: &[u8]) -> Result<(), Errno> {
    // kauth_filesec of sys/kauth.h: magic number, two guids, number of entries, flags, entries.
    const HEADER: usize = 4 + 16 + 16 + 4 + 4;
    const ENTRY: usize = 16 + 4 + 4;
    let count = |bytes: [u8; 4]| u32::from_ne_bytes(bytes) as usize;
    let entries = list
        .get(36..40)
        .and_then(|bytes| bytes.try_into().ok())
        .map(count);
    let is_whole = entries.is_some_and(|entries| {
        // KAUTH_ACL_MAX_ENTRIES; the call reads as many entries as the number says.
        entries <= 128 && list.len() >= HEADER + entries * ENTRY
    });
    if !is_whole {
        return Err(Errno::INVAL);
    }
    // SAFETY: the call reads the header and as many entries as that says, all of which are there.
    let acl = unsafe { acl_copy_int_native(list.as_ptr().cast()) };
    if acl.is_null() {
        return Err(last_error());
    }
    let acl = Acl(acl);
    // SAFETY: the list is alive until the call returns.
    succeed(unsafe { acl_set_fd_np(file.as_fd().as_raw_fd(), acl.0, ACL_TYPE_EXTENDED) })
}

/// `fchmodx_np(fd, { FILESEC_ACL = _FILESEC_REMOVE_ACL })`: takes a file's access control list
/// away, if it has one.
///
/// # References
///  - [Apple](https://keith.github.io/xcode-man-pages/filesec.3.html)
///
/// # Errors
///
/// The call's errno.
#[doc(alias = "fchmodx_np")]
pub fn remove_acl(file: impl AsFd) -> Result<(), Errno> {
    let fd = file.as_fd().as_raw_fd();
    // SAFETY: the call takes numbers only.
    let acl = unsafe { acl_get_fd_np(fd, ACL_TYPE_EXTENDED) };
    if acl.is_null() {
        return match last_error() {
            Errno::NOENT => Ok(()),
            errno => Err(errno),
        };
    }
    drop(Acl(acl));
    // SAFETY: the call takes nothing, and what it returns is ours to free.
    let security = unsafe { filesec_init() };
    if security.is_null() {
        return Err(last_error());
    }
    // SAFETY: the object is alive; this value is no pointer to be followed, but a request that
    // the call compares it with.
    let set = succeed(unsafe { filesec_set_property(security, FILESEC_ACL, REMOVE_ACL) });
    // SAFETY: the object is alive until the call returns.
    let result = set.and_then(|()| succeed(unsafe { fchmodx_np(fd, security) }));
    // SAFETY: it came from filesec_init and is freed once.
    unsafe { filesec_free(security) };
    result
}
