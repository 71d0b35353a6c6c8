use std::ffi::c_void;
use std::sync::atomic::AtomicUsize;

use windows_sys::Win32::Foundation::HANDLE;
use windows_sys::Win32::Storage::FileSystem::{
    COPY_FILE_COPY_SYMLINK, COPY_FILE_ENABLE_SPARSE_COPY, COPY_FILE_FAIL_IF_EXISTS,
    COPY_FILE_NO_BUFFERING, COPY_FILE_REQUEST_COMPRESSED_TRAFFIC, COPY_FILE_RESTARTABLE,
    CopyFileExW,
};
use windows_sys::Win32::Storage::FileSystem::{PROGRESS_CANCEL, PROGRESS_CONTINUE};

use super::names::terminated;
use super::succeed;
use crate::callback::{Answer, Callback, Stopped, of_copyfileex};
pub use crate::copyflags::CopyFlags;
use crate::copyflags::bits;

// A wrong number doesn't build.
const _: () = assert!(
    bits::FAIL_IF_EXISTS == COPY_FILE_FAIL_IF_EXISTS
        && bits::RESTARTABLE == COPY_FILE_RESTARTABLE
        && bits::COPY_SYMLINK == COPY_FILE_COPY_SYMLINK
        && bits::NO_BUFFERING == COPY_FILE_NO_BUFFERING
        && bits::REQUEST_COMPRESSED_TRAFFIC == COPY_FILE_REQUEST_COMPRESSED_TRAFFIC
        && bits::ENABLE_SPARSE_COPY == COPY_FILE_ENABLE_SPARSE_COPY
);

/// The callback for CopyFileExW: translates its messages for [`Callback`].
///
/// # Safety
///
/// `context` is the [`Callback`] that [`copyfileexw`] passed, and there is no other reference to it meanwhile.
unsafe extern "system" fn hear(
    _size: i64,
    _transferred: i64,
    _stream_size: i64,
    stream_transferred: i64,
    stream: u32,
    _reason: u32,
    _src: HANDLE,
    _dst: HANDLE,
    context: *const c_void,
) -> u32 {
    // SAFETY: by this function's own condition; CopyFileExW calls it on the thread that called
    // CopyFileExW, which waits.
    let callback = unsafe { &mut *context.cast_mut().cast::<Callback<'_>>() };
    // It catches what the caller's function panics with: nothing crosses this frame.
    match callback.hear(of_copyfileex(stream, stream_transferred)) {
        Answer::Continue => PROGRESS_CONTINUE,
        // The system removes what it has made. (PROGRESS_STOP would keep it, to be restarted.)
        Answer::Quit => PROGRESS_CANCEL,
    }
}

/// `CopyFileExW`: makes `dst`, with content, streams, attributes and the time of modification of
/// `src`. Both are paths without a NUL, best such as begin with `\\?\`. `cancel` stops it when
/// it becomes other than 0, from any thread, even where the callback isn't called.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-copyfileexw)
///
/// # Errors
///
/// Of the call; cancellation by the callback is told apart.
pub fn copyfileexw(
    src: &[u16],
    dst: &[u16],
    flags: CopyFlags,
    cancel: &AtomicUsize,
    mut callback: Callback<'_>,
) -> Result<(), Stopped> {
    let paths = terminated(src).and_then(|src| Ok((src, terminated(dst)?)));
    let (src, dst) = paths.map_err(Stopped::Failed)?;
    let context = &raw mut callback;
    // SAFETY: both paths end in a NUL; the callback, and the flag, which is a BOOL that changes
    // atomically, live until the call returns.
    // Windows knows little-endian processors only: the flag's first 4 bytes are its lowest.
    let result = succeed(unsafe {
        CopyFileExW(
            src.as_ptr(),
            dst.as_ptr(),
            Some(hear),
            context.cast_const().cast(),
            cancel.as_ptr().cast(),
            flags.bits(),
        )
    });
    callback.finish(result)
}
