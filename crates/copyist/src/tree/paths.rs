//! Separators and last components of paths.

use std::ffi::OsString;
use std::path::Path;

/// Whether a byte separates the components of a path: `/`, and on Windows also a backslash.
pub(crate) fn is_separator(byte: u8) -> bool {
    byte.is_ascii() && std::path::is_separator(char::from(byte))
}

pub(crate) fn ends_in_separator(name: &std::ffi::OsStr) -> bool {
    let last = name.as_encoded_bytes().last();
    last.is_some_and(|byte| is_separator(*byte))
}

pub(crate) fn base_name(path: &std::ffi::OsStr) -> OsString {
    Path::new(path).file_name().unwrap_or(path).to_os_string()
}
