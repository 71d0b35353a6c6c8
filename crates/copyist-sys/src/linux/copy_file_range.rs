use rustix::io::Errno;

/// Whether `copy_file_range` can be called: with invalid descriptors, the kernel returns EBADF if it has the call,
/// and another code (ENOSYS; EPERM from a seccomp filter) if not.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/copy_file_range.2.html)
///
/// # Errors
///
/// The errno that says why not.
pub fn has_copy_file_range() -> Result<(), Errno> {
    let (none, offset) = (-1, std::ptr::null_mut::<libc::loff_t>());
    // SAFETY: the descriptors are invalid and the offsets are null, so that there is no memory to
    // be touched.
    let result = unsafe {
        libc::syscall(
            libc::SYS_copy_file_range,
            none,
            offset,
            none,
            offset,
            1_usize,
            0_u32,
        )
    };
    match super::last_error() {
        _ if result >= 0 => Ok(()),
        Errno::BADF => Ok(()),
        errno => Err(errno),
    }
}
