//! Linux: errno values and what they mean to each method.
//!
//! Sources: ioctl_ficlonerange(2), copy_file_range(2), sendfile(2), open(2), and the kernel's
//! fs/remap_range.c and fs/read_write.c.

use super::{Rule, Scope, Verdict};
use crate::words::code::Code;
pub(crate) use crate::words::code::linux::*;
use crate::words::facts::FsKind;
use crate::words::method::Method::{Clone, CopyRange, Direct, ReadWrite, Sendfile};

/// Codes with which rename(2) of a new file over a name, or open(2) of a new file beside it, says that the name can't
/// be given to another file.
pub(crate) static IRREPLACEABLE: &[(Code, &str)] = &[
    (EACCES, "the directory may not be written to; the file may"),
    (
        EPERM,
        "a file of another user in a sticky directory; a FUSE server's refusal",
    ),
    (ENOENT, "procfs: no process can create files there"),
    (
        EROFS,
        "the directory's mount is read-only, and the file's is not",
    ),
    (
        EBUSY,
        "a mount point, such as a file mounted into a container",
    ),
    (EXDEV, "the name is on another mount than its directory"),
    (ENOSYS, "a FUSE server without rename"),
    (EOPNOTSUPP, "a server without rename"),
    (EINVAL, "a FUSE server whose rename replaces nothing"),
    (EEXIST, "a server whose rename replaces nothing"),
    (
        ENAMETOOLONG,
        "the name of the new file is longer than the filesystem takes",
    ),
];

const fn retry(method: crate::words::method::Method, code: Code, why: &'static str) -> Rule {
    Rule::new(method, Some(code), Verdict::Retry, Scope::File, why)
}

const fn next(
    method: crate::words::method::Method,
    code: Code,
    scope: Scope,
    why: &'static str,
) -> Rule {
    Rule::new(method, Some(code), Verdict::Next, scope, why)
}

const fn fatal(method: crate::words::method::Method, code: Code, why: &'static str) -> Rule {
    Rule::new(method, Some(code), Verdict::Fatal, Scope::File, why)
}

const REAL: &str = "the device failed, or the volume, the quota or the memory is full";
/// EACCES (security modules), ENOENT (CIFS), or any other code that a server chooses.
const REFUSED: &str = "the call was refused before anything was moved: reading and writing show whether the error is real";
const SIGNAL: &str = "a signal arrived before anything was done";

/// The rules, first match first.
#[rustfmt::skip] // one rule, one line: this is a table
pub(crate) static RULES: &[Rule] = &[
    retry(Clone, EINTR, SIGNAL),
    fatal(Clone, EIO, "the device failed: fs/remap_range.c flushes dirty source pages first"),
    fatal(Clone, ENOMEM, "the kernel is out of memory"),
    fatal(Clone, ENOSPC, "no room for the extent references"),
    fatal(Clone, EDQUOT, "the quota has no room for the extent references"),
    next(Clone, EOPNOTSUPP, Scope::VolumePair, "the filesystem has no remap_file_range, or (XFS) was made without reflink"),
    next(Clone, ENOTTY, Scope::VolumePair, "the filesystem doesn't know the ioctl"),
    next(Clone, EXDEV, Scope::VolumePair, "two filesystems, or (before Linux 5.18) two mounts of one"),
    next(Clone, ENOSYS, Scope::Process, "an emulator or sandbox without the ioctl"),
    next(Clone, EINVAL, Scope::File, "btrfs: NOCOW differs; unaligned end of a source that grew; a swap file"),
    next(Clone, ETXTBSY, Scope::File, "an active swap file"),
    next(Clone, EPERM, Scope::File, "immutable or append-only file, or seccomp"),
    next(Clone, Code::NO_PROGRESS, Scope::File, "the call returned success and shared a part of the file, or nothing (OpenZFS issue 15728)"),
    Rule::new(Clone, None, Verdict::Next, Scope::File, "a refused clone has changed nothing, whatever the code: copying is always safe"),

    retry(CopyRange, EINTR, SIGNAL),
    next(CopyRange, EIO, Scope::VolumePair, "CIFS: server-side copy refused").on_untouched(FsKind::Cifs),
    next(CopyRange, ENOENT, Scope::VolumePair, "CIFS: server-side copy refused").on_untouched(FsKind::Cifs),
    next(CopyRange, EPERM, Scope::File, "seccomp, an immutable file, or CIFS"),
    next(CopyRange, ENOSYS, Scope::Process, "Linux before 4.5, or a sandbox without the call"),
    next(CopyRange, EOPNOTSUPP, Scope::VolumePair, "the filesystem (NFS before 4.2, FUSE, CIFS) has no such operation"),
    next(CopyRange, EXDEV, Scope::VolumePair, "two filesystems: refused before Linux 5.3 and, unless of one type, since 5.19"),
    next(CopyRange, EINVAL, Scope::File, "source not a regular file to this filesystem, or overlapping ranges"),
    next(CopyRange, ETXTBSY, Scope::File, "an active swap file"),
    next(CopyRange, EBADF, Scope::File, "the destination was opened with O_APPEND"),
    next(CopyRange, EOVERFLOW, Scope::File, "offset and length overflow in the filesystem"),
    next(CopyRange, EFBIG, Scope::File, "past a limit, or at the end of file: a write tells which"),
    next(CopyRange, Code::NO_PROGRESS, Scope::File, "procfs, overlay: a read returns data where the call moved none"),
    fatal(CopyRange, EIO, REAL),
    fatal(CopyRange, ENOSPC, REAL),
    fatal(CopyRange, EDQUOT, REAL),
    fatal(CopyRange, ENOMEM, REAL),
    Rule::new(CopyRange, None, Verdict::Next, Scope::File, REFUSED).untouched(),
    Rule::new(CopyRange, None, Verdict::Fatal, Scope::File, "an unknown error after data was moved"),

    retry(Sendfile, EINTR, SIGNAL),
    next(Sendfile, EINVAL, Scope::File, "the source can't be spliced or mapped"),
    next(Sendfile, ENOSYS, Scope::Process, "a sandbox without the call"),
    next(Sendfile, EPERM, Scope::File, "a seccomp filter refuses the call"),
    next(Sendfile, EOVERFLOW, Scope::File, "offset too large for the call"),
    next(Sendfile, ESPIPE, Scope::File, "the source has no offsets"),
    next(Sendfile, EAGAIN, Scope::File, "opened not to wait, and there is nothing yet"),
    next(Sendfile, Code::NO_PROGRESS, Scope::File, "procfs: a read returns data where the call moved none"),
    fatal(Sendfile, EIO, REAL),
    fatal(Sendfile, ENOSPC, REAL),
    fatal(Sendfile, EDQUOT, REAL),
    fatal(Sendfile, ENOMEM, REAL),
    Rule::new(Sendfile, None, Verdict::Next, Scope::File, REFUSED).untouched(),
    Rule::new(Sendfile, None, Verdict::Fatal, Scope::File, "an unknown error after data was moved"),

    retry(Direct, EINTR, SIGNAL),
    next(Direct, EINVAL, Scope::File, "neither filesystem takes O_DIRECT (tmpfs before 6.5, some FUSE), or the alignment asked for is not enough"),
    next(Direct, EOPNOTSUPP, Scope::File, "the filesystem takes the flag and then refuses the transfer"),
    Rule::new(Direct, None, Verdict::Fatal, Scope::File, "a real error, or an unknown one"),

    retry(ReadWrite, EINTR, SIGNAL),
    Rule::new(ReadWrite, None, Verdict::Fatal, Scope::File, "there is no other way left: whatever it is, it is real"),
];
