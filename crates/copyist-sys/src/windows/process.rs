use std::ffi::CStr;
use std::time::Duration;

use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::Foundation::FILETIME;
use windows_sys::Win32::System::Console::{CTRL_BREAK_EVENT, GenerateConsoleCtrlEvent};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::SystemInformation::OSVERSIONINFOW;
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessTimes};

use super::{Result, length, succeed};

/// `RtlGetVersion`: major version and build number, independent of the program's manifest.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/wdm/nf-wdm-rtlgetversion)
pub fn version() -> (u32, u32) {
    let mut version = OSVERSIONINFOW {
        dwOSVersionInfoSize: length(size_of::<OSVERSIONINFOW>()),
        ..OSVERSIONINFOW::default()
    };
    // SAFETY: the call writes the structure, whose size is in it. It can't fail.
    unsafe { RtlGetVersion(&raw mut version) };
    (version.dwMajorVersion, version.dwBuildNumber)
}

/// `GetProcessTimes`: the processor time of this process.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getprocesstimes)
pub fn processor_time() -> Duration {
    let mut times = [FILETIME::default(); 4];
    let [created, exited, kernel, user] = &mut times;
    // SAFETY: the pseudo handle is always valid; the call writes four times.
    let result = unsafe { GetProcessTimes(GetCurrentProcess(), created, exited, kernel, user) };
    if result == 0 {
        return Duration::ZERO;
    }
    let ticks =
        |time: &FILETIME| u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    let hundred_ns = ticks(kernel).saturating_add(ticks(user));
    Duration::from_nanos(hundred_ns.saturating_mul(100))
}

/// `GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT)`: Ctrl-Break for a group of processes on this
/// console.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/console/generateconsolectrlevent)
///
/// # Errors
///
/// The call's.
pub fn send_break(group: u32) -> Result<()> {
    // SAFETY: it takes numbers.
    succeed(unsafe { GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, group) })
}

/// A function of ntdll.dll that not every Windows has.
fn of_ntdll(name: &CStr) -> Option<unsafe extern "system" fn() -> isize> {
    let ntdll: Vec<u16> = "ntdll.dll\0".encode_utf16().collect();
    // SAFETY: the name ends in a NUL, and the library is part of every process.
    let library = unsafe { GetModuleHandleW(ntdll.as_ptr()) };
    // SAFETY: the library is loaded for good; the name ends in a NUL.
    unsafe { GetProcAddress(library, name.as_ptr().cast()) }
}

/// Whether this is Wine, which implements a part of Windows: tests that need more are skipped there.
pub fn is_wine() -> bool {
    of_ntdll(c"wine_get_version").is_some()
}

/// PHCM_EXPOSE_PLACEHOLDERS of ntifs.h.
const EXPOSE_PLACEHOLDERS: i8 = 2;

/// `RtlSetProcessPlaceholderCompatibilityMode`: makes files that a cloud provider stores elsewhere visible as
/// placeholders, where Windows would otherwise hide that from this program. Windows before 10 1803 doesn't have the
/// call.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-rtlsetprocessplaceholdercompatibilitymode)
pub fn see_placeholders() {
    type Set = unsafe extern "system" fn(i8) -> i8;
    let Some(function) = of_ntdll(c"RtlSetProcessPlaceholderCompatibilityMode") else {
        return;
    };
    // SAFETY: the function of this name takes one CHAR and returns one: see its documentation.
    let set: Set = unsafe { std::mem::transmute(function) };
    // SAFETY: it changes a setting of this process.
    unsafe { set(EXPOSE_PLACEHOLDERS) };
}
