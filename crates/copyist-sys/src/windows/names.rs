//! Names: Rust's (WTF-8, which keeps what is no valid UTF-16), Win32's paths and the kernel's.

use std::ffi::{OsStr, OsString};
use std::os::windows::ffi::{OsStrExt, OsStringExt};
use std::os::windows::io::AsHandle;

use windows_sys::Win32::Foundation::{ERROR_BAD_PATHNAME, ERROR_FILENAME_EXCED_RANGE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_NAME_NORMALIZED, GetFinalPathNameByHandleW, GetFullPathNameW, VOLUME_NAME_DOS,
    VOLUME_NAME_GUID,
};

use super::{Result, last_error, length, raw};

const BACKSLASH: u16 = b'\\' as u16;

/// A name in UTF-16, without a NUL at its end. What was no valid UTF-16 is as it was.
pub fn wide(name: &OsStr) -> Vec<u16> {
    name.encode_wide().collect()
}

/// A name out of UTF-16, valid or not.
pub fn wtf8(name: &[u16]) -> OsString {
    OsString::from_wide(name)
}

/// The bytes of a name, as [`OsStr::as_encoded_bytes`] has them.
pub fn name_bytes(name: &[u16]) -> Vec<u8> {
    wtf8(name).into_encoded_bytes()
}

/// The name that [`name_bytes`] made these bytes of: UTF-8, but for surrogates that stand alone.
pub fn bytes_name(bytes: &[u8]) -> Vec<u16> {
    let mut name = Vec::new();
    let mut rest = bytes;
    while let Some((&first, _)) = rest.split_first() {
        let (len, bits) = match first {
            0x00..=0x7f => (1, first),
            0x80..=0xdf => (2, first & 0x1f),
            0xe0..=0xef => (3, first & 0x0f),
            0xf0..=0xff => (4, first & 0x07),
        };
        let (one, after) = rest.split_at(len.min(rest.len()));
        let add = |code: u32, byte: &u8| code << 6 | u32::from(byte & 0x3f);
        let code = one[1..].iter().fold(u32::from(bits), add);
        match u16::try_from(code) {
            Ok(unit) => name.push(unit),
            Err(_) => {
                let above = code.saturating_sub(0x1_0000);
                let half = |base: u16, bits: u32| base | u16::try_from(bits & 0x3ff).unwrap_or(0);
                name.extend([half(0xd800, above >> 10), half(0xdc00, above)]);
            }
        }
        rest = after;
    }
    name
}

/// With the NUL that Win32 wants. A name with one in it names nothing.
pub(super) fn terminated(name: &[u16]) -> Result<Vec<u16>> {
    if name.contains(&0) {
        return Err(ERROR_BAD_PATHNAME.cast_signed());
    }
    Ok(name.iter().copied().chain([0]).collect())
}

/// Calls until the buffer is as long as the system says that it should be.
fn grow(mut call: impl FnMut(&mut [u16]) -> u32) -> Result<Vec<u16>> {
    let mut buffer = vec![0; 300];
    // The result may get longer between two calls, but not forever.
    for _ in 0..4 {
        let needed = call(&mut buffer) as usize;
        if needed == 0 {
            return Err(last_error());
        }
        if needed < buffer.len() {
            buffer.truncate(needed);
            return Ok(buffer);
        }
        buffer.resize(needed + 1, 0);
    }
    Err(ERROR_FILENAME_EXCED_RANGE.cast_signed())
}

/// `GetFullPathNameW`, and the kernel's name of what comes out: `\??\C:\...`, `\??\UNC\...`. A path
/// that begins with `\\?\` is taken as it is. There is no limit of 260 characters.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfullpathnamew)
///
/// # Errors
///
/// The call's.
pub fn nt_path(path: &[u16]) -> Result<Vec<u16>> {
    let begins = |path: &[u16], with: &str| path.starts_with(&units(with));
    if begins(path, r"\\?\") || begins(path, r"\??\") {
        return Ok(joined(r"\??\", &path[4..]));
    }
    let path = terminated(path)?;
    let full = grow(|buffer| {
        // SAFETY: the path ends in a NUL; the buffer is as long as is said.
        unsafe {
            GetFullPathNameW(
                path.as_ptr(),
                length(buffer.len()),
                buffer.as_mut_ptr(),
                std::ptr::null_mut(),
            )
        }
    })?;
    Ok(if begins(&full, r"\\.\") || begins(&full, r"\\?\") {
        joined(r"\??\", &full[4..])
    } else if begins(&full, r"\\") {
        joined(r"\??\UNC\", &full[2..])
    } else {
        joined(r"\??\", &full)
    })
}

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn joined(prefix: &str, rest: &[u16]) -> Vec<u16> {
    let mut path = units(prefix);
    path.extend(rest);
    // `\??\C:\dir\` is no directory to the kernel, but `\??\C:\` is the root.
    while path.len() > 1 && path.ends_with(&[BACKSLASH]) && !path.ends_with(&units(r":\")) {
        path.pop();
    }
    path
}

/// `GetFinalPathNameByHandleW`: the path of an open file, beginning with `\\?\`.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfinalpathnamebyhandlew)
///
/// # Errors
///
/// The call's.
pub fn final_path(file: impl AsHandle) -> Result<Vec<u16>> {
    let ask = |flags| {
        grow(|buffer| {
            // SAFETY: the handle is borrowed; the buffer is as long as is said.
            unsafe {
                GetFinalPathNameByHandleW(
                    raw(&file),
                    buffer.as_mut_ptr(),
                    length(buffer.len()),
                    FILE_NAME_NORMALIZED | flags,
                )
            }
        })
    };
    // A volume without a drive letter has another name.
    ask(VOLUME_NAME_DOS).or_else(|_| ask(VOLUME_NAME_GUID))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nt(path: &str) -> String {
        String::from_utf16(&nt_path(&units(path)).unwrap()).unwrap()
    }

    #[test]
    fn paths_become_the_kernel_s() {
        assert_eq!(nt(r"\\?\C:\a.\b"), r"\??\C:\a.\b");
        assert_eq!(nt(r"C:\a\..\b\"), r"\??\C:\b");
        assert_eq!(nt("C:/a/b"), r"\??\C:\a\b");
        assert_eq!(nt(r"C:\"), r"\??\C:\");
        assert_eq!(nt(r"\\server\share\x"), r"\??\UNC\server\share\x");
        assert_eq!(nt("NUL"), r"\??\NUL");
        let long = format!(r"C:\{}", "d\\".repeat(3000));
        assert_eq!(nt(&long).len(), long.len() + 3);
    }

    #[test]
    fn what_is_no_utf_16_stays_as_it_is() {
        let name = [0x61, 0xd800, 0x62];
        assert_eq!(wide(&wtf8(&name)), name);
        for name in [
            &name[..],
            &units("a\u{e9}\u{20ac}\u{1f980}b"),
            &[0xdc00, 0xd800],
            &[],
        ] {
            assert_eq!(bytes_name(&name_bytes(name)), name);
        }
        assert!(nt_path(&[0x61, 0, 0x62]).is_err());
    }
}
