//! The inode flags of chattr(1) and chflags(1).

use super::Failed;
use crate::error::Operation;
use crate::method::Os;
use crate::platform::{Attribute, Platform, Stat, Target};
use crate::rules;

/// What a system's flags mean.
struct Flags {
    /// Set at the end: a file that has one of them can't be written or renamed any more.
    locking: u32,
    /// Flags that a user may set and that are no state of the filesystem's own.
    settable: u32,
    /// Those among them that only a superuser may set.
    privileged: u32,
}

const fn flags_of(os: Os) -> Flags {
    match os {
        // linux/fs.h: FS_IMMUTABLE_FL and FS_APPEND_FL; FS_SECRM_FL to FS_NOATIME_FL,
        // FS_JOURNAL_DATA_FL, FS_NOTAIL_FL, FS_DIRSYNC_FL, FS_TOPDIR_FL, FS_NOCOW_FL and
        // FS_PROJINHERIT_FL.
        Os::Linux => Flags {
            locking: 0x10 | 0x20,
            settable: 0xff | 0x4000 | 0x8000 | 0x1_0000 | 0x2_0000 | NOCOW | 0x2000_0000,
            privileged: 0,
        },
        // sys/stat.h of macOS: UF_IMMUTABLE, UF_APPEND, SF_IMMUTABLE, SF_APPEND; and UF_NODUMP,
        // UF_OPAQUE, UF_HIDDEN, SF_ARCHIVED. UF_COMPRESSED is the system's: it says how the
        // content is kept.
        Os::Macos => Flags {
            locking: 0x2 | 0x4 | 0x2_0000 | 0x4_0000,
            settable: 0xf | 0x8000 | 0x7_0000,
            privileged: 0x7_0000,
        },
        // sys/stat.h of FreeBSD: the same, and UF_NOUNLINK and SF_NOUNLINK, which lock too.
        Os::Freebsd => Flags {
            locking: 0x16 | 0x16_0000,
            settable: 0x1f | 0x8000 | 0x17_0000,
            privileged: 0x17_0000,
        },
        // Attributes of Windows are no flags of an inode.
        Os::Windows => Flags {
            locking: 0,
            settable: 0,
            privileged: 0,
        },
    }
}

/// FS_NOCOW_FL: written in place by btrfs, without checksums.
const NOCOW: u32 = 0x0080_0000;

/// Whether the system keeps a file compressed: UF_COMPRESSED of macOS's sys/stat.h.
pub(crate) fn is_compressed(os: Os, stat: &Stat) -> bool {
    os == Os::Macos && stat.flags.unwrap_or(0) & 0x20 != 0
}

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
    let flags = flags_of(platform.os());
    let mut mask = flags.settable;
    if !last {
        mask &= !flags.locking;
    }
    if !platform.is_privileged() {
        mask &= !flags.privileged;
    }
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

/// Takes the flags away that a clone has brought along: with some of them nothing else could be
/// set, and what the options want of them is given at the end.
pub(crate) fn reset_flags<P: Platform>(platform: &P, file: &P::Handle) -> Result<(), Failed> {
    let failed = |code| Failed {
        operation: Operation::SetFlags,
        code,
    };
    let settable = flags_of(platform.os()).settable;
    match platform.flags(file) {
        Ok(now) if now & settable != 0 => platform
            .set(Target::Open(file), Attribute::Flags(now & !settable))
            .map_err(failed),
        Ok(_) => Ok(()),
        Err(code) if rules::is_unsupported(platform.os(), code) => Ok(()),
        Err(code) => Err(failed(code)),
    }
}
