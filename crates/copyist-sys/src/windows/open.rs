use std::os::windows::io::AsHandle;

use windows_sys::Win32::Storage::FileSystem::{
    FILE_TYPE_CHAR, FILE_TYPE_DISK, FILE_TYPE_PIPE, GetFileType,
};

use super::raw;

/// The type of an open handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A file or directory of a volume.
    Disk,
    /// A console, NUL, or another device.
    Device,
    /// A pipe or socket.
    Pipe,
    /// Unknown.
    Unknown,
}

/// `GetFileType`.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfiletype)
pub fn kind(file: impl AsHandle) -> Kind {
    // SAFETY: the handle is borrowed until the call returns.
    match unsafe { GetFileType(raw(&file)) } {
        FILE_TYPE_DISK => Kind::Disk,
        FILE_TYPE_CHAR => Kind::Device,
        FILE_TYPE_PIPE => Kind::Pipe,
        _ => Kind::Unknown,
    }
}
