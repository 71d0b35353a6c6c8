//! FreeBSD: the calls that not every Unix has.

use std::ffi::OsStr;
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

/// `sysctl(kern.proc.umask.PID)`: the umask of this process, without setting it.
///
/// # References
///  - [FreeBSD](https://man.freebsd.org/cgi/man.cgi?query=sysctl&sektion=3)
///
/// # Errors
///
/// The call's errno.
pub fn umask() -> Result<u32, Errno> {
    let pid = std::process::id().cast_signed();
    let name = [libc::CTL_KERN, libc::KERN_PROC, libc::KERN_PROC_UMASK, pid];
    let mut umask: libc::c_ushort = 0;
    let mut bytes = size_of_val(&umask);
    // SAFETY: name and length are those of the array, which the call reads; it writes at most `bytes` bytes to
    // `umask`, which has as many, and their number to `bytes`. All three live until it returns.
    let result = unsafe {
        libc::sysctl(
            name.as_ptr(),
            name.len() as libc::c_uint,
            (&raw mut umask).cast(),
            &mut bytes,
            std::ptr::null(),
            0,
        )
    };
    if result == 0 && bytes == size_of_val(&umask) {
        Ok(umask.into())
    } else {
        Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))
    }
}

/// `getdirentries(dir, buffer, ...)`: the next names of a directory with their `d_type`, as many as fit in the
/// buffer. Returns the number of bytes read; 0 is the end.
///
/// # References
///  - [FreeBSD](https://man.freebsd.org/cgi/man.cgi?query=getdirentries&sektion=2)
///
/// # Errors
///
/// The call's errno; EIO for a malformed entry.
pub fn getdirentries(
    dir: impl AsFd,
    buffer: &mut [u8],
    mut entry: impl FnMut(&OsStr, u8),
) -> Result<usize, Errno> {
    // The libc crate lacks it.
    unsafe extern "C" {
        #[link_name = "getdirentries"]
        fn raw(
            fd: libc::c_int,
            buffer: *mut libc::c_char,
            bytes: usize,
            base: *mut libc::off_t,
        ) -> libc::ssize_t;
    }
    // SAFETY: the buffer lives until the call returns, and the size is its own; the last argument may be null, since
    // the position before the read is not needed.
    let read = unsafe {
        raw(
            dir.as_fd().as_raw_fd(),
            buffer.as_mut_ptr().cast(),
            buffer.len(),
            std::ptr::null_mut(),
        )
    };
    let read = usize::try_from(read)
        .map_err(|_| Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO))?;
    let mut rest = buffer.get(..read).ok_or(Errno::IO)?;
    while !rest.is_empty() {
        let (name, kind, next) = split(rest).ok_or(Errno::IO)?;
        entry(name, kind);
        rest = next;
    }
    Ok(read)
}

/// Splits one `struct dirent` of sys/dirent.h into its name, its type, and the entries that follow.
fn split(bytes: &[u8]) -> Option<(&OsStr, u8, &[u8])> {
    let number = |at: usize| {
        let bytes = bytes.get(at..at + 2)?;
        Some(usize::from(u16::from_ne_bytes(bytes.try_into().ok()?)))
    };
    let len = number(offset_of!(libc::dirent, d_reclen))?;
    let name_at = offset_of!(libc::dirent, d_name);
    (len >= name_at).then_some(())?;
    let (entry, rest) = bytes.split_at_checked(len)?;
    let name_len = number(offset_of!(libc::dirent, d_namlen))?;
    let name = entry.get(name_at..name_at + name_len)?;
    let kind = *entry.get(offset_of!(libc::dirent, d_type))?;
    Some((OsStr::from_bytes(name), kind, rest))
}
