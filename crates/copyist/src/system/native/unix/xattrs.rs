//! Extended attributes: reading a value of unknown length into a buffer.

use rustix::io::Errno;

type Result<T> = std::result::Result<T, Errno>;

/// The first guess at the length of a list or value, bytes: almost always enough.
const XATTR_BYTES: usize = 256;

/// Reads into `buffer`, which grows up to `largest` bytes when it turns out to be too small.
///
/// The length is not queried first: it can change before the next call, and rustix, since 1.1.6, returns 0 for a call
/// with an empty buffer, which would query it. A value that fills the buffer may have been cut off, as macOS does
/// with resource forks, and is read again.
#[inline(always)] // as the functions that it calls: see `copyist_sys::linux`'s `direct`
pub(in crate::system::native) fn grow(
    buffer: &mut Vec<u8>,
    largest: usize,
    read: impl Fn(&mut [u8]) -> Result<usize>,
) -> Result<()> {
    let mut bytes = XATTR_BYTES;
    loop {
        buffer.resize(bytes, 0);
        let result = read(buffer);
        let is_too_small = match result {
            Ok(len) => len == bytes,
            Err(errno) => errno == Errno::RANGE,
        };
        if !is_too_small || bytes >= largest {
            buffer.truncate(result.unwrap_or(0));
            return result.map(|_| ());
        }
        bytes = bytes.saturating_mul(2).min(largest);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const LARGEST: usize = 64 << 10;

    /// A value, on a system that reports when it does not fit.
    fn read(value: &[u8], buffer: &mut [u8]) -> Result<usize> {
        let there = buffer.get_mut(..value.len()).ok_or(Errno::RANGE)?;
        there.copy_from_slice(value);
        Ok(value.len())
    }

    #[test]
    fn a_value_of_any_length_is_read_whole() {
        let (less, more) = (XATTR_BYTES - 1, XATTR_BYTES + 1);
        for len in [0, 1, less, XATTR_BYTES, more, 5000, LARGEST - 1, LARGEST] {
            let value: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
            let mut told = Vec::new();
            grow(&mut told, LARGEST, |buffer| read(&value, buffer)).expect("it fits");
            assert_eq!(told, value);
            let mut cut_off = Vec::new();
            grow(&mut cut_off, LARGEST, |buffer| {
                let len = buffer.len().min(value.len());
                read(&value[..len], buffer)
            })
            .expect("it fits");
            assert_eq!(cut_off, value);
        }
    }

    #[test]
    fn a_value_that_grows_meanwhile_is_asked_for_again() {
        let len = Cell::new(XATTR_BYTES + 1);
        let mut buffer = Vec::new();
        grow(&mut buffer, LARGEST, |buffer| {
            let value = vec![7; len.get()];
            len.set((len.get() * 3).min(40_000));
            read(&value, buffer)
        })
        .expect("it stops to grow");
        assert_eq!(buffer, vec![7; 40_000]);
    }

    #[test]
    fn a_system_that_never_has_enough_is_asked_some_times() {
        let asked = Cell::new(0);
        let mut buffer = vec![1; 9];
        let read = grow(&mut buffer, LARGEST, |_| {
            asked.set(asked.get() + 1);
            Err(Errno::RANGE)
        });
        assert_eq!(read, Err(Errno::RANGE));
        assert_eq!(buffer, []);
        assert_eq!(asked.get(), 9);
    }
}
