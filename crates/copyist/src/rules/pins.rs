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
