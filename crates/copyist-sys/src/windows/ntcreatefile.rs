use std::os::windows::io::{AsHandle, BorrowedHandle, FromRawHandle, OwnedHandle};

use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{
    FILE_OPEN, FILE_SYNCHRONOUS_IO_NONALERT, NtCreateFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_FILENAME_EXCED_RANGE, OBJ_CASE_INSENSITIVE, UNICODE_STRING,
};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_ATTRIBUTE_NORMAL, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE, SYNCHRONIZE,
};

use windows_sys::Win32::System::IO::IO_STATUS_BLOCK;

use super::{Result, raw, status};

/// How a file is opened: NtCreateFile's arguments.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// DesiredAccess; SYNCHRONIZE is always added.
    pub access: u32,
    /// FileAttributes of what is made.
    pub attributes: u32,
    /// ShareAccess: what others may do with it meanwhile.
    pub share: u32,
    /// CreateDisposition: FILE_OPEN, FILE_CREATE, FILE_OPEN_IF.
    pub disposition: u32,
    /// CreateOptions.
    pub options: u32,
    /// Requests wait until they are done, one after the other (FILE_SYNCHRONOUS_IO_NONALERT).
    pub waits: bool,
}

impl How {
    /// Opens what is there, with this access, shared with everybody.
    pub fn open(access: u32, options: u32) -> How {
        How {
            access,
            attributes: FILE_ATTRIBUTE_NORMAL,
            share: FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
            disposition: FILE_OPEN,
            options,
            waits: true,
        }
    }
}

/// `NtCreateFile`: opens or makes `name`, relative to the open directory `dir`, or by the kernel's
/// own path without one. Nothing of a relative name is interpreted but backslashes and, for
/// streams, colons: `..`, `CON` and a dot at the end are names like others.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-ntcreatefile)
///
/// # Errors
///
/// The call's, as Win32 codes.
pub fn ntcreatefile(
    dir: Option<BorrowedHandle<'_>>,
    name: &[u16],
    how: &How,
) -> Result<OwnedHandle> {
    let too_long = ERROR_FILENAME_EXCED_RANGE.cast_signed();
    let bytes = u16::try_from(size_of_val(name)).map_err(|_| too_long)?;
    let unicode = UNICODE_STRING {
        Length: bytes,
        MaximumLength: bytes,
        Buffer: name.as_ptr().cast_mut(),
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: super::length(size_of::<OBJECT_ATTRIBUTES>()),
        RootDirectory: dir.map_or(std::ptr::null_mut(), |dir| raw(&dir)),
        ObjectName: &raw const unicode,
        Attributes: OBJ_CASE_INSENSITIVE,
        SecurityDescriptor: std::ptr::null(),
        SecurityQualityOfService: std::ptr::null(),
    };
    let mut handle = std::ptr::null_mut();
    let mut io = IO_STATUS_BLOCK::default();
    let waits = if how.waits {
        FILE_SYNCHRONOUS_IO_NONALERT
    } else {
        0
    };
    // SAFETY: the name and the structures live until the call returns, and the directory's handle
    // is borrowed; the call writes the handle and the status block, and reads the rest.
    status(unsafe {
        NtCreateFile(
            &raw mut handle,
            how.access | SYNCHRONIZE,
            &raw const attributes,
            &raw mut io,
            std::ptr::null(),
            how.attributes,
            how.share,
            how.disposition,
            how.options | waits,
            std::ptr::null(),
            0,
        )
    })?;
    // SAFETY: the call has succeeded, and the handle has no other owner.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The same file once more, with other rights or options: a name of no length, relative to the
/// file itself. Nothing that happens to its name meanwhile leads elsewhere.
///
/// # Errors
///
/// As [`ntcreatefile`].
pub fn reopen(file: impl AsHandle, access: u32, options: u32, waits: bool) -> Result<OwnedHandle> {
    let how = How {
        waits,
        ..How::open(access, options)
    };
    ntcreatefile(Some(file.as_handle()), &[], &how)
}
