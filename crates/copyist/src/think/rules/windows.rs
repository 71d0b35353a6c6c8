//! Windows: GetLastError values and what they mean to each method.
//!
//! Sources: "Block Cloning on ReFS" and FSCTL_DUPLICATE_EXTENTS_TO_FILE, CopyFileExW, and "System
//! Error Codes" of the Windows documentation.

use super::{Rule, Scope, Verdict};
use crate::words::code::Code;
pub(crate) use crate::words::code::windows::*;
use crate::words::method::Method::{Clone, Direct, ReadWrite, SystemCopy};

/// Codes that say that a name can't be given to another file.
pub(crate) static IRREPLACEABLE: &[(Code, &str)] = &[
    (
        ERROR_ACCESS_DENIED,
        "the directory takes no new files, or the file can't be removed; it may be written to",
    ),
    (
        ERROR_SHARING_VIOLATION,
        "another process has the file open, and shares it for writing only",
    ),
    (ERROR_NOT_SUPPORTED, "a server without rename"),
    (ERROR_INVALID_FUNCTION, "a filesystem driver without rename"),
    (
        ERROR_CALL_NOT_IMPLEMENTED,
        "a filesystem driver without rename",
    ),
    (
        ERROR_ALREADY_EXISTS,
        "a server whose rename replaces nothing",
    ),
    (
        ERROR_FILENAME_EXCED_RANGE,
        "the name of the new file is longer than the filesystem takes",
    ),
];

// The codes of FSCTL_DUPLICATE_EXTENTS_TO_FILE are those of [MS-FSCC] 2.3.8, as RtlNtStatusToDosError maps them;
// those of CopyFileExW are from its documentation and from the opens that it does.
/// The rules, first match first.
#[rustfmt::skip] // one rule, one line: this is a table
pub(crate) static RULES: &[Rule] = &[
    Rule::new(Clone, Some(ERROR_CRC), Verdict::Fatal, Scope::File, "the device failed"),
    Rule::new(Clone, Some(ERROR_IO_DEVICE), Verdict::Fatal, Scope::File, "the device failed"),
    Rule::new(Clone, Some(ERROR_NOT_ENOUGH_MEMORY), Verdict::Fatal, Scope::File, "the system is out of memory"),
    Rule::new(Clone, Some(ERROR_NO_SYSTEM_RESOURCES), Verdict::Fatal, Scope::File, "the system is out of memory (STATUS_INSUFFICIENT_RESOURCES)"),
    Rule::new(Clone, Some(ERROR_DISK_FULL), Verdict::Fatal, Scope::File, "no room for the extent references"),
    Rule::new(Clone, Some(ERROR_DISK_QUOTA_EXCEEDED), Verdict::Fatal, Scope::File, "the quota has no room"),
    Rule::new(Clone, Some(ERROR_WRITE_PROTECT), Verdict::Fatal, Scope::File, "the volume is read-only (STATUS_MEDIA_WRITE_PROTECTED)"),
    Rule::new(Clone, Some(ERROR_INVALID_FUNCTION), Verdict::Next, Scope::VolumePair, "not a volume with block cloning: NTFS (STATUS_INVALID_DEVICE_REQUEST)"),
    Rule::new(Clone, Some(ERROR_CALL_NOT_IMPLEMENTED), Verdict::Next, Scope::Process, "this system has no block cloning"),
    Rule::new(Clone, Some(ERROR_NOT_SAME_DEVICE), Verdict::Next, Scope::VolumePair, "two volumes"),
    Rule::new(Clone, Some(ERROR_NOT_SUPPORTED), Verdict::Next, Scope::File, "sparse or integrity state differ, a range beyond the source, or a server without it"),
    Rule::new(Clone, Some(ERROR_INVALID_PARAMETER), Verdict::Next, Scope::File, "unaligned range, or two volumes under one serial number"),
    Rule::new(Clone, Some(ERROR_BLOCK_TOO_MANY_REFERENCES), Verdict::Next, Scope::File, "8,175 clones of one block are the limit (4,095 on older builds)"),
    Rule::new(Clone, None, Verdict::Next, Scope::File, "a refused clone has changed nothing, whatever the code"),

    Rule::new(SystemCopy, Some(ERROR_NOT_SUPPORTED), Verdict::Next, Scope::VolumePair, "CopyFileExW doesn't serve this pair"),
    Rule::new(SystemCopy, Some(ERROR_CALL_NOT_IMPLEMENTED), Verdict::Next, Scope::Process, "this system has no CopyFileExW"),
    Rule::new(SystemCopy, Some(Code::NO_PROGRESS), Verdict::Next, Scope::File, "it copies whole files: this one has been begun, or a part was copied"),
    Rule::new(SystemCopy, Some(ERROR_INVALID_PARAMETER), Verdict::Next, Scope::File, "a flag that this Windows, or a filter driver, doesn't know"),
    Rule::new(SystemCopy, Some(ERROR_SHARING_VIOLATION), Verdict::Next, Scope::File, "it opens the source without sharing it with writers; copying continues through the handle that is already open"),
    Rule::new(SystemCopy, Some(ERROR_FILE_NOT_FOUND), Verdict::Next, Scope::File, "the source has lost its path; the file that is open already is read on"),
    Rule::new(SystemCopy, Some(ERROR_PATH_NOT_FOUND), Verdict::Next, Scope::File, "a volume without a path for Win32; open files need none"),
    Rule::new(SystemCopy, Some(ERROR_FILENAME_EXCED_RANGE), Verdict::Next, Scope::File, "a path of more than 32,767 characters; open files need none"),
    Rule::new(SystemCopy, Some(ERROR_MORE_DATA), Verdict::Next, Scope::File, "a path longer than Wine can say; open files need none"),
    Rule::new(SystemCopy, Some(ERROR_INVALID_NAME), Verdict::Next, Scope::File, "a name that Win32 doesn't take; open files need none"),
    Rule::new(SystemCopy, Some(ERROR_BAD_PATHNAME), Verdict::Next, Scope::File, "a path that Win32 doesn't take; open files need none"),
    Rule::new(SystemCopy, Some(ERROR_ENCRYPTION_FAILED), Verdict::Fatal, Scope::File, "the destination can't be encrypted, and a copy in the clear was not asked for"),
    Rule::new(SystemCopy, None, Verdict::Fatal, Scope::File, "a real error, or an unknown one"),

    Rule::new(Direct, Some(ERROR_INVALID_PARAMETER), Verdict::Next, Scope::File, "the volume refuses unbuffered transfers of this alignment"),
    Rule::new(Direct, Some(ERROR_NOT_SUPPORTED), Verdict::Next, Scope::File, "the volume has no unbuffered transfers"),
    Rule::new(Direct, Some(Code::NO_PROGRESS), Verdict::Next, Scope::File, "nothing was moved where there is data"),
    Rule::new(Direct, None, Verdict::Fatal, Scope::File, "a real error, or an unknown one"),

    Rule::new(ReadWrite, None, Verdict::Fatal, Scope::File, "there is no other way left: whatever it is, it is real"),
];
