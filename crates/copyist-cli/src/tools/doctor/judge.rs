//! Compares copies with the expected content.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::Path;

use super::patterns::{PIECE, Pattern};
use crate::tools::work::Work;

/// A difference from the expected content.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fault {
    Length {
        found: u64,
        expected: String,
    },
    Byte {
        at: u64,
        found: u8,
        expected: String,
    },
    /// The map of holes has a hole where there is data.
    DataInHole {
        at: u64,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Length { found, expected } => {
                write!(f, "the copy has {found} bytes, not {expected}")
            }
            Fault::Byte {
                at,
                found,
                expected,
            } => write!(f, "byte {at} of the copy is {found:02x}, not {expected}"),
            Fault::DataInHole { at } => {
                write!(f, "byte {at}, which is data, is reported as a hole")
            }
        }
    }
}

/// Compares a copy with the `len` bytes that `fill` produces.
pub(super) fn copy(
    (path, work): (&Path, &Work),
    fill: impl Fn(u64, &mut [u8]),
    len: u64,
) -> io::Result<Option<Fault>> {
    let found = std::fs::metadata(path)?.len();
    if found != len {
        return Ok(Some(Fault::Length {
            found,
            expected: len.to_string(),
        }));
    }
    let mut wanted = vec![0; PIECE];
    each_piece((path, work), |offset, piece| {
        let wanted = &mut wanted[..piece.len()];
        fill(offset, wanted);
        if piece == wanted {
            return None;
        }
        let n = piece.iter().zip(&*wanted).position(|(a, b)| a != b)?;
        Some(Fault::Byte {
            at: offset + n as u64,
            found: piece[n],
            expected: format!("{:02x}", wanted[n]),
        })
    })
}

/// Passes a file's pieces to `look` until it returns a fault.
pub(super) fn each_piece<T>(
    (path, work): (&Path, &Work),
    mut look: impl FnMut(u64, &[u8]) -> Option<T>,
) -> io::Result<Option<T>> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE];
    let mut offset = 0;
    loop {
        work.check_time()?;
        let read = match file.read(&mut piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            return Ok(None);
        }
        if let Some(found) = look(offset, &piece[..read]) {
            return Ok(Some(found));
        }
        offset += read as u64;
    }
}

/// The first byte of data that the filesystem reports as a hole. It may report a hole as data.
pub(super) fn map(pattern: &Pattern, ranges: &[Range<u64>]) -> Option<Fault> {
    pattern.data.iter().find_map(|data| {
        let mut at = data.start;
        for range in ranges {
            if range.contains(&at) {
                at = range.end;
            }
        }
        (at < data.end).then_some(Fault::DataInHole { at })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_may_call_a_hole_data_and_not_data_a_hole() {
        let pattern = Pattern {
            name: "",
            len: 100,
            data: vec![10..20, 50..60],
            is_synced: false,
            replaces: false,
        };
        let fault = |ranges: &[Range<u64>]| map(&pattern, ranges);
        assert_eq!(fault(&[0..100]), None);
        assert_eq!(fault(&[10..15, 15..20, 40..70]), None);
        assert_eq!(fault(&[]), Some(Fault::DataInHole { at: 10 }));
        assert_eq!(fault(&[0..15, 50..60]), Some(Fault::DataInHole { at: 15 }));
        assert_eq!(fault(&[10..20, 51..60]), Some(Fault::DataInHole { at: 50 }));
    }
}
