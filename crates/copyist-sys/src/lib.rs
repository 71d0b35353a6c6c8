//! The system calls that copyist needs and that no library wraps safely.
//!
//! One file, one call; each is named as the system names it. Errors are the system's plain error
//! numbers: no policy lives here, and no path.

pub mod callback;
pub mod copyflags;
mod names;
pub mod reparse;
mod signals;
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub mod start;
mod stdio;
mod stream;

pub use names::{Names, name_prefix, os_string_from_bytes};
pub use signals::ALSO_INTERRUPTS;
pub use stdio::{SPEAKS_UTF_8, stdout_was_closed};
pub use stream::{Stream, StreamId, id_of_path, id_of_stream};

#[cfg(target_os = "freebsd")]
pub mod freebsd;
#[cfg(target_os = "linux")]
pub mod linux;
#[cfg(target_os = "macos")]
pub mod macos;
#[cfg(unix)]
pub mod unix;
#[cfg(windows)]
pub mod windows;
