//! Native requests of open files: each is waited for, and what goes in and comes out of one is plain data.

use std::os::windows::io::AsHandle;
use std::sync::atomic::{Ordering, fence};
use std::thread;
use std::time::Duration;

use windows_sys::Wdk::Storage::FileSystem::{FILE_BASIC_INFORMATION, FILE_ID_INFORMATION};
use windows_sys::Win32::Foundation::{HANDLE, NTSTATUS, STATUS_PENDING};
use windows_sys::Win32::System::IO::{
    GetOverlappedResult, IO_STATUS_BLOCK, IO_STATUS_BLOCK_0, OVERLAPPED,
};
use windows_sys::Win32::System::Ioctl::{
    DUPLICATE_EXTENTS_DATA, DUPLICATE_EXTENTS_DATA_EX, FILE_ALLOCATED_RANGE_BUFFER,
    FILE_FS_PERSISTENT_VOLUME_INFORMATION, FSCTL_GET_INTEGRITY_INFORMATION_BUFFER,
    FSCTL_SET_INTEGRITY_INFORMATION_BUFFER,
};
use windows_sys::Win32::System::Threading::WaitForSingleObject;

use super::{Result, raw, succeed};

/// Plain data: what the system may write any bytes into.
///
/// # Safety
///
/// Every pattern of its bytes is a value: numbers, and structures and arrays of them. No references, enums or
/// `bool`s.
pub(super) unsafe trait Plain {}

macro_rules! plain {
    ($($type:ty),* $(,)?) => {
        // SAFETY: numbers, and structures of numbers and handles, which are numbers as well.
        $(unsafe impl Plain for $type {})*
    };
}

plain!(
    u8,
    u16,
    u32,
    u64,
    i64,
    DUPLICATE_EXTENTS_DATA,
    DUPLICATE_EXTENTS_DATA_EX,
    FILE_ALLOCATED_RANGE_BUFFER,
    FILE_BASIC_INFORMATION,
    FILE_FS_PERSISTENT_VOLUME_INFORMATION,
    FILE_ID_INFORMATION,
    FSCTL_GET_INTEGRITY_INFORMATION_BUFFER,
    FSCTL_SET_INTEGRITY_INFORMATION_BUFFER,
);

// SAFETY: each of its elements is plain, and there is nothing else in it.
unsafe impl<T: Plain> Plain for [T] {}
// SAFETY: as above.
unsafe impl<T: Plain, const N: usize> Plain for [T; N] {}

/// For how long a wait may miss the end of a request.
const WAIT_MS: u32 = 100;

/// Makes one request, and returns when the system has done with it: its status, and how many bytes it is about
/// (IO_STATUS_BLOCK's Information).
///
/// On a handle that was opened for overlapped requests a call may return earlier (STATUS_PENDING), while the system
/// continues to write into the caller's buffer and the status block.
///
/// # Safety
///
/// `begin` makes one native call on `file`, without an event and an APC, and with the status block that it gets.
/// What else it hands to that call lives until this function returns.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/wdm/ns-wdm-_io_status_block)
pub(super) unsafe fn request(
    file: impl AsHandle,
    begin: impl FnOnce(*mut IO_STATUS_BLOCK) -> NTSTATUS,
) -> (NTSTATUS, usize) {
    let mut block = IO_STATUS_BLOCK {
        Anonymous: IO_STATUS_BLOCK_0 {
            Status: STATUS_PENDING,
        },
        Information: 0,
    };
    let block = &raw mut block;
    let mut result = begin(block);
    while result == STATUS_PENDING {
        // SAFETY: the handle is borrowed. A file is signaled when a request on it ends, which may be another one's.
        unsafe { WaitForSingleObject(raw(&file), WAIT_MS) };
        // SAFETY: the block is alive, and both members of the union may be read as a number. The system sets it last.
        result = unsafe { (&raw const (*block).Anonymous.Status).read_volatile() };
        if result == STATUS_PENDING {
            thread::sleep(Duration::from_millis(1)); // another one's, or it can't be waited for
        }
    }
    fence(Ordering::Acquire);
    // SAFETY: the system no longer writes to the block.
    (result, unsafe { (*block).Information })
}

/// `GetOverlappedResult`: waits for an overlapped request of Win32; how many bytes it is about. It returns no sooner
/// than the system has done with the structure, and with the request's buffer.
///
/// # Safety
///
/// The structure is alive, and that of one request on this file, which is in flight or has ended.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getoverlappedresult)
///
/// # Errors
///
/// The request's.
pub(super) unsafe fn wait(file: HANDLE, request: *const OVERLAPPED) -> Result<usize> {
    loop {
        let mut bytes = 0;
        // SAFETY: by this function's own condition; the number is written before the call returns.
        let ended = succeed(unsafe { GetOverlappedResult(file, request, &raw mut bytes, 1) });
        // SAFETY: the structure is alive; the system sets the status when it has done with the rest.
        let status = unsafe { (&raw const (*request).Internal).read_volatile() };
        if status != STATUS_PENDING as usize {
            return ended.map(|()| bytes as usize);
        }
        thread::sleep(Duration::from_millis(1)); // it was another's end, or the wait has failed
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::windows::fs::OpenOptionsExt;
    use std::os::windows::io::{FromRawHandle, OwnedHandle};

    use windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE;
    use windows_sys::Win32::Storage::FileSystem::{
        FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OVERLAPPED, PIPE_ACCESS_INBOUND,
    };
    use windows_sys::Win32::System::Pipes::CreateNamedPipeW;

    use super::super::{file, query_directory, wide};
    use super::*;

    /// Of a pipe that nothing was written to yet a read is pending for certain.
    #[test]
    fn a_request_that_is_pending_is_waited_for() {
        let path = format!(r"\\.\pipe\copyist-sys-{}", std::process::id());
        let mut name = wide(path.as_ref());
        name.push(0);
        let access = PIPE_ACCESS_INBOUND | FILE_FLAG_OVERLAPPED;
        // SAFETY: the name ends in a NUL, and there are no attributes.
        let pipe =
            unsafe { CreateNamedPipeW(name.as_ptr(), access, 0, 1, 0, 4096, 0, std::ptr::null()) };
        assert_ne!(pipe, INVALID_HANDLE_VALUE);
        // SAFETY: the call has succeeded, and the handle has no other owner.
        let pipe = unsafe { OwnedHandle::from_raw_handle(pipe) };
        let mut client = std::fs::File::options().write(true).open(&path).unwrap();
        let writing = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            client.write_all(b"late").unwrap();
        });
        let mut buffer = [0; 16];
        let read = file::read(&pipe, Some(0), &mut buffer).unwrap();
        assert_eq!(&buffer[..read], b"late");
        writing.join().unwrap();
        assert_eq!(file::read(&pipe, Some(0), &mut buffer), Ok(0), "closed");
    }

    #[test]
    fn overlapped_handles_are_as_good_as_others() {
        let dir = std::env::temp_dir().join(format!("copyist-sys-request-{}", std::process::id()));
        std::fs::create_dir(&dir).unwrap();
        let open = |path: &std::path::Path, flags| {
            std::fs::File::options()
                .read(true)
                .write(path != dir)
                .create(path != dir)
                .custom_flags(FILE_FLAG_OVERLAPPED | flags)
                .open(path)
                .unwrap()
        };
        let name = dir.join("file");
        let file = open(&name, 0);
        assert_eq!(file::write(&file, Some(0), &[7; 100_000]), Ok(100_000));
        file::flush(&file).unwrap();
        let mut data = vec![0; 200_000];
        assert_eq!(file::read(&file, Some(1), &mut data), Ok(99_999));
        assert_eq!(data[..99_999], [7; 99_999]);
        assert_eq!(file::lock(&file), Ok(true));
        assert_eq!(file::lock(open(&name, 0)), Ok(false));
        let mut names = Vec::new();
        let mut each = |entry: super::super::Entry| names.push(entry.name);
        let open_dir = open(&dir, FILE_FLAG_BACKUP_SEMANTICS);
        query_directory(&open_dir, &mut Vec::new(), &mut each).unwrap();
        assert!(names.contains(&wide("file".as_ref())), "{names:?}");
        drop((file, open_dir));
        std::fs::remove_dir_all(dir).unwrap();
    }
}
