//! Manifests: a line for each file, its hash and its name, as `b3sum`, `sha256sum` and `xxh128sum`
//! write and check them.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use copyist::hash::Hash;

use crate::console::Console;
use crate::report::lock;

/// Writes a manifest while files are copied.
#[derive(Debug)]
pub(crate) struct Manifest {
    /// What names are relative to: the directory that the copy is in.
    base: PathBuf,
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    sink: Sink,
    /// The first failure; nothing is written after that.
    failed: Option<io::Error>,
}

#[derive(Debug)]
enum Sink {
    File(BufWriter<File>),
    Stdout(Arc<Console>),
}

impl Manifest {
    /// To a file of this name, made anew, or to standard output for `-`.
    pub(crate) fn create(name: &OsStr, base: PathBuf, console: &Arc<Console>) -> io::Result<Self> {
        let sink = if name == "-" {
            Sink::Stdout(Arc::clone(console))
        } else {
            Sink::File(BufWriter::new(File::create(name)?))
        };
        let out = Mutex::new(Out { sink, failed: None });
        Ok(Manifest { base, out })
    }

    /// A file was copied to this path.
    pub(crate) fn add(&self, dst: &Path, hash: &Hash) {
        let name = dst.strip_prefix(&self.base).unwrap_or(dst);
        let line = line(name.as_os_str(), hash);
        let mut out = lock(&self.out);
        if out.failed.is_some() {
            return;
        }
        let written = match &mut out.sink {
            Sink::File(file) => file.write_all(&line),
            Sink::Stdout(console) => {
                console.out(&line);
                Ok(())
            }
        };
        out.failed = written.err();
    }

    /// Everything is written out; the error is the first of all.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut out = lock(&self.out);
        if let Some(error) = out.failed.take() {
            return Err(error);
        }
        match &mut out.sink {
            Sink::File(file) => file.flush(),
            Sink::Stdout(_) => Ok(()),
        }
    }
}

/// `HASH  NAME`; a name with a line break in it is escaped, and the line begins with `\` then.
fn line(name: &OsStr, hash: &Hash) -> Vec<u8> {
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
    // The second character tells text from binary, which makes no difference.
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

/// Names are written as the system has them, so that they can be any bytes where that is so.
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
