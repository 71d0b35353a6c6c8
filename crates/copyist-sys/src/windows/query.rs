use std::os::windows::io::AsHandle;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_BASIC_INFORMATION, FILE_ID_INFORMATION, FILE_INFORMATION_CLASS,
    FileAttributeTagInformation, FileBasicInformation, FileIdInformation, FileInternalInformation,
    FileStandardInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::STATUS_BUFFER_OVERFLOW;
use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_REPARSE_POINT;

use super::request::{Plain, request};
use super::{Result, length, raw, status};

/// The information about a file. Times are in units of 100 ns since 1601.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Information {
    /// FILE_ATTRIBUTE_*.
    pub attributes: u32,
    /// The reparse tag, or 0.
    pub tag: u32,
    /// CreationTime.
    pub created: i64,
    /// LastAccessTime.
    pub accessed: i64,
    /// LastWriteTime.
    pub written: i64,
    /// ChangeTime.
    pub changed: i64,
    /// EndOfFile, bytes.
    pub size: u64,
    /// AllocationSize, bytes.
    pub allocated_bytes: u64,
    /// NumberOfLinks.
    pub links: u32,
}

/// Fills one structure of a class.
pub(super) fn query<T: Plain>(
    file: impl AsHandle,
    class: FILE_INFORMATION_CLASS,
    into: &mut T,
) -> Result<()> {
    // SAFETY: one call on the file; `into` outlives the request, which writes at most as many bytes as it has, of
    // which every pattern is a value.
    let (result, _) = unsafe {
        request(&file, |io| {
            NtQueryInformationFile(
                raw(&file),
                io,
                std::ptr::from_mut(into).cast(),
                length(size_of::<T>()),
                class,
            )
        })
    };
    // Only the start of a name fits; it is not used.
    if result == STATUS_BUFFER_OVERFLOW {
        Ok(())
    } else {
        status(result)
    }
}

fn basic(file: impl AsHandle) -> Result<FILE_BASIC_INFORMATION> {
    let mut basic = FILE_BASIC_INFORMATION::default();
    query(file, FileBasicInformation, &mut basic)?;
    Ok(basic)
}

/// `NtQueryInformationFile(FileBasicInformation)`: FILE_ATTRIBUTE_*.
///
/// # Errors
///
/// As [`information`].
pub fn attributes(file: impl AsHandle) -> Result<u32> {
    Ok(basic(file)?.FileAttributes)
}

/// `NtQueryInformationFile(FileBasicInformation)` and `(FileStandardInformation)`, and for a reparse point its tag.
/// For these two no request goes through the filesystem's driver stack (FAST_IO_DISPATCH); FileAllInformation, which
/// is one call, looks up the name as well.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryinformationfile)
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/wdm/ns-wdm-_fast_io_dispatch)
///
/// # Errors
///
/// The call's. A device has no such information (ERROR_INVALID_PARAMETER).
pub fn information(file: impl AsHandle) -> Result<Information> {
    let basic = basic(&file)?;
    // FILE_STANDARD_INFORMATION: AllocationSize, EndOfFile, and NumberOfLinks in the lower half.
    let mut standard = [0_u64; 3];
    query(&file, FileStandardInformation, &mut standard)?;
    let [allocated_bytes, size, links] = standard;
    let attributes = basic.FileAttributes;
    let tag = if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        0
    } else {
        reparse_tag(&file)?
    };
    Ok(Information {
        attributes,
        tag,
        created: basic.CreationTime,
        accessed: basic.LastAccessTime,
        written: basic.LastWriteTime,
        changed: basic.ChangeTime,
        size,
        allocated_bytes,
        links: (links & u64::from(u32::MAX)) as u32,
    })
}

/// `NtQueryInformationFile(FileInternalInformation)`: 64 bits of the file ID. On NTFS that is the whole ID.
///
/// # Errors
///
/// As [`information`].
pub fn file_index(file: impl AsHandle) -> Result<u64> {
    let mut index = 0_u64;
    query(file, FileInternalInformation, &mut index)?;
    Ok(index)
}

/// `NtQueryInformationFile(FileAttributeTagInformation)`: the tag of a reparse point that was opened
/// itself, or 0.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_attribute_tag_information)
///
/// # Errors
///
/// The call's. A device has no such information (ERROR_INVALID_PARAMETER).
pub fn reparse_tag(file: impl AsHandle) -> Result<u32> {
    let mut attributes_and_tag = [0_u32; 2];
    query(file, FileAttributeTagInformation, &mut attributes_and_tag)?;
    let [attributes, tag] = attributes_and_tag;
    // Without the attribute the tag means nothing.
    Ok(if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        0
    } else {
        tag
    })
}

/// `NtQueryInformationFile(FileIdInformation)`: the volume's serial number and the 128-bit file ID, which ReFS needs.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_id_information)
///
/// # Errors
///
/// The call's: FAT and old servers don't know it (ERROR_INVALID_PARAMETER).
pub fn file_id(file: impl AsHandle) -> Result<(u64, u128)> {
    let mut id = FILE_ID_INFORMATION::default();
    query(file, FileIdInformation, &mut id)?;
    Ok((
        id.VolumeSerialNumber,
        u128::from_le_bytes(id.FileId.Identifier),
    ))
}
