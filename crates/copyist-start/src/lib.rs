//! What the command `copyist` does to its own process: how it starts, its standard descriptors, and what
//! it asks the system for. The library does nothing of it, since it may be in any program.

mod signals;
#[cfg(all(feature = "quick-start", target_os = "linux", target_env = "gnu"))]
pub mod start;
mod stdio;

pub use signals::FirstSignal;
pub use stdio::{stdin_was_closed, stdout_was_closed};

/// Windows: shows files that a cloud provider keeps elsewhere as what they are, to the whole process.
pub fn see_placeholders() {
    #[cfg(windows)]
    copyist_sys::windows::see_placeholders();
}

/// Windows: turns on the privilege to give a file any owner, for the whole process, if it has it.
pub fn enable_restore() {
    #[cfg(windows)]
    copyist_sys::windows::enable_restore();
}
