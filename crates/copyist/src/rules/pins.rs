//! Ties our error constants to the system's own at compile time: a wrong number doesn't build.

#[cfg(target_os = "linux")]
mod linux {
    use crate::rules::linux as ours;
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
    use crate::rules::macos as ours;
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
    use crate::rules::macos as ours;
    use rustix::io::Errno;

    macro_rules! pin {
        ($($name:ident = $theirs:ident,)*) => {
            $(const _: () = assert!(ours::$name.0 == Errno::$theirs.raw_os_error());)*
        };
    }

    // Those that `rules` reads on FreeBSD.
    pin! {
        EPERM = PERM, ENOENT = NOENT, EINTR = INTR, EACCES = ACCESS, EEXIST = EXIST,
        EINVAL = INVAL, ENOTTY = NOTTY, ENOTSUP = OPNOTSUPP, ELOOP = LOOP, ENOSYS = NOSYS,
    }
}
