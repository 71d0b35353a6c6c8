use std::os::windows::io::{AsHandle, FromRawHandle, OwnedHandle};
use std::sync::OnceLock;

use windows_sys::Win32::Foundation::{ERROR_INSUFFICIENT_BUFFER, LUID};
use windows_sys::Win32::Security::{
    AdjustTokenPrivileges, DACL_SECURITY_INFORMATION, GROUP_SECURITY_INFORMATION,
    GetKernelObjectSecurity, LUID_AND_ATTRIBUTES, LookupPrivilegeValueW,
    OWNER_SECURITY_INFORMATION, SE_PRIVILEGE_ENABLED, SE_RESTORE_NAME, SetKernelObjectSecurity,
    TOKEN_ADJUST_PRIVILEGES, TOKEN_PRIVILEGES,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, OpenProcessToken};

use super::{Result, as_bytes, last_error, length, raw, records, succeed};

/// A part of a security descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// The owner and the primary group. Needs READ_CONTROL, and WRITE_OWNER to set.
    Owner,
    /// The discretionary access control list. Needs READ_CONTROL, and WRITE_DAC to set.
    AccessList,
}

impl Security {
    fn bits(self) -> u32 {
        match self {
            Security::Owner => OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION,
            Security::AccessList => DACL_SECURITY_INFORMATION,
        }
    }
}

/// The length of a descriptor is rarely more, bytes.
const DESCRIPTOR_BYTES: usize = 512;

/// `GetKernelObjectSecurity`: a self-relative security descriptor with one part, into `value`
/// (cleared first).
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/securitybaseapi/nf-securitybaseapi-getkernelobjectsecurity)
///
/// # Errors
///
/// The call's.
pub fn security(file: impl AsHandle, part: Security, value: &mut Vec<u8>) -> Result<()> {
    value.clear();
    let mut bytes = DESCRIPTOR_BYTES;
    for _ in 0..4 {
        let mut buffer = records(bytes);
        let mut needed = 0;
        // SAFETY: the handle is borrowed; the call writes at most as many bytes as there are.
        let result = succeed(unsafe {
            GetKernelObjectSecurity(
                raw(&file),
                part.bits(),
                buffer.as_mut_ptr().cast(),
                length(bytes),
                &raw mut needed,
            )
        });
        match result {
            Err(code) if code.cast_unsigned() == ERROR_INSUFFICIENT_BUFFER => {
                bytes = needed as usize;
            }
            Err(code) => return Err(code),
            Ok(()) => {
                let whole = as_bytes(&buffer);
                // The needed length is returned even if the buffer was long enough.
                let len = (needed as usize).clamp(1, whole.len());
                value.extend(&whole[..len]);
                return Ok(());
            }
        }
    }
    Err(ERROR_INSUFFICIENT_BUFFER.cast_signed())
}

/// Where the control bits of a self-relative descriptor are: after revision and padding.
const CONTROL_AT: usize = 2;
const SE_DACL_AUTO_INHERIT_REQ: u8 = 0x1;
const SE_DACL_AUTO_INHERITED: u8 = 0x4;

/// `SetKernelObjectSecurity`: gives a file a part of a descriptor that [`security`] read, exactly:
/// inherited entries stay marked as such, and nothing is passed on to what is in a directory.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/securitybaseapi/nf-securitybaseapi-setkernelobjectsecurity)
///
/// # Errors
///
/// The call's: ERROR_INVALID_OWNER if the process may not set that owner.
pub fn set_security(file: impl AsHandle, part: Security, value: &[u8]) -> Result<()> {
    let mut descriptor = records(value.len());
    for (word, eight) in descriptor.iter_mut().zip(value.chunks(size_of::<u64>())) {
        let mut bytes = [0; size_of::<u64>()];
        bytes[..eight.len()].copy_from_slice(eight);
        *word = u64::from_le_bytes(bytes);
    }
    if let Some(first) = descriptor.first_mut() {
        let mut bytes = first.to_le_bytes();
        // Without the request the system takes the mark of inheritance away.
        if bytes[CONTROL_AT + 1] & SE_DACL_AUTO_INHERITED != 0 {
            bytes[CONTROL_AT + 1] |= SE_DACL_AUTO_INHERIT_REQ;
        }
        *first = u64::from_le_bytes(bytes);
    }
    // SAFETY: the handle is borrowed; the descriptor is aligned, came from the system, and lives
    // until the call returns, which checks it.
    succeed(unsafe {
        SetKernelObjectSecurity(raw(&file), part.bits(), descriptor.as_mut_ptr().cast())
    })
}

/// `AdjustTokenPrivileges`: turns SeRestorePrivilege on for this process, once, if it has it. With it
/// any owner can be set, of a file that was opened with FILE_OPEN_FOR_BACKUP_INTENT.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/secauthz/privilege-constants)
pub fn enable_restore() {
    static RESTORE: OnceLock<Result<()>> = OnceLock::new();
    // Without the privilege, setting an owner fails and reports that.
    let _ = RESTORE.get_or_init(try_enable_restore);
}

fn try_enable_restore() -> Result<()> {
    let mut token = std::ptr::null_mut();
    // SAFETY: the pseudo handle is always valid; the call writes one handle.
    succeed(unsafe {
        OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &raw mut token)
    })?;
    // SAFETY: the call has succeeded, and the handle has no other owner.
    let token = unsafe { OwnedHandle::from_raw_handle(token) };
    let mut luid = LUID::default();
    // SAFETY: the name is a constant that ends in a NUL; the call writes one LUID.
    succeed(unsafe { LookupPrivilegeValueW(std::ptr::null(), SE_RESTORE_NAME, &raw mut luid) })?;
    let wanted = TOKEN_PRIVILEGES {
        PrivilegeCount: 1,
        Privileges: [LUID_AND_ATTRIBUTES {
            Luid: luid,
            Attributes: SE_PRIVILEGE_ENABLED,
        }],
    };
    // SAFETY: the token is owned; the call reads the structure, and writes nothing.
    let result = succeed(unsafe {
        AdjustTokenPrivileges(
            raw(&token),
            0,
            &raw const wanted,
            0,
            std::ptr::null_mut(),
            std::ptr::null_mut(),
        )
    });
    // The call succeeds also without the privilege, and then sets this code.
    result.and_then(|()| match last_error().cast_unsigned() {
        windows_sys::Win32::Foundation::ERROR_NOT_ALL_ASSIGNED => Err(last_error()),
        _ => Ok(()),
    })
}
