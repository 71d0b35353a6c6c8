//! macOS: errno values and what they mean to each method.
//!
//! Sources: clonefile(2), copyfile(3), fcntl(2), and xnu's bsd/sys/errno.h.

use super::{Rule, Scope, Verdict};
use crate::words::code::Code;
pub(crate) use crate::words::code::macos::*;
use crate::words::method::Method;
use crate::words::method::Method::{Clone, Direct, ReadWrite, SystemCopy};

/// Codes that say that a name can't be given to another file.
pub(crate) static IRREPLACEABLE: &[(Code, &str)] = &[
    (EACCES, "the directory may not be written to; the file may"),
    (EPERM, "a file of another user in a sticky directory"),
    (
        EROFS,
        "the directory's mount is read-only, and the file's is not",
    ),
    (EBUSY, "a mount point (FreeBSD: a file mounted by nullfs)"),
    (EXDEV, "the name is on another mount than its directory"),
    (ENOSYS, "a FUSE server without rename"),
    (ENOTSUP, "a server without rename"),
    (EOPNOTSUPP, "FreeBSD: a server without rename"),
    (EINVAL, "a FUSE server whose rename replaces nothing"),
    (EEXIST, "a server whose rename replaces nothing"),
    (
        ENAMETOOLONG,
        "the name of the new file is longer than the filesystem takes",
    ),
];

const fn retry(method: Method, code: Code, why: &'static str) -> Rule {
    Rule::new(method, Some(code), Verdict::Retry, Scope::File, why)
}

const fn next(method: Method, code: Code, scope: Scope, why: &'static str) -> Rule {
    Rule::new(method, Some(code), Verdict::Next, scope, why)
}

const fn fatal(method: Method, code: Code, why: &'static str) -> Rule {
    Rule::new(method, Some(code), Verdict::Fatal, Scope::File, why)
}

const SIGNAL: &str = "a signal arrived before anything was done";

/// The rules, first match first.
#[rustfmt::skip] // one rule, one line: this is a table
pub(crate) static RULES: &[Rule] = &[
    retry(Clone, EINTR, SIGNAL),
    fatal(Clone, EIO, "the device failed"),
    fatal(Clone, ENOMEM, "the kernel is out of memory"),
    fatal(Clone, ENOSPC, "no room for the clone's metadata"),
    fatal(Clone, EDQUOT, "the quota has no room for the clone"),
    next(Clone, ENOTSUP, Scope::VolumePair, "the filesystem (HFS+, exFAT, SMB) can't clone"),
    next(Clone, EOPNOTSUPP, Scope::VolumePair, "a filesystem of another maker's can't clone"),
    next(Clone, EXDEV, Scope::VolumePair, "two volumes, even of one APFS container"),
    next(Clone, ENOSYS, Scope::Process, "macOS before 10.12"),
    next(Clone, ENOENT, Scope::File, "the source has lost its last name: what is not there can't be cloned"),
    next(Clone, EPERM, Scope::File, "protected by the system, or by a flag of the directory"),
    next(Clone, Code::NO_PROGRESS, Scope::File, "another method has begun, or a part was cloned: a clone is of a whole file"),
    Rule::new(Clone, None, Verdict::Next, Scope::File, "a refused clone has changed nothing, whatever the code"),

    retry(SystemCopy, EINTR, SIGNAL),
    next(SystemCopy, ENOTSUP, Scope::VolumePair, "copyfile doesn't serve this pair"),
    next(SystemCopy, EOPNOTSUPP, Scope::VolumePair, "copyfile doesn't serve this pair"),
    next(SystemCopy, ENOSYS, Scope::Process, "a sandbox without a call that copyfile needs"),
    next(SystemCopy, Code::NO_PROGRESS, Scope::File, "another method has begun, or a part was copied: copyfile copies whole files"),
    Rule::new(SystemCopy, None, Verdict::Fatal, Scope::File, "a real error (EIO, ENOSPC, EDQUOT, ENOMEM), or an unknown one"),

    retry(Direct, EINTR, SIGNAL),
    next(Direct, EINVAL, Scope::File, "the filesystem doesn't take F_NOCACHE"),
    next(Direct, ENOTSUP, Scope::File, "the filesystem doesn't take F_NOCACHE"),
    next(Direct, ENOTTY, Scope::File, "the filesystem doesn't know F_NOCACHE"),
    Rule::new(Direct, None, Verdict::Fatal, Scope::File, "a real error, or an unknown one"),

    retry(ReadWrite, EINTR, SIGNAL),
    Rule::new(ReadWrite, None, Verdict::Fatal, Scope::File, "there is no other way left: whatever it is, it is real"),
];
