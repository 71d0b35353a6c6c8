//! Attributes of open files, and of names in open directories without following a symbolic link.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use rustix::fs::{self, AtFlags, Gid, IFlags, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;

use super::Native;
use crate::platform::{At, Attribute, Target, Timestamp};

type Result<T> = std::result::Result<T, Errno>;

pub(super) fn set(target: Target<'_, Native>, attribute: Attribute) -> Result<()> {
    match (attribute, target) {
        (Attribute::Mode(mode), Target::Open(file)) => {
            copyist_sys::unix::fchmod(file, Mode::from_raw_mode(mode))
        }
        (Attribute::Mode(mode), Target::Named(at)) => chmod(at, Mode::from_raw_mode(mode)),
        (Attribute::Owner { uid, gid }, target) => {
            match target {
                // Not rustix's: see `copyist_sys::unix::fchmod`.
                Target::Open(file) => std::os::unix::fs::fchown(file, uid, gid)
                    .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
                Target::Named(at) => {
                    let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
                    fs::chownat(at.dir, at.name, uid, gid, AtFlags::SYMLINK_NOFOLLOW)
                }
            }
        }
        (Attribute::Times { accessed, modified }, target) => {
            let times = Timestamps {
                last_access: timespec(accessed),
                last_modification: timespec(modified),
            };
            match target {
                Target::Open(file) => fs::futimens(file, &times),
                Target::Named(at) => {
                    fs::utimensat(at.dir, at.name, &times, AtFlags::SYMLINK_NOFOLLOW)
                }
            }
        }
        (Attribute::Flags(flags), Target::Open(file)) => {
            fs::ioctl_setflags(file, IFlags::from_bits_retain(flags))
        }
        // The call needs an open file, and only files that copyist has open are given flags.
        (Attribute::Flags(_), Target::Named(_)) => Err(Errno::BADF),
    }
}

fn timespec(time: Timestamp) -> Timespec {
    Timespec {
        tv_sec: time.seconds,
        tv_nsec: time.nanos.into(),
    }
}

/// chmod follows symbolic links, and the call that doesn't is newer (fchmodat2, Linux 6.6) than
/// the kernels that copyist runs on; an O_PATH descriptor pins the file instead.
fn chmod(at: At<'_, Native>, mode: Mode) -> Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = fs::openat(at.dir, at.name, flags, Mode::empty())?;
    if fs::FileType::from_raw_mode(fs::fstat(&file)?.st_mode) == fs::FileType::Symlink {
        return Err(Errno::OPNOTSUPP);
    }
    fs::chmod(descriptor_path(&file), mode)
}

fn descriptor_path(file: &OwnedFd) -> OsString {
    OsString::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// A path by which calls without an `at` variant reach a name in an open directory.
fn path(at: At<'_, Native>) -> OsString {
    if Path::new(at.name).is_absolute() {
        return at.name.to_os_string();
    }
    let mut path = descriptor_path(at.dir);
    path.push("/");
    path.push(at.name);
    path
}

pub(super) fn xattr_names(target: Target<'_, Native>, names: &mut Vec<u8>) -> Result<()> {
    match target {
        Target::Open(file) => grow(names, |buffer| fs::flistxattr(file, buffer)),
        Target::Named(at) => {
            let path = path(at);
            grow(names, |buffer| fs::llistxattr(path.as_os_str(), buffer))
        }
    }
}

pub(super) fn xattr(target: Target<'_, Native>, name: &OsStr, value: &mut Vec<u8>) -> Result<()> {
    match target {
        Target::Open(file) => grow(value, |buffer| fs::fgetxattr(file, name, buffer)),
        Target::Named(at) => {
            let path = path(at);
            grow(value, |buffer| {
                fs::lgetxattr(path.as_os_str(), name, buffer)
            })
        }
    }
}

/// The first guess at the length of a list or value, bytes: almost always enough.
const XATTR_BYTES: usize = 1024;

/// The largest that Linux allows either to be (XATTR_LIST_MAX, XATTR_SIZE_MAX).
const XATTR_MAX_BYTES: usize = 64 << 10;

/// Reads into `buffer`, which grows when it turns out to be too small.
fn grow(buffer: &mut Vec<u8>, read: impl Fn(&mut [u8]) -> Result<usize>) -> Result<()> {
    buffer.resize(XATTR_BYTES, 0);
    let mut result = read(buffer);
    if result == Err(Errno::RANGE) {
        buffer.resize(XATTR_MAX_BYTES, 0);
        result = read(buffer);
    }
    buffer.truncate(*result.as_ref().unwrap_or(&0));
    result.map(|_| ())
}

pub(super) fn set_xattr(target: Target<'_, Native>, name: &OsStr, value: &[u8]) -> Result<()> {
    match target {
        Target::Open(file) => fs::fsetxattr(file, name, value, XattrFlags::empty()),
        Target::Named(at) => fs::lsetxattr(path(at), name, value, XattrFlags::empty()),
    }
}

pub(super) fn remove_xattr(target: Target<'_, Native>, name: &OsStr) -> Result<()> {
    match target {
        Target::Open(file) => fs::fremovexattr(file, name),
        Target::Named(at) => fs::lremovexattr(path(at), name),
    }
}
