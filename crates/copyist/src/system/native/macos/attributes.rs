//! Attributes of open files, and of names in open directories without following a symbolic link.

use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;

use copyist_sys::macos as sys;
use rustix::fs::{self, AtFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::machine::Native;
use crate::system::native::unix;
use crate::system::{At, Attribute, Target};
use crate::words::method::Os;
use crate::words::xattr_names::access_acl;

type Result<T> = std::result::Result<T, Errno>;

/// A resource fork may be as long as a file; no read returns more than this, in bytes.
const LARGEST: usize = 1 << 31;

/// Opens a symbolic link itself: `O_SYMLINK` of open(2).
const SYMLINK: OFlags = OFlags::from_bits_retain(0x0020_0000);

pub(super) fn set(target: Target<'_, Native>, attribute: Attribute) -> Result<()> {
    let common = match target {
        Target::Open(file) => unix::set_open(file, attribute),
        Target::Named(At { dir, name }) => match attribute {
            Attribute::Mode(mode) => Some(fs::chmodat(
                dir,
                name,
                unix::mode(mode),
                AtFlags::SYMLINK_NOFOLLOW,
            )),
            attribute => unix::set_by_name(dir, name, attribute),
        },
    };
    common.unwrap_or_else(|| {
        on_file(target, |file| match attribute {
            Attribute::Created(time) => sys::set_creation_time(file, time.seconds, time.nanos),
            Attribute::Flags(flags) => copyist_sys::unix::fchflags(file, flags),
            // These are the same on all Unix systems, and were set above.
            Attribute::Mode(_) | Attribute::Owner { .. } | Attribute::Times { .. } => Ok(()),
        })
    })
}

/// Calls `act` with the file, which is opened if it is given by name.
fn on_file<T>(target: Target<'_, Native>, act: impl FnOnce(&OwnedFd) -> Result<T>) -> Result<T> {
    match target {
        Target::Open(file) => act(file),
        Target::Named(At { dir, name }) => {
            let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
            act(&fs::openat(dir, name, flags | SYMLINK, Mode::empty())?)
        }
    }
}

/// Access control lists are not extended attributes on macOS, but this interface treats them as such.
fn is_acl(name: &[u8]) -> bool {
    name == access_acl(Os::Macos)
}

pub(super) fn xattr_names(target: Target<'_, Native>, names: &mut Vec<u8>) -> Result<()> {
    on_file(target, |file| {
        unix::grow(names, LARGEST, |buffer| fs::flistxattr(file, buffer))
    })
}

pub(super) fn xattr(target: Target<'_, Native>, name: &[u8], value: &mut Vec<u8>) -> Result<bool> {
    on_file(target, |file| {
        if is_acl(name) {
            return sys::acl(file, value);
        }
        let name = OsStr::from_bytes(name);
        match unix::grow(value, LARGEST, |buffer| fs::fgetxattr(file, name, buffer)) {
            Ok(()) => Ok(true),
            Err(Errno::NOATTR) => Ok(false),
            Err(errno) => Err(errno),
        }
    })
}

pub(super) fn set_xattr(target: Target<'_, Native>, name: &[u8], value: &[u8]) -> Result<()> {
    on_file(target, |file| {
        if is_acl(name) {
            return sys::set_acl(file, value);
        }
        fs::fsetxattr(file, OsStr::from_bytes(name), value, XattrFlags::empty())
    })
}

pub(super) fn remove_xattr(target: Target<'_, Native>, name: &[u8]) -> Result<()> {
    on_file(target, |file| {
        if is_acl(name) {
            return sys::remove_acl(file);
        }
        match fs::fremovexattr(file, OsStr::from_bytes(name)) {
            Err(Errno::NOATTR) => Ok(()),
            removed => removed,
        }
    })
}
