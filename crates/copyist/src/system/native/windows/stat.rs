//! Converts what Windows reports of a file.

use std::os::windows::io::OwnedHandle;

use copyist_sys::reparse;
use copyist_sys::windows::{self as sys, Information, Kind, constants as c};

use super::code::code;
use super::handle::id;
use super::machine::Native;
use super::names::resolve;
use super::open;
use crate::system::{At, Sys};
use crate::words::stat::{FileId, FileKind, Stat, Timestamp};

/// The units of 100 ns in a second.
const TICKS: i64 = 10_000_000;
/// The seconds from 1601, the start of Windows timestamps, to 1970.
const TO_1970: i64 = 11_644_473_600;

pub(super) fn by_name(at: At<'_, Native>, follow: bool) -> Sys<Stat> {
    let place = resolve(at)?;
    let file = open::by_place(&place, c::FILE_READ_ATTRIBUTES, 0, follow)?;
    let stays = place.dir.is_some() && !follow;
    of(&file, if stays { at.dir.narrow() } else { None })
}

/// `narrow` is the volume of the directory in which it was opened: see [`super::Handle::narrow`].
pub(super) fn of(file: &OwnedHandle, narrow: Option<u64>) -> Sys<Stat> {
    match sys::information(file) {
        Ok(information) => {
            // A reparse point that was not followed is on the directory's volume too; but the filter driver that owns
            // it may number its files itself.
            let narrow = narrow.filter(|_| information.tag == 0);
            Ok(of_information(&information, id(file, narrow)?))
        }
        Err(error) => match sys::kind(file) {
            Kind::Device => Ok(of_device(FileKind::CharDevice)),
            Kind::Pipe => Ok(of_device(FileKind::Fifo)),
            Kind::Disk | Kind::Unknown => Err(code(error)),
        },
    }
}

fn of_information(information: &Information, id: FileId) -> Stat {
    let attributes = information.attributes;
    let kind = kind(attributes, information.tag);
    // Small files are stored in their MFT records, and compressed ones occupy less: only a file with the sparse
    // attribute has holes.
    let allocated_bytes = if attributes & c::FILE_ATTRIBUTE_SPARSE_FILE == 0 {
        information.allocated_bytes.max(information.size)
    } else {
        information.allocated_bytes
    };
    Stat {
        id,
        kind,
        mode: mode(attributes, kind),
        uid: 0,
        gid: 0,
        size: information.size,
        allocated_bytes,
        links: information.links.into(),
        device: 0,
        accessed: timestamp(information.accessed),
        modified: timestamp(information.written),
        changed: timestamp(information.changed),
        created: Some(timestamp(information.created)),
        flags: Some(attributes),
    }
}

fn of_device(kind: FileKind) -> Stat {
    Stat {
        id: FileId {
            volume: 0,
            inode: 0,
        },
        kind,
        mode: 0o666,
        uid: 0,
        gid: 0,
        size: 0,
        allocated_bytes: 0,
        links: 1,
        device: 0,
        accessed: Timestamp::default(),
        modified: Timestamp::default(),
        changed: Timestamp::default(),
        created: None,
        flags: None,
    }
}

/// The type of a directory entry; `None` for a reparse point whose tag is not in the entry.
pub(super) fn entry_kind(attributes: u32, tag: u32) -> Option<FileKind> {
    if attributes & c::FILE_ATTRIBUTE_REPARSE_POINT != 0 && tag == 0 {
        return None;
    }
    Some(kind(attributes, tag))
}

fn kind(attributes: u32, tag: u32) -> FileKind {
    let is_dir = attributes & c::FILE_ATTRIBUTE_DIRECTORY != 0;
    match tag {
        reparse::SYMLINK | reparse::MOUNT_POINT => FileKind::Symlink,
        c::IO_REPARSE_TAG_AF_UNIX => FileKind::Socket,
        // An application's alias, and links of other systems: copyist can't copy them.
        c::IO_REPARSE_TAG_APPEXECLINK => FileKind::Unknown,
        tag if reparse::is_surrogate(tag) => FileKind::Unknown,
        _ if is_dir => FileKind::Directory,
        _ => FileKind::Regular,
    }
}

/// The permission bits for the read-only attribute, which has no such meaning on a directory.
fn mode(attributes: u32, kind: FileKind) -> u32 {
    match kind {
        FileKind::Directory | FileKind::Symlink => 0o777,
        _ if attributes & c::FILE_ATTRIBUTE_READONLY != 0 => 0o444,
        _ => 0o666,
    }
}

fn timestamp(ticks: i64) -> Timestamp {
    Timestamp {
        seconds: ticks.div_euclid(TICKS) - TO_1970,
        nanos: u32::try_from(ticks.rem_euclid(TICKS) * 100).unwrap_or(0),
    }
}

/// In units of 100 ns; at least 1, since 0 and negative numbers have special meanings.
pub(super) fn ticks(time: Timestamp) -> i64 {
    let seconds = time.seconds.saturating_add(TO_1970);
    let ticks = seconds
        .saturating_mul(TICKS)
        .saturating_add(i64::from(time.nanos / 100));
    ticks.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_come_back() {
        for (seconds, nanos) in [(0, 0), (1_700_000_000, 123_456_700), (-1, 999_999_900)] {
            let time = Timestamp { seconds, nanos };
            assert_eq!(timestamp(ticks(time)), time);
        }
        // 1601 itself can't be set.
        let first = Timestamp {
            seconds: -TO_1970,
            nanos: 0,
        };
        assert_eq!(ticks(first), 1);
    }

    #[test]
    fn reparse_points_are_told_apart() {
        const REPARSE: u32 = c::FILE_ATTRIBUTE_REPARSE_POINT;
        const DIR: u32 = c::FILE_ATTRIBUTE_DIRECTORY;
        let onedrive = 0x9000_701a;
        assert_eq!(
            entry_kind(REPARSE | DIR, reparse::MOUNT_POINT),
            Some(FileKind::Symlink)
        );
        assert_eq!(entry_kind(REPARSE, onedrive), Some(FileKind::Regular));
        assert_eq!(
            entry_kind(REPARSE | DIR, onedrive),
            Some(FileKind::Directory)
        );
        assert_eq!(
            entry_kind(REPARSE, 0xa000_001d),
            Some(FileKind::Unknown),
            "WSL's link"
        );
        assert_eq!(entry_kind(REPARSE, 0), None);
        assert_eq!(entry_kind(DIR, 0), Some(FileKind::Directory));
    }
}
