//! Attributes of open files, and of names in open directories without following a symbolic link.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use copyist_sys::linux;
use rustix::fs::{self, IFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::Native;
use crate::platform::native::unix;
use crate::platform::{At, Attribute, Target};

type Result<T> = std::result::Result<T, Errno>;

/// XATTR_SIZE_MAX and XATTR_LIST_MAX of the kernel's include/uapi/linux/limits.h, bytes.
const LARGEST: usize = 64 << 10;

pub(super) fn set(target: Target<'_, Native>, attribute: Attribute) -> Result<()> {
    let common = match (attribute, target) {
        (_, Target::Open(file)) => unix::set_open(file, attribute),
        (Attribute::Mode(mode), Target::Named(at)) => Some(chmod(at, unix::mode(mode))),
        (_, Target::Named(at)) => unix::set_by_name(at.dir, at.name, attribute),
    };
    match (common, attribute, target) {
        (Some(result), ..) => result,
        (None, Attribute::Flags(flags), Target::Open(file)) => {
            fs::ioctl_setflags(file, IFlags::from_bits_retain(flags))
        }
        // The call needs an open file, and only files that copyist has open are given flags.
        (None, Attribute::Flags(_), Target::Named(_)) => Err(Errno::BADF),
        // Linux lets nobody say when a file was made; the rest is the same everywhere.
        (None, ..) => Err(Errno::OPNOTSUPP),
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

#[inline(always)]
pub(super) fn xattr_names(target: Target<'_, Native>, names: &mut Vec<u8>) -> Result<()> {
    match target {
        Target::Open(file) => unix::grow(names, LARGEST, |buffer| linux::flistxattr(file, buffer)),
        Target::Named(at) => xattr_names_at(at, names),
    }
}

fn xattr_names_at(at: At<'_, Native>, names: &mut Vec<u8>) -> Result<()> {
    let path = path(at);
    unix::grow(names, LARGEST, |buffer| {
        fs::llistxattr(path.as_os_str(), buffer)
    })
}

pub(super) fn xattr(target: Target<'_, Native>, name: &OsStr, value: &mut Vec<u8>) -> Result<()> {
    match target {
        Target::Open(file) => {
            unix::grow(value, LARGEST, |buffer| fs::fgetxattr(file, name, buffer))
        }
        Target::Named(at) => {
            let path = path(at);
            unix::grow(value, LARGEST, |buffer| {
                fs::lgetxattr(path.as_os_str(), name, buffer)
            })
        }
    }
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
