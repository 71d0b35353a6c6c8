//! The system calls that are made to fail, and with what: the codes that their manual pages list.

/// A call, as strace names it.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) name: &'static str,
    /// Error codes, in one string: this is a table.
    codes: &'static str,
    /// It returns how much it moved, so that 0 is a result too.
    moves: bool,
}

impl Call {
    /// What is injected: `error=CODE`, or `retval=0` for a transfer of nothing.
    pub(super) fn effects(&self) -> impl Iterator<Item = String> {
        let errors = self.codes.split_whitespace();
        let nothing = self.moves.then(|| "retval=0".to_owned());
        errors.map(|code| format!("error={code}")).chain(nothing)
    }

    /// Extended attributes are kept by `-a` as far as possible: see cp(1).
    pub(super) fn is_about_xattrs(&self) -> bool {
        self.name.contains("xattr")
    }
}

const fn call(name: &'static str, codes: &'static str) -> Call {
    let moves = false;
    Call { name, codes, moves }
}

const fn transfer(name: &'static str, codes: &'static str) -> Call {
    let moves = true;
    Call { name, codes, moves }
}

/// Sorted by what they do. A call that a scenario doesn't make is not injected there.
#[rustfmt::skip] // one call, one line
pub(super) const CALLS: &[Call] = &[
    call("openat", "EACCES EAGAIN EBADF EBUSY EDQUOT EEXIST EFBIG EINTR EINVAL EIO EISDIR ELOOP EMFILE ENAMETOOLONG ENFILE ENODEV ENOENT ENOMEM ENOSPC ENOTDIR ENXIO EOPNOTSUPP EOVERFLOW EPERM EROFS ESTALE ETXTBSY"),
    call("openat2", "E2BIG EAGAIN EINVAL ELOOP ENOSYS EPERM EXDEV"),
    call("newfstatat", "EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR EOVERFLOW ESTALE"),
    call("statx", "EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOSYS ENOTDIR ESTALE"),
    call("fstat", "EBADF EIO ENOMEM EOVERFLOW ESTALE"),
    call("fstatfs", "EBADF EINTR EIO ENOMEM ENOSYS EOVERFLOW"),
    call("getdents64", "EBADF EINVAL EIO ENOENT ENOTDIR ESTALE"),
    call("readlinkat", "EACCES EBADF EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR"),
    call("faccessat2", "EACCES EINVAL EIO ELOOP ENOENT ENOMEM ENOSYS ENOTDIR EPERM EROFS"),
    call("mkdirat", "EACCES EBADF EDQUOT EEXIST EINVAL EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS"),
    call("symlinkat", "EACCES EBADF EDQUOT EEXIST EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS"),
    call("mknodat", "EACCES EBADF EDQUOT EEXIST EINVAL EIO ELOOP ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS"),
    call("linkat", "EACCES EBADF EDQUOT EEXIST EINVAL EIO ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR EPERM EROFS EXDEV"),
    call("unlinkat", "EACCES EBADF EBUSY EINVAL EIO EISDIR ELOOP ENAMETOOLONG ENOENT ENOMEM ENOTDIR ENOTEMPTY EPERM EROFS"),
    call("renameat", "EACCES EBADF EBUSY EDQUOT EEXIST EINVAL EIO EISDIR ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR ENOTEMPTY EPERM EROFS EXDEV"),
    call("renameat2", "EACCES EBADF EBUSY EDQUOT EEXIST EINVAL EIO EISDIR ELOOP EMLINK ENAMETOOLONG ENOENT ENOMEM ENOSPC ENOTDIR ENOTEMPTY EPERM EROFS EXDEV"),
    transfer("read", "EAGAIN EBADF EINTR EINVAL EIO EISDIR"),
    transfer("pread64", "EAGAIN EBADF EINTR EINVAL EIO EISDIR ENXIO EOVERFLOW ESPIPE"),
    transfer("write", "EAGAIN EBADF EDQUOT EFBIG EINTR EINVAL EIO ENOSPC EPERM EPIPE"),
    transfer("pwrite64", "EAGAIN EBADF EDQUOT EFBIG EINTR EINVAL EIO ENOSPC ENXIO EOVERFLOW EPERM ESPIPE"),
    transfer("copy_file_range", "EBADF EFBIG EINTR EINVAL EIO EISDIR ENOMEM ENOSPC ENOSYS EOPNOTSUPP EOVERFLOW EPERM ETXTBSY EXDEV"),
    transfer("sendfile", "EAGAIN EBADF EFAULT EINTR EINVAL EIO ENOMEM ENOSYS EOVERFLOW EPERM ESPIPE ENOSPC"),
    call("ioctl", "EBADF EINVAL EIO EISDIR ENOMEM ENOSPC ENOTTY EOPNOTSUPP EPERM ETXTBSY EXDEV"),
    call("fallocate", "EBADF EDQUOT EFBIG EINTR EINVAL EIO ENODEV ENOSPC ENOSYS EOPNOTSUPP EPERM ESPIPE ETXTBSY"),
    call("ftruncate", "EACCES EBADF EFBIG EINTR EINVAL EIO EPERM EROFS ETXTBSY"),
    // Not ENXIO: it means "there is no more data", which is a result and not a failure.
    call("lseek", "EBADF EINVAL EOVERFLOW ESPIPE"),
    call("fcntl", "EACCES EAGAIN EBADF EINTR EINVAL EMFILE EPERM"),
    call("fadvise64", "EBADF EINVAL ESPIPE"),
    call("fchmod", "EACCES EBADF EIO ELOOP ENOENT ENOMEM ENOTDIR EPERM EROFS"),
    call("chmod", "EACCES EIO ELOOP ENOENT ENOMEM ENOTDIR EPERM EROFS"),
    call("fchmodat", "EACCES EBADF EINVAL EIO ELOOP ENOENT ENOMEM ENOTDIR EOPNOTSUPP EPERM EROFS"),
    call("fchmodat2", "EACCES EBADF EINVAL EIO ELOOP ENOENT ENOMEM ENOSYS ENOTDIR EOPNOTSUPP EPERM EROFS"),
    call("fchown", "EACCES EBADF EIO ENOENT EPERM EROFS EDQUOT"),
    call("fchownat", "EACCES EBADF EINVAL EIO ELOOP ENOENT ENOMEM ENOTDIR EPERM EROFS EDQUOT"),
    call("utimensat", "EACCES EBADF EINVAL EIO ELOOP ENOENT ENOTDIR EPERM EROFS ESRCH"),
    call("flistxattr", "E2BIG EBADF EIO EOPNOTSUPP ERANGE"),
    call("llistxattr", "E2BIG EACCES EIO ENOENT EOPNOTSUPP ERANGE"),
    call("fgetxattr", "E2BIG EBADF EIO ENODATA EOPNOTSUPP ERANGE"),
    call("lgetxattr", "E2BIG EACCES EIO ENODATA ENOENT EOPNOTSUPP ERANGE"),
    call("fsetxattr", "EBADF EDQUOT EIO ENOSPC EOPNOTSUPP EPERM ERANGE"),
    call("lsetxattr", "EACCES EDQUOT EIO ENOENT ENOSPC EOPNOTSUPP EPERM ERANGE"),
    call("fremovexattr", "EBADF EIO ENODATA EOPNOTSUPP EPERM"),
    call("lremovexattr", "EACCES EIO ENODATA ENOENT EOPNOTSUPP EPERM"),
    call("fsync", "EBADF EDQUOT EINTR EINVAL EIO ENOSPC EROFS"),
    call("fdatasync", "EBADF EDQUOT EINTR EINVAL EIO ENOSPC EROFS"),
    call("syncfs", "EBADF EDQUOT EIO ENOSPC"),
    call("close", "EBADF EDQUOT EINTR EIO ENOSPC"),
    call("clone3", "EAGAIN ENOMEM ENOSPC EPERM"),
    call("prlimit64", "EINVAL EPERM"),
];

#[cfg(test)]
mod tests {
    use super::CALLS;
    use std::collections::HashSet;

    #[test]
    fn calls_are_listed_once_and_have_codes() {
        let names: HashSet<_> = CALLS.iter().map(|call| call.name).collect();
        assert_eq!(names.len(), CALLS.len());
        for call in CALLS {
            let effects: Vec<_> = call.effects().collect();
            let distinct: HashSet<_> = effects.iter().collect();
            assert!(effects.len() > 1, "{}", call.name);
            assert_eq!(distinct.len(), effects.len(), "{}", call.name);
        }
    }
}
