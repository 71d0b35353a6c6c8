//! Compares copyist's error constants with the system's own at compile time: a wrong number doesn't build.

#[cfg(target_os = "linux")]
mod linux {
    use crate::words::code::linux as ours;
    use rustix::io::Errno;

    macro_rules! pin {
        ($($name:ident = $theirs:ident,)*) => {
            $(const _: () = assert!(ours::$name.0 == Errno::$theirs.raw_os_error());)*
        };
    }

    pin! {
        EPERM = PERM, ENOENT = NOENT, EINTR = INTR, EIO = IO, ENXIO = NXIO, EBADF = BADF,
        EAGAIN = AGAIN, ENOMEM = NOMEM, EACCES = ACCESS, EBUSY = BUSY, EEXIST = EXIST,
        EXDEV = XDEV, ENODEV = NODEV, ENOTDIR = NOTDIR, EISDIR = ISDIR, EINVAL = INVAL,
        ENFILE = NFILE, EMFILE = MFILE, ENOTTY = NOTTY, ETXTBSY = TXTBSY, EFBIG = FBIG,
        ENOSPC = NOSPC, ESPIPE = SPIPE, EROFS = ROFS, EMLINK = MLINK, EPIPE = PIPE,
        ERANGE = RANGE, ENAMETOOLONG = NAMETOOLONG, ENOSYS = NOSYS, ENOTEMPTY = NOTEMPTY,
        ELOOP = LOOP, ENODATA = NODATA, EOVERFLOW = OVERFLOW, EOPNOTSUPP = OPNOTSUPP,
        ETIMEDOUT = TIMEDOUT, ESTALE = STALE, EDQUOT = DQUOT, ECANCELED = CANCELED,
    }
}

#[cfg(target_os = "macos")]
mod macos {
    use crate::words::code::macos as ours;
    use rustix::io::Errno;

    macro_rules! pin {
        ($($name:ident = $theirs:ident,)*) => {
            $(const _: () = assert!(ours::$name.0 == Errno::$theirs.raw_os_error());)*
        };
    }

    pin! {
        EPERM = PERM, ENOENT = NOENT, EINTR = INTR, EIO = IO, ENXIO = NXIO, EBADF = BADF,
        ENOMEM = NOMEM, EACCES = ACCESS, EBUSY = BUSY, EEXIST = EXIST, EXDEV = XDEV,
        ENODEV = NODEV, ENOTDIR = NOTDIR, EISDIR = ISDIR, EINVAL = INVAL, ENFILE = NFILE,
        EMFILE = MFILE, ENOTTY = NOTTY, ETXTBSY = TXTBSY, EFBIG = FBIG, ENOSPC = NOSPC,
        ESPIPE = SPIPE, EROFS = ROFS, EMLINK = MLINK, EPIPE = PIPE, ERANGE = RANGE,
        EAGAIN = AGAIN, ENOTSUP = NOTSUP, ETIMEDOUT = TIMEDOUT, ELOOP = LOOP,
        ENAMETOOLONG = NAMETOOLONG, ENOTEMPTY = NOTEMPTY, EDQUOT = DQUOT, ESTALE = STALE,
        ENOSYS = NOSYS, EOVERFLOW = OVERFLOW, ECANCELED = CANCELED, ENOATTR = NOATTR,
        EOPNOTSUPP = OPNOTSUPP,
    }
}

#[cfg(target_os = "freebsd")]
mod freebsd {
    use crate::words::code::macos as ours;
    use rustix::io::Errno;

    macro_rules! pin {
        ($($name:ident = $theirs:ident,)*) => {
            $(const _: () = assert!(ours::$name.0 == Errno::$theirs.raw_os_error());)*
        };
    }

    // The codes that `rules` uses on FreeBSD.
    pin! {
        EPERM = PERM, ENOENT = NOENT, EINTR = INTR, EACCES = ACCESS, EEXIST = EXIST,
        EINVAL = INVAL, ENOTTY = NOTTY, ENOTSUP = OPNOTSUPP, ELOOP = LOOP, ENOSYS = NOSYS,
    }
}

#[cfg(windows)]
mod windows {
    use crate::words::code::windows as ours;
    use copyist_sys::windows::constants as theirs;

    macro_rules! pin {
        ($($name:ident,)*) => {
            $(const _: () = assert!(ours::$name.0 == theirs::$name.cast_signed());)*
        };
    }

    pin! {
        ERROR_INVALID_FUNCTION, ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED,
        ERROR_INVALID_HANDLE, ERROR_NOT_ENOUGH_MEMORY, ERROR_OUTOFMEMORY, ERROR_NOT_SAME_DEVICE,
        ERROR_WRITE_PROTECT, ERROR_NOT_READY, ERROR_CRC, ERROR_GEN_FAILURE,
        ERROR_SHARING_VIOLATION, ERROR_LOCK_VIOLATION, ERROR_HANDLE_DISK_FULL,
        ERROR_NOT_SUPPORTED, ERROR_BAD_NETPATH, ERROR_NETNAME_DELETED, ERROR_FILE_EXISTS,
        ERROR_INVALID_PARAMETER, ERROR_DISK_FULL, ERROR_CALL_NOT_IMPLEMENTED, ERROR_SEM_TIMEOUT,
        ERROR_INVALID_NAME, ERROR_DIR_NOT_EMPTY, ERROR_BAD_PATHNAME, ERROR_ALREADY_EXISTS,
        ERROR_FILENAME_EXCED_RANGE, ERROR_FILE_TOO_LARGE, ERROR_MORE_DATA, ERROR_DIRECTORY,
        ERROR_DIRECTORY_NOT_SUPPORTED, ERROR_BLOCK_TOO_MANY_REFERENCES,
        ERROR_CLOUD_FILE_PROVIDER_NOT_RUNNING, ERROR_IO_DEVICE, ERROR_TOO_MANY_LINKS,
        ERROR_USER_MAPPED_FILE, ERROR_REQUEST_ABORTED, ERROR_DISK_QUOTA_EXCEEDED,
        ERROR_INVALID_OWNER, ERROR_PRIVILEGE_NOT_HELD, ERROR_NO_SYSTEM_RESOURCES,
        ERROR_CANT_ACCESS_FILE, ERROR_CANT_RESOLVE_FILENAME, ERROR_NOT_A_REPARSE_POINT,
        ERROR_ENCRYPTION_FAILED,
    }
}
