//! The system that copyist runs on. The only user of copyist-sys and rustix.

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub(crate) use linux::Native;

#[cfg(not(target_os = "linux"))]
compile_error!("copyist's native half for this system has not been written");
