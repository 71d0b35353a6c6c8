//! How filesystems store the timestamps that they are given: rounded to a unit, and limited to the range that they
//! can represent. Pure.

use crate::words::facts::FsKind;
use crate::words::stat::{Stat, Timestamp};

const SECOND: u64 = 1_000_000_000;

/// The units in which filesystems store timestamps, nanoseconds, coarsest first: whole seconds (ext4 with inodes of
/// 128 bytes, HFS+, SFTP), 10 ms (exFAT), 1 ms, 1 µs (UDF, older NFS servers), 100 ns (NTFS, SMB).
const UNITS: [u64; 5] = [SECOND, 10_000_000, 1_000_000, 1_000, 100];

/// FAT's unit, and exFAT's where other systems than Linux write it.
const FAT_UNIT: u64 = 2 * SECOND;

/// The latest seconds that filesystems can store: signed 32 bits (ext4 with inodes of 128 bytes, XFS without
/// bigtime), unsigned 32 bits (NFSv3), unsigned from 1904 (HFS+), 34 bits (ext4), XFS with bigtime.
const LATEST: [i64; 5] = [
    i32::MAX as i64,
    u32::MAX as i64,
    u32::MAX as i64 - HFS_EPOCH,
    i32::MAX as i64 + (3 << 32),
    16_299_260_424,
];
/// The earliest: signed 32 bits, unsigned, and 1904.
const EARLIEST: [i64; 3] = [i32::MIN as i64, 0, -HFS_EPOCH];

/// The seconds from 1904 to 1970.
const HFS_EPOCH: i64 = 2_082_844_800;

/// FAT and exFAT: 1980 to the end of 2107, in the local time of any time zone.
const FAT_EARLIEST: i64 = 315_532_800;
const FAT_LATEST: i64 = 4_354_819_198;
const ZONE: i64 = 15 * 60 * 60;

const fn is_fat(kind: FsKind) -> bool {
    matches!(kind, FsKind::Fat | FsKind::ExFat)
}

/// Whether any filesystem may store `wanted` as `kept`: checked before the filesystem is queried.
pub(crate) fn may_be(wanted: Timestamp, kept: Timestamp) -> bool {
    let everywhere = FAT_EARLIEST + ZONE..i32::MAX.into();
    (0..=2).contains(&(wanted.seconds - kept.seconds)) || !everywhere.contains(&wanted.seconds)
}

/// Whether a file's modification time is what a filesystem of this kind stores for `wanted`.
pub(crate) fn is_modified_as(wanted: Timestamp, dst: &Stat, kind: FsKind) -> bool {
    is_kept(wanted, dst.modified, dst.changed, kind)
}

/// The same for the access time, of which FAT stores only the day.
pub(crate) fn is_accessed_as(wanted: Timestamp, dst: &Stat, kind: FsKind) -> bool {
    is_fat(kind) || is_kept(wanted, dst.accessed, dst.changed, kind)
}

/// The precision of a filesystem shows in a file's ctime, which the kernel itself has set: where nanoseconds are
/// stored, it is a whole second once in 10^9 files.
fn is_kept(wanted: Timestamp, kept: Timestamp, changed: Timestamp, kind: FsKind) -> bool {
    kept == wanted
        || is_limit(wanted, kept, kind)
        || is_fat(kind) && is_rounded(wanted, kept, FAT_UNIT)
        || UNITS.iter().any(|&unit| {
            let is_unit = is_fat(kind) || is_rounded(changed, changed, unit);
            is_unit && is_rounded(wanted, kept, unit)
        })
}

/// Whether a time was stored in units of one or two seconds.
pub(crate) fn is_in_seconds(wanted: Timestamp, kept: Timestamp) -> bool {
    [SECOND, FAT_UNIT]
        .iter()
        .any(|&unit| is_rounded(wanted, kept, unit))
}

/// Whether a time was stored in this unit, which is at most two seconds.
pub(crate) fn is_rounded(wanted: Timestamp, kept: Timestamp, unit: u64) -> bool {
    down_to(wanted, unit) == kept
}

fn down_to(time: Timestamp, unit: u64) -> Timestamp {
    let seconds = i64::try_from(unit / SECOND).unwrap_or(1).max(1);
    // A unit below a second fits in u32.
    let nanos = unit.min(SECOND) as u32;
    Timestamp {
        seconds: time.seconds - time.seconds.rem_euclid(seconds),
        nanos: time.nanos - time.nanos % nanos,
    }
}

/// Whether a time is the latest that a filesystem can store, where a later one was wanted, or the earliest.
fn is_limit(wanted: Timestamp, kept: Timestamp, kind: FsKind) -> bool {
    let near = |limit: i64| is_fat(kind) && (kept.seconds - limit).abs() <= ZONE;
    if kept < wanted {
        LATEST.contains(&kept.seconds) || near(FAT_LATEST)
    } else {
        EARLIEST.contains(&kept.seconds) && kept.nanos == 0 || near(FAT_EARLIEST)
    }
}

/// A time from which each unit keeps a different part.
pub(crate) const SAMPLE: Timestamp = Timestamp {
    seconds: 1_500_000_001,
    nanos: 123_456_789,
};

/// The unit in which a filesystem stores times, derived from how it stored [`SAMPLE`]; `None` if it is no known unit,
/// or nanoseconds.
pub(crate) fn unit_of(kept: Timestamp) -> Option<u64> {
    let units = UNITS.into_iter().rev().chain([FAT_UNIT]);
    let mut fitting = units.filter(|&unit| is_rounded(SAMPLE, kept, unit));
    fitting.next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time((seconds, nanos): (i64, u32)) -> Timestamp {
        Timestamp { seconds, nanos }
    }

    /// Whether a file with these modification and change times is as wanted.
    fn is_as(wanted: (i64, u32), dst: &[(i64, u32); 2], kind: FsKind) -> bool {
        is_kept(time(wanted), time(dst[0]), time(dst[1]), kind)
    }

    const FINE: (i64, u32) = (1_700_000_000, 123_456_789);
    const WHOLE: (i64, u32) = (1_700_000_000, 0);

    #[test]
    fn whole_seconds_are_kept_where_the_filesystem_has_no_others() {
        for (kind, changed, is_kept) in [
            (FsKind::Ext, WHOLE, true),
            (FsKind::Ext, FINE, false),
            (FsKind::Fat, FINE, true),
            (FsKind::ExFat, FINE, true),
            (FsKind::Fuse, WHOLE, true),
        ] {
            let dst = [(11, 0), changed];
            assert_eq!(is_as((11, 900_000_000), &dst, kind), is_kept, "{kind:?}");
            assert!(may_be(time((11, 900_000_000)), time(dst[0])));
            assert!(is_as((11, 0), &dst, kind));
            assert!(!is_as((12, 0), &dst, kind) && !is_as((10, 999_999_999), &dst, kind));
        }
        // FAT rounds two of these to the same time; no other filesystem does.
        let dst = [(10, 0), WHOLE];
        assert!(is_as((11, 999_999_999), &dst, FsKind::Fat));
        assert!(!is_as((11, 0), &dst, FsKind::Ext));
        let dst = [(-2, 0), WHOLE];
        assert!(is_as((-1, 5), &dst, FsKind::Fat));
        // As NTFS stores it.
        let dst = [(10, 700), (9, 1300)];
        assert!(is_as((10, 799), &dst, FsKind::Ntfs) && !is_as((10, 800), &dst, FsKind::Ntfs));
    }

    #[test]
    fn times_beyond_a_filesystem_s_are_its_first_or_last() {
        let last = [(i32::MAX.into(), 0), WHOLE];
        assert!(is_as((2_524_608_000, 0), &last, FsKind::Ext));
        assert!(!is_as((0, 0), &last, FsKind::Ext));
        let first = [(i32::MIN.into(), 0), WHOLE];
        assert!(is_as((-3_000_000_000, 0), &first, FsKind::Ext));
        assert!(!is_as((3_000_000_000, 0), &first, FsKind::Ext));
        let first = [(FAT_EARLIEST - 3600, 0), WHOLE];
        assert!(is_as((0, 0), &first, FsKind::Fat) && !is_as((0, 0), &first, FsKind::Ext));
    }

    #[test]
    fn what_no_filesystem_would_keep_so_is_told_without_asking() {
        for (wanted, kept, may) in [
            ((1_700_000_001, 9), (1_700_000_000, 0), true),
            ((1_700_000_003, 0), (1_700_000_000, 0), false),
            ((1_700_000_000, 0), (1_700_000_001, 0), false),
            ((2_524_608_000, 0), (i32::MAX.into(), 0), true),
            ((-1, 0), (FAT_EARLIEST, 0), true),
        ] {
            assert_eq!(may_be(time(wanted), time(kept)), may, "{wanted:?}");
        }
    }

    #[test]
    fn a_unit_shows_in_what_is_kept_of_a_sample() {
        for unit in UNITS.into_iter().chain([FAT_UNIT]) {
            assert_eq!(unit_of(down_to(SAMPLE, unit)), Some(unit));
        }
        assert_eq!(unit_of(SAMPLE), None);
        assert_eq!(unit_of(Timestamp::default()), None);
    }
}
