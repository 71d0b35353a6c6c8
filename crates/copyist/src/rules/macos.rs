//! macOS: errno values and what they mean to each method.
//!
//! Sources: clonefile(2), copyfile(3), fcntl(2).

use super::{Remember, Rule, Verdict};
use crate::error::Code;
use crate::method::Method::{Clone, Direct, ReadWrite, SystemCopy};

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
    ENOMEM = 12,
    EACCES = 13,
    EEXIST = 17,
    EXDEV = 18,
    EINVAL = 22,
    ENOTTY = 25,
    EFBIG = 27,
    ENOSPC = 28,
    EROFS = 30,
    ENOTSUP = 45,
    ELOOP = 62,
    EDQUOT = 69,
    ENOSYS = 78,
}

/// The rules, first match first.
#[rustfmt::skip] // one rule, one line: this is a table
pub(crate) static RULES: &[Rule] = &[
    Rule::new(Clone, Some(EINTR), Verdict::Retry, Remember::File, "a signal arrived before anything was done"),
    Rule::new(Clone, Some(EIO), Verdict::Fatal, Remember::File, "the device failed"),
    Rule::new(Clone, Some(ENOMEM), Verdict::Fatal, Remember::File, "the kernel is out of memory"),
    Rule::new(Clone, Some(ENOSPC), Verdict::Fatal, Remember::File, "no room for the clone's metadata"),
    Rule::new(Clone, Some(EDQUOT), Verdict::Fatal, Remember::File, "the quota has no room for the clone"),
    Rule::new(Clone, Some(ENOTSUP), Verdict::Next, Remember::VolumePair, "the filesystem (HFS+, exFAT, SMB) can't clone"),
    Rule::new(Clone, Some(EXDEV), Verdict::Next, Remember::VolumePair, "two volumes, even of one APFS container"),
    Rule::new(Clone, Some(ENOSYS), Verdict::Next, Remember::Process, "macOS before 10.12"),
    Rule::new(Clone, None, Verdict::Next, Remember::File, "a refused clone has changed nothing, whatever the code"),

    Rule::new(SystemCopy, Some(EINTR), Verdict::Retry, Remember::File, "a signal arrived before anything was done"),
    Rule::new(SystemCopy, Some(ENOTSUP), Verdict::Next, Remember::VolumePair, "copyfile doesn't serve this pair"),
    Rule::new(SystemCopy, None, Verdict::Fatal, Remember::File, "a real error, or an unknown one"),

    Rule::new(Direct, Some(EINTR), Verdict::Retry, Remember::File, "a signal arrived before anything was done"),
    Rule::new(Direct, Some(EINVAL), Verdict::Next, Remember::File, "the filesystem doesn't take F_NOCACHE"),
    Rule::new(Direct, Some(ENOTSUP), Verdict::Next, Remember::File, "the filesystem doesn't take F_NOCACHE"),
    Rule::new(Direct, None, Verdict::Fatal, Remember::File, "a real error, or an unknown one"),

    Rule::new(ReadWrite, Some(EINTR), Verdict::Retry, Remember::File, "a signal arrived before anything was done"),
    Rule::new(ReadWrite, None, Verdict::Fatal, Remember::File, "there is no other way left: whatever it is, it is real"),
];
