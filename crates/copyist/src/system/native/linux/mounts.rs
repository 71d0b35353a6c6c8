//! The facts of a volume, kept by the unique number of its mount.
//!
//! Since Linux 6.8 a mount has a number that no other gets until the system is started again (STATX_MNT_ID_UNIQUE), and
//! for as long as it exists it is of one filesystem, whose kind and block size stay as they are. So these facts never
//! go stale, other than facts kept by `st_dev`, which the next volume may get.

use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use copyist_sys::linux::{self, Statx};
use rustix::fs::{FileType, makedev};

use super::machine::Native;
use super::volume;
use crate::system::native::unix::kind_of;
use crate::system::{Data, Sys};
use crate::words::facts::VolumeFacts;
use crate::words::stat::{FileId, Stat, Timestamp};

/// STATX_BASIC_STATS of linux/stat.h.
const BASIC_STATS: u32 = 0x7ff;
/// STATX_MNT_ID_UNIQUE of linux/stat.h.
const MNT_ID_UNIQUE: u32 = 0x4000;

/// How many are kept. Subvolumes of btrfs have one mount and several numbers.
const MOST: usize = 16;

/// The mount's number, and `st_dev`.
type Mount = (u64, u64);

static MOUNTS: Mutex<Vec<(Mount, VolumeFacts)>> = Mutex::new(Vec::new());

/// What stat tells of a file, and the facts of its volume.
pub(super) fn stat_and_volume(native: &Native, file: &OwnedFd) -> Sys<(Stat, VolumeFacts)> {
    let mask = BASIC_STATS | MNT_ID_UNIQUE;
    let found = linux::statx(file, mask, |it| {
        let is_unique = it.stx_mask & mask == mask;
        is_unique.then(|| (of_statx(it), it.stx_mnt_id))
    });
    let Ok(Some((stat, mount))) = found else {
        let stat = native.stat_open(file)?;
        return Ok((stat, volume::facts(file, &stat)?));
    };
    let key = (mount, stat.id.volume);
    let mut mounts = MOUNTS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, facts)) = mounts.iter().find(|it| it.0 == key) {
        return Ok((stat, *facts));
    }
    let facts = volume::facts(file, &stat)?;
    if mounts.len() == MOST {
        mounts.remove(0);
    }
    mounts.push((key, facts));
    Ok((stat, facts))
}

fn of_statx(it: &Statx) -> Stat {
    let time = |seconds, nanos| Timestamp { seconds, nanos };
    Stat {
        id: FileId {
            volume: makedev(it.stx_dev_major, it.stx_dev_minor),
            inode: it.stx_ino.into(),
        },
        kind: kind_of(FileType::from_raw_mode(it.stx_mode.into())),
        mode: u32::from(it.stx_mode) & 0o7777,
        uid: it.stx_uid,
        gid: it.stx_gid,
        size: it.stx_size,
        allocated_bytes: it.stx_blocks * 512,
        links: it.stx_nlink.into(),
        device: makedev(it.stx_rdev_major, it.stx_rdev_minor),
        accessed: time(it.stx_atime.tv_sec, it.stx_atime.tv_nsec),
        modified: time(it.stx_mtime.tv_sec, it.stx_mtime.tv_nsec),
        changed: time(it.stx_ctime.tv_sec, it.stx_ctime.tv_nsec),
        created: None, // as by fstat
        flags: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The same as by the calls that every kernel has, on volumes of any kind, the first time and the next.
    #[test]
    fn facts_are_those_of_fstat_and_fstatfs() -> Result<(), Box<dyn std::error::Error>> {
        let native = Native::new();
        let temp = tempfile::tempfile()?;
        for file in [
            temp,
            std::fs::File::open("/proc/self/status")?,
            std::fs::File::open("/dev/null")?,
        ] {
            let file = OwnedFd::from(file);
            for _ in ["first", "next"] {
                let found = stat_and_volume(&native, &file).map_err(|code| format!("{code:?}"))?;
                let stat = native
                    .stat_open(&file)
                    .map_err(|code| format!("{code:?}"))?;
                let volume = native.volume(&file).map_err(|code| format!("{code:?}"))?;
                assert_eq!(found, (stat, volume));
            }
        }
        Ok(())
    }
}
