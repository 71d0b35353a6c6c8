//! `NtSetInformationFile`: what is set of an open file, each kind by its information class.
//!
//! # References
//!  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntsetinformationfile)

use std::os::windows::io::{AsHandle, BorrowedHandle};
use std::sync::atomic::{AtomicBool, Ordering};

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_BASIC_INFORMATION, FILE_DISPOSITION_DELETE, FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE,
    FILE_DISPOSITION_POSIX_SEMANTICS, FILE_INFORMATION_CLASS,
    FILE_RENAME_IGNORE_READONLY_ATTRIBUTE, FILE_RENAME_POSIX_SEMANTICS,
    FILE_RENAME_REPLACE_IF_EXISTS, FileAllocationInformation, FileBasicInformation,
    FileDispositionInformation, FileDispositionInformationEx, FileEndOfFileInformation,
    FileLinkInformation, FileRenameInformation, FileRenameInformationEx, NtSetInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
};

use super::request::{Plain, request};
use super::{Result, length, raw, records, status};

/// Times in units of 100 ns since 1601; 0 leaves one as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the documentation
pub struct BasicTimes {
    pub created: i64,
    pub accessed: i64,
    pub written: i64,
}

fn set<T: Plain + ?Sized>(
    file: impl AsHandle,
    class: FILE_INFORMATION_CLASS,
    what: &T,
) -> Result<()> {
    // SAFETY: one call on the file; `what` outlives the request, which reads as many bytes as it has.
    let (result, _) = unsafe {
        request(&file, |io| {
            NtSetInformationFile(
                raw(&file),
                io,
                std::ptr::from_ref(what).cast(),
                length(size_of_val(what)),
                class,
            )
        })
    };
    status(result)
}

/// FileBasicInformation: times. Needs FILE_WRITE_ATTRIBUTES.
///
/// # Errors
///
/// The call's.
pub fn set_times(file: impl AsHandle, times: BasicTimes) -> Result<()> {
    let basic = FILE_BASIC_INFORMATION {
        CreationTime: times.created,
        LastAccessTime: times.accessed,
        LastWriteTime: times.written,
        ChangeTime: 0,
        FileAttributes: 0,
    };
    set(file, FileBasicInformation, &basic)
}

/// FileBasicInformation: attributes. None at all is FILE_ATTRIBUTE_NORMAL; 0 would change nothing.
///
/// # Errors
///
/// The call's.
pub fn set_attributes(file: impl AsHandle, attributes: u32) -> Result<()> {
    let basic = FILE_BASIC_INFORMATION {
        FileAttributes: attributes,
        ..FILE_BASIC_INFORMATION::default()
    };
    set(file, FileBasicInformation, &basic)
}

/// FileEndOfFileInformation (SetEndOfFile): the length, bytes.
///
/// # Errors
///
/// The call's.
pub fn set_end_of_file(file: impl AsHandle, size: u64) -> Result<()> {
    set(file, FileEndOfFileInformation, &size.cast_signed())
}

/// FileAllocationInformation: reserves space, without a change of the length; what is beyond the
/// end when the file is closed is given back. (SetFileValidData would show old data of the disk.)
///
/// # Errors
///
/// The call's.
pub fn set_allocation(file: impl AsHandle, bytes: u64) -> Result<()> {
    set(file, FileAllocationInformation, &bytes.cast_signed())
}

/// The system doesn't know the newer classes: Windows before 10 1709, and other filesystems.
static KNOWS_EX: AtomicBool = AtomicBool::new(true);

fn is_unknown(code: i32) -> bool {
    matches!(
        code.cast_unsigned(),
        ERROR_INVALID_FUNCTION | ERROR_INVALID_PARAMETER | ERROR_NOT_SUPPORTED
    )
}

/// By the newer class where the system has it, else by the older one.
fn ex_or(newer: impl FnOnce() -> Result<()>, older: impl FnOnce() -> Result<()>) -> Result<()> {
    if KNOWS_EX.load(Ordering::Relaxed) {
        match newer() {
            Err(code) if is_unknown(code) => {}
            result => return result,
        }
        let result = older();
        if result.is_ok() {
            KNOWS_EX.store(false, Ordering::Relaxed);
        }
        return result;
    }
    older()
}

/// FileDispositionInformationEx: takes the file's name away, at once where the system can (POSIX
/// semantics), and from a read-only file too. Needs DELETE.
///
/// # Errors
///
/// The call's.
pub fn remove(file: impl AsHandle) -> Result<()> {
    let flags = FILE_DISPOSITION_DELETE
        | FILE_DISPOSITION_POSIX_SEMANTICS
        | FILE_DISPOSITION_IGNORE_READONLY_ATTRIBUTE;
    ex_or(
        || set(&file, FileDispositionInformationEx, &flags),
        || set(&file, FileDispositionInformation, &1_u8),
    )
}

/// FILE_RENAME_INFORMATION and FILE_LINK_INFORMATION: flags, directory, length and name.
fn target(flags: u32, dir: Option<BorrowedHandle<'_>>, name: &[u16]) -> Vec<u64> {
    /// Where the name stands on 64 bits: after four bytes of flags (and four of nothing), the
    /// handle, and four bytes of length.
    const NAME_AT: usize = 2 * size_of::<usize>() + size_of::<u32>();
    let mut record = records(NAME_AT + size_of_val(name) + size_of::<u16>());
    let handle = dir.map_or(0, |dir| raw(&dir) as usize);
    let mut bytes: Vec<u8> = Vec::with_capacity(record.len() * size_of::<u64>());
    bytes.extend(flags.to_le_bytes());
    bytes.resize(size_of::<usize>(), 0);
    bytes.extend(handle.to_le_bytes());
    bytes.extend(length(size_of_val(name)).to_le_bytes());
    bytes.extend(name.iter().flat_map(|unit| unit.to_le_bytes()));
    bytes.resize(record.len() * size_of::<u64>(), 0);
    for (word, eight) in record.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
        *word = u64::from_le_bytes(eight.try_into().unwrap_or_default());
    }
    record
}

/// FileRenameInformationEx: gives the file another name, in the open directory `dir` (or by the
/// kernel's path), replacing what has it. Needs DELETE.
///
/// # Errors
///
/// The call's.
pub fn rename(file: impl AsHandle, dir: Option<BorrowedHandle<'_>>, name: &[u16]) -> Result<()> {
    let flags = FILE_RENAME_REPLACE_IF_EXISTS
        | FILE_RENAME_POSIX_SEMANTICS
        | FILE_RENAME_IGNORE_READONLY_ATTRIBUTE;
    ex_or(
        || set(&file, FileRenameInformationEx, &*target(flags, dir, name)),
        || set(&file, FileRenameInformation, &*target(1, dir, name)),
    )
}

/// FileLinkInformation: gives the file one more name, which must be free.
///
/// # Errors
///
/// The call's: ERROR_TOO_MANY_LINKS beyond NTFS's 1,024.
pub fn hard_link(file: impl AsHandle, dir: Option<BorrowedHandle<'_>>, name: &[u16]) -> Result<()> {
    set(file, FileLinkInformation, &*target(0, dir, name))
}
