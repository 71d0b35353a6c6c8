//! Attributes of open files, and of names in open directories without following a symbolic link.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use copyist_sys::linux;
use rustix::fs::{self, Access, AtFlags, FileType, IFlags, Mode, OFlags, XattrFlags};
use rustix::io::Errno;

use super::machine::Native;
use crate::system::native::unix;
use crate::system::{At, Attribute, Target};

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
        // The call needs an open file, and copyist sets flags of open files only.
        (None, Attribute::Flags(_), Target::Named(_)) => Err(Errno::BADF),
        // Linux has no call that sets the time of creation; the other attributes are the same on all Unix systems.
        (None, ..) => Err(Errno::OPNOTSUPP),
    }
}

/// chmod follows symbolic links. The call that doesn't is fchmodat2 (Linux 6.6); before that, an O_PATH descriptor
/// pins the file, and a path in procfs leads to it.
fn chmod(at: At<'_, Native>, mode: Mode) -> Result<()> {
    match linux::fchmodat2(at.dir, at.name, mode.bits()) {
        Err(errno) if is_no_call(errno) => chmod_pinned(at, mode, has_procfs()),
        done => done,
    }
}

fn chmod_pinned(at: At<'_, Native>, mode: Mode, has_procfs: bool) -> Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = fs::openat(at.dir, at.name, flags, Mode::empty())?;
    let pinned = fs::fstat(&file)?;
    let kind = FileType::from_raw_mode(pinned.st_mode);
    if kind == FileType::Symlink {
        return Err(Errno::OPNOTSUPP);
    }
    if has_procfs {
        return fs::chmod(descriptor_path(&file), mode);
    }
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match kind {
        FileType::Directory => fs::chmodat(&file, c".", mode, AtFlags::empty()),
        FileType::RegularFile | FileType::Fifo => {
            let opened = fs::openat(at.dir, at.name, OFlags::RDONLY | flags, Mode::empty())?;
            let stat = fs::fstat(&opened)?;
            if (stat.st_dev, stat.st_ino) != (pinned.st_dev, pinned.st_ino) {
                return Err(Errno::STALE);
            }
            fs::fchmod(&opened, mode)
        }
        // Opening a device may have side effects, and a socket can't be opened.
        _ => by_path(at, has_procfs, |path| chmod_by_acl(path, mode)),
    }
}

/// Sets permission bits without following a link: an ACL with only the three entries that every file has is
/// equivalent to its bits, see acl(5) and linux/posix_acl_xattr.h.
fn chmod_by_acl(path: &Path, mode: Mode) -> Result<()> {
    let bits = mode.bits();
    if bits & !0o777 != 0 {
        return Err(Errno::OPNOTSUPP); // an ACL has no set-ID bits
    }
    let mut list = 2_u32.to_le_bytes().to_vec(); // POSIX_ACL_XATTR_VERSION
    // ACL_USER_OBJ, ACL_GROUP_OBJ and ACL_OTHER, each without an ID.
    for (tag, bits) in [(0x01_u16, bits >> 6), (0x04, bits >> 3), (0x20, bits)] {
        list.extend(tag.to_le_bytes());
        list.extend([(bits & 0o7) as u8, 0]);
        list.extend(u32::MAX.to_le_bytes());
    }
    fs::lsetxattr(path, "system.posix_acl_access", &list, XattrFlags::empty())
}

/// Whether this may be the error of a call that the kernel doesn't have, or that a seccomp filter doesn't know. A
/// process without permission for one call has none for the other call either.
fn is_no_call(errno: Errno) -> bool {
    matches!(errno, Errno::NOSYS | Errno::PERM)
}

/// Whether descriptors have paths: in a chroot, /proc may be missing.
fn has_procfs() -> bool {
    static HAS: OnceLock<bool> = OnceLock::new();
    *HAS.get_or_init(|| fs::access("/proc/self/fd", Access::EXISTS).is_ok())
}

fn descriptor_path(file: &OwnedFd) -> OsString {
    OsString::from(format!("/proc/self/fd/{}", file.as_raw_fd()))
}

/// The kind of call that reaches an attribute of a name.
enum Way<'a> {
    /// A call that takes a directory and a name in it.
    Name,
    /// A call that takes a path, and does not follow a link in its last component.
    Path(&'a Path),
}

/// Makes a call for a name in an open directory: by name where the kernel has such calls (*xattrat, Linux
/// 6.13), or else by path.
fn by_name<T: Send>(
    at: At<'_, Native>,
    mut call: impl FnMut(Way<'_>) -> Result<T> + Send,
) -> Result<T> {
    static HAS_CALLS: AtomicBool = AtomicBool::new(true);
    if HAS_CALLS.load(Ordering::Relaxed) {
        match call(Way::Name) {
            Err(Errno::NOSYS) => HAS_CALLS.store(false, Ordering::Relaxed),
            Err(errno) if is_no_call(errno) => {}
            done => return done,
        }
    }
    by_path(at, has_procfs(), |path| call(Way::Path(path)))
}

/// Without procfs, the path is the name itself, used by a thread whose current directory is the open one.
fn by_path<T: Send>(
    at: At<'_, Native>,
    has_procfs: bool,
    call: impl FnOnce(&Path) -> Result<T> + Send,
) -> Result<T> {
    let name = Path::new(at.name);
    if name.is_absolute() {
        return call(name);
    }
    if has_procfs {
        let dir = descriptor_path(at.dir);
        return call(&Path::new(&dir).join(name));
    }
    linux::inside(at.dir, || call(name))
}

#[inline(always)]
pub(super) fn xattr_names(target: Target<'_, Native>, names: &mut Vec<u8>) -> Result<()> {
    match target {
        Target::Open(file) => unix::grow(names, LARGEST, |buffer| linux::flistxattr(file, buffer)),
        Target::Named(at) => xattr_names_at(at, names),
    }
}

fn xattr_names_at(at: At<'_, Native>, names: &mut Vec<u8>) -> Result<()> {
    unix::grow(names, LARGEST, |buffer| {
        by_name(at, |way| match way {
            Way::Name => linux::listxattrat(at.dir, at.name, buffer),
            Way::Path(path) => fs::llistxattr(path, &mut *buffer),
        })
    })
}

pub(super) fn xattr(target: Target<'_, Native>, name: &OsStr, value: &mut Vec<u8>) -> Result<()> {
    unix::grow(value, LARGEST, |buffer| match target {
        Target::Open(file) => fs::fgetxattr(file, name, buffer),
        Target::Named(at) => by_name(at, |way| match way {
            Way::Name => linux::getxattrat(at.dir, at.name, name, buffer),
            Way::Path(path) => fs::lgetxattr(path, name, &mut *buffer),
        }),
    })
}

pub(super) fn set_xattr(target: Target<'_, Native>, name: &OsStr, value: &[u8]) -> Result<()> {
    let flags = XattrFlags::empty();
    match target {
        Target::Open(file) => fs::fsetxattr(file, name, value, flags),
        Target::Named(at) => by_name(at, |way| match way {
            Way::Name => linux::setxattrat(at.dir, at.name, name, value),
            Way::Path(path) => fs::lsetxattr(path, name, value, flags),
        }),
    }
}

pub(super) fn remove_xattr(target: Target<'_, Native>, name: &OsStr) -> Result<()> {
    match target {
        Target::Open(file) => fs::fremovexattr(file, name),
        Target::Named(at) => by_name(at, |way| match way {
            Way::Name => linux::removexattrat(at.dir, at.name, name),
            Way::Path(path) => fs::lremovexattr(path, name),
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    /// A directory with a file, a FIFO, a directory and a symbolic link.
    fn some() -> (tempfile::TempDir, OwnedFd) {
        let scratch = tempfile::tempdir().unwrap();
        let at = |name: &str| scratch.path().join(name);
        std::fs::write(at("file"), "").unwrap();
        std::fs::create_dir(at("dir")).unwrap();
        symlink("file", at("link")).unwrap();
        let fifo = FileType::Fifo;
        fs::mknodat(fs::CWD, at("fifo"), fifo, Mode::RUSR, 0).unwrap();
        let flags = OFlags::PATH | OFlags::DIRECTORY;
        let dir = fs::open(scratch.path(), flags, Mode::empty()).unwrap();
        (scratch, dir)
    }

    #[test]
    fn modes_are_set_by_name_with_and_without_procfs() {
        for has_procfs in [true, false] {
            let (scratch, dir) = some();
            let set = |name: &str| {
                let name = OsStr::new(name);
                let at = At { dir: &dir, name };
                chmod_pinned(at, Mode::from_raw_mode(0o751), has_procfs)
            };
            let socket = scratch.path().join("socket");
            let _socket = std::os::unix::net::UnixListener::bind(socket).unwrap();
            for name in ["file", "dir", "fifo", "socket"] {
                assert_eq!(set(name), Ok(()), "{name}, {has_procfs}");
                let is = std::fs::symlink_metadata(scratch.path().join(name)).unwrap();
                assert_eq!(is.permissions().mode() & 0o7777, 0o751, "{name}");
                std::fs::set_permissions(
                    scratch.path().join(name),
                    PermissionsExt::from_mode(0o600),
                )
                .unwrap();
            }
            assert_eq!(set("link"), Err(Errno::OPNOTSUPP));
            let is = std::fs::metadata(scratch.path().join("file")).unwrap();
            assert_eq!(is.permissions().mode() & 0o7777, 0o600, "not followed");
        }
    }

    #[test]
    fn a_name_is_reached_by_path_with_and_without_procfs() {
        let (_scratch, dir) = some();
        for has_procfs in [true, false] {
            let look = |name: &str| {
                let name = OsStr::new(name);
                by_path(At { dir: &dir, name }, has_procfs, |path| {
                    let stat = fs::lstat(path)?;
                    Ok(FileType::from_raw_mode(stat.st_mode))
                })
            };
            assert_eq!(look("link"), Ok(FileType::Symlink), "{has_procfs}");
            assert_eq!(look("fifo"), Ok(FileType::Fifo), "{has_procfs}");
            assert_eq!(look("none"), Err(Errno::NOENT), "{has_procfs}");
        }
    }
}
