use std::os::windows::io::AsHandle;

use windows_sys::Wdk::Storage::FileSystem::NtFsControlFile;
use windows_sys::Win32::Foundation::STATUS_BUFFER_OVERFLOW;

use super::request::{Plain, request};
use super::{Result, length, raw, status};

/// `NtFsControlFile` (DeviceIoControl): sends a control code to a filesystem. Returns the number of bytes in the
/// output, and whether there would have been more.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntfscontrolfile)
///
/// # Errors
///
/// The call's.
pub(super) fn fsctl<I: Plain + ?Sized, O: Plain + ?Sized>(
    file: impl AsHandle,
    code: u32,
    input: &I,
    output: &mut O,
) -> Result<(usize, bool)> {
    // SAFETY: one call on the file; input and output outlive the request, which reads as many bytes as the one
    // has, and writes at most as many as the other has: of both every pattern is a value.
    let (result, bytes) = unsafe {
        request(&file, |io| {
            NtFsControlFile(
                raw(&file),
                std::ptr::null_mut(),
                None,
                std::ptr::null(),
                io,
                code,
                std::ptr::from_ref(input).cast(),
                length(size_of_val(input)),
                std::ptr::from_mut(output).cast(),
                length(size_of_val(output)),
            )
        })
    };
    if result == STATUS_BUFFER_OVERFLOW {
        return Ok((bytes, true));
    }
    status(result)?;
    Ok((bytes, false))
}

/// A request that nothing comes back from.
pub(super) fn tell<I: Plain + ?Sized>(file: impl AsHandle, code: u32, input: &I) -> Result<()> {
    let output: &mut [u8] = &mut [];
    fsctl(file, code, input, output).map(|_| ())
}

/// A request that has no input.
pub(super) fn ask<O: Plain + ?Sized>(
    file: impl AsHandle,
    code: u32,
    output: &mut O,
) -> Result<usize> {
    let input: &[u8] = &[];
    fsctl(file, code, input, output).map(|(bytes, _)| bytes)
}
