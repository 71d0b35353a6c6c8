//! What volumes rule out, over all kinds of them.

use super::{Checks, Side, Space, checks};
use crate::words::facts::{FsKind, Kernel, Known, VolumeFacts};
use crate::words::method::Os;
use crate::words::options::{Options, Preserve, Reflink, Sparse};

const KINDS: [FsKind; 21] = [
    FsKind::Btrfs,
    FsKind::Xfs,
    FsKind::Ext,
    FsKind::Bcachefs,
    FsKind::Ocfs2,
    FsKind::F2fs,
    FsKind::Zfs,
    FsKind::Tmpfs,
    FsKind::Overlay,
    FsKind::Fuse,
    FsKind::Nfs,
    FsKind::Cifs,
    FsKind::Ceph,
    FsKind::Fat,
    FsKind::ExFat,
    FsKind::Ntfs,
    FsKind::Pseudo,
    FsKind::Apfs,
    FsKind::HfsPlus,
    FsKind::Refs,
    FsKind::Other,
];
const KNOWN: [Known; 3] = [Known::Yes, Known::No, Known::Unknown];
const LINUX: (Os, Kernel) = (Os::Linux, Kernel(6, 12));
const USED: u64 = 1000;

fn side(id: u64, kind: FsKind) -> Side {
    Side {
        volume: VolumeFacts {
            id,
            kind,
            block_bytes: 4096,
            clone: match kind {
                FsKind::Btrfs | FsKind::Bcachefs | FsKind::Ocfs2 => Known::Yes,
                _ => Known::Unknown,
            },
            folds_case: Known::Unknown,
            parallel_from_bytes: None,
        },
        name_bytes: Some(255),
        used_bytes: Some(USED),
    }
}

fn archive() -> Options {
    Options {
        preserve: Preserve::ARCHIVE,
        ..Options::default()
    }
}

fn of(src: &Side, dst: &Side) -> Checks {
    checks(LINUX, (src, dst), Known::No, &archive())
}

/// The rules once more, as what can be in the way: over all kinds of volumes, one or two, with every
/// rule of case, limits of names, and mounts below.
#[test]
fn what_can_be_in_the_way_is_looked_for() {
    for (from, to, is_same, folds, mounts, names) in product() {
        let (mut src, mut dst) = (side(1, from), side(if is_same { 1 } else { 2 }, to));
        dst.volume.folds_case = folds;
        (src.name_bytes, dst.name_bytes) = names;
        let found = checks(LINUX, (&src, &dst), mounts, &archive());
        let case = format!("{from:?} {to:?} {is_same} {folds:?} {mounts:?} {names:?}");
        let fat = |kind| matches!(kind, FsKind::Fat | FsKind::ExFat);
        if mounts != Known::No {
            assert!(found.names, "{case}");
            assert_eq!(found.sizes, to == FsKind::Fat, "{case}");
            assert!(!matches!(found.space, Space::AtMost(_)), "{case}");
            continue;
        }
        let may_be_long = matches!(names, (Some(256) | None, Some(255)));
        if !is_same && (folds == Known::Yes || fat(to) || may_be_long) {
            assert!(found.names, "{case}");
        }
        if is_same && folds != Known::Yes {
            assert!(!found.names, "{case}");
        }
        assert_eq!(
            found.sizes,
            to == FsKind::Fat && from != FsKind::Fat,
            "{case}"
        );
        let clones = matches!(from, FsKind::Btrfs | FsKind::Bcachefs | FsKind::Ocfs2);
        let expected = match from {
            _ if clones && is_same => Space::Nothing,
            _ if to.links() != Known::Yes => Space::Unknown,
            FsKind::Ext | FsKind::Tmpfs | FsKind::Fat | FsKind::ExFat => Space::AtMost(USED),
            FsKind::Xfs if is_same => Space::AtMost(USED),
            _ => Space::Unknown,
        };
        assert_eq!(found.space, expected, "{case}");
    }
}

type Names = (Option<u64>, Option<u64>);

fn product() -> impl Iterator<Item = (FsKind, FsKind, bool, Known, Known, Names)> {
    let pairs = KINDS.into_iter().flat_map(|from| {
        let two = KINDS.into_iter().map(move |to| (from, to, false));
        two.chain([(from, from, true)])
    });
    let names = [Some(255), Some(256), None];
    let names = names.map(|src| [Some(255), None].map(|dst| (src, dst)));
    pairs.flat_map(move |(from, to, is_same)| {
        KNOWN.into_iter().flat_map(move |folds| {
            KNOWN.into_iter().flat_map(move |mounts| {
                let names = names.into_iter().flatten();
                names.map(move |names| (from, to, is_same, folds, mounts, names))
            })
        })
    })
}

#[test]
fn between_filesystems_that_are_alike_there_is_nothing_to_look_for() {
    let nothing = |space| Checks {
        names: false,
        sizes: false,
        space,
    };
    let counted = nothing(Space::AtMost(USED));
    let ext = side(1, FsKind::Ext);
    assert_eq!(of(&ext, &ext), counted);
    assert_eq!(of(&ext, &side(2, FsKind::Xfs)), counted);
    assert_eq!(of(&side(2, FsKind::Tmpfs), &ext), counted);
    let (xfs, btrfs) = (side(1, FsKind::Xfs), side(1, FsKind::Btrfs));
    assert_eq!(of(&xfs, &xfs), counted);
    assert_eq!(of(&btrfs, &btrfs), nothing(Space::Nothing));
}

#[test]
fn what_may_grow_is_not_bounded() {
    let (src, mut dst) = (side(1, FsKind::Ext), side(2, FsKind::Ext));
    let space =
        |dst: &Side, options: &Options| checks(LINUX, (&src, dst), Known::No, options).space;
    assert_eq!(space(&dst, &archive()), Space::AtMost(USED));
    let mut options = archive();
    options.sparse = Sparse::Never;
    assert_eq!(space(&dst, &options), Space::Unknown, "holes");
    let mut options = archive();
    options.preserve.links = false;
    assert_eq!(space(&dst, &options), Space::Unknown, "hard links");
    dst.volume.block_bytes = 8192;
    assert_eq!(space(&dst, &archive()), Space::Unknown, "blocks");
    let unknown = Side {
        used_bytes: None,
        ..src
    };
    assert_eq!(of(&unknown, &src).space, Space::Unknown);
}

#[test]
fn a_clone_that_is_not_wanted_needs_its_space() {
    let options = Options {
        reflink: Reflink::Never,
        ..archive()
    };
    for kind in [FsKind::Btrfs, FsKind::Xfs] {
        let side = side(1, kind);
        let found = checks(LINUX, (&side, &side), Known::No, &options);
        assert_eq!(found.space, Space::Unknown, "{kind:?}");
    }
}

/// The same name may be longer in bytes than its volume says, where that counts characters.
#[test]
fn names_that_are_counted_in_characters_are_looked_at() {
    let ext = side(1, FsKind::Ext);
    for kind in [FsKind::Ntfs, FsKind::Cifs, FsKind::Fuse, FsKind::HfsPlus] {
        assert!(of(&side(2, kind), &ext).names, "{kind:?}");
    }
}

/// ext4's directories fold case one by one: the source's may not, on the same volume.
#[test]
fn a_directory_that_folds_case_is_looked_into() {
    let folding = |kind| {
        let mut side = side(1, kind);
        side.volume.folds_case = Known::Yes;
        of(&side, &side).names
    };
    assert!(folding(FsKind::Ext) && folding(FsKind::Ntfs));
    assert!(!folding(FsKind::Fat) && !folding(FsKind::Apfs));
}
