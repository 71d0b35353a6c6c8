//! Converts a name in an open directory to what the kernel takes.

use std::ffi::OsStr;
use std::os::windows::io::{AsHandle, BorrowedHandle};

use copyist_sys::windows::{self as sys};

use super::code::code;
use super::machine::Native;
use crate::system::{At, Sys};
use crate::think::rules::windows::ERROR_FILE_NOT_FOUND;

const BACKSLASH: u16 = b'\\' as u16;

/// A name in the kernel's form.
pub(super) struct ResolvedName<'a> {
    /// The directory that the name is relative to; `None` if the name is a complete kernel path.
    pub(super) dir: Option<BorrowedHandle<'a>>,
    pub(super) name: Vec<u16>,
    /// It ended in a separator, so it must be a directory.
    pub(super) wants_dir: bool,
}

fn is_separator(unit: &u16) -> bool {
    *unit == BACKSLASH || *unit == u16::from(b'/')
}

/// A name found by a walk is taken literally: `CON` and `a.` are files there. A name given by the caller follows the
/// rules of Win32, and so does every name with several components.
pub(super) fn resolve<'a>(at: At<'a, Native>) -> Sys<ResolvedName<'a>> {
    let name = sys::wide(at.name);
    let ends = |text: &str| name.ends_with(&units(text));
    let wants_dir = name.last().is_some_and(is_separator) || ends("/.") || ends(r"\.");
    if name.is_empty() {
        return Err(ERROR_FILE_NOT_FOUND);
    }
    let in_dir = |name: Vec<u16>| ResolvedName {
        dir: Some(at.dir.file.as_handle()),
        name,
        wants_dir,
    };
    if name == units(".") {
        return Ok(in_dir(Vec::new()));
    }
    let is_plain = name != units("..")
        && !name
            .iter()
            .any(|unit| is_separator(unit) || *unit == u16::from(b':'))
        && !(at.dir.is_current && win32_changes(at.name));
    if is_plain {
        return Ok(in_dir(name));
    }
    let is_absolute = is_separator(&name[0]) || name.get(1) == Some(&u16::from(b':'));
    let path = if at.dir.is_current || is_absolute {
        name
    } else {
        let mut path = at.dir.dir_path()?.to_vec();
        path.push(BACKSLASH);
        path.extend(name);
        walked(&path)
    };
    Ok(ResolvedName {
        dir: None,
        name: sys::nt_path(&path).map_err(code)?,
        wants_dir,
    })
}

/// Whether Win32 would change a name, or treat it as a device: see "Naming Files, Paths, and Namespaces" of the
/// Windows documentation.
fn win32_changes(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    if matches!(bytes.last(), Some(b'.' | b' ')) {
        return true;
    }
    let stem = bytes.split(|byte| *byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end().to_ascii_uppercase();
    match &*stem {
        b"CON" | b"PRN" | b"AUX" | b"NUL" | b"CONIN$" | b"CONOUT$" => true,
        [b'C', b'O', b'M', digit] | [b'L', b'P', b'T', digit] => digit.is_ascii_digit(),
        _ => false,
    }
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// Resolves `.` and `..` in a path that begins with `\\?\`, since the kernel doesn't.
fn walked(path: &[u16]) -> Vec<u16> {
    let (root, rest) = path.split_at(root_len(path));
    let mut parts: Vec<&[u16]> = Vec::new();
    for part in rest.split(is_separator) {
        if part == units("..") {
            parts.pop();
        } else if !part.is_empty() && part != units(".") {
            parts.push(part);
        }
    }
    let mut path = root.to_vec();
    for (n, part) in parts.iter().enumerate() {
        if n > 0 {
            path.push(BACKSLASH);
        }
        path.extend(*part);
    }
    path
}

/// The length of the prefix `\\?\C:\`, `\\?\Volume{...}\` or `\\?\UNC\server\share\`.
fn root_len(path: &[u16]) -> usize {
    let parts = if path.starts_with(&units(r"\\?\UNC\")) {
        6
    } else {
        4
    };
    let mut separators = path
        .iter()
        .enumerate()
        .filter(|(_, unit)| is_separator(unit));
    separators
        .nth(parts - 1)
        .map_or(path.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_ends_at_the_root() {
        let walk = |path: &str| String::from_utf16(&walked(&units(path))).unwrap();
        assert_eq!(walk(r"\\?\C:\a\b\.."), r"\\?\C:\a");
        assert_eq!(walk(r"\\?\C:\a\.\..\.."), r"\\?\C:\");
        assert_eq!(walk(r"\\?\C:\\.."), r"\\?\C:\");
        assert_eq!(
            walk(r"\\?\UNC\server\share\a\..\.."),
            r"\\?\UNC\server\share\"
        );
        assert_eq!(walk(r"\\?\C:\a/b\c"), r"\\?\C:\a\b\c");
    }

    #[test]
    fn names_that_win32_changes_are_known() {
        for name in ["a.", "a ", "con", "NUL.txt", "com1", "LPT9.x.y", "aux .c"] {
            assert!(win32_changes(OsStr::new(name)), "{name}");
        }
        for name in ["a", "console", "com", "comx", "a.nul", "lpt10"] {
            assert!(!win32_changes(OsStr::new(name)), "{name}");
        }
    }
}
