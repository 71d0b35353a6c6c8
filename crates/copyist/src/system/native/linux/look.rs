//! Queries on Linux: mounts, extents, the page cache.

use std::ffi::{OsStr, OsString};
use std::io::IoSliceMut;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt};
use std::path::PathBuf;

use copyist_sys::linux::FiemapExtent;
use rustix::fs::{self, Advice, AtFlags, StatxAttributes, StatxFlags};
use rustix::io::{Errno, ReadWriteFlags};

use crate::system::native::unix;
use crate::system::{Extent, Mounted, Sys};
use crate::words::facts::Known;
use crate::words::stat::KeptNames;

pub(super) fn describe(handle: &OwnedFd) -> Sys<Mounted> {
    let volume = unix::describe(handle)?;
    // Without /proc, or before Linux 5.8, the names are unknown.
    let mounts = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let mount = mount_id(handle).and_then(|id| find_mount(&mounts, id));
    let Some(mount) = mount else {
        return Ok(volume);
    };
    Ok(Mounted {
        type_name: Some(String::from_utf8_lossy(&mount.type_name).into_owned()),
        device: Some(OsString::from_vec(mount.device)),
        point: Some(PathBuf::from(OsString::from_vec(mount.point))),
        ..volume
    })
}

/// The names that can't be removed from a directory: all if it is append-only (STATX_ATTR_APPEND, which btrfs, ext4,
/// F2FS, XFS and, since Linux 6.0, tmpfs report).
pub(super) fn kept_names(dir: &OwnedFd, name: &OsStr, is_privileged: bool) -> KeptNames {
    let wanted = StatxFlags::MODE | StatxFlags::UID;
    /// AT_STATX_DONT_SYNC of linux/fcntl.h, which rustix lacks for musl.
    const DONT_SYNC: AtFlags = AtFlags::from_bits_retain(0x4000);
    // No request to a server is needed: the kernel itself enforces these attributes.
    let Ok(found) = fs::statx(dir, name, DONT_SYNC, wanted) else {
        return KeptNames::None;
    };
    let is_append_only = found.stx_attributes.contains(StatxAttributes::APPEND);
    let uid = (!is_privileged).then(|| rustix::process::geteuid().as_raw());
    let owned = (u32::from(found.stx_mode), found.stx_uid);
    KeptNames::new(is_append_only, owned, uid)
}

fn mount_id(handle: &OwnedFd) -> Option<u64> {
    let found = fs::statx(handle, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID).ok()?;
    (found.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(found.stx_mnt_id)
}

/// A line of mountinfo: see proc_pid_mountinfo(5).
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: Vec<u8>,
    type_name: Vec<u8>,
    device: Vec<u8>,
}

fn find_mount(mounts: &[u8], id: u64) -> Option<Mount> {
    let id = id.to_string();
    mounts.split(|&byte| byte == b'\n').find_map(|line| {
        let mut words = line.split(|&byte| byte == b' ');
        if words.next()? != id.as_bytes() {
            return None;
        }
        // Skips the parent, the device number and the root within the filesystem.
        let point = unescape(words.nth(3)?);
        // Any number of optional fields, ended by a dash.
        let mut words = words.skip_while(|word| *word != b"-").skip(1);
        Some(Mount {
            point,
            type_name: unescape(words.next()?),
            device: unescape(words.next()?),
        })
    })
}

/// Whether a mount point is below this directory; unknown without /proc.
pub(super) fn has_mounts_below(dir: &OwnedFd) -> Known {
    let link = format!("/proc/self/fd/{}", dir.as_raw_fd());
    let read = std::fs::read_link(link).and_then(|path| {
        let mounts = std::fs::read("/proc/self/mountinfo")?;
        Ok(has_point_below(&mounts, path.as_os_str().as_bytes()))
    });
    match read {
        Ok(true) => Known::Yes,
        Ok(false) => Known::No,
        Err(_) => Known::Unknown,
    }
}

fn has_point_below(mounts: &[u8], dir: &[u8]) -> bool {
    let dir = dir.strip_suffix(b"/").unwrap_or(dir);
    mounts.split(|&byte| byte == b'\n').any(|line| {
        let point = line.split(|&byte| byte == b' ').nth(4).map(unescape);
        // For the root directory the rest begins with "/".
        let below = point.as_deref().and_then(|it| it.strip_prefix(dir));
        below.is_some_and(|it| it.len() > 1 && it.starts_with(b"/"))
    })
}

/// Space, tab, newline and backslash are written as three octal digits.
fn unescape(word: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut at = 0;
    while at < word.len() {
        let digits = word.get(at + 1..at + 4);
        let octal = digits
            .filter(|digits| word[at] == b'\\' && digits.iter().all(|d| (b'0'..=b'7').contains(d)));
        match octal {
            Some(digits) => {
                let value = |n: usize| u32::from(digits[n] - b'0');
                // Three octal digits can exceed a byte; the kernel never writes such a number.
                out.push((value(0) * 64 + value(1) * 8 + value(2)) as u8);
                at += 4;
            }
            None => {
                out.push(word[at]);
                at += 1;
            }
        }
    }
    out
}

pub(super) fn extents(file: &OwnedFd, from: u64, found: &mut Vec<Extent>) -> Result<bool, Errno> {
    let mut raw = Vec::new();
    let more = copyist_sys::linux::fiemap(file, from, true, &mut raw)?;
    // The location is unknown, not allocated yet, or in the inode, which is not shared.
    let placeless = FiemapExtent::UNKNOWN | FiemapExtent::DELALLOC | FiemapExtent::NOT_ALIGNED;
    found.extend(raw.iter().map(|extent| Extent {
        offset: extent.logical,
        len: extent.length,
        place: (extent.flags & placeless == 0).then_some(extent.physical),
        is_encoded: extent.flags & FiemapExtent::ENCODED != 0,
    }));
    Ok(more)
}

/// Dirty pages stay in the cache: flush first to evict them too.
pub(super) fn uncache(file: &OwnedFd) -> Result<(), Errno> {
    fs::fadvise(file, 0, None, Advice::DontNeed)
}

/// A read with RWF_NOWAIT returns EAGAIN for data that is not in the cache.
pub(super) fn is_cached(file: &OwnedFd, offset: u64) -> Result<bool, Errno> {
    let mut byte = [0];
    let mut buffers = [IoSliceMut::new(&mut byte)];
    match rustix::io::preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT) {
        Ok(_) => Ok(true),
        Err(Errno::AGAIN) => Ok(false),
        Err(errno) => Err(errno),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_found_by_their_number() {
        let lines =
            b"36 35 98:0 /sub /mnt\\0402 rw,noatime master:1 shared:2 - ext4 /dev/a\\134b rw\n\
                      360 36 0:5 / /proc rw - proc proc rw\n";
        let mount = |point: &[u8], type_name: &[u8], device: &[u8]| {
            Some(Mount {
                point: point.to_vec(),
                type_name: type_name.to_vec(),
                device: device.to_vec(),
            })
        };
        assert_eq!(
            find_mount(lines, 36),
            mount(b"/mnt 2", b"ext4", b"/dev/a\\b")
        );
        assert_eq!(find_mount(lines, 360), mount(b"/proc", b"proc", b"proc"));
        assert_eq!(find_mount(lines, 3), None);
    }

    #[test]
    fn a_mount_point_is_below_the_directories_on_its_path() {
        let lines = b"36 35 98:0 / / rw - ext4 /dev/a rw\n\
                      360 36 0:5 / /mnt\\0402/x rw - proc proc rw\n";
        for (dir, expected) in [
            ("/", true),
            ("/mnt 2", true),
            ("/mnt", false),
            ("/mnt 2/x", false),
            ("/mnt 2/x/y", false),
        ] {
            assert_eq!(has_point_below(lines, dir.as_bytes()), expected, "{dir}");
        }
        let root_alone = &lines[..lines.iter().position(|it| *it == b'\n').unwrap_or(0)];
        assert!(!has_point_below(root_alone, b"/"));
    }
}
