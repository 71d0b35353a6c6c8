//! The filesystems of the lab: how each is made, and what it must then prove to be.

use std::path::Path;
use std::time::Duration;

/// Where the FUSE filesystems keep their files; not for tests.
pub(super) const BACKING: &str = ".lab/backing";

/// One filesystem of the lab.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    /// Its directory in the lab.
    pub(crate) name: &'static str,
    pub(super) make: Make,
    pub(super) claims: &'static [Claim],
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Make {
    /// An image file, formatted by this command line and mounted through a loop device.
    Image {
        mkfs: &'static [&'static str],
        size: Size,
    },
    Tmpfs,
    /// `xtask fuse` with these options.
    Fuse(&'static [&'static str]),
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Size {
    /// What the user of the lab asked for; images are sparse, so this costs nothing until used.
    AsAsked,
    Bytes(u64),
}

/// What a filesystem says it is; see `check.rs` for how each claim is put to the test.
#[derive(Debug, Clone, Copy)]
pub(super) enum Claim {
    /// statfs(2) reports this type.
    Magic(u32),
    /// FICLONE works.
    Clones,
    /// FICLONE fails with EOPNOTSUPP.
    RefusesClones,
    /// It has no more bytes than this, so that a test can fill it.
    AtMost(u64),
    /// It has at least the size that the lab was asked for, less the filesystem's own tables.
    Roomy,
    /// A file made as "A" opens as "a".
    FoldsCase,
    /// Each request takes this long, and parallel requests take it together.
    Delays(Duration),
    /// read, write and copy_file_range move less than they are asked for.
    MovesShort,
    /// SEEK_DATA finds none in a file full of data.
    LiesAboutHoles,
    /// copy_file_range copies something else.
    CorruptsCopies,
    /// Extended attributes and POSIX ACLs can be set.
    HoldsAttributes,
}

const MIB: u64 = 1 << 20;

const BTRFS: Claim = Claim::Magic(0x9123_683E);
const XFS: Claim = Claim::Magic(0x5846_5342);
const EXT: Claim = Claim::Magic(0xEF53);
const TMPFS: Claim = Claim::Magic(0x0102_1994);
const FUSE: Claim = Claim::Magic(0x6573_5546);

const BACKING_SPEC: Spec = Spec {
    name: BACKING,
    make: Make::Image {
        mkfs: &["mkfs.ext4", "-q", "-F"],
        size: Size::AsAsked,
    },
    claims: &[EXT, Claim::Roomy, Claim::HoldsAttributes],
};

const PLAIN: [Spec; 12] = [
    Spec {
        name: "btrfs",
        make: Make::Image {
            mkfs: &["mkfs.btrfs", "-q"],
            size: Size::AsAsked,
        },
        claims: &[BTRFS, Claim::Clones, Claim::Roomy, Claim::HoldsAttributes],
    },
    Spec {
        name: "xfs",
        make: Make::Image {
            mkfs: &["mkfs.xfs", "-q", "-m", "reflink=1"],
            size: Size::AsAsked,
        },
        claims: &[XFS, Claim::Clones, Claim::Roomy, Claim::HoldsAttributes],
    },
    Spec {
        name: "xfs-plain",
        make: Make::Image {
            mkfs: &["mkfs.xfs", "-q", "-m", "reflink=0"],
            size: Size::AsAsked,
        },
        claims: &[
            XFS,
            Claim::RefusesClones,
            Claim::Roomy,
            Claim::HoldsAttributes,
        ],
    },
    Spec {
        name: "ext4",
        make: Make::Image {
            mkfs: &["mkfs.ext4", "-q", "-F"],
            size: Size::AsAsked,
        },
        claims: &[
            EXT,
            Claim::RefusesClones,
            Claim::Roomy,
            Claim::HoldsAttributes,
        ],
    },
    Spec {
        name: "tmpfs",
        make: Make::Tmpfs,
        claims: &[
            TMPFS,
            Claim::RefusesClones,
            Claim::Roomy,
            Claim::HoldsAttributes,
        ],
    },
    Spec {
        name: "tiny",
        make: Make::Image {
            mkfs: &["mkfs.ext4", "-q", "-F"],
            size: Size::Bytes(32 * MIB),
        },
        claims: &[EXT, Claim::AtMost(32 * MIB)],
    },
    Spec {
        name: "fuse",
        make: Make::Fuse(&[]),
        claims: &[
            FUSE,
            Claim::RefusesClones,
            Claim::Roomy,
            Claim::HoldsAttributes,
        ],
    },
    Spec {
        name: "fuse-slow",
        make: Make::Fuse(&["--latency-ms", "5"]),
        claims: &[FUSE, Claim::Delays(Duration::from_millis(5))],
    },
    Spec {
        name: "fuse-1ms",
        make: Make::Fuse(&["--latency-ms", "1"]),
        claims: &[FUSE, Claim::Delays(Duration::from_millis(1))],
    },
    Spec {
        name: "fuse-lies",
        make: Make::Fuse(&["--lie-holes"]),
        claims: &[FUSE, Claim::LiesAboutHoles],
    },
    Spec {
        name: "fuse-short",
        make: Make::Fuse(&["--short"]),
        claims: &[FUSE, Claim::MovesShort],
    },
    Spec {
        name: "fuse-corrupts",
        make: Make::Fuse(&["--corrupt-copies"]),
        claims: &[FUSE, Claim::CorruptsCopies],
    },
];

const CASEFOLD_EXT4: Spec = Spec {
    name: "casefold",
    make: Make::Image {
        mkfs: &["mkfs.ext4", "-q", "-F", "-O", "casefold"],
        size: Size::Bytes(256 * MIB),
    },
    claims: &[EXT, Claim::FoldsCase],
};

const CASEFOLD_FUSE: Spec = Spec {
    name: "casefold",
    make: Make::Fuse(&["--fold-case"]),
    claims: &[FUSE, Claim::FoldsCase],
};

/// All filesystems, in an order in which they can be made.
pub(super) fn all() -> Vec<Spec> {
    // The first FUSE filesystem needs the backing store.
    let mut specs = vec![BACKING_SPEC];
    specs.extend(PLAIN);
    specs.push(casefold());
    specs
}

/// ext4 folds case only in kernels built with CONFIG_UNICODE; elsewhere FUSE has to do it.
fn casefold() -> Spec {
    if Path::new("/sys/fs/ext4/features/casefold").exists() {
        CASEFOLD_EXT4
    } else {
        CASEFOLD_FUSE
    }
}

impl Spec {
    /// Of what it is made, for people.
    pub(super) fn describe(&self) -> String {
        match self.make {
            Make::Image { mkfs, .. } => mkfs.join(" "),
            Make::Tmpfs => "tmpfs".into(),
            Make::Fuse(options) => ["xtask fuse", &options.join(" ")].join(" ").trim().into(),
        }
    }

    /// Whether it keeps its files in the backing store.
    pub(super) fn is_fuse(&self) -> bool {
        matches!(self.make, Make::Fuse(_))
    }

    pub(super) fn is_for_tests(&self) -> bool {
        self.name != BACKING
    }
}
