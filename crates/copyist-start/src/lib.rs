//! What the command `copyist` does to its own process: how it starts, and its standard descriptors and privileges.
//! The library does none of this, since it may be part of any program.

mod signals;
#[cfg(all(feature = "quick-start", target_os = "linux", target_env = "gnu"))]
pub mod start;
mod stdio;

pub use signals::FirstSignal;
pub use stdio::{stdin_was_closed, stdout_was_closed};

/// Windows: makes files that a cloud provider stores elsewhere visible as placeholders, for the whole process.
pub fn see_placeholders() {
    #[cfg(windows)]
    copyist_sys::windows::see_placeholders();
}

/// Windows: enables the privilege to set any owner of a file, for the whole process, if the process has it.
pub fn enable_restore() {
    #[cfg(windows)]
    copyist_sys::windows::enable_restore();
}
