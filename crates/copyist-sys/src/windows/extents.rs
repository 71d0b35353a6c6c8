//! Extents: which there are, whether there may be holes between them, and sharing them.

use std::os::windows::io::AsHandle;
use std::sync::atomic::{AtomicBool, Ordering};

use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_INVALID_FUNCTION, ERROR_INVALID_PARAMETER, ERROR_NOT_SUPPORTED,
};
use windows_sys::Win32::System::Ioctl::{
    DUPLICATE_EXTENTS_DATA, DUPLICATE_EXTENTS_DATA_EX, FILE_ALLOCATED_RANGE_BUFFER,
    FSCTL_DUPLICATE_EXTENTS_TO_FILE, FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX,
    FSCTL_GET_INTEGRITY_INFORMATION, FSCTL_GET_INTEGRITY_INFORMATION_BUFFER,
    FSCTL_GET_RETRIEVAL_POINTERS, FSCTL_QUERY_ALLOCATED_RANGES, FSCTL_SET_INTEGRITY_INFORMATION,
    FSCTL_SET_INTEGRITY_INFORMATION_BUFFER, FSCTL_SET_SPARSE,
};

use super::fsctl::{ask, fsctl, tell};
use super::{Result, as_bytes, field, raw, records};

/// DUPLICATE_EXTENTS_DATA_EX_SOURCE_ATOMIC: the range is of one moment.
const SOURCE_ATOMIC: u32 = 1;

/// A range to share: from an offset of the source to the same of the destination, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extents {
    /// A multiple of the cluster.
    pub offset: u64,
    /// A multiple of the cluster, below 4 GiB.
    pub len: u64,
}

/// The system doesn't know FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX (Windows before 10 1803, servers).
static KNOWS_EX: AtomicBool = AtomicBool::new(true);

/// `FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX`, and `FSCTL_DUPLICATE_EXTENTS_TO_FILE` where that is
/// unknown: lets `dst` share the extents of `src`. Both must be on one volume, and agree in being
/// sparse and in integrity; the range must lie within the length of `dst`, rounded up to its
/// cluster.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/fileio/block-cloning)
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_duplicate_extents_to_file)
///
/// # Errors
///
/// The call's: ERROR_BLOCK_TOO_MANY_REFERENCES once 8,175 ranges share one.
pub fn duplicate_extents(src: impl AsHandle, dst: impl AsHandle, extents: Extents) -> Result<()> {
    let (offset, len) = (extents.offset.cast_signed(), extents.len.cast_signed());
    let plain = || {
        let data = DUPLICATE_EXTENTS_DATA {
            FileHandle: raw(&src),
            SourceFileOffset: offset,
            TargetFileOffset: offset,
            ByteCount: len,
        };
        tell(&dst, FSCTL_DUPLICATE_EXTENTS_TO_FILE, &data)
    };
    if !KNOWS_EX.load(Ordering::Relaxed) {
        return plain();
    }
    let data = DUPLICATE_EXTENTS_DATA_EX {
        Size: size_of::<DUPLICATE_EXTENTS_DATA_EX>(),
        FileHandle: raw(&src),
        SourceFileOffset: offset,
        TargetFileOffset: offset,
        ByteCount: len,
        Flags: SOURCE_ATOMIC,
    };
    let result = tell(&dst, FSCTL_DUPLICATE_EXTENTS_TO_FILE_EX, &data);
    let unknown = [
        ERROR_INVALID_FUNCTION,
        ERROR_INVALID_PARAMETER,
        ERROR_NOT_SUPPORTED,
    ];
    match result {
        // A filesystem that doesn't know it, or that doesn't do it atomically, may know the other.
        Err(code) if unknown.contains(&code.cast_unsigned()) => {
            plain().inspect(|()| KNOWS_EX.store(false, Ordering::Relaxed))
        }
        result => result,
    }
}

/// `FSCTL_SET_SPARSE`: whether what is not written may be a hole.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_set_sparse)
///
/// # Errors
///
/// The call's: FAT and exFAT have no holes.
pub fn set_sparse(file: impl AsHandle, sparse: bool) -> Result<()> {
    tell(file, FSCTL_SET_SPARSE, &u8::from(sparse))
}

/// `FSCTL_QUERY_ALLOCATED_RANGES`: the first range of data at or after `offset`, before `end`.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_query_allocated_ranges)
///
/// # Errors
///
/// The call's.
pub fn allocated_ranges(file: impl AsHandle, offset: u64, end: u64) -> Result<Option<Extents>> {
    let range = |offset: u64, len: u64| FILE_ALLOCATED_RANGE_BUFFER {
        FileOffset: offset.cast_signed(),
        Length: len.cast_signed(),
    };
    let asked = range(offset, end.saturating_sub(offset));
    let mut first = range(0, 0);
    // There may be more; the next call returns them.
    let (bytes, _) = fsctl(file, FSCTL_QUERY_ALLOCATED_RANGES, &asked, &mut first)?;
    Ok((bytes >= size_of_val(&first)).then(|| Extents {
        offset: first.FileOffset.cast_unsigned(),
        len: first.Length.cast_unsigned(),
    }))
}

/// Where some clusters of a file lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first of them, as the file counts (VCN).
    pub first: u64,
    /// How many they are.
    pub clusters: u64,
    /// Where they begin, as the volume counts (LCN); `None` of a hole.
    pub place: Option<u64>,
}

/// Space for about 250 runs, bytes; the next call returns more.
const RUNS_BYTES: usize = 4 << 10;

/// `FSCTL_GET_RETRIEVAL_POINTERS`: adds the locations of a file's clusters to `found`, from number `first` on (or
/// from the start of the run that contains it), and returns whether there may be more. Resident data (stored in the
/// MFT record) is in no cluster.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_get_retrieval_pointers)
///
/// # Errors
///
/// The call's: network volumes don't support it, nor does exFAT before Windows 8.
pub fn retrieval_pointers(file: impl AsHandle, first: u64, found: &mut Vec<Run>) -> Result<bool> {
    let mut buffer = records(RUNS_BYTES);
    let asked = first.cast_signed();
    match fsctl(file, FSCTL_GET_RETRIEVAL_POINTERS, &asked, &mut *buffer) {
        Ok((bytes, more)) => {
            let filled = as_bytes(&buffer);
            runs(&filled[..bytes.min(filled.len())], found);
            Ok(more)
        }
        // There are no clusters, or none from there on.
        Err(code) if code.cast_unsigned() == ERROR_HANDLE_EOF => Ok(false),
        Err(code) => Err(code),
    }
}

/// The offsets of the fields of RETRIEVAL_POINTERS_BUFFER: the number of runs, the first cluster, and for each run
/// the next cluster after it and its location.
const FIRST_AT: usize = 8;
const RUNS_AT: usize = 16;
const RUN_BYTES: usize = 16;

fn runs(record: &[u8], found: &mut Vec<Run>) {
    let (Some(count), Some(mut first)) = (field::<u32>(record, 0), field(record, FIRST_AT)) else {
        return;
    };
    for n in 0..count as usize {
        let at = RUNS_AT + n * RUN_BYTES;
        let next: Option<u64> = field(record, at);
        let (Some(next), Some(place)) = (next, field::<i64>(record, at + 8)) else {
            return;
        };
        found.push(Run {
            first,
            clusters: next.saturating_sub(first),
            place: u64::try_from(place).ok(), // -1 of a hole
        });
        first = next;
    }
}

/// `FSCTL_GET_INTEGRITY_INFORMATION`: the checksum algorithm (0 is none) and flags of a file of
/// ReFS.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_get_integrity_information)
///
/// # Errors
///
/// The call's: other filesystems don't know it.
pub fn integrity(file: impl AsHandle) -> Result<(u16, u32)> {
    let mut buffer = FSCTL_GET_INTEGRITY_INFORMATION_BUFFER::default();
    ask(file, FSCTL_GET_INTEGRITY_INFORMATION, &mut buffer)?;
    Ok((buffer.ChecksumAlgorithm, buffer.Flags))
}

/// `FSCTL_SET_INTEGRITY_INFORMATION`: of a file without data.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_set_integrity_information)
///
/// # Errors
///
/// The call's.
pub fn set_integrity(file: impl AsHandle, (algorithm, flags): (u16, u32)) -> Result<()> {
    let buffer = FSCTL_SET_INTEGRITY_INFORMATION_BUFFER {
        ChecksumAlgorithm: algorithm,
        Reserved: 0,
        Flags: flags,
    };
    tell(file, FSCTL_SET_INTEGRITY_INFORMATION, &buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_read() {
        let numbers: [i64; 8] = [3, 4, 6, 100, 9, -1, 10, 200];
        let record: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        let run = |first, clusters, place| Run {
            first,
            clusters,
            place,
        };
        let all = [run(4, 2, Some(100)), run(6, 3, None), run(9, 1, Some(200))];
        let mut found = Vec::new();
        runs(&record, &mut found);
        assert_eq!(found, all);
        // What is cut off is none.
        let mut found = Vec::new();
        runs(&record[..record.len() - 1], &mut found);
        assert_eq!(found, all[..2]);
    }
}
