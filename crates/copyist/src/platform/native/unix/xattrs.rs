//! Extended attributes: a value is read into a buffer whose size nobody knows before.

use rustix::io::Errno;

type Result<T> = std::result::Result<T, Errno>;

/// The first guess at the length of a list or value, bytes: almost always enough.
const XATTR_BYTES: usize = 1024;

/// How often a value may turn out to have grown since its length was asked.
const TRIES: usize = 8;

/// Reads into `buffer`, which grows when it turns out to be too small. A resource fork is as long
/// as a file.
pub(in crate::platform::native) fn grow(
    buffer: &mut Vec<u8>,
    read: impl Fn(&mut [u8]) -> Result<usize>,
) -> Result<()> {
    buffer.resize(XATTR_BYTES, 0);
    let mut result = read(buffer);
    for _ in 0..TRIES {
        if result != Err(Errno::RANGE) {
            break;
        }
        // An empty buffer asks for the length.
        let len = read(&mut [])?;
        buffer.resize(len, 0);
        result = read(buffer);
    }
    buffer.truncate(*result.as_ref().unwrap_or(&0));
    result.map(|_| ())
}
