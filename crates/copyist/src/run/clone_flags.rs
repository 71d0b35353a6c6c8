//! The inode flags in which two files must agree to share extents, or to have holes.

use crate::system::{Attribute, Platform, Target};
use crate::words::method::Os;

/// FS_NOCOW_FL: written in place by btrfs, without checksums.
pub(crate) const NOCOW: u32 = 0x0080_0000;
/// FILE_ATTRIBUTE_SPARSE_FILE: there may be holes in it.
pub(crate) const SPARSE: u32 = 0x200;
/// FILE_ATTRIBUTE_INTEGRITY_STREAM: ReFS keeps checksums of it.
const INTEGRITY: u32 = 0x8000;

/// Gives an empty destination those flags of the source in which the two must agree to share
/// extents. btrfs clones only between files that agree in NOCOW (EINVAL otherwise), which can be
/// changed only while there is no data; ReFS in being sparse, and in having checksums. Answers what
/// the destination had, if that was changed.
pub(crate) fn match_for_clone<P: Platform>(
    platform: &P,
    src: &P::Handle,
    dst: &P::Handle,
) -> Option<u32> {
    let mask = match platform.os() {
        Os::Linux => NOCOW,
        Os::Windows => SPARSE | INTEGRITY,
        Os::Macos | Os::Freebsd => 0,
    };
    // Without an answer the clone is refused, and the data is copied; so it is below.
    let (wanted, now) = (platform.flags(src).ok()?, platform.flags(dst).ok()?);
    if (wanted ^ now) & mask == 0 {
        return None;
    }
    let flags = Attribute::Flags(now & !mask | wanted & mask);
    let _ = platform.set(Target::Open(dst), flags);
    Some(now)
}

/// Gives a file the flags back that it had before [`match_for_clone`].
pub(crate) fn restore<P: Platform>(platform: &P, file: &P::Handle, flags: Option<u32>) {
    if let Some(flags) = flags {
        // With the others it can be written as well.
        let _ = platform.set(Target::Open(file), Attribute::Flags(flags));
    }
}

/// Lets what isn't written be a hole, where a file has to be told so. One that can't be has zeros
/// there: as good, and larger.
pub(crate) fn allow_holes<P: Platform>(platform: &P, file: &P::Handle) {
    if platform.os() != Os::Windows {
        return;
    }
    if let Ok(now) = platform.flags(file)
        && now & SPARSE == 0
    {
        let _ = platform.set(Target::Open(file), Attribute::Flags(now | SPARSE));
    }
}
