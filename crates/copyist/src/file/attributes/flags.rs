//! The inode flags of chattr(1) and chflags(1), and the file attributes of Windows.

use super::Failed;
use crate::run::clone_flags::NOCOW;
use crate::system::{Attribute, Platform, Target};
use crate::think::rules;
use crate::words::error::Operation;
use crate::words::method::Os;
use crate::words::options::{NewMode, Options};
use crate::words::stat::Stat;

/// The meaning of a system's flags.
struct Flags {
    /// Set last: a file with one of them can't be written or renamed.
    locking: u32,
    /// Flags that a user may set, and that don't describe how the filesystem stores the file.
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
        // winnt.h: FILE_ATTRIBUTE_HIDDEN, FILE_ATTRIBUTE_SYSTEM, FILE_ATTRIBUTE_ARCHIVE and
        // FILE_ATTRIBUTE_NOT_CONTENT_INDEXED. FILE_ATTRIBUTE_READONLY is in the mode; the others
        // say how the content is kept.
        Os::Windows => Flags {
            locking: 0,
            settable: 0x2 | 0x4 | ARCHIVE | 0x2000,
            privileged: 0,
        },
    }
}

/// FILE_ATTRIBUTE_ARCHIVE: changed since it was last saved.
const ARCHIVE: u32 = 0x20;
/// FILE_ATTRIBUTE_DIRECTORY, which a symbolic link to one has too.
const DIRECTORY: u32 = 0x10;
/// FILE_ATTRIBUTE_ENCRYPTED.
const ENCRYPTED: u32 = 0x4000;
/// FILE_ATTRIBUTE_OFFLINE, FILE_ATTRIBUTE_RECALL_ON_OPEN, FILE_ATTRIBUTE_RECALL_ON_DATA_ACCESS.
const ELSEWHERE: u32 = 0x1000 | 0x4_0000 | 0x40_0000;

/// Whether only the system's own copier can copy the stored form of a file: compressed (UF_COMPRESSED of macOS), or on
/// Windows encrypted.
pub(crate) fn is_compressed(os: Os, stat: &Stat) -> bool {
    let kept = match os {
        Os::Macos => 0x20,
        Os::Windows => ENCRYPTED,
        Os::Linux | Os::Freebsd => 0,
    };
    stat.flags.unwrap_or(0) & kept != 0
}

/// Whether a symbolic link was created as a link to a directory.
pub(crate) fn leads_to_dir(os: Os, stat: &Stat) -> bool {
    os == Os::Windows && stat.flags.unwrap_or(0) & DIRECTORY != 0
}

/// Whether reading a file would download it from a cloud provider.
pub(crate) fn is_elsewhere(os: Os, stat: &Stat) -> bool {
    os == Os::Windows && stat.flags.unwrap_or(0) & ELSEWHERE != 0
}

/// Whether flags are kept. The attributes of Windows belong to the mode, and are kept wherever that is taken from the
/// source.
pub(crate) fn keeps_flags(os: Os, options: &Options) -> bool {
    let by_mode = options.preserve.mode || options.new_mode == NewMode::FromSource;
    options.preserve.flags || (os == Os::Windows && by_mode)
}

/// Gives the destination the source's settable flags, from stat or by a query. A source without flags has none to
/// keep.
pub(crate) fn copy_flags<P: Platform>(
    platform: &P,
    options: &Options,
    (src, known, dst): (&P::Handle, Option<u32>, &P::Handle),
    last: bool,
) -> Result<(), Failed> {
    let failed = |code| Failed {
        operation: Operation::SetFlags,
        code,
    };
    let wanted = match known.map_or_else(|| platform.flags(src), Ok) {
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
    let is_windows = platform.os() == Os::Windows;
    // A copy is new and not archived yet, unless all attributes are kept.
    if is_windows && !options.preserve.mode {
        mask &= !ARCHIVE;
    }
    // Only Windows sets a flag by itself that would have to be cleared.
    if wanted & mask == 0 && !(is_windows && options.preserve.mode) {
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

/// Clears the flags that a clone has: with some of them no other attribute could be set. Those that the options keep
/// are set at the end.
pub(crate) fn reset_flags<P: Platform>(
    platform: &P,
    options: &Options,
    file: &P::Handle,
) -> Result<(), Failed> {
    let os = platform.os();
    if os == Os::Windows && keeps_flags(os, options) {
        return Ok(()); // none of them locks the file
    }
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
