//! Queries about files and volumes on Linux.

use std::os::fd::OwnedFd;

use rustix::fs::{self, AtFlags, StatxFlags};

use super::super::unix::code;
use crate::system::{DirectAlignment, Sys};
use crate::think::rules::linux::EINVAL;
use crate::words::facts::{FsKind, Known, VolumeFacts};
use crate::words::stat::Stat;

/// Where the alignment for direct I/O can't be queried (before Linux 6.1, and on filesystems that don't report it),
/// the page size suffices for every device in use.
pub(super) const DEFAULT_ALIGNMENT: usize = 4096;

#[inline(always)] // as `Native::volume_of`
pub(super) fn facts(handle: &OwnedFd, stat: &Stat) -> Sys<VolumeFacts> {
    let volume = fs::fstatfs(handle).map_err(code)?;
    #[allow(clippy::unnecessary_cast)] // the field's type differs between architectures
    let kind = fs_kind(volume.f_type as u64);
    Ok(VolumeFacts {
        id: stat.id.volume,
        kind,
        block_bytes: u32::try_from(volume.f_bsize)
            .unwrap_or(4096)
            .clamp(512, 1 << 20),
        clone: can_clone(kind),
        folds_case: match kind {
            FsKind::Fat | FsKind::ExFat => Known::Yes,
            _ => Known::Unknown, // a single directory of ext4 or F2FS can
        },
        parallel_from_bytes: rewards_threads(kind).then_some(PARALLEL_BYTES),
    })
}

/// The ordinary symbolic links of procfs (`/proc/self`) lead to directories of procfs only, so they may be treated as
/// magic links too.
pub(super) fn is_procfs(handle: &OwnedFd) -> Sys<bool> {
    let volume = fs::fstatfs(handle).map_err(code)?;
    Ok(volume.f_type == PROC_SUPER_MAGIC)
}

/// See linux/magic.h.
const PROC_SUPER_MAGIC: fs::FsWord = 0x9fa0;

/// From this size on, bytes, several threads are faster: a thread costs as much as copying 100 KiB.
const PARALLEL_BYTES: u64 = 8 << 20;

/// Filesystems on which two threads that read and write were measured to be faster than one (docs/measurements.md).
fn rewards_threads(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Btrfs | FsKind::Xfs | FsKind::Ext | FsKind::Tmpfs
    )
}

/// What is certain without a trial. XFS may have been made without reflink; network and stacked filesystems depend on
/// the filesystem behind them; ZFS on its version and a module parameter.
fn can_clone(kind: FsKind) -> Known {
    match kind {
        FsKind::Btrfs | FsKind::Bcachefs | FsKind::Ocfs2 => Known::Yes,
        FsKind::Pseudo => Known::No,
        _ => Known::Unknown,
    }
}

/// The magic numbers of linux/magic.h, and of filesystems outside the kernel's tree.
fn fs_kind(magic: u64) -> FsKind {
    match magic & 0xffff_ffff {
        0x9123_683e => FsKind::Btrfs,
        0x5846_5342 => FsKind::Xfs,
        0xef53 => FsKind::Ext,
        0xca45_1a4e => FsKind::Bcachefs,
        0x7461_636f => FsKind::Ocfs2,
        0xf2f5_2010 => FsKind::F2fs,
        0x2fc1_2fc1 => FsKind::Zfs,
        0x0102_1994 | 0x8584_58f6 => FsKind::Tmpfs, // and ramfs
        0x794c_7630 => FsKind::Overlay,
        0x6573_5546 => FsKind::Fuse,
        0x6969 => FsKind::Nfs,
        0xff53_4d42 | 0xfe53_4d42 => FsKind::Cifs,
        0x00c3_6400 => FsKind::Ceph,
        0x4d44 => FsKind::Fat,
        0x2011_bab0 => FsKind::ExFat,
        0x5346_544e | 0x7366_746e => FsKind::Ntfs,
        // proc, sysfs, debugfs, tracefs, cgroup, cgroup2, securityfs, pstore, configfs, bpf,
        // efivarfs, binfmt_misc
        0x9fa0 | 0x6265_6572 | 0x6462_6720 | 0x7472_6163 | 0x0027_e0eb | 0x6367_7270
        | 0x7363_6673 | 0x6165_676c | 0x6265_6570 | 0xcafe_4a11 | 0xde5e_81e4 | 0x4249_4e4d => {
            FsKind::Pseudo
        }
        _ => FsKind::Other,
    }
}

/// The alignment that direct I/O on this file requires: statx's STATX_DIOALIGN since Linux 6.1, where the filesystem
/// fills it in; 0 means that the file has no direct I/O at all.
pub(super) fn direct_alignment(file: &OwnedFd) -> Sys<DirectAlignment> {
    let unknown = DirectAlignment {
        memory: DEFAULT_ALIGNMENT,
        offset: DEFAULT_ALIGNMENT,
    };
    let Ok(statx) = fs::statx(file, c"", AtFlags::EMPTY_PATH, StatxFlags::DIOALIGN) else {
        return Ok(unknown);
    };
    if statx.stx_mask & StatxFlags::DIOALIGN.bits() == 0 {
        return Ok(unknown);
    }
    if statx.stx_dio_offset_align == 0 {
        return Err(EINVAL);
    }
    Ok(DirectAlignment {
        memory: statx.stx_dio_mem_align as usize,
        offset: statx.stx_dio_offset_align as usize,
    })
}
