//! Which checks a tree needs before it is copied. An obstacle that the facts of the two volumes rule out needs none.
//!
//! Where a fact is unknown, the check is made.

use super::plan;
use crate::words::facts::{Facts, FileFacts, FsKind, Kernel, Known, VolumeFacts};
use crate::words::method::{Method, Os};
use crate::words::options::{Options, Sparse};

/// FAT keeps a file's length in 32 bits.
pub(crate) const FAT_FILE_BYTES: u64 = u32::MAX as u64;

/// How many threads examine a tree on a mount whose calls may take long: most of them wait.
pub(crate) const SLOW_THREADS: usize = 64;

/// One side of a copy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) volume: VolumeFacts,
    /// The longest name, bytes (statvfs).
    pub(crate) name_bytes: Option<u64>,
    /// All that is on the volume, bytes.
    pub(crate) used_bytes: Option<u64>,
}

/// What must be checked in a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Checks {
    /// The names of its entries.
    pub(crate) names: bool,
    /// The sizes of its files: the destination's filesystem has a limit that one may exceed.
    pub(crate) sizes: bool,
    pub(crate) space: Space,
}

/// How much space the copy of a tree needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    /// None: every file is cloned.
    Nothing,
    /// At most this many bytes.
    AtMost(u64),
    /// The files must be examined.
    Unknown,
}

/// The checks that a directory needs, with all below it. They are on one volume if `mounts_below` is [`Known::No`].
pub(crate) fn checks(
    system: (Os, Kernel),
    (src, dst): (&Side, &Side),
    mounts_below: Known,
    options: &Options,
) -> Checks {
    let is_one_volume = mounts_below == Known::No;
    let sizes = limits_size(dst.volume.kind) && !(is_one_volume && limits_size(src.volume.kind));
    Checks {
        names: !(is_one_volume && takes_all_names(src, dst)),
        sizes,
        space: space(system, (src, dst), is_one_volume, options),
    }
}

/// Whether a file can be too large for a filesystem of this kind.
pub(crate) fn limits_size(kind: FsKind) -> bool {
    kind == FsKind::Fat
}

/// Whether another program or machine may serve each call.
pub(crate) fn may_be_slow(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Fuse | FsKind::Nfs | FsKind::Cifs | FsKind::Ceph | FsKind::Other
    )
}

/// Whether a filesystem of this kind rejects characters that are valid in names elsewhere.
pub(crate) fn limits_characters(kind: FsKind) -> bool {
    matches!(kind, FsKind::Fat | FsKind::ExFat)
}

/// Whether all names of a directory of the source's volume can be the names of a directory of the destination's.
fn takes_all_names(src: &Side, dst: &Side) -> bool {
    let (from, to) = (&src.volume, &dst.volume);
    let is_same = from.id == to.id;
    let folds_alike = match to.folds_case {
        Known::Yes => is_same && folds_everywhere(to.kind),
        Known::No | Known::Unknown => true,
    };
    let is_short = match (src.name_bytes, dst.name_bytes) {
        (_, None) => true, // without a known limit there is no check
        (Some(longest), Some(limit)) => longest <= limit && counts_bytes(from.kind),
        (None, Some(_)) => false,
    };
    folds_alike && (is_same || is_short && !limits_characters(to.kind))
}

/// Whether folding case is a property of the whole volume. On ext4, F2FS and NTFS it is one of each directory.
fn folds_everywhere(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Fat | FsKind::ExFat | FsKind::Apfs | FsKind::HfsPlus
    )
}

/// Whether no name is longer than statvfs reports. NTFS, SMB, APFS and HFS+ count UTF-16 code units or characters;
/// the kernel does not check the number that a FUSE server reports.
fn counts_bytes(kind: FsKind) -> bool {
    matches!(
        kind,
        FsKind::Btrfs
            | FsKind::Xfs
            | FsKind::Ext
            | FsKind::Bcachefs
            | FsKind::Ocfs2
            | FsKind::F2fs
            | FsKind::Zfs
            | FsKind::Tmpfs
            | FsKind::Overlay
    )
}

fn space(
    system: (Os, Kernel),
    (src, dst): (&Side, &Side),
    is_one_volume: bool,
    options: &Options,
) -> Space {
    let (from, to) = (src.volume, dst.volume);
    let clones =
        |sizes: &[(u64, u64)]| from.id == to.id && clones_first(system, (from, to), options, sizes);
    if to.clone == Known::Yes && clones(&[(1, 1), (LARGE, LARGE), (LARGE, 0)]) {
        return Space::Nothing;
    }
    // A file of several names becomes several files, a hole data, or a file occupies larger blocks.
    let may_grow = options.sparse == Sparse::Never
        || !(options.preserve.links && to.kind.links() == Known::Yes)
        || to.block_bytes > from.block_bytes;
    // XFS has reflinks or has none (mkfs). Without them no file shares data; with them all but the small files are
    // cloned, and few small files share data.
    let is_counted = !shares_data(from.kind)
        || from.kind == FsKind::Xfs && clones(&[(LARGE, LARGE), (LARGE, 0)]);
    match src.used_bytes {
        Some(used) if is_one_volume && is_counted && !may_grow => Space::AtMost(used),
        _ => Space::Unknown,
    }
}

/// Whether files together may occupy more bytes than are in use on their volume: they share data, are compressed,
/// or lie on another volume (FUSE, servers, overlay layers).
fn shares_data(kind: FsKind) -> bool {
    !matches!(
        kind,
        FsKind::Ext | FsKind::Tmpfs | FsKind::Fat | FsKind::ExFat
    )
}

/// The size of a file that is large enough to try a clone which may fail, bytes.
const LARGE: u64 = 1 << 40;

/// Whether the plan for files of these (size, allocated bytes) begins with a clone.
fn clones_first(
    system: (Os, Kernel),
    volumes: (VolumeFacts, VolumeFacts),
    options: &Options,
    sizes: &[(u64, u64)],
) -> bool {
    sizes.iter().all(|&(size, allocated)| {
        let file = FileFacts::plain(size, allocated);
        let facts = Facts::new(system, file, volumes);
        plan::plan(&facts, options).methods.first() == Some(&Method::Clone)
    })
}

#[cfg(test)]
#[path = "preflight_tests.rs"]
mod tests;
