//! The system calls that copyist needs and for which no library has a safe wrapper.
//!
//! One file, one call; each has the system's name. Errors are the system's error numbers. There is no policy here and
//! no fallback, and nothing that affects a program by being linked (a constructor, a symbol): that is in
//! `copyist-start`.

pub mod callback;
pub mod copyflags;
mod names;
pub mod reparse;
mod signals;
mod stream;

pub use names::{Names, SPEAKS_UTF_8, name_prefix, os_string_from_bytes};
pub use signals::ALSO_INTERRUPTS;
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
