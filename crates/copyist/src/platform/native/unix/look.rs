//! What statvfs tells of a volume.

use std::os::fd::OwnedFd;

use rustix::fs::{self, StatVfsMountFlags};

use super::code;
use crate::platform::{Mounted, Sys};

/// Without the names that each system tells in its own way.
pub(in crate::platform::native) fn describe(handle: &OwnedFd) -> Sys<Mounted> {
    let volume = fs::fstatvfs(handle).map_err(code)?;
    let bytes = |blocks: u64| blocks.saturating_mul(volume.f_frsize);
    Ok(Mounted {
        type_name: None,
        device: None,
        point: None,
        id: volume.f_fsid,
        is_read_only: volume.f_flag.contains(StatVfsMountFlags::RDONLY),
        free_bytes: bytes(volume.f_bavail),
        total_bytes: bytes(volume.f_blocks),
        name_bytes: volume.f_namemax,
    })
}
