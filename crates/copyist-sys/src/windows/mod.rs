//! Windows. Files are opened by NtCreateFile, relative to open directories; what is done with them
//! is asked of the native calls where Win32 has none that take a handle.
//!
//! Errors are Win32's (GetLastError): a native status is translated by RtlNtStatusToDosError.

mod copyfile;
mod direct;
mod directory;
mod extents;
mod file;
mod fsctl;
mod information;
mod names;
mod ntcreatefile;
mod open;
mod process;
mod query;
mod request;
mod security;
mod streams;
mod symlink;
mod volume;

pub use copyfile::{CopyFlags, copyfileexw};
pub use direct::copy_unbuffered;
pub use directory::{Entry, query_directory};
pub use extents::{
    Extents, Run, allocated_ranges, duplicate_extents, integrity, retrieval_pointers,
    set_integrity, set_sparse,
};
pub use file::{close, flush, lock, read, write};
pub use information::{
    BasicTimes, hard_link, remove, rename, set_allocation, set_attributes, set_end_of_file,
    set_times,
};
pub use names::{bytes_name, final_path, name_bytes, nt_path, wide, wtf8};
pub use ntcreatefile::{How, ntcreatefile, reopen};
pub use open::{Kind, kind};
pub use process::{is_wine, processor_time, see_placeholders, send_break, version};
pub use query::{Information, attributes, file_id, file_index, information, reparse_tag};
pub use security::{Security, enable_restore, security, set_security};
pub use streams::{CopyFailed, copy_stream, read_stream, remove_stream, streams, write_stream};
pub use symlink::{create_symbolic_link, reparse_point, set_reparse_point};
pub use volume::{Volume, volume};

/// The constants of the calls above, by their names in the Windows SDK.
pub mod constants {
    pub use windows_sys::Wdk::Storage::FileSystem::{
        FILE_CREATE, FILE_DELETE_ON_CLOSE, FILE_DIRECTORY_FILE, FILE_NO_INTERMEDIATE_BUFFERING,
        FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_FOR_BACKUP_INTENT, FILE_OPEN_IF,
        FILE_OPEN_NO_RECALL, FILE_OPEN_REPARSE_POINT, FILE_SEQUENTIAL_ONLY,
        FILE_SYNCHRONOUS_IO_NONALERT,
    };
    pub use windows_sys::Win32::Foundation::*;
    pub use windows_sys::Win32::Storage::FileSystem::{
        DELETE, FILE_ADD_FILE, FILE_ADD_SUBDIRECTORY, FILE_ATTRIBUTE_ARCHIVE,
        FILE_ATTRIBUTE_DIRECTORY, FILE_ATTRIBUTE_ENCRYPTED, FILE_ATTRIBUTE_HIDDEN,
        FILE_ATTRIBUTE_INTEGRITY_STREAM, FILE_ATTRIBUTE_NORMAL, FILE_ATTRIBUTE_NOT_CONTENT_INDEXED,
        FILE_ATTRIBUTE_READONLY, FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS,
        FILE_ATTRIBUTE_RECALL_ON_OPEN, FILE_ATTRIBUTE_REPARSE_POINT, FILE_ATTRIBUTE_SPARSE_FILE,
        FILE_ATTRIBUTE_SYSTEM, FILE_LIST_DIRECTORY, FILE_READ_ATTRIBUTES, FILE_READ_DATA,
        FILE_READ_EA, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, FILE_TRAVERSE,
        FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA, FILE_WRITE_EA, READ_CONTROL, SYNCHRONIZE,
        WRITE_DAC, WRITE_OWNER,
    };
    pub use windows_sys::Win32::System::SystemServices::{
        FILE_NAMED_STREAMS, FILE_READ_ONLY_VOLUME, FILE_SUPPORTS_BLOCK_REFCOUNTING,
        FILE_SUPPORTS_SPARSE_FILES, IO_REPARSE_TAG_AF_UNIX, IO_REPARSE_TAG_APPEXECLINK,
        IO_REPARSE_TAG_MOUNT_POINT, IO_REPARSE_TAG_SYMLINK,
    };
}

use std::os::windows::io::{AsHandle, AsRawHandle};

use windows_sys::Win32::Foundation::{
    ERROR_GEN_FAILURE, GetLastError, HANDLE, NTSTATUS, RtlNtStatusToDosError,
};

use request::Plain;

/// A Win32 error code (GetLastError), as an `i32`.
pub type Result<T> = std::result::Result<T, i32>;

/// The error of the Win32 call that has just failed on this thread.
fn last_error() -> i32 {
    // SAFETY: it reads a value of this thread.
    let code = unsafe { GetLastError() };
    // A failure that says "no error" is a failure all the same.
    if code == 0 { ERROR_GEN_FAILURE } else { code }.cast_signed()
}

/// 0 is a failure of a Win32 call, everything else a success.
fn succeed(result: windows_sys::core::BOOL) -> Result<()> {
    if result == 0 {
        Err(last_error())
    } else {
        Ok(())
    }
}

/// A native status. Warnings (0x8...) are the callers' business.
fn status(status: NTSTATUS) -> Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: the call translates a number.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Err(code.cast_signed())
}

/// The handle itself. What is borrowed stays open at least as long as the caller has it.
fn raw(handle: &impl AsHandle) -> HANDLE {
    handle.as_handle().as_raw_handle()
}

/// A length as the system counts it. No caller has a buffer of 4 GiB.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// Memory that the system writes records into, aligned for any of them.
fn records(bytes: usize) -> Vec<u64> {
    vec![0; bytes.div_ceil(size_of::<u64>())]
}

/// Reads a value out of a record, wherever it stands.
fn field<T: Plain>(bytes: &[u8], at: usize) -> Option<T> {
    let field = bytes.get(at..at.checked_add(size_of::<T>())?)?;
    // SAFETY: there are as many bytes as `T` has, of which every pattern is one.
    Some(unsafe { field.as_ptr().cast::<T>().read_unaligned() })
}

/// Records as bytes.
fn as_bytes(records: &[u64]) -> &[u8] {
    // SAFETY: every byte of a u64 is one, and the length is that of the same memory.
    unsafe { std::slice::from_raw_parts(records.as_ptr().cast(), size_of_val(records)) }
}

/// UTF-16 out of a record: `bytes` long, at `at`.
fn text(record: &[u8], at: usize, bytes: usize) -> Option<Vec<u16>> {
    let text = record.get(at..at.checked_add(bytes)?)?;
    let units = text.chunks_exact(2);
    Some(
        units
            .map(|two| u16::from_le_bytes([two[0], two[1]]))
            .collect(),
    )
}
