//! What is known of source, destination and their volumes before a byte moves.
//!
//! "Unknown" is a value: where the system can't say, the planner plans an attempt and the rules
//! judge its outcome. Nothing here asks the system; [`crate::system`] fills these in.

use super::bench_results::Preferred;
use super::method::{MethodSet, Os};

/// An answer that may not be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It is so.
    Yes,
    /// It is not so.
    No,
    /// Nobody has said yet: only trying can tell.
    Unknown,
}

/// A filesystem, as far as the rules tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the documentation
#[non_exhaustive]
pub enum FsKind {
    Btrfs,
    Xfs,
    /// ext4. ext2 and ext3 have its magic number (0xEF53), and its name in reports.
    Ext,
    Bcachefs,
    Ocfs2,
    F2fs,
    Zfs,
    Tmpfs,
    Overlay,
    Fuse,
    Nfs,
    Cifs,
    Ceph,
    Fat,
    ExFat,
    Ntfs,
    /// procfs, sysfs and their kin: files are made when they are read, and sizes mean nothing.
    Pseudo,
    Apfs,
    HfsPlus,
    Refs,
    Other,
}

/// Why a link can't be made, where the destination's filesystem is the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoLink {
    /// A filesystem of this kind has none.
    Unsupported(FsKind),
    /// The file has as many names as the filesystem allows.
    TooMany,
    /// The two names are on different filesystems, or mounts of one.
    Elsewhere,
    /// A file that has the second name can't be replaced by another there: it is written into.
    NotReplaceable,
}

impl FsKind {
    /// The name used in reports.
    pub const fn name(self) -> &'static str {
        match self {
            FsKind::Btrfs => "btrfs",
            FsKind::Xfs => "xfs",
            FsKind::Ext => "ext4",
            FsKind::Bcachefs => "bcachefs",
            FsKind::Ocfs2 => "ocfs2",
            FsKind::F2fs => "f2fs",
            FsKind::Zfs => "zfs",
            FsKind::Tmpfs => "tmpfs",
            FsKind::Overlay => "overlay",
            FsKind::Fuse => "fuse",
            FsKind::Nfs => "nfs",
            FsKind::Cifs => "cifs",
            FsKind::Ceph => "ceph",
            FsKind::Fat => "fat",
            FsKind::ExFat => "exfat",
            FsKind::Ntfs => "ntfs",
            FsKind::Pseudo => "pseudo",
            FsKind::Apfs => "apfs",
            FsKind::HfsPlus => "hfs+",
            FsKind::Refs => "refs",
            FsKind::Other => "other",
        }
    }

    /// Whether a file keeps its inode number when the volume is mounted again. FAT and exFAT have no inodes, and
    /// Linux numbers their files as they come; so do many FUSE filesystems, and SMB where the server has none.
    pub(crate) const fn keeps_numbers(self) -> bool {
        !matches!(
            self,
            FsKind::Fat | FsKind::ExFat | FsKind::Fuse | FsKind::Cifs
        )
    }

    /// Whether it is one that is known to have hard and symbolic links, or one that is known to have none;
    /// of a network's and of FUSE that is not known.
    pub(crate) const fn links(self) -> Known {
        match self {
            FsKind::Fat | FsKind::ExFat => Known::No,
            FsKind::Fuse
            | FsKind::Nfs
            | FsKind::Cifs
            | FsKind::Ceph
            | FsKind::Pseudo
            | FsKind::Other => Known::Unknown,
            _ => Known::Yes,
        }
    }

    /// Whether it makes one change of its metadata after the other, so that more workers only get
    /// in each other's way: APFS clones 6,100 files a second from one thread and 3,600 from eight
    /// (measured by others), and takes a global lock even to read directories
    /// (<https://gregoryszorc.com/blog/2018/10/29/global-kernel-locks-in-apfs/>).
    pub(crate) const fn serialises_metadata(self) -> bool {
        matches!(self, FsKind::Apfs)
    }

    /// Whether a read ends where stat says: both go by the size that this kernel keeps for the file. Elsewhere
    /// a server or another filesystem reports the size, and only a read of 0 bytes is the end.
    pub(crate) const fn stat_size_is_sound(self) -> bool {
        matches!(
            self,
            FsKind::Btrfs
                | FsKind::Xfs
                | FsKind::Ext
                | FsKind::Bcachefs
                | FsKind::Ocfs2
                | FsKind::F2fs
                | FsKind::Zfs
                | FsKind::Tmpfs
                | FsKind::Fat
                | FsKind::ExFat
                | FsKind::Ntfs
                | FsKind::Apfs
                | FsKind::HfsPlus
                | FsKind::Refs
        )
    }

    /// Whether this filesystem's map of holes (SEEK_DATA) can be believed. Where it can't, holes
    /// are found by reading: a hole is an optimisation and is never trusted over data.
    ///
    /// Not believed: ZFS, which reported holes over dirty data (OpenZFS issue 15526); APFS, where
    /// images showed the same; FUSE, whose servers answer whatever they like.
    pub const fn hole_map_is_sound(self) -> bool {
        !matches!(
            self,
            FsKind::Zfs | FsKind::Apfs | FsKind::Fuse | FsKind::Pseudo | FsKind::Other
        )
    }
}

/// The version of a kernel, as (major, minor).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kernel(pub(crate) u16, pub(crate) u16);

/// What is known of a mounted volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VolumeFacts {
    /// Names the volume while it is mounted (Linux: st_dev; Windows: its serial number).
    pub(crate) id: u64,
    /// Which filesystem it is.
    pub(crate) kind: FsKind,
    /// Its block (allocation unit), bytes.
    pub(crate) block_bytes: u32,
    /// Whether it can clone at all.
    pub(crate) clone: Known,
    /// Whether names that differ only in case are one.
    pub(crate) folds_case: Known,
    /// From this size on, bytes, a file is written faster by several threads than by one.
    pub(crate) parallel_from_bytes: Option<u64>,
}

/// What is known of the source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileFacts {
    /// Its size in bytes, where the filesystem's word counts for something.
    pub(crate) size: u64,
    /// The bytes it occupies on its volume.
    pub(crate) allocated_bytes: u64,
    /// A regular file; otherwise it is read as a stream.
    pub(crate) is_regular: bool,
    /// The system keeps it compressed (decmpfs of macOS) or encrypted (EFS of Windows), and only its
    /// own copier knows how.
    pub(crate) is_compressed: bool,
}

impl FileFacts {
    /// A regular file that the system keeps as it is.
    pub(crate) const fn plain(size: u64, allocated_bytes: u64) -> FileFacts {
        FileFacts {
            size,
            allocated_bytes,
            is_regular: true,
            is_compressed: false,
        }
    }

    /// Less is allocated than its size needs: holes, or a compression that nobody tells of.
    pub(crate) const fn looks_sparse(&self) -> bool {
        self.allocated_bytes < self.size && !self.is_compressed
    }
}

/// Everything the planner is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// The system.
    pub(crate) os: Os,
    /// Its kernel.
    pub(crate) kernel: Kernel,
    /// The source file.
    pub(crate) src: FileFacts,
    /// The volume it is on.
    pub(crate) src_volume: VolumeFacts,
    /// The volume of the destination.
    pub(crate) dst_volume: VolumeFacts,
    /// The destination is a regular file (else: a device, FIFO or terminal).
    pub(crate) dst_is_regular: bool,
    /// The destination is still to be made: a system that makes whole copies may name it.
    pub(crate) dst_is_free: bool,
    /// How many threads may work on the file.
    pub(crate) threads: usize,
    /// Memory to be had, files in the cache included, bytes; where it was asked for.
    pub(crate) memory_bytes: Option<u64>,
    /// Methods that were refused before, for this volume pair or everywhere.
    pub(crate) refused: MethodSet,
    /// Which methods were measured to be the fastest between these volumes.
    pub(crate) preferred: Option<Preferred>,
}

impl Facts {
    /// Whether the source's size is that of its content. Otherwise (an empty file, procfs, a stream) only a read of
    /// 0 bytes is the end.
    pub(crate) fn size_counts(&self) -> bool {
        self.src.is_regular && self.src.size > 0 && self.src_volume.kind != FsKind::Pseudo
    }

    /// Two volumes, and an ordinary file that is copied between them to a new name by one thread.
    pub(crate) const fn new(
        (os, kernel): (Os, Kernel),
        src: FileFacts,
        (src_volume, dst_volume): (VolumeFacts, VolumeFacts),
    ) -> Facts {
        Facts {
            os,
            kernel,
            src,
            src_volume,
            dst_volume,
            dst_is_regular: true,
            dst_is_free: true,
            threads: 1,
            memory_bytes: None,
            refused: MethodSet::EMPTY,
            preferred: None,
        }
    }

    /// Whether several threads are there, and the volumes reward them. From where reading is not
    /// known to be local, the number of requests in flight is not for one file to raise.
    pub(crate) fn is_for_several(&self) -> bool {
        let from = self.dst_volume.parallel_from_bytes;
        self.threads > 1
            && self.src.is_regular
            && self.dst_is_regular
            && self.src_volume.parallel_from_bytes.is_some()
            && from.is_some_and(|from| self.src.size.min(self.src.allocated_bytes) >= from)
    }

    /// Whether a file server is on one side.
    pub(crate) fn is_over_network(&self) -> bool {
        [self.src_volume.kind, self.dst_volume.kind].contains(&FsKind::Cifs)
    }

    /// Whether source and destination are on one volume, as far as cloning is concerned.
    ///
    /// btrfs subvolumes, overlay layers and network exports carry device numbers of their own, so
    /// different numbers under one kind of filesystem prove nothing.
    pub(crate) fn same_volume(&self) -> Known {
        if self.src_volume.id == self.dst_volume.id {
            Known::Yes
        } else if self.src_volume.kind == self.dst_volume.kind
            || self.src_volume.kind == FsKind::Overlay
            || self.dst_volume.kind == FsKind::Overlay
        {
            Known::Unknown
        } else {
            Known::No
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FsKind;

    /// A user looks a name up as it is: in /proc/filesystems, or in a manual.
    #[test]
    fn a_filesystem_is_called_by_one_name() {
        let kinds = [FsKind::Ext, FsKind::HfsPlus, FsKind::Btrfs, FsKind::ExFat];
        assert_eq!(kinds.map(FsKind::name), ["ext4", "hfs+", "btrfs", "exfat"]);
    }
}
