//! Text files that a user or another program wrote: patterns, manifests.

use crate::words::errors::EBADF;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

/// The byte order mark of UTF-8, which editors on Windows write.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Opens a text file, or standard input for `-`. A byte order mark is skipped; UTF-16
/// and UTF-32 are errors.
pub(crate) fn open(name: &OsStr) -> io::Result<Box<dyn BufRead>> {
    if name == "-" {
        if copyist_start::stdin_was_closed() {
            return Err(io::Error::from_raw_os_error(EBADF));
        }
        Ok(Box::new(without_mark(io::stdin().lock())?))
    } else {
        Ok(Box::new(without_mark(BufReader::new(File::open(name)?))?))
    }
}

fn without_mark<R: BufRead>(mut text: R) -> io::Result<impl BufRead + use<R>> {
    let mut start = Vec::new();
    text.by_ref()
        .take(BOM.len() as u64)
        .read_to_end(&mut start)?;
    let start = match without_bom(&start) {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            let why = "it is UTF-16 or UTF-32 text, and must be UTF-8";
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        start => start.to_vec(),
    };
    Ok(io::Cursor::new(start).chain(text))
}

/// The text after its byte order mark, if it has one.
pub(crate) fn without_bom(text: &[u8]) -> &[u8] {
    text.strip_prefix(BOM).unwrap_or(text)
}

/// Reads all lines of a text in UTF-8, without their ends (LF or CR LF).
pub(crate) fn lines(name: &OsStr) -> io::Result<Vec<String>> {
    let mut text = String::new();
    open(name)?.read_to_string(&mut text)?;
    if let Some(before) = text.split('\0').next().filter(|it| it.len() < text.len()) {
        let number = before.matches('\n').count() + 1;
        let why = format!("line {number} has a NUL byte: it is not UTF-8 text");
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    let line = |line: &str| line.strip_suffix('\r').unwrap_or(line).to_owned();
    Ok(text.lines().map(line).collect())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::without_mark;

    fn read(text: &[u8]) -> Option<Vec<u8>> {
        let mut read = Vec::new();
        without_mark(text).ok()?.read_to_end(&mut read).ok()?;
        Some(read)
    }

    #[test]
    fn a_byte_order_mark_is_no_text() {
        for text in ["", "a", "ab", "abc\n", "\u{fe}"] {
            assert_eq!(read(text.as_bytes()).as_deref(), Some(text.as_bytes()));
            let marked = format!("\u{feff}{text}");
            assert_eq!(read(marked.as_bytes()).as_deref(), Some(text.as_bytes()));
        }
        assert_eq!(read(b"\xff\xfea\0"), None);
        assert_eq!(read(b"\xfe\xff\0a"), None);
        assert_eq!(read(b"\xff\xfe\0\0a\0\0\0"), None);
    }
}
