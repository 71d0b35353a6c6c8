//! Alternate data streams.

use std::os::windows::io::AsHandle;

use windows_sys::Wdk::Storage::FileSystem::{
    FILE_NON_DIRECTORY_FILE, FILE_OPEN, FILE_OPEN_IF, FileStreamInformation, NtQueryInformationFile,
};
use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_MORE_DATA, ERROR_WRITE_FAULT, STATUS_BUFFER_OVERFLOW,
    STATUS_BUFFER_TOO_SMALL,
};
use windows_sys::Win32::Storage::FileSystem::{
    DELETE, FILE_READ_DATA, FILE_WRITE_ATTRIBUTES, FILE_WRITE_DATA,
};

use super::request::request;
use super::{
    How, Result, as_bytes, field, file, information, length, ntcreatefile, raw, records, status,
    text,
};

/// The first guess at the length of the list, bytes: almost always enough.
const LIST_BYTES: usize = 1 << 10;
/// NTFS limits the list of a file's streams to slightly more than 64 KiB.
const MOST_LIST_BYTES: usize = 1 << 20;

const NAME_LENGTH_AT: usize = 4;
const NAME_AT: usize = 24;

/// How much of a stream is read at a time, bytes.
const READ_BYTES: usize = 64 << 10;

/// `NtQueryInformationFile(FileStreamInformation)`: the names of the streams besides the content, without colons and
/// type.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_stream_information)
///
/// # Errors
///
/// The call's: FAT has no streams.
pub fn streams(file: impl AsHandle) -> Result<Vec<Vec<u16>>> {
    let mut bytes = LIST_BYTES;
    loop {
        let mut buffer = records(bytes);
        // SAFETY: one call on the file; the buffer, of the length said, outlives the request.
        let (result, filled_bytes) = unsafe {
            request(&file, |io| {
                NtQueryInformationFile(
                    raw(&file),
                    io,
                    buffer.as_mut_ptr().cast(),
                    length(bytes),
                    FileStreamInformation,
                )
            })
        };
        let more = matches!(result, STATUS_BUFFER_OVERFLOW | STATUS_BUFFER_TOO_SMALL);
        if more && bytes < MOST_LIST_BYTES {
            bytes *= 8;
            continue;
        }
        if more {
            return Err(ERROR_MORE_DATA.cast_signed());
        }
        return match status(result) {
            // A directory without any.
            Err(code) if code.cast_unsigned() == ERROR_HANDLE_EOF => Ok(Vec::new()),
            Err(code) => Err(code),
            Ok(()) => {
                let filled = as_bytes(&buffer);
                Ok(names(&filled[..filled_bytes.min(filled.len())]))
            }
        };
    }
}

fn names(filled: &[u8]) -> Vec<Vec<u16>> {
    let mut names = Vec::new();
    let mut rest = filled;
    while let Some(bytes) = field::<u32>(rest, NAME_LENGTH_AT) {
        let whole = text(rest, NAME_AT, bytes as usize).unwrap_or_default();
        let colon = |unit: &u16| *unit == u16::from(b':');
        // ":name:$DATA"; the content is "::$DATA".
        if let Some(name) = whole.split(colon).nth(1)
            && !name.is_empty()
        {
            names.push(name.to_vec());
        }
        match field::<u32>(rest, 0) {
            Some(next) if next > 0 && (next as usize) < rest.len() => rest = &rest[next as usize..],
            _ => break,
        }
    }
    names
}

/// Opens a stream of an open file or directory relative to its handle, so that no path is resolved.
fn open(
    file: impl AsHandle,
    name: &[u16],
    access: u32,
    disposition: u32,
) -> Result<std::os::windows::io::OwnedHandle> {
    let mut full: Vec<u16> = vec![u16::from(b':')];
    full.extend(name);
    full.extend(":$DATA".encode_utf16());
    let how = How {
        disposition,
        ..How::open(access, FILE_NON_DIRECTORY_FILE)
    };
    ntcreatefile(Some(file.as_handle()), &full, &how)
}

/// Reads a whole stream into `value` (cleared first).
///
/// # Errors
///
/// Of opening and reading it.
pub fn read_stream(of: impl AsHandle, name: &[u16], value: &mut Vec<u8>) -> Result<()> {
    value.clear();
    let stream = open(of, name, FILE_READ_DATA, FILE_OPEN)?;
    loop {
        let start = value.len();
        value.resize(start + READ_BYTES, 0);
        let read = file::read(&stream, Some(start as u64), &mut value[start..])?;
        value.truncate(start + read);
        if read == 0 {
            return Ok(());
        }
    }
}

/// Creates a stream, or replaces its content.
///
/// # Errors
///
/// Of opening and writing it.
pub fn write_stream(of: impl AsHandle, name: &[u16], value: &[u8]) -> Result<()> {
    let stream = open(of, name, TO_WRITE, FILE_OPEN_IF)?;
    write_all(&stream, 0, value)?;
    information::set_end_of_file(&stream, value.len() as u64)?;
    file::close(stream)
}

const TO_WRITE: u32 = FILE_WRITE_DATA | FILE_WRITE_ATTRIBUTES;

fn write_all(stream: impl AsHandle, offset: u64, data: &[u8]) -> Result<()> {
    let mut done = 0;
    while done < data.len() {
        let written = file::write(&stream, Some(offset + done as u64), &data[done..])?;
        if written == 0 {
            return Err(ERROR_WRITE_FAULT.cast_signed());
        }
        done += written;
    }
    Ok(())
}

/// The side on which copying a stream failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyFailed {
    /// It could not be opened or read.
    Reading(i32),
    /// It could not be created or written: a partial stream is removed again.
    Writing(i32),
}

/// Copies a stream to another file, piece by piece through `buffer`, which grows to a piece.
///
/// # Errors
///
/// Of opening, reading and writing it.
pub fn copy_stream(
    from: impl AsHandle,
    to: impl AsHandle,
    name: &[u16],
    buffer: &mut Vec<u8>,
) -> std::result::Result<(), CopyFailed> {
    let src = open(from, name, FILE_READ_DATA, FILE_OPEN).map_err(CopyFailed::Reading)?;
    let dst = open(&to, name, TO_WRITE, FILE_OPEN_IF).map_err(CopyFailed::Writing)?;
    buffer.resize(buffer.len().max(READ_BYTES), 0);
    let copied = copy_pieces(&src, &dst, buffer)
        .and_then(|()| file::close(dst).map_err(CopyFailed::Writing));
    if copied.is_err() {
        // The copy's own failure is reported, and is more informative than that of this cleanup.
        let _ = remove_stream(to, name);
    }
    copied
}

fn copy_pieces(
    src: impl AsHandle,
    dst: impl AsHandle,
    buffer: &mut [u8],
) -> std::result::Result<(), CopyFailed> {
    let mut offset = 0;
    loop {
        let read = file::read(&src, Some(offset), buffer).map_err(CopyFailed::Reading)?;
        if read == 0 {
            return information::set_end_of_file(dst, offset).map_err(CopyFailed::Writing);
        }
        write_all(&dst, offset, &buffer[..read]).map_err(CopyFailed::Writing)?;
        offset += read as u64;
    }
}

/// Removes a stream.
///
/// # Errors
///
/// Of opening and removing it.
pub fn remove_stream(of: impl AsHandle, name: &[u16]) -> Result<()> {
    let stream = open(of, name, DELETE, FILE_OPEN)?;
    information::remove(&stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_streams_are_read() {
        let record = |name: &str, next: u32| {
            let mut record = vec![0; NAME_AT];
            record[..4].copy_from_slice(&next.to_le_bytes());
            record[NAME_LENGTH_AT..][..4].copy_from_slice(&length(name.len() * 2).to_le_bytes());
            record.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
            record
        };
        let mut all = record("::$DATA", 40);
        all.resize(40, 0);
        all.extend(record(":Zone.Identifier:$DATA", 0));
        let names = names(&all);
        assert_eq!(
            names,
            ["Zone.Identifier".encode_utf16().collect::<Vec<_>>()]
        );
    }

    #[test]
    fn pieces_make_the_whole() {
        let path = |name: &str| {
            std::env::temp_dir().join(format!("copyist-sys-{}-{name}", std::process::id()))
        };
        let (from, to) = (path("from"), path("to"));
        let content: Vec<u8> = (0..=255).collect();
        for size in [0, 1, 99, 100, 256] {
            std::fs::write(&from, &content[..size]).unwrap();
            std::fs::write(&to, [0; 300]).unwrap(); // what was there before is longer
            let src = std::fs::File::open(&from).unwrap();
            let dst = std::fs::File::options().write(true).open(&to).unwrap();
            copy_pieces(&src, &dst, &mut [0; 100]).unwrap();
            assert_eq!(std::fs::read(&to).unwrap(), content[..size]);
        }
        let src = std::fs::File::open(&from).unwrap();
        let read_only = std::fs::File::open(&to).unwrap();
        let failed = copy_pieces(&src, &read_only, &mut [0; 100]).unwrap_err();
        assert!(matches!(failed, CopyFailed::Writing(_)), "{failed:?}");
        let failed = copy_pieces(
            std::fs::File::options().write(true).open(&from).unwrap(),
            read_only,
            &mut [0; 100],
        )
        .unwrap_err();
        assert!(matches!(failed, CopyFailed::Reading(_)), "{failed:?}");
        std::fs::remove_file(from).unwrap();
        std::fs::remove_file(to).unwrap();
    }
}
