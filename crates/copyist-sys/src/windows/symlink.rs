//! Symbolic links and junctions. What is in them is `crate::reparse`'s business.

use std::os::windows::io::AsHandle;

use windows_sys::Win32::Storage::FileSystem::{
    CreateSymbolicLinkW, SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE, SYMBOLIC_LINK_FLAG_DIRECTORY,
};
use windows_sys::Win32::System::Ioctl::{FSCTL_GET_REPARSE_POINT, FSCTL_SET_REPARSE_POINT};

use super::fsctl::{ask, tell};
use super::names::terminated;
use super::{Result, as_bytes, last_error, records};

/// MAXIMUM_REPARSE_DATA_BUFFER_SIZE, bytes.
const REPARSE_BYTES: usize = 16 << 10;

/// `FSCTL_GET_REPARSE_POINT`: the data of a reparse point that was opened itself.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_get_reparse_point)
///
/// # Errors
///
/// The call's: ERROR_NOT_A_REPARSE_POINT.
pub fn reparse_point(file: impl AsHandle) -> Result<Vec<u8>> {
    let mut buffer = records(REPARSE_BYTES);
    let bytes = ask(file, FSCTL_GET_REPARSE_POINT, &mut *buffer)?;
    Ok(as_bytes(&buffer)[..bytes.min(REPARSE_BYTES)].to_vec())
}

/// `FSCTL_SET_REPARSE_POINT`: makes a symbolic link or junction of an empty file or directory.
/// Needs FILE_WRITE_ATTRIBUTES or FILE_WRITE_DATA, and for a symbolic link a privilege.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_set_reparse_point)
///
/// # Errors
///
/// The call's.
pub fn set_reparse_point(file: impl AsHandle, data: &[u8]) -> Result<()> {
    tell(file, FSCTL_SET_REPARSE_POINT, data)
}

/// `CreateSymbolicLinkW`, by path: in developer mode it needs no privilege, which the call above
/// does.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-createsymboliclinkw)
///
/// # Errors
///
/// The call's.
pub fn create_symbolic_link(path: &[u16], target: &[u16], to_dir: bool) -> Result<()> {
    let (path, target) = (terminated(path)?, terminated(target)?);
    let kind = if to_dir {
        SYMBOLIC_LINK_FLAG_DIRECTORY
    } else {
        0
    };
    // SAFETY: both end in a NUL and live until the call returns.
    let made = unsafe {
        CreateSymbolicLinkW(
            path.as_ptr(),
            target.as_ptr(),
            kind | SYMBOLIC_LINK_FLAG_ALLOW_UNPRIVILEGED_CREATE,
        )
    };
    if made { Ok(()) } else { Err(last_error()) }
}
