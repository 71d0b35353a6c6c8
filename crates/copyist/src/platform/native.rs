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

use crate::platform::Sys;

/// See [`crate::raise_open_file_limit`].
pub(crate) fn raise_open_file_limit() -> Sys<()> {
    #[cfg(unix)]
    return unix::raise_open_file_limit();
    #[cfg(not(unix))]
    Ok(()) // Windows has no such limit
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "macos",
    target_os = "freebsd",
    windows
)))]
compile_error!("copyist's native half for this system has not been written");
