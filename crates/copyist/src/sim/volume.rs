//! What a simulated volume can do, and what it says that it can: not always the same.

use super::open_names::RemovesOpen;
use crate::system::{Mounted, Space};
use crate::words::code::Code;
use crate::words::facts::{FsKind, Known};
use crate::words::stat::Timestamp;

/// Between which files copy_file_range works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RangeCopy {
    No,
    Yes,
    /// It returns success and 0, as on procfs.
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
    /// A truncation of an open file returns success and does nothing; only opening it emptied cuts it.
    pub(super) ignores_truncation: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub(super) id: u64,
    pub(super) kind: FsKind,
    /// What it says about cloning.
    pub(super) says_clone: Known,
    pub(super) clones: bool,
    /// The most that a clone call shares, bytes, whatever it is asked for; it returns success.
    pub(super) most_cloned_bytes: u64,
    /// What stat reports as the size of every file that is not empty, where that is not its length.
    pub(super) says_size: Option<u64>,
    pub(super) range_copy: RangeCopy,
    pub(super) system_copy: bool,
    pub(super) sendfile: bool,
    pub(super) hole_map: HoleMap,
    pub(super) direct: Direct,
    pub(super) reserves: bool,
    pub(super) xattrs: bool,
    /// The attributes called "system." that it has: access control lists.
    pub(super) lists: &'static [&'static [u8]],
    /// Nothing called so can be removed, be it there or not.
    pub(super) keeps_lists: bool,
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
    /// In which unit it keeps times, nanoseconds, and the last second that it knows.
    pub(super) time_unit: u64,
    pub(super) last_second: i64,
    /// The time of the last change is in that unit too, and not the system's.
    pub(super) dates_changes: bool,
    /// Stat returns 0 for inode, number of links, blocks, and the length of a symbolic link.
    pub(super) hides_numbers: bool,
    /// Stat returns this number for every file.
    pub(super) one_number: Option<u64>,
    /// It takes data only where the data before it ends.
    pub(super) wants_sequence: bool,
    /// An existing file opens for writing only if that empties it.
    pub(super) wants_emptied: bool,
    /// It refuses every rename with this code.
    pub(super) refuses_rename: Option<Code>,
    pub(super) name_max: usize,
    pub(super) file_max_bytes: u64,
    pub(super) free_bytes: u64,
    pub(super) odd: Odd,
    /// It says that it rewards several threads from this size on.
    pub(super) parallel_from_bytes: Option<u64>,
}

fn most_bytes_of_a_file(kind: FsKind) -> u64 {
    if kind == FsKind::Fat {
        u32::MAX.into()
    } else {
        1 << 43
    }
}

fn folds_case(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Fat | FsKind::ExFat | FsKind::Apfs | FsKind::HfsPlus | FsKind::Ntfs | FsKind::Refs
    )
}

fn has_flags(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Btrfs
            | FsKind::Xfs
            | FsKind::Ext
            | FsKind::Tmpfs
            | FsKind::Apfs
            | FsKind::HfsPlus
            | FsKind::Ntfs
            | FsKind::Refs
    )
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
            most_cloned_bytes: u64::MAX,
            says_size: None,
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
            lists: match kind {
                FsKind::Nfs => &[b"system.nfs4_acl"],
                _ => &[b"system.posix_acl_access", b"system.posix_acl_default"],
            },
            keeps_lists: false,
            flags: has_flags(kind),
            owners: !foreign,
            folds_case: folds_case(kind),
            names_kinds: kind != FsKind::Other,
            nameless: matches!(
                kind,
                FsKind::Btrfs | FsKind::Xfs | FsKind::Ext | FsKind::Tmpfs
            ),
            renames_new: kind != FsKind::Other,
            hides_numbers: false,
            one_number: None,
            wants_sequence: false,
            wants_emptied: false,
            refuses_rename: None,
            time_unit: if kind == FsKind::Fat {
                2_000_000_000
            } else {
                1
            },
            last_second: i64::MAX,
            dates_changes: true,
            name_max: 255,
            file_max_bytes: most_bytes_of_a_file(kind),
            free_bytes: 1 << 40,
            odd: Odd::default(),
            parallel_from_bytes: None,
        }
    }

    /// What it keeps of a time.
    pub(super) fn kept(&self, time: Timestamp) -> Timestamp {
        if time.seconds >= self.last_second {
            let seconds = self.last_second;
            return Timestamp { seconds, nanos: 0 };
        }
        let second = self.time_unit.div_ceil(1_000_000_000).cast_signed();
        let fraction = self.time_unit.min(1_000_000_000) as u32;
        Timestamp {
            seconds: time.seconds - time.seconds.rem_euclid(second),
            nanos: time.nanos - time.nanos % fraction,
        }
    }

    /// When a file was changed last that was modified then.
    pub(super) fn changed(&self, modified: Timestamp) -> Timestamp {
        let nanos = modified.nanos | u32::from(self.time_unit == 1 || !self.dates_changes);
        Timestamp { nanos, ..modified }
    }

    /// Whether it can have an attribute of this name.
    pub(super) fn takes(&self, name: &[u8]) -> bool {
        self.xattrs && (!name.starts_with(b"system.") || self.lists.contains(&name))
    }

    /// Whether an attribute of this name can be removed.
    pub(super) fn gives_up(&self, name: &[u8]) -> bool {
        !(self.keeps_lists && name.starts_with(b"system."))
    }

    pub(super) fn describe(&self) -> Mounted {
        let unless_hidden = |number| (!self.hides_numbers).then_some(number);
        Mounted {
            type_name: None,
            device: None,
            point: None,
            id: self.id,
            is_read_only: false,
            space: Space {
                free_bytes: unless_hidden(self.free_bytes),
                total_bytes: unless_hidden(1 << 41),
            },
            name_bytes: unless_hidden(self.name_max as u64),
        }
    }

    /// A volume with the room of a few blocks.
    pub(super) fn with_free_bytes(self, free_bytes: u64) -> Volume {
        Volume { free_bytes, ..self }
    }
}
