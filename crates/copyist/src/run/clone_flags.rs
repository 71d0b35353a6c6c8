//! The inode flags in which two files must agree to share extents or to have holes.

use crate::system::{Attribute, Platform, Target};
use crate::words::method::Os;

/// FS_NOCOW_FL: btrfs writes the file in place, without checksums.
pub(crate) const NOCOW: u32 = 0x0080_0000;
/// FILE_ATTRIBUTE_SPARSE_FILE: the file may have holes.
pub(crate) const SPARSE: u32 = 0x200;
/// FILE_ATTRIBUTE_INTEGRITY_STREAM: ReFS stores checksums of the data.
const INTEGRITY: u32 = 0x8000;

/// Sets those flags of an empty destination in which it must agree with the source to share extents. btrfs clones
/// only between files that agree in NOCOW (EINVAL otherwise), which can be changed only while the file is empty; on
/// ReFS they must agree in the sparse and the integrity flag. Returns the destination's old flags if they were
/// changed.
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
    // If the flags can't be read, the clone is refused and the data is copied; the same if they can't be set below.
    let (wanted, now) = (platform.flags(src).ok()?, platform.flags(dst).ok()?);
    if (wanted ^ now) & mask == 0 {
        return None;
    }
    let flags = Attribute::Flags(now & !mask | wanted & mask);
    let _ = platform.set(Target::Open(dst), flags);
    Some(now)
}

/// Restores the flags that a file had before [`match_for_clone`].
pub(crate) fn restore<P: Platform>(platform: &P, file: &P::Handle, flags: Option<u32>) {
    if let Some(flags) = flags {
        // On failure nothing is lost: the file can be written with the other flags too.
        let _ = platform.set(Target::Open(file), Attribute::Flags(flags));
    }
}

/// Sets the sparse flag, on systems where a file needs it to have holes. If that fails, unwritten ranges are stored
/// as zeros: the content is the same, and takes more space.
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
