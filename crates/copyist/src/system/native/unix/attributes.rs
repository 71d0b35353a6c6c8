//! The attributes that all Unix systems set in the same way.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, Gid, Timespec, Timestamps, Uid};
use rustix::io::Errno;

use super::mode;
use crate::system::Attribute;
use crate::words::stat::Timestamp;

type Result<T> = std::result::Result<T, Errno>;

/// Sets an attribute of an open file; returns `None` for one that each system sets in its own way.
pub(in crate::system::native) fn set_open(
    file: &OwnedFd,
    attribute: Attribute,
) -> Option<Result<()>> {
    Some(match attribute {
        // rustix's function is not used here either: see `copyist_sys::unix::fchmod`.
        Attribute::Mode(bits) => copyist_sys::unix::fchmod(file, mode(bits)),
        Attribute::Owner { uid, gid } => std::os::unix::fs::fchown(file, uid, gid)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        Attribute::Times { accessed, modified } => {
            fs::futimens(file, &timestamps(accessed, modified))
        }
        Attribute::Created(_) | Attribute::Flags(_) => return None,
    })
}

/// Sets an attribute of a name, without following a link; returns `None` as [`set_open`] does, and for permissions,
/// which not every system can set without following a link.
pub(in crate::system::native) fn set_by_name(
    dir: &OwnedFd,
    name: &OsStr,
    attribute: Attribute,
) -> Option<Result<()>> {
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Some(match attribute {
        Attribute::Owner { uid, gid } => fs::chownat(
            dir,
            name,
            uid.map(Uid::from_raw),
            gid.map(Gid::from_raw),
            flags,
        ),
        Attribute::Times { accessed, modified } => {
            fs::utimensat(dir, name, &timestamps(accessed, modified), flags)
        }
        Attribute::Mode(_) | Attribute::Created(_) | Attribute::Flags(_) => return None,
    })
}

pub(in crate::system::native) fn timestamps(
    accessed: Timestamp,
    modified: Timestamp,
) -> Timestamps {
    let timespec = |time: Timestamp| Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanos.into(),
    };
    Timestamps {
        last_access: timespec(accessed),
        last_modification: timespec(modified),
    }
}
