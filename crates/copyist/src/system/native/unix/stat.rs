//! Converts the result of stat.

use rustix::fs;

use crate::words::stat::{FileId, FileKind, Stat, Timestamp};

/// The unit of st_blocks, whatever the filesystem's block size is: see stat(3type).
const STAT_BLOCK_BYTES: u64 = 512;

// The fields' integer types differ between systems and architectures, hence the casts. None loses anything: on some,
// times before 1970 are negative numbers stored in unsigned fields.
#[allow(clippy::unnecessary_cast)]
pub(in crate::system::native) fn of_stat(stat: &fs::Stat) -> Stat {
    Stat {
        id: FileId {
            volume: stat.st_dev as u64,
            inode: (stat.st_ino as u64).into(),
        },
        kind: kind(stat.st_mode as u32),
        mode: stat.st_mode as u32 & 0o7777,
        uid: stat.st_uid,
        gid: stat.st_gid,
        size: stat.st_size as u64,
        allocated_bytes: stat.st_blocks as u64 * STAT_BLOCK_BYTES,
        links: stat.st_nlink as u64,
        device: stat.st_rdev as u64,
        accessed: Timestamp {
            seconds: stat.st_atime as i64,
            nanos: stat.st_atime_nsec as u32,
        },
        modified: Timestamp {
            seconds: stat.st_mtime as i64,
            nanos: stat.st_mtime_nsec as u32,
        },
        changed: Timestamp {
            seconds: stat.st_ctime as i64,
            nanos: stat.st_ctime_nsec as u32,
        },
        created: created(stat),
        flags: flags(stat),
    }
}

#[cfg(target_os = "macos")]
fn created(stat: &fs::Stat) -> Option<Timestamp> {
    Some(Timestamp {
        seconds: stat.st_birthtime,
        nanos: u32::try_from(stat.st_birthtime_nsec).unwrap_or(0),
    })
}

/// Linux reports it in statx only; FreeBSD has no call to set it, so it is of no use there.
#[cfg(not(target_os = "macos"))]
fn created(_: &fs::Stat) -> Option<Timestamp> {
    None
}

#[cfg(any(target_os = "macos", target_os = "freebsd"))]
fn flags(stat: &fs::Stat) -> Option<u32> {
    Some(stat.st_flags)
}

#[cfg(not(any(target_os = "macos", target_os = "freebsd")))]
fn flags(_: &fs::Stat) -> Option<u32> {
    None
}

fn kind(mode: u32) -> FileKind {
    // The bits of the file type fit in the smallest mode_t, of 16 bits.
    #[allow(clippy::unnecessary_fallible_conversions, clippy::useless_conversion)]
    let mode = mode.try_into().unwrap_or(0);
    kind_of(fs::FileType::from_raw_mode(mode))
}

pub(in crate::system::native) fn kind_of(file_type: fs::FileType) -> FileKind {
    match file_type {
        fs::FileType::RegularFile => FileKind::Regular,
        fs::FileType::Directory => FileKind::Directory,
        fs::FileType::Symlink => FileKind::Symlink,
        fs::FileType::Fifo => FileKind::Fifo,
        fs::FileType::Socket => FileKind::Socket,
        fs::FileType::CharacterDevice => FileKind::CharDevice,
        fs::FileType::BlockDevice => FileKind::BlockDevice,
        fs::FileType::Unknown => FileKind::Unknown,
    }
}
