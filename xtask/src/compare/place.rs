//! On which filesystems it is measured: those of the lab, and from which to which.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Where source and destination are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    Tmpfs,
    Ext4,
    Xfs,
    /// XFS made without reflink
    XfsPlain,
    Btrfs,
    /// From tmpfs to ext4
    TmpfsToExt4,
    /// A FUSE mount with 1 ms an operation
    Fuse,
}

impl Place {
    /// For people, in tables.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Tmpfs => "tmpfs",
            Self::Ext4 => "ext4",
            Self::Xfs => "XFS",
            Self::XfsPlain => "XFS without reflink",
            Self::Btrfs => "btrfs",
            Self::TmpfsToExt4 => "tmpfs to ext4",
            Self::Fuse => "FUSE, 1 ms",
        }
    }

    /// The lab's names of the filesystem of the source and of that of the destination.
    fn sides(self) -> (&'static str, &'static str) {
        match self {
            Self::Tmpfs => ("tmpfs", "tmpfs"),
            Self::Ext4 => ("ext4", "ext4"),
            Self::Xfs => ("xfs", "xfs"),
            Self::XfsPlain => ("xfs-plain", "xfs-plain"),
            Self::Btrfs => ("btrfs", "btrfs"),
            Self::TmpfsToExt4 => ("tmpfs", "ext4"),
            Self::Fuse => ("fuse-1ms", "fuse-1ms"),
        }
    }

    /// What the lab has to make.
    pub(super) fn filesystems(self) -> Vec<&'static str> {
        let (src, dst) = self.sides();
        if src == dst {
            vec![src]
        } else {
            vec![src, dst]
        }
    }

    /// Whether files are kept in an image, on a loop device.
    pub(super) fn has_image(self) -> bool {
        self != Self::Tmpfs
    }

    /// Whether two files can share extents here.
    pub(super) fn can_clone(self) -> bool {
        matches!(self, Self::Xfs | Self::Btrfs)
    }

    /// The directories for the source and for the destination in this lab.
    pub(super) fn directories(self, lab: &Path) -> (PathBuf, PathBuf) {
        let (src, dst) = self.sides();
        (lab.join(src), lab.join(dst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_one_name_in_files_and_on_the_command_line() {
        for place in Place::value_variants() {
            let on_command_line = place.to_possible_value().expect("none is hidden");
            let in_file = serde_json::to_value(place).expect("a name");
            assert_eq!(in_file, on_command_line.get_name());
        }
    }
}
