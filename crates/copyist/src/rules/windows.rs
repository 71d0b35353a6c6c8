//! Windows: GetLastError values and what they mean to each method.
//!
//! Sources: "Block Cloning on ReFS" and FSCTL_DUPLICATE_EXTENTS_TO_FILE, CopyFileExW, and "System
//! Error Codes" of the Windows documentation.

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
    ERROR_INVALID_FUNCTION = 1,
    ERROR_FILE_NOT_FOUND = 2,
    ERROR_PATH_NOT_FOUND = 3,
    ERROR_ACCESS_DENIED = 5,
    ERROR_NOT_ENOUGH_MEMORY = 8,
    ERROR_NOT_SAME_DEVICE = 17,
    ERROR_CRC = 23,
    ERROR_SHARING_VIOLATION = 32,
    ERROR_NOT_SUPPORTED = 50,
    ERROR_FILE_EXISTS = 80,
    ERROR_INVALID_PARAMETER = 87,
    ERROR_DISK_FULL = 112,
    ERROR_ALREADY_EXISTS = 183,
    ERROR_BLOCK_TOO_MANY_REFERENCES = 347,
    ERROR_IO_DEVICE = 1117,
    ERROR_DISK_QUOTA_EXCEEDED = 1295,
    ERROR_PRIVILEGE_NOT_HELD = 1314,
    ERROR_CANT_RESOLVE_FILENAME = 1921,
}

/// The rules, first match first.
#[rustfmt::skip] // one rule, one line: this is a table
pub(crate) static RULES: &[Rule] = &[
    Rule::new(Clone, Some(ERROR_CRC), Verdict::Fatal, Remember::File, "the device failed"),
    Rule::new(Clone, Some(ERROR_IO_DEVICE), Verdict::Fatal, Remember::File, "the device failed"),
    Rule::new(Clone, Some(ERROR_NOT_ENOUGH_MEMORY), Verdict::Fatal, Remember::File, "the system is out of memory"),
    Rule::new(Clone, Some(ERROR_DISK_FULL), Verdict::Fatal, Remember::File, "no room for the extent references"),
    Rule::new(Clone, Some(ERROR_DISK_QUOTA_EXCEEDED), Verdict::Fatal, Remember::File, "the quota has no room"),
    Rule::new(Clone, Some(ERROR_INVALID_FUNCTION), Verdict::Next, Remember::VolumePair, "not a volume with block cloning (NTFS)"),
    Rule::new(Clone, Some(ERROR_NOT_SUPPORTED), Verdict::Next, Remember::VolumePair, "not a volume with block cloning, or a server without it"),
    Rule::new(Clone, Some(ERROR_NOT_SAME_DEVICE), Verdict::Next, Remember::VolumePair, "two volumes"),
    Rule::new(Clone, Some(ERROR_INVALID_PARAMETER), Verdict::Next, Remember::File, "unaligned range, or integrity or sparse state differ"),
    Rule::new(Clone, Some(ERROR_BLOCK_TOO_MANY_REFERENCES), Verdict::Next, Remember::File, "8,175 clones of one block are the limit (4,095 on older builds)"),
    Rule::new(Clone, None, Verdict::Next, Remember::File, "a refused clone has changed nothing, whatever the code"),

    Rule::new(SystemCopy, Some(ERROR_NOT_SUPPORTED), Verdict::Next, Remember::VolumePair, "CopyFileExW doesn't serve this pair"),
    Rule::new(SystemCopy, None, Verdict::Fatal, Remember::File, "a real error, or an unknown one"),

    Rule::new(Direct, Some(ERROR_INVALID_PARAMETER), Verdict::Next, Remember::File, "the volume refuses unbuffered transfers of this alignment"),
    Rule::new(Direct, Some(ERROR_NOT_SUPPORTED), Verdict::Next, Remember::File, "the volume has no unbuffered transfers"),
    Rule::new(Direct, None, Verdict::Fatal, Remember::File, "a real error, or an unknown one"),

    Rule::new(ReadWrite, None, Verdict::Fatal, Remember::File, "there is no other way left: whatever it is, it is real"),
];
