//! The inode flags of chattr(1).

use super::Failed;
use crate::error::Operation;
use crate::platform::{Attribute, Platform, Target};
use crate::rules;

/// Set at the end: a file that has one of them can't be written or renamed any more.
/// FS_IMMUTABLE_FL and FS_APPEND_FL of linux/fs.h.
const LOCKING: u32 = 0x10 | 0x20;

/// Flags that a user may set and that are no state of the filesystem's own: FS_SECRM_FL to
/// FS_NOATIME_FL, FS_JOURNAL_DATA_FL, FS_NOTAIL_FL, FS_DIRSYNC_FL, FS_TOPDIR_FL, FS_NOCOW_FL and
/// FS_PROJINHERIT_FL of linux/fs.h.
const SETTABLE: u32 = 0xff | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000 | NOCOW | 0x2000_0000;

/// FS_NOCOW_FL: written in place by btrfs, without checksums.
const NOCOW: u32 = 0x0080_0000;

/// Gives an empty destination the source's NOCOW flag: btrfs clones only between files that agree
/// in it (EINVAL otherwise), and it can be changed only while there is no data.
pub(crate) fn match_nocow<P: Platform>(platform: &P, src: &P::Handle, dst: &P::Handle) {
    let (Ok(wanted), Ok(now)) = (platform.flags(src), platform.flags(dst)) else {
        return; // then the clone is refused, and the data is copied
    };
    if (wanted ^ now) & NOCOW != 0 {
        let flags = Attribute::Flags(now & !NOCOW | wanted & NOCOW);
        // Not permitted: as above.
        let _ = platform.set(Target::Open(dst), flags);
    }
}

/// Gives the destination the source's settable flags. A source without flags has none to keep.
pub(crate) fn copy_flags<P: Platform>(
    platform: &P,
    src: &P::Handle,
    dst: &P::Handle,
    last: bool,
) -> Result<(), Failed> {
    let failed = |code| Failed {
        operation: Operation::SetFlags,
        code,
    };
    let wanted = match platform.flags(src) {
        Ok(flags) => flags,
        Err(code) if rules::is_unsupported(platform.os(), code) => return Ok(()),
        Err(code) => return Err(failed(code)),
    };
    let mask = if last { SETTABLE } else { SETTABLE & !LOCKING };
    if wanted & mask == 0 {
        return Ok(());
    }
    let now = platform.flags(dst).map_err(failed)?;
    let flags = now & !mask | wanted & mask;
    if flags == now {
        return Ok(());
    }
    platform
        .set(Target::Open(dst), Attribute::Flags(flags))
        .map_err(failed)
}
