//! What is mounted at a path, and its capacity. Numbers that can't be true are treated as unknown.

use std::ffi::OsString;
use std::path::PathBuf;

/// The names and the capacity of a mounted volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mounted {
    /// The system's name for the filesystem, such as "ext4".
    pub(crate) type_name: Option<String>,
    pub(crate) device: Option<OsString>,
    pub(crate) point: Option<PathBuf>,
    /// Identifies the filesystem while it is mounted (`f_fsid`).
    pub(crate) id: u64,
    pub(crate) is_read_only: bool,
    pub(crate) space: Space,
    /// The longest name, bytes; `None` if unknown.
    pub(crate) name_bytes: Option<u64>,
}

/// The capacity of a volume; `None` is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Space {
    /// The bytes that are available to this user.
    pub(crate) free_bytes: Option<u64>,
    pub(crate) total_bytes: Option<u64>,
}

impl Space {
    /// From statvfs's numbers, if they can be true. Filesystems without a device (procfs, cgroup) and some servers
    /// return 0 blocks; other servers return more free blocks than blocks, or more bytes than fit in 64 bits.
    pub(crate) fn of_blocks(block_bytes: u64, free: u64, total: u64) -> Space {
        let total_bytes = total.checked_mul(block_bytes).filter(|bytes| *bytes > 0);
        Space {
            free_bytes: total_bytes
                .filter(|_| free <= total)
                .map(|_| free * block_bytes), // no overflow: it is at most the total
            total_bytes,
        }
    }
}

/// The longest name in bytes; 0 means that the filesystem doesn't report it.
pub(crate) fn longest_name(bytes: u64) -> Option<u64> {
    (bytes > 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{Space, longest_name};

    #[test]
    fn a_number_that_no_filesystem_means_is_unknown() {
        let space = |block, free, total| {
            let space = Space::of_blocks(block, free, total);
            (space.free_bytes, space.total_bytes)
        };
        assert_eq!(space(4096, 10, 100), (Some(40_960), Some(409_600)));
        assert_eq!(space(4096, 0, 100), (Some(0), Some(409_600)), "full");
        assert_eq!(space(4096, 0, 0), (None, None), "cgroup");
        assert_eq!(space(0, 0, 0), (None, None));
        assert_eq!(space(0, 10, 100), (None, None));
        let minus_five = 5_u64.wrapping_neg();
        assert_eq!(space(4096, minus_five, 1 << 40), (None, Some(1 << 52)));
        assert_eq!(space(4096, 1 << 63, 1 << 63), (None, None));
        assert_eq!(longest_name(255), Some(255));
        assert_eq!(longest_name(0), None);
    }
}
