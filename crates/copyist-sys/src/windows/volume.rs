use std::os::windows::io::AsHandle;

use windows_sys::Wdk::Storage::FileSystem::NtQueryVolumeInformationFile;
use windows_sys::Win32::Foundation::{
    ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::Storage::FileSystem::GetVolumeInformationByHandleW;
use windows_sys::Win32::System::Ioctl::{
    FILE_FS_PERSISTENT_VOLUME_INFORMATION, FSCTL_QUERY_PERSISTENT_VOLUME_STATE,
    PERSISTENT_VOLUME_STATE_DEV_VOLUME,
};

use super::fsctl::fsctl;
use super::request::{Plain, request};
use super::{Result, length, raw, status, succeed};

/// The properties of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume {
    /// Its serial number, 32 bits of it.
    pub serial: u32,
    /// FILE_SUPPORTS_* and others.
    pub flags: u32,
    /// The filesystem: `NTFS`, `ReFS`, `FAT32`, `exFAT`.
    pub filesystem: String,
    /// The allocation unit, bytes; 0 if it doesn't say.
    pub cluster_bytes: u32,
    /// A network volume, reached by SMB or another redirector.
    pub is_remote: bool,
    /// It is a Dev Drive.
    pub is_dev_drive: bool,
    /// The total bytes, and those available to this user.
    pub total_bytes: u64,
    /// See `total_bytes`.
    pub free_bytes: u64,
    /// The longest name, UTF-16 code units.
    pub name_units: u32,
}

/// Information classes of volumes: [MS-FSCC] 2.5.
const FILE_FS_DEVICE_INFORMATION: i32 = 4;
const FILE_FS_FULL_SIZE_INFORMATION: i32 = 7;
/// FILE_REMOTE_DEVICE of wdm.h.
const REMOTE_DEVICE: u32 = 0x10;

fn query<T: Plain>(file: impl AsHandle, class: i32, into: &mut T) -> Result<()> {
    // SAFETY: as in `super::query::query`.
    let (result, _) = unsafe {
        request(&file, |io| {
            NtQueryVolumeInformationFile(
                raw(&file),
                io,
                std::ptr::from_mut(into).cast(),
                length(size_of::<T>()),
                class,
            )
        })
    };
    status(result)
}

/// `GetVolumeInformationByHandleW`, `NtQueryVolumeInformationFile` and
/// `FSCTL_QUERY_PERSISTENT_VOLUME_STATE`: the volume of an open file.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getvolumeinformationbyhandlew)
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_query_persistent_volume_state)
///
/// # Errors
///
/// The first call's, unless the filesystem doesn't support it. What a volume doesn't report is unknown.
pub fn volume(file: impl AsHandle) -> Result<Volume> {
    let (mut serial, mut longest, mut flags) = (0, 0, 0);
    let mut name = [0_u16; 64];
    // SAFETY: the handle is borrowed; the call writes three numbers, and a name of at most the
    // length said.
    let told = succeed(unsafe {
        GetVolumeInformationByHandleW(
            raw(&file),
            std::ptr::null_mut(),
            0,
            &raw mut serial,
            &raw mut longest,
            &raw mut flags,
            name.as_mut_ptr(),
            length(name.len()),
        )
    });
    match told.map_err(i32::cast_unsigned) {
        // A filesystem that reports no features counts as one without any.
        Ok(()) | Err(ERROR_INVALID_FUNCTION | ERROR_INVALID_PARAMETER | ERROR_NOT_SUPPORTED) => {}
        Err(code) => return Err(code.cast_signed()),
    }
    let name = name.split(|unit| *unit == 0).next().unwrap_or_default();
    // Units in all, free to this user and free (8 bytes each), then sectors in a unit and bytes in a
    // sector; nothing where it doesn't say.
    let mut sizes = [0_u32; 8];
    let _ = query(&file, FILE_FS_FULL_SIZE_INFORMATION, &mut sizes);
    let cluster_bytes = sizes[6].saturating_mul(sizes[7]);
    let bytes = |at: usize| {
        let units = u64::from(sizes[at + 1]) << 32 | u64::from(sizes[at]);
        units.saturating_mul(cluster_bytes.into())
    };
    // The type and the characteristics.
    let mut device = [0_u32; 2];
    let is_remote = query(&file, FILE_FS_DEVICE_INFORMATION, &mut device).is_ok()
        && device[1] & REMOTE_DEVICE != 0;
    Ok(Volume {
        serial,
        flags,
        filesystem: String::from_utf16_lossy(name),
        cluster_bytes,
        is_remote,
        is_dev_drive: is_dev_drive(file),
        total_bytes: bytes(0),
        free_bytes: bytes(2),
        name_units: longest,
    })
}

fn is_dev_drive(file: impl AsHandle) -> bool {
    let asked = FILE_FS_PERSISTENT_VOLUME_INFORMATION {
        FlagMask: PERSISTENT_VOLUME_STATE_DEV_VOLUME,
        Version: 1,
        ..FILE_FS_PERSISTENT_VOLUME_INFORMATION::default()
    };
    let mut answer = FILE_FS_PERSISTENT_VOLUME_INFORMATION::default();
    fsctl(
        file,
        FSCTL_QUERY_PERSISTENT_VOLUME_STATE,
        &asked,
        &mut answer,
    )
    .is_ok()
        && answer.VolumeFlags & PERSISTENT_VOLUME_STATE_DEV_VOLUME != 0
}
