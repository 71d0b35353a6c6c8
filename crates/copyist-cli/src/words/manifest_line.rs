//! A line of a manifest: the hash of a file and its name, as `b3sum`, `sha256sum` and `xxh128sum`
//! write and check it.

use std::ffi::{OsStr, OsString};

use copyist::hash::Hash;

/// `HASH  NAME`; a name with a line break in it is escaped, and the line begins with `\` then.
pub(crate) fn line(name: &OsStr, hash: &Hash) -> Vec<u8> {
    let bytes = name.as_encoded_bytes();
    let odd = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\\');
    let mut line = Vec::with_capacity(bytes.len() + 70);
    if bytes.iter().any(odd) {
        line.push(b'\\');
    }
    line.extend_from_slice(format!("{hash}  ").as_bytes());
    for byte in bytes {
        match byte {
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            b'\\' => line.extend_from_slice(b"\\\\"),
            byte => line.push(*byte),
        }
    }
    line.push(b'\n');
    line
}

/// A line of a manifest taken apart: the hash as text, and the name.
pub(crate) fn parse(line: &[u8]) -> Option<(String, OsString)> {
    let (escaped, line) = match line.strip_prefix(b"\\") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let at = line.iter().position(|byte| *byte == b' ')?;
    let hex = std::str::from_utf8(&line[..at]).ok()?.to_ascii_lowercase();
    // The second character is the mode, text or binary, which makes no difference.
    let name = line[at + 1..]
        .strip_prefix(b" ")
        .or(line[at + 1..].strip_prefix(b"*"))?;
    let name = if escaped {
        unescape(name)?
    } else {
        name.to_vec()
    };
    // No name has a NUL byte in it.
    let is_name = !name.is_empty() && !name.contains(&0);
    is_name.then_some((hex, from_bytes(name)?))
}

fn unescape(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(name.len());
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'\\' => match bytes.next()? {
                b'n' => b'\n',
                b'r' => b'\r',
                b'\\' => b'\\',
                _ => return None,
            },
            byte => *byte,
        });
    }
    Some(out)
}

/// A name of these bytes; `None` where the system has no such names.
fn from_bytes(bytes: Vec<u8>) -> Option<OsString> {
    copyist_sys::os_string_from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use std::ffi::{OsStr, OsString};

    use copyist::hash::{Hash, HashKind};

    use super::{line, parse};

    #[test]
    fn lines_are_those_of_the_tools_and_read_back() {
        let hash = Hash::of(HashKind::Xxh3, b"abc");
        let text = |name: &str| String::from_utf8(line(OsStr::new(name), &hash)).expect("text");
        assert_eq!(text("a b"), format!("{hash}  a b\n"));
        assert_eq!(text("a\nb\\c"), format!("\\{hash}  a\\nb\\\\c\n"));
        for name in ["a b", "a\nb\\c\r", " *x", "d/e"] {
            let line = line(OsStr::new(name), &hash);
            let parsed = parse(line.strip_suffix(b"\n").expect("a line"));
            assert_eq!(parsed, Some((hash.to_string(), OsString::from(name))));
        }
        assert_eq!(parse(b"AB *x"), Some(("ab".to_owned(), "x".into())));
        for bad in ["", "abc", "abc x", "abc  ", "\\abc  a\\x", "abc  a\0"] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
