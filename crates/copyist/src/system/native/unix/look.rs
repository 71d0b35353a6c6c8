//! Queries about a volume by statvfs.

use std::os::fd::OwnedFd;

use rustix::fs::{self, StatVfsMountFlags};

use super::code;
use crate::system::{Mounted, Space, Sys, longest_name};

/// Without the names, which each system reports in its own way.
pub(in crate::system::native) fn describe(handle: &OwnedFd) -> Sys<Mounted> {
    let volume = fs::fstatvfs(handle).map_err(code)?;
    Ok(Mounted {
        type_name: None,
        device: None,
        point: None,
        id: volume.f_fsid,
        is_read_only: volume.f_flag.contains(StatVfsMountFlags::RDONLY),
        space: Space::of_blocks(volume.f_frsize, volume.f_bavail, volume.f_blocks),
        name_bytes: longest_name(volume.f_namemax),
    })
}
