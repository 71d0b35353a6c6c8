//! Facts about source, destination and their volumes, collected before any byte is copied.
//!
//! "Unknown" is a value: where the system can't say, the planner plans an attempt, and the rules judge its outcome.
//! Nothing here makes a system call; [`crate::system`] fills these types in.

use super::bench_results::Preferred;
use super::method::{MethodSet, Os};

/// A yes or no that may be unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// True.
    Yes,
    /// False.
    No,
    /// Not known until it is tried.
    Unknown,
}

/// A filesystem type, as far as the rules distinguish them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the documentation
#[non_exhaustive]
pub enum FsKind {
    Btrfs,
    Xfs,
    /// ext4. ext2 and ext3 share its magic number (0xEF53), and are reported under its name.
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
    /// procfs, sysfs and similar filesystems: content is generated when it is read, and sizes mean nothing.
    Pseudo,
    Apfs,
    HfsPlus,
    Refs,
    Other,
}

/// Why a hard or symbolic link could not be created, where the reason lies in the destination's filesystem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoLink {
    /// Filesystems of this type have no links.
    Unsupported(FsKind),
    /// The file already has as many links as the filesystem allows (EMLINK).
    TooMany,
    /// The two names are on different filesystems, or on different mounts of one (EXDEV).
    Elsewhere,
    /// The destination is an existing file that can't be replaced, only written into.
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

    /// Whether a file keeps its inode number when the volume is mounted again. FAT and exFAT store no inodes: Linux
    /// numbers their files in the order of first use. Many FUSE filesystems do the same, and so does SMB where the
    /// server sends no number.
    pub(crate) const fn keeps_numbers(self) -> bool {
        !matches!(
            self,
            FsKind::Fat | FsKind::ExFat | FsKind::Fuse | FsKind::Cifs
        )
    }

    /// Whether this filesystem has hard and symbolic links; unknown for network filesystems and FUSE.
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

    /// Whether the filesystem serialises changes of metadata, so that more workers only wait for each other: APFS
    /// clones 6,100 files a second from one thread and 3,600 from eight (measured by others), and takes a global lock
    /// even to read directories (<https://gregoryszorc.com/blog/2018/10/29/global-kernel-locks-in-apfs/>).
    pub(crate) const fn serialises_metadata(self) -> bool {
        matches!(self, FsKind::Apfs)
    }

    /// Whether sync_file_range leaves no dirty page, so that all can be evicted: data is written through the page cache
    /// of this kernel. Unlike fsync, it neither commits a journal nor flushes the device's cache. (Elsewhere a server
    /// stores the data, or another cache than the page cache has it.)
    pub(crate) const fn writes_back_in_ranges(self) -> bool {
        matches!(self, FsKind::Ext | FsKind::Xfs | FsKind::Btrfs)
    }

    /// Whether a directory lists its names by a hash of them. Inode numbers then follow the order on the disk better.
    pub(crate) const fn lists_by_hash(self) -> bool {
        matches!(self, FsKind::Ext | FsKind::F2fs)
    }

    /// Whether a close reports no error of a write: the filesystem has no flush operation (VFS, `file_operations`).
    pub(crate) const fn closes_without_errors(self) -> bool {
        matches!(
            self,
            FsKind::Ext | FsKind::Xfs | FsKind::Btrfs | FsKind::Tmpfs
        )
    }

    /// Whether the size that stat reports is where reads end: this kernel keeps one size for both. Elsewhere a server
    /// or another filesystem reports the size, and only a read of 0 bytes is the end.
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

    /// Whether this filesystem's map of holes (SEEK_DATA) is reliable. Where it isn't, holes are found by reading: a
    /// hole is an optimisation and is never trusted over data.
    ///
    /// Not reliable: ZFS, which reported holes over dirty data (OpenZFS issue 15526); APFS, where images showed the
    /// same; FUSE, where the map is the server's.
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

/// Facts about a mounted volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VolumeFacts {
    /// Identifies the volume while it is mounted (Linux: st_dev; Windows: its serial number).
    pub(crate) id: u64,
    /// Which filesystem it is.
    pub(crate) kind: FsKind,
    /// Its block size (allocation unit), bytes.
    pub(crate) block_bytes: u32,
    /// Whether it can clone at all.
    pub(crate) clone: Known,
    /// Whether names that differ only in case are one.
    pub(crate) folds_case: Known,
    /// From this file size on, bytes, several threads write faster than one.
    pub(crate) parallel_from_bytes: Option<u64>,
}

/// Facts about the source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileFacts {
    /// Its size in bytes, where the filesystem reports a usable one.
    pub(crate) size: u64,
    /// The bytes allocated to it on its volume.
    pub(crate) allocated_bytes: u64,
    /// It is a regular file; anything else is read as a stream.
    pub(crate) is_regular: bool,
    /// The system stores it compressed (decmpfs of macOS) or encrypted (EFS of Windows), and only the system's own
    /// copier keeps that.
    pub(crate) is_compressed: bool,
}

impl FileFacts {
    /// A regular file that the system stores neither compressed nor encrypted.
    pub(crate) const fn plain(size: u64, allocated_bytes: u64) -> FileFacts {
        FileFacts {
            size,
            allocated_bytes,
            is_regular: true,
            is_compressed: false,
        }
    }

    /// Fewer bytes are allocated than its size needs: holes, or transparent compression that stat does not report.
    pub(crate) const fn looks_sparse(&self) -> bool {
        self.allocated_bytes < self.size && !self.is_compressed
    }
}

/// The planner's input.
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
    /// The destination does not exist yet, so that a call that creates it with its content can be used.
    pub(crate) dst_is_free: bool,
    /// The number of threads that may work on the file.
    pub(crate) threads: usize,
    /// Available memory, page cache included, in bytes; `None` where it was not queried.
    pub(crate) memory_bytes: Option<u64>,
    /// Methods that were refused before, for this volume pair or everywhere.
    pub(crate) refused: MethodSet,
    /// Which methods were measured to be the fastest between these volumes.
    pub(crate) preferred: Option<Preferred>,
}

impl Facts {
    /// Whether the source's size is the length of its content. Otherwise (an empty file, procfs, a stream) only a
    /// read of 0 bytes is the end.
    pub(crate) fn size_counts(&self) -> bool {
        self.src.is_regular && self.src.size > 0 && self.src_volume.kind != FsKind::Pseudo
    }

    /// Two volumes, and an ordinary file that one thread copies from one to the other under a new name.
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

    /// Whether several threads are available and faster on these volumes. Where reading is not known to be local, a
    /// single file does not add requests in flight.
    pub(crate) fn is_for_several(&self) -> bool {
        let from = self.dst_volume.parallel_from_bytes;
        self.threads > 1
            && self.src.is_regular
            && self.dst_is_regular
            && self.src_volume.parallel_from_bytes.is_some()
            && from.is_some_and(|from| self.src.size.min(self.src.allocated_bytes) >= from)
    }

    /// Whether source or destination is on a network filesystem.
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

    /// Users look these names up in /proc/filesystems or in a manual.
    #[test]
    fn a_filesystem_is_called_by_one_name() {
        let kinds = [FsKind::Ext, FsKind::HfsPlus, FsKind::Btrfs, FsKind::ExFat];
        assert_eq!(kinds.map(FsKind::name), ["ext4", "hfs+", "btrfs", "exfat"]);
    }
}
