//! macOS and FreeBSD: errno values.

use super::Code;

macro_rules! codes {
    ($($name:ident = $value:literal,)*) => {
        $(pub(crate) const $name: Code = Code($value);)*

        /// Every code that this table has a name for.
        pub(crate) static NAMES: &[(Code, &str)] = &[$(($name, stringify!($name)),)*];
    };
}

codes! {
    EPERM = 1,
    ENOENT = 2,
    EINTR = 4,
    EIO = 5,
    ENXIO = 6,
    EBADF = 9,
    ENOMEM = 12,
    EACCES = 13,
    EBUSY = 16,
    EEXIST = 17,
    EXDEV = 18,
    ENODEV = 19,
    ENOTDIR = 20,
    EISDIR = 21,
    EINVAL = 22,
    ENFILE = 23,
    EMFILE = 24,
    ENOTTY = 25,
    ETXTBSY = 26,
    EFBIG = 27,
    ENOSPC = 28,
    ESPIPE = 29,
    EROFS = 30,
    EMLINK = 31,
    EPIPE = 32,
    ERANGE = 34,
    EAGAIN = 35,
    ENOTSUP = 45,
    ETIMEDOUT = 60,
    ELOOP = 62,
    ENAMETOOLONG = 63,
    ENOTEMPTY = 66,
    EDQUOT = 69,
    ESTALE = 70,
    ENOSYS = 78,
    EOVERFLOW = 84,
    ECANCELED = 89,
    ENOATTR = 93,
    EOPNOTSUPP = 102,
}
