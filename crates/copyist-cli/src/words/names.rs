//! File names taken apart and put together as GNU tools do, byte for byte: `cp a//b/. d` must
//! name `d/.` in its messages. `Path::join` would normalize it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, is_separator};

fn is_slash(byte: u8) -> bool {
    byte.is_ascii() && is_separator(char::from(byte))
}

/// The length without trailing slashes; the root keeps one.
fn trimmed_length(bytes: &[u8]) -> usize {
    let end = bytes.iter().rposition(|byte| !is_slash(*byte));
    end.map_or(bytes.len().min(1), |end| end + 1)
}

/// The last component, without slashes; empty for the root.
pub(crate) fn base_name(name: &OsStr) -> &OsStr {
    let bytes = name.as_encoded_bytes();
    let bytes = &bytes[..trimmed_length(bytes)];
    let start = bytes.iter().rposition(|byte| is_slash(*byte));
    match &bytes[start.map_or(0, |at| at + 1)..] {
        b"" => OsStr::new(""),
        b"." => OsStr::new("."),
        b".." => OsStr::new(".."),
        // The standard library has no file name for these three.
        _ => Path::new(name).file_name().unwrap_or(name),
    }
}

/// The name without its trailing slashes; the root stays.
pub(crate) fn without_trailing_slashes(name: &OsStr) -> OsString {
    let bytes = name.as_encoded_bytes();
    let length = trimmed_length(bytes);
    if length == bytes.len() {
        return name.to_owned();
    }
    // The standard library strips a trailing "." as well.
    let mut trimmed = Path::new(name)
        .components()
        .as_path()
        .as_os_str()
        .to_owned();
    if bytes[..length].ends_with(b"/.") {
        trimmed.push("/.");
    }
    trimmed
}

/// `base` below `directory`.
pub(crate) fn concat(directory: &OsStr, base: &OsStr) -> OsString {
    let mut name = without_trailing_slashes(directory);
    let is_root = name.as_encoded_bytes().iter().all(|byte| is_slash(*byte));
    let slash_follows = base
        .as_encoded_bytes()
        .first()
        .copied()
        .is_some_and(is_slash);
    match (is_root && !name.is_empty(), slash_follows) {
        (false, false) => name.push("/"),
        // "//usr" means something else on some systems.
        (true, true) => name.push("."),
        (true, false) | (false, true) => {}
    }
    name.push(base);
    name
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{base_name, concat, without_trailing_slashes};

    #[test]
    fn names_are_taken_apart() {
        let table = [
            ("a", "a", "a"),
            ("a/b", "b", "a/b"),
            ("a//b///", "b", "a//b"),
            ("a/./b/", "b", "a/./b"),
            ("a/.", ".", "a/."),
            ("a/./", ".", "a/."),
            ("a/..//", "..", "a/.."),
            (".", ".", "."),
            ("./", ".", "."),
            ("../", "..", ".."),
            ("/", "", "/"),
            ("///", "", "/"),
            ("/a/", "a", "/a"),
            ("", "", ""),
        ];
        for (name, base, trimmed) in table {
            assert_eq!(base_name(OsStr::new(name)), base, "{name}");
            assert_eq!(
                without_trailing_slashes(OsStr::new(name)),
                trimmed,
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_put_together() {
        let table = [
            ("d", "a", "d/a"),
            ("d//", "a", "d/a"),
            ("d", "/x/y", "d/x/y"),
            ("/", "a", "/a"),
            ("/", "/x", "/./x"),
            ("d", "", "d/"),
            ("d", ".", "d/."),
            ("d/.", "a", "d/./a"),
        ];
        for (directory, base, whole) in table {
            assert_eq!(concat(OsStr::new(directory), OsStr::new(base)), whole);
        }
    }
}
