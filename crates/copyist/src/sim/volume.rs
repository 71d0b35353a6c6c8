//! What a simulated volume can do, and what it says that it can: not always the same.

use super::open_names::RemovesOpen;
use crate::error::Code;
use crate::facts::{FsKind, Known};

/// Between which files copy_file_range works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RangeCopy {
    No,
    Yes,
    /// It answers success and 0, as on procfs.
    Nothing,
}

/// How far SEEK_DATA and SEEK_HOLE can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HoleMap {
    Sound,
    /// Says that there is a hole where dirty data is.
    Lying,
    /// The call is refused.
    None,
}

/// What becomes of direct I/O.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direct {
    /// Taken, with this alignment in bytes.
    Aligned(usize),
    /// The flag is refused.
    Refused,
    /// The flag is taken, and every transfer refused.
    RefusedLater,
}

/// What few volumes do.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Odd {
    /// It refuses files without a name with this code, and not as what it doesn't have.
    pub(super) nameless_code: Option<Code>,
    pub(super) removes_open: RemovesOpen,
    /// A file that was written can be opened to be read, and renamed, only when it has been closed, and
    /// this many tries to have failed.
    pub(super) late: Option<u32>,
}

#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub(super) id: u64,
    pub(super) kind: FsKind,
    /// What it says about cloning.
    pub(super) says_clone: Known,
    pub(super) clones: bool,
    pub(super) range_copy: RangeCopy,
    pub(super) system_copy: bool,
    pub(super) sendfile: bool,
    pub(super) hole_map: HoleMap,
    pub(super) direct: Direct,
    pub(super) reserves: bool,
    pub(super) xattrs: bool,
    pub(super) flags: bool,
    /// Owners and modes can be changed.
    pub(super) owners: bool,
    pub(super) folds_case: bool,
    /// Directory entries say what they name.
    pub(super) names_kinds: bool,
    /// It has files without a name.
    pub(super) nameless: bool,
    /// It can rename to a name only if that is free.
    pub(super) renames_new: bool,
    pub(super) name_max: usize,
    pub(super) file_max_bytes: u64,
    pub(super) free_bytes: u64,
    pub(super) odd: Odd,
    /// It says that it rewards several threads from this size on.
    pub(super) parallel_from_bytes: Option<u64>,
}

impl Volume {
    /// A volume as `kind` usually is.
    pub(super) fn new(id: u64, kind: FsKind) -> Volume {
        let clones = matches!(
            kind,
            FsKind::Btrfs | FsKind::Xfs | FsKind::Bcachefs | FsKind::Apfs | FsKind::Refs
        );
        let foreign = matches!(kind, FsKind::Fat | FsKind::ExFat | FsKind::Cifs);
        Volume {
            id,
            kind,
            says_clone: match kind {
                FsKind::Btrfs | FsKind::Bcachefs | FsKind::Apfs | FsKind::Refs => Known::Yes,
                FsKind::Pseudo | FsKind::HfsPlus | FsKind::Ntfs => Known::No,
                _ => Known::Unknown,
            },
            clones,
            range_copy: match kind {
                FsKind::Pseudo => RangeCopy::Nothing,
                FsKind::Fuse => RangeCopy::No,
                _ => RangeCopy::Yes,
            },
            system_copy: true,
            sendfile: kind != FsKind::Pseudo,
            hole_map: match kind {
                FsKind::Zfs | FsKind::Apfs => HoleMap::Lying,
                FsKind::Fat | FsKind::ExFat | FsKind::Pseudo => HoleMap::None,
                _ => HoleMap::Sound,
            },
            direct: match kind {
                FsKind::Fuse => Direct::RefusedLater,
                FsKind::Pseudo => Direct::Refused,
                _ => Direct::Aligned(512),
            },
            reserves: !foreign && kind != FsKind::Pseudo,
            xattrs: !foreign && kind != FsKind::Pseudo,
            flags: matches!(
                kind,
                FsKind::Btrfs
                    | FsKind::Xfs
                    | FsKind::Ext
                    | FsKind::Tmpfs
                    | FsKind::Apfs
                    | FsKind::HfsPlus
                    | FsKind::Ntfs
                    | FsKind::Refs
            ),
            owners: !foreign,
            folds_case: matches!(
                kind,
                FsKind::Fat
                    | FsKind::ExFat
                    | FsKind::Apfs
                    | FsKind::HfsPlus
                    | FsKind::Ntfs
                    | FsKind::Refs
            ),
            names_kinds: kind != FsKind::Other,
            nameless: matches!(
                kind,
                FsKind::Btrfs | FsKind::Xfs | FsKind::Ext | FsKind::Tmpfs
            ),
            renames_new: kind != FsKind::Other,
            name_max: 255,
            file_max_bytes: if kind == FsKind::Fat {
                u32::MAX.into()
            } else {
                1 << 43
            },
            free_bytes: 1 << 40,
            odd: Odd::default(),
            parallel_from_bytes: None,
        }
    }

    /// A volume with the room of a few blocks.
    pub(super) fn with_free_bytes(self, free_bytes: u64) -> Volume {
        Volume { free_bytes, ..self }
    }
}
