//! Known defects of copying on each filesystem, and what copyist does about them: a table for readers. The rules and
//! the planner use the same facts; tests compare the two.

use super::{Verdict, table};
use crate::words::facts::{FsKind, Kernel};
use crate::words::method::{Method, Os};

/// A known defect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownBug {
    /// The method that has it; `None`: the defect is in what the filesystem reports, whatever the method.
    pub method: Option<Method>,
    /// What happens, where, and the source for it.
    pub what: String,
    /// What copyist does about it.
    pub guard: &'static str,
}

struct Row {
    os: Os,
    /// Empty: on any filesystem.
    kinds: &'static [FsKind],
    /// From the first version on, up to but not including the second.
    kernels: Option<(Kernel, Kernel)>,
    method: Option<Method>,
    what: &'static str,
    guard: &'static str,
}

const BY_READING: &str = "holes are found by reading; its map is not asked";

static ROWS: &[Row] = &[
    Row {
        os: Os::Linux,
        kinds: &[],
        kernels: Some((Kernel(5, 3), Kernel(5, 19))),
        method: Some(Method::CopyRange),
        what: "copy_file_range between two filesystems lost data (Linux 5.3 to 5.18; commit \
               868f9f2f8e00)",
        guard: "it is not used between two filesystems on these kernels",
    },
    Row {
        os: Os::Linux,
        kinds: &[FsKind::Zfs],
        kernels: None,
        method: None,
        what: "SEEK_DATA called data that was not written out yet a hole (OpenZFS issue 15526)",
        guard: BY_READING,
    },
    Row {
        os: Os::Linux,
        kinds: &[FsKind::Fuse],
        kernels: None,
        method: None,
        what: "its server may return any map of holes (SEEK_DATA)",
        guard: BY_READING,
    },
    Row {
        os: Os::Macos,
        kinds: &[FsKind::Apfs],
        kernels: None,
        method: None,
        what: "on disk images SEEK_DATA called data a hole",
        guard: BY_READING,
    },
    Row {
        os: Os::Linux,
        kinds: &[FsKind::Overlay],
        kernels: None,
        method: Some(Method::CopyRange),
        what: "copy_file_range returns 0 bytes for a file that is not empty, on some kernels",
        guard: "a first 0 is not taken for the end of a file until a read says so",
    },
    Row {
        os: Os::Linux,
        kinds: &[FsKind::Pseudo],
        kernels: None,
        method: None,
        what: "sizes mean nothing: files are made as they are read",
        guard: "such a file is read until a read returns 0",
    },
    Row {
        os: Os::Windows,
        kinds: &[FsKind::Refs],
        kernels: None,
        method: Some(Method::Clone),
        what: "several clones at a time of one source whose data is not written out share zeros (Windows 10 and 11, \
               Server 2022; microsoft/CopyOnWrite issue 12)",
        guard: "the source is opened around the cache for a clone, which writes it out",
    },
    Row {
        os: Os::Linux,
        kinds: &[FsKind::Zfs],
        kernels: None,
        method: Some(Method::Clone),
        what: "FICLONE returned success and shared a part of the file (OpenZFS issue 15728)",
        guard: "the destination's length is read, and the next method goes on from there",
    },
    Row {
        os: Os::Linux,
        kinds: &[
            FsKind::Overlay,
            FsKind::Fuse,
            FsKind::Nfs,
            FsKind::Cifs,
            FsKind::Ceph,
        ],
        kernels: None,
        method: None,
        what: "stat reports the size that a server says, and reads may return less or more",
        guard: "a file ends where a read returns nothing",
    },
    Row {
        os: Os::Windows,
        kinds: &[FsKind::Refs],
        kernels: None,
        method: Some(Method::SystemCopy),
        what: "CopyFileExW clones by itself, since Windows 11 24H2 and Server 2025",
        guard: "its bytes are reported as copied by the system, never as cloned",
    },
];

/// The known defects of these filesystems and this kernel.
pub(crate) fn known_bugs(os: Os, kernel: Kernel, kinds: [FsKind; 2]) -> Vec<KnownBug> {
    let known = ROWS.iter().filter(|row| {
        row.os == os
            && (row.kinds.is_empty() || row.kinds.iter().any(|kind| kinds.contains(kind)))
            && row
                .kernels
                .is_none_or(|(from, before)| (from..before).contains(&kernel))
    });
    let known = known.map(|row| KnownBug {
        method: row.method,
        what: row.what.to_owned(),
        guard: row.guard,
    });
    known.chain(of_rules(os, kinds)).collect()
}

/// The rules that are about a single filesystem.
fn of_rules(os: Os, kinds: [FsKind; 2]) -> impl Iterator<Item = KnownBug> {
    let rules = table(os)
        .iter()
        .filter(move |rule| rule.fs.is_some_and(|fs| kinds.contains(&fs)));
    rules.map(move |rule| {
        let code = rule.code.and_then(|code| code.name(os));
        KnownBug {
            method: Some(rule.method),
            what: format!("{} ({})", rule.why, code.unwrap_or("any code")),
            guard: match rule.verdict {
                Verdict::Retry => "it is called again",
                Verdict::Next => "the next method is used",
                Verdict::Fatal => "it is reported",
            },
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [FsKind; 21] = [
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

    #[test]
    fn what_is_said_of_maps_of_holes_is_what_the_planner_believes() {
        for kind in ALL {
            let said = [Os::Linux, Os::Macos].iter().any(|&os| {
                let bugs = known_bugs(os, Kernel(6, 18), [kind; 2]);
                bugs.iter().any(|bug| bug.guard == BY_READING)
            });
            assert!(!said || !kind.hole_map_is_sound(), "{kind:?}");
        }
    }

    #[test]
    fn a_kernel_s_bug_is_known_on_that_kernel() {
        let lost = |kernel| {
            let bugs = known_bugs(Os::Linux, kernel, [FsKind::Ext; 2]);
            bugs.iter().any(|bug| bug.what.contains("868f9f2f8e00"))
        };
        assert_eq!(
            [(5, 2), (5, 3), (5, 18), (5, 19)].map(|(a, b)| lost(Kernel(a, b))),
            [false, true, true, false]
        );
    }

    #[test]
    fn the_rules_of_one_filesystem_are_among_them() {
        let bugs = known_bugs(Os::Linux, Kernel(6, 18), [FsKind::Cifs; 2]);
        assert!(bugs.iter().any(|bug| bug.what.contains("EIO")), "{bugs:?}");
    }
}
