//! The system that copyist runs on. The only user of copyist-sys and rustix.

#[cfg(target_os = "freebsd")]
mod freebsd;
#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "macos")]
mod macos;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(target_os = "freebsd")]
pub(crate) use freebsd::Native;
#[cfg(target_os = "linux")]
pub(crate) use linux::Native;
#[cfg(target_os = "macos")]
pub(crate) use macos::Native;
#[cfg(windows)]
pub(crate) use windows::Native;

use std::path::Path;

use super::Sys;
#[cfg(feature = "sandbox")]
use super::sandbox::Places;
use crate::words::code::Code;
use crate::words::method::Os;

/// See [`crate::process::raise_open_file_limit`].
pub(crate) fn raise_open_file_limit() -> Sys<()> {
    #[cfg(unix)]
    return unix::raise_open_file_limit();
    #[cfg(not(unix))]
    Ok(()) // Windows has no such limit
}

/// The system that this program was compiled for.
pub(crate) fn os() -> Os {
    if cfg!(target_os = "linux") {
        Os::Linux
    } else if cfg!(target_os = "macos") {
        Os::Macos
    } else if cfg!(target_os = "freebsd") {
        Os::Freebsd
    } else {
        Os::Windows
    }
}

/// See [`crate::process::enter_sandbox`]; on failure, the path is the one that caused it.
#[cfg(feature = "sandbox")]
pub(crate) fn enter_sandbox(places: &Places) -> Result<(), (Option<&Path>, Code)> {
    #[cfg(target_os = "linux")]
    return linux::enter_sandbox(places);
    #[cfg(not(target_os = "linux"))]
    {
        // macOS's sandbox_init is deprecated; on Windows a process can't enter a sandbox by itself.
        let _ = places;
        Err((None, crate::think::rules::not_supported(os())))
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "freebsd",
    windows
)))]
compile_error!("copyist's native half for this system has not been written");
