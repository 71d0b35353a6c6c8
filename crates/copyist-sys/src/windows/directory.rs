use std::os::windows::io::AsHandle;

use windows_sys::Wdk::Storage::FileSystem::{FileFullDirectoryInformation, NtQueryDirectoryFile};
use windows_sys::Win32::Foundation::{STATUS_NO_MORE_FILES, STATUS_NO_SUCH_FILE};
use windows_sys::Win32::Storage::FileSystem::FILE_ATTRIBUTE_REPARSE_POINT;

use super::request::request;
use super::{Result, field, length, raw, status, text};

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name, in UTF-16.
    pub name: Vec<u16>,
    /// FILE_ATTRIBUTE_*.
    pub attributes: u32,
    /// The reparse tag, or 0.
    pub tag: u32,
}

/// The buffer, bytes: what the redirector asks servers for.
const BUFFER_BYTES: usize = 64 << 10;

/// Where the fields of FILE_FULL_DIR_INFORMATION are.
const ATTRIBUTES_AT: usize = 56;
const NAME_LENGTH_AT: usize = 60;
const EA_SIZE_AT: usize = 64;
const NAME_AT: usize = 68;

/// `NtQueryDirectoryFile(FileFullDirectoryInformation)`: the next names of an open directory, `.`
/// and `..` among them; no call of `each` is the end. `buffer` grows to what it needs.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntquerydirectoryfile)
///
/// # Errors
///
/// The call's.
pub fn query_directory(
    dir: impl AsHandle,
    buffer: &mut Vec<u8>,
    mut each: impl FnMut(Entry),
) -> Result<()> {
    buffer.resize(BUFFER_BYTES + size_of::<u64>(), 0);
    // Records are aligned, and so must the first be.
    let start = buffer.as_ptr().align_offset(align_of::<u64>());
    let buffer = &mut buffer[start..start + BUFFER_BYTES];
    // SAFETY: one call on the directory; the buffer, of the length said, outlives the request.
    let (result, bytes) = unsafe {
        request(&dir, |io| {
            NtQueryDirectoryFile(
                raw(&dir),
                std::ptr::null_mut(),
                None,
                std::ptr::null(),
                io,
                buffer.as_mut_ptr().cast(),
                length(BUFFER_BYTES),
                FileFullDirectoryInformation,
                false,
                std::ptr::null(),
                false,
            )
        })
    };
    if matches!(result, STATUS_NO_MORE_FILES | STATUS_NO_SUCH_FILE) {
        return Ok(());
    }
    status(result)?;
    entries(&buffer[..bytes.min(BUFFER_BYTES)], &mut each);
    Ok(())
}

fn entries(filled: &[u8], each: &mut impl FnMut(Entry)) {
    let mut rest = filled;
    while let Some(entry) = entry(rest) {
        each(entry);
        match field::<u32>(rest, 0) {
            Some(next) if next > 0 && (next as usize) < rest.len() => rest = &rest[next as usize..],
            _ => return,
        }
    }
}

fn entry(record: &[u8]) -> Option<Entry> {
    let attributes: u32 = field(record, ATTRIBUTES_AT)?;
    let bytes: u32 = field(record, NAME_LENGTH_AT)?;
    // [MS-FSCC] 2.4.14: of a reparse point, the tag stands where the size of the EAs does else.
    let tag = if attributes & FILE_ATTRIBUTE_REPARSE_POINT == 0 {
        0
    } else {
        field(record, EA_SIZE_AT)?
    };
    Some(Entry {
        name: text(record, NAME_AT, bytes as usize)?,
        attributes,
        tag,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, attributes: u32, ea: u32, next: u32) -> Vec<u8> {
        let mut record = vec![0; NAME_AT];
        record[..4].copy_from_slice(&next.to_le_bytes());
        record[ATTRIBUTES_AT..][..4].copy_from_slice(&attributes.to_le_bytes());
        let bytes = length(name.len() * 2);
        record[NAME_LENGTH_AT..][..4].copy_from_slice(&bytes.to_le_bytes());
        record[EA_SIZE_AT..][..4].copy_from_slice(&ea.to_le_bytes());
        record.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        record
    }

    #[test]
    fn records_are_read() {
        let mut all = record("a", 0x20, 7, 72);
        all.resize(72, 0);
        all.extend(record("link", 0x400, 0xa000_000c, 0));
        let mut seen = Vec::new();
        entries(&all, &mut |it| {
            seen.push((String::from_utf16_lossy(&it.name), it.attributes, it.tag))
        });
        assert_eq!(
            seen,
            [
                ("a".to_owned(), 0x20, 0),
                ("link".to_owned(), 0x400, 0xa000_000c)
            ]
        );
        // A record that promises more than there is, is none.
        let mut seen = 0;
        entries(&record("abc", 0, 0, 0)[..NAME_AT + 2], &mut |_| seen += 1);
        assert_eq!(seen, 0);
    }
}
