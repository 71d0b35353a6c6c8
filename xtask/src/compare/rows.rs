//! What is measured, and what it must show: one table.

use super::data::{Data, Sizes};
use super::place::Place;
use super::tools::Tool;

/// One kind of work.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// For the command line and the data file.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) data: Data,
    pub(super) work: Work,
    pub(super) on: &'static [Place],
    /// Only if asked for.
    pub(super) also_on: &'static [Place],
    pub(super) targets: &'static [Target],
}

/// What is asked of each program; `tools.rs` has the command lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// A tree, `-r`.
    Tree,
    /// A tree with its attributes, `-a`.
    Archive,
    /// A tree that is there already, `-a -u`.
    Again,
    /// One file whose data must not be shared.
    Move,
    /// One file, cloned.
    Clone,
    /// One small file, many times.
    Start,
    /// One file with holes.
    Sparse,
    /// In one process, by calls of the library.
    Library(Calls),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Calls {
    /// The files of one directory, one after the other: a function for each.
    Function,
    /// The same with one object for all.
    Object,
    /// A tree.
    Tree,
}

/// A ratio of wall times, copyist / other, or a peak of memory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) against: Against,
    pub(super) at_most: f64,
    /// Where it is another one.
    pub(super) but: &'static [(Place, f64)],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    Tool(Tool),
    /// The system's or the newest, whichever does better.
    GnuCp,
    /// Whichever does best of all that made a right copy.
    BestPeer,
    /// No ratio but copyist's own peak of resident memory, in MiB.
    Memory,
}

impl Target {
    pub(super) fn on(&self, place: Place) -> f64 {
        let other = self.but.iter().find(|(but, _)| *but == place);
        other.map_or(self.at_most, |(_, at_most)| *at_most)
    }
}

const fn at_most(against: Against, at_most: f64) -> Target {
    but(against, at_most, &[])
}

const fn but(against: Against, at_most: f64, but: &'static [(Place, f64)]) -> Target {
    Target {
        against,
        at_most,
        but,
    }
}

impl Row {
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ROWS.iter().find(|row| row.name == name)
    }

    /// Whether it is memory that counts, for which one round is enough.
    pub(super) fn is_about_memory(&self) -> bool {
        let mut targets = self.targets.iter();
        targets.any(|target| target.against == Against::Memory)
    }

    /// What takes part unless the user chooses.
    pub(super) fn tools(&self) -> Vec<Tool> {
        if self.is_about_memory() {
            return vec![Tool::Cp];
        }
        let all = Tool::ALL.into_iter();
        all.filter(|tool| tool.words(self.work, Place::Tmpfs).is_some())
            .collect()
    }
}

const USUAL: &[Place] = &[Place::Tmpfs, Place::Ext4, Place::Xfs, Place::Btrfs];
const ALSO: &[Place] = &[Place::Ext4, Place::Xfs, Place::XfsPlain, Place::Btrfs];
const PLAIN: &[Place] = &[Place::XfsPlain];

const SMALL: Data = Data::Tree {
    directories: 500,
    files: 50_000,
    sizes: Sizes::All(4096),
};

const fn slow(directories: u64) -> Data {
    Data::Tree {
        directories,
        files: 400,
        sizes: Sizes::All(4096),
    }
}

const fn million(directories: u64) -> Data {
    Data::Tree {
        directories,
        files: 1_000_000,
        sizes: Sizes::OneInTen(4096),
    }
}

const FILES: Data = Data::Tree {
    directories: 0,
    files: 20_000,
    sizes: Sizes::All(4096),
};

const SOURCES: Data = Data::Tree {
    directories: 1_600,
    files: 20_000,
    sizes: Sizes::LikeSources,
};

const SLOW_TARGETS: &[Target] = &[
    at_most(Against::GnuCp, 0.28),
    at_most(Against::BestPeer, 0.80),
];

const MEMORY_TARGETS: &[Target] = &[at_most(Against::Memory, 48.0)];

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "small",
        title: "50,000 files of 4 KiB in 500 directories, `-r`",
        data: SMALL,
        work: Work::Tree,
        on: USUAL,
        also_on: PLAIN,
        targets: &[
            at_most(Against::Tool(Tool::Cpz), 1.00),
            at_most(Against::Tool(Tool::Floor), 1.10),
            but(Against::GnuCp, 0.45, &[(Place::Btrfs, 0.70)]),
        ],
    },
    Row {
        name: "archive",
        title: "50,000 files of 4 KiB in 500 directories, `-a`",
        data: SMALL,
        work: Work::Archive,
        on: USUAL,
        also_on: PLAIN,
        targets: &[
            at_most(Against::GnuCp, 0.42),
            at_most(Against::Tool(Tool::Rsync), 0.28),
        ],
    },
    Row {
        name: "sources",
        title: "20,000 files of sizes as in a source tree, up to 32 MiB, `-r`",
        data: SOURCES,
        work: Work::Tree,
        on: USUAL,
        also_on: PLAIN,
        targets: &[at_most(Against::BestPeer, 0.95)],
    },
    Row {
        name: "flat",
        title: "50,000 files of 1 KiB in one directory, `-r`",
        data: Data::Tree {
            directories: 0,
            files: 50_000,
            sizes: Sizes::All(1024),
        },
        work: Work::Tree,
        on: USUAL,
        also_on: PLAIN,
        targets: &[at_most(Against::BestPeer, 0.92)],
    },
    Row {
        name: "big",
        title: "One file of 1 GiB, not cloned",
        data: Data::File { bytes: 1 << 30 },
        work: Work::Move,
        on: &[Place::Ext4, Place::Xfs, Place::Tmpfs, Place::TmpfsToExt4],
        also_on: &[Place::XfsPlain, Place::Btrfs],
        targets: &[but(
            Against::BestPeer,
            0.80,
            &[
                (Place::Xfs, 0.60),
                (Place::XfsPlain, 0.60),
                (Place::Tmpfs, 0.95),
                (Place::TmpfsToExt4, 0.65),
            ],
        )],
    },
    Row {
        name: "clone",
        title: "One file of 1 GiB, cloned",
        data: Data::File { bytes: 1 << 30 },
        work: Work::Clone,
        on: &[Place::Btrfs, Place::Xfs],
        also_on: &[],
        targets: &[at_most(Against::GnuCp, 1.15)],
    },
    Row {
        name: "one",
        title: "One file of 4 KiB",
        data: Data::File { bytes: 4096 },
        work: Work::Start,
        on: &[Place::Tmpfs, Place::Ext4],
        also_on: &[Place::Xfs, Place::XfsPlain, Place::Btrfs],
        targets: &[at_most(Against::GnuCp, 1.25)],
    },
    Row {
        name: "slow-flat",
        title: "FUSE mount with 1 ms an operation: 400 files in one directory, `-r`",
        data: slow(0),
        work: Work::Tree,
        on: &[Place::Fuse],
        also_on: &[],
        targets: SLOW_TARGETS,
    },
    Row {
        name: "slow-tree",
        title: "FUSE mount with 1 ms an operation: 4 directories of 100 files, `-r`",
        data: slow(4),
        work: Work::Tree,
        on: &[Place::Fuse],
        also_on: &[],
        targets: SLOW_TARGETS,
    },
    Row {
        name: "sparse",
        title: "A sparse file of 4 GiB with 64 MiB of data in 1,000 pieces",
        data: Data::Sparse {
            bytes: 4 << 30,
            data_bytes: 64 << 20,
            pieces: 1_000,
        },
        work: Work::Sparse,
        on: &[Place::Ext4, Place::XfsPlain, Place::Tmpfs],
        also_on: &[],
        targets: &[at_most(Against::GnuCp, 0.90)],
    },
    Row {
        name: "again",
        title: "A second run over an unchanged tree of 50,000 files, `-a -u`",
        data: SMALL,
        work: Work::Again,
        on: USUAL,
        also_on: PLAIN,
        targets: &[at_most(Against::Tool(Tool::Rsync), 0.30)],
    },
    Row {
        name: "library",
        title: "In a program: 20,000 files of 4 KiB, `copyist::copy` for each",
        data: FILES,
        work: Work::Library(Calls::Function),
        on: &[Place::Tmpfs],
        also_on: ALSO,
        targets: &[at_most(Against::Tool(Tool::StdCopy), 1.00)],
    },
    Row {
        name: "library-copier",
        title: "In a program: 20,000 files of 4 KiB, one `Copier` for all",
        data: FILES,
        work: Work::Library(Calls::Object),
        on: &[Place::Tmpfs],
        also_on: ALSO,
        targets: &[at_most(Against::Tool(Tool::StdCopy), 0.95)],
    },
    Row {
        name: "library-tree",
        title: "In a program: a tree of 20,000 files of sizes as in a source tree, `Copier::copy_tree`",
        data: SOURCES,
        work: Work::Library(Calls::Tree),
        on: &[Place::Tmpfs],
        also_on: ALSO,
        targets: &[],
    },
    Row {
        name: "million-flat",
        title: "Memory: a million files in one directory, `-r`",
        data: million(0),
        work: Work::Tree,
        on: &[Place::Tmpfs],
        also_on: &[],
        targets: MEMORY_TARGETS,
    },
    Row {
        name: "million-tree",
        title: "Memory: a million files in 1,000 directories, `-r`",
        data: million(1_000),
        work: Work::Tree,
        on: &[Place::Tmpfs],
        also_on: &[],
        targets: MEMORY_TARGETS,
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_different() {
        let mut names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
    }

    #[test]
    fn whom_a_row_is_measured_against_takes_part() {
        for row in ROWS {
            for target in row.targets {
                if let Against::Tool(tool) = target.against {
                    assert!(row.tools().contains(&tool), "{}: {tool:?}", row.name);
                }
            }
        }
    }

    #[test]
    fn the_library_is_measured_beside_libraries() {
        let tools = |name| Row::named(name).expect("a row").tools();
        let functions = [Tool::StdCopy, Tool::ReflinkCopy];
        assert_eq!(tools("library"), functions);
        assert_eq!(tools("library-copier"), functions);
        assert_eq!(tools("library-tree"), [Tool::FsExtra]);
        assert!(!tools("small").contains(&Tool::StdCopy));
    }

    #[test]
    fn a_target_can_be_another_one_somewhere() {
        let small = Row::named("small").expect("a row");
        let cp = small.targets[2];
        assert_eq!((cp.on(Place::Tmpfs), cp.on(Place::Btrfs)), (0.45, 0.70));
    }
}
