use std::os::windows::io::{AsHandle, IntoRawHandle, OwnedHandle};

use windows_sys::Wdk::Foundation::NtClose;
use windows_sys::Wdk::Storage::FileSystem::{NtFlushBuffersFile, NtReadFile, NtWriteFile};
use windows_sys::Win32::Foundation::{
    ERROR_BROKEN_PIPE, ERROR_HANDLE_EOF, ERROR_IO_PENDING, ERROR_LOCK_VIOLATION,
};

use windows_sys::Win32::Storage::FileSystem::{
    LOCKFILE_EXCLUSIVE_LOCK, LOCKFILE_FAIL_IMMEDIATELY, LockFileEx,
};
use windows_sys::Win32::System::IO::{OVERLAPPED, OVERLAPPED_0_0};

use super::request::{request, wait};
use super::{Result, length, raw, status, succeed};

fn offset_pointer(offset: Option<&i64>) -> *const i64 {
    offset.map_or(std::ptr::null(), std::ptr::from_ref)
}

/// `NtReadFile` at `offset`, or where the stream is with `None` (not of a handle for overlapped requests);
/// 0 is the end.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntreadfile)
///
/// # Errors
///
/// The call's.
pub fn read(file: impl AsHandle, offset: Option<u64>, buffer: &mut [u8]) -> Result<usize> {
    let offset = offset.map(u64::cast_signed);
    // SAFETY: one call on the file; the buffer, of the length said, and the offset outlive the request.
    let (result, bytes) = unsafe {
        request(&file, |io| {
            NtReadFile(
                raw(&file),
                std::ptr::null_mut(),
                None,
                std::ptr::null(),
                io,
                buffer.as_mut_ptr().cast(),
                length(buffer.len()),
                offset_pointer(offset.as_ref()),
                std::ptr::null(),
            )
        })
    };
    match status(result).map_err(i32::cast_unsigned) {
        Ok(()) => Ok(bytes),
        // A pipe whose writers have gone has come to its end.
        Err(ERROR_HANDLE_EOF | ERROR_BROKEN_PIPE) => Ok(0),
        Err(code) => Err(code.cast_signed()),
    }
}

/// `NtWriteFile`, as [`read`].
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntwritefile)
///
/// # Errors
///
/// The call's.
pub fn write(file: impl AsHandle, offset: Option<u64>, data: &[u8]) -> Result<usize> {
    let offset = offset.map(u64::cast_signed);
    // SAFETY: as in `read`.
    let (result, bytes) = unsafe {
        request(&file, |io| {
            NtWriteFile(
                raw(&file),
                std::ptr::null_mut(),
                None,
                std::ptr::null(),
                io,
                data.as_ptr().cast(),
                length(data.len()),
                offset_pointer(offset.as_ref()),
                std::ptr::null(),
            )
        })
    };
    status(result).map(|()| bytes)
}

/// `NtFlushBuffersFile` (FlushFileBuffers): data and metadata, down to the medium.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers)
///
/// # Errors
///
/// The call's.
pub fn flush(file: impl AsHandle) -> Result<()> {
    // SAFETY: one call on the file.
    let (result, _) = unsafe { request(&file, |io| NtFlushBuffersFile(raw(&file), io)) };
    status(result)
}

/// The offset of the byte that [`lock`] locks: the largest possible. Locked bytes can't be accessed by others, and no
/// file has data there.
const LOCKED_AT: u64 = i64::MAX as u64 - 1;

/// `LockFileEx`: locks a file against other processes that use this function, until the handle is closed; `false` if
/// another process holds the lock. It never waits, and does not restrict access to the data. Needs FILE_READ_DATA or
/// FILE_WRITE_DATA.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-lockfileex)
///
/// # Errors
///
/// The call's.
pub fn lock(file: impl AsHandle) -> Result<bool> {
    let mut at = OVERLAPPED::default();
    at.Anonymous.Anonymous = OVERLAPPED_0_0 {
        Offset: (LOCKED_AT & u64::from(u32::MAX)) as u32,
        OffsetHigh: (LOCKED_AT >> 32) as u32,
    };
    let at = &raw mut at;
    let how = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    // SAFETY: the handle is borrowed; the structure, which says where the one byte is, outlives the request,
    // which is waited for below.
    let mut locked = succeed(unsafe { LockFileEx(raw(&file), how, 0, 1, 0, at) });
    if locked == Err(ERROR_IO_PENDING.cast_signed()) {
        // SAFETY: the structure is that of the request, the only one with it.
        locked = unsafe { wait(raw(&file), at) }.map(|_| ());
    }
    match locked.map_err(i32::cast_unsigned) {
        Ok(()) => Ok(true),
        Err(ERROR_LOCK_VIOLATION) => Ok(false),
        Err(code) => Err(code.cast_signed()),
    }
}

/// `NtClose`, with its error.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-ntclose)
///
/// # Errors
///
/// The call's. The handle is closed whatever the result.
pub fn close(file: OwnedHandle) -> Result<()> {
    // SAFETY: the handle was owned, and `into_raw_handle` has given up that ownership to us.
    status(unsafe { NtClose(file.into_raw_handle()) })
}
