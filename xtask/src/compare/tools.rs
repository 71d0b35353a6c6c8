//! Who is compared, and how each is asked for the same work.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::place::Place;
use super::rows::{Calls, Work};

/// Every program but copyist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Tool {
    /// The same system calls in the plainest loop, with two threads
    Floor,
    /// The system's cp
    Cp,
    /// The newest GNU cp, built here
    CpNewest,
    Rsync,
    Cpz,
    Xcp,
    Cpx,
    Rcp,
    /// `std::fs::copy`, in a loop
    StdCopy,
    /// `reflink_copy::reflink_or_copy`, in a loop
    ReflinkCopy,
    /// `fs_extra::dir::copy`
    FsExtra,
}

/// These stand in a command line for the two paths.
pub(super) const SRC: &str = "SOURCE";
pub(super) const DST: &str = "DESTINATION";

impl Tool {
    pub(super) const ALL: [Self; 11] = [
        Self::Floor,
        Self::Cp,
        Self::CpNewest,
        Self::Rsync,
        Self::Cpz,
        Self::Xcp,
        Self::Cpx,
        Self::Rcp,
        Self::StdCopy,
        Self::ReflinkCopy,
        Self::FsExtra,
    ];

    /// For people, in tables.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Floor => "the floor",
            Self::Cp => "GNU cp of the system",
            Self::CpNewest => "GNU cp, newest",
            Self::Rsync => "rsync",
            Self::Cpz => "cpz",
            Self::Xcp => "xcp",
            Self::Cpx => "cpx",
            Self::Rcp => "rcp",
            Self::StdCopy => "std::fs::copy",
            Self::ReflinkCopy => "reflink-copy",
            Self::FsExtra => "fs_extra",
        }
    }

    pub(super) fn is_gnu_cp(self) -> bool {
        matches!(self, Self::Cp | Self::CpNewest)
    }

    /// How it is asked for this work, after its own name; None if it can't do it, or not all of it.
    pub(super) fn words(self, work: Work, place: Place) -> Option<&'static [&'static str]> {
        Some(match self {
            Self::Floor => floor(work, place)?,
            Self::Cp | Self::CpNewest => cp(work)?,
            Self::Rsync => match work {
                Work::Tree => &["-r", "SOURCE/", DST],
                Work::Archive | Work::Again => &["-a", "SOURCE/", DST],
                Work::Move | Work::Start => &[SRC, DST],
                Work::Sparse => &["-S", SRC, DST],
                Work::Clone | Work::Library(_) => return None,
            },
            // It has no options for attributes, for clones, or for what is there already.
            Self::Cpz => match work {
                Work::Archive | Work::Again | Work::Library(_) => return None,
                _ => &[SRC, DST],
            },
            Self::Xcp => match work {
                Work::Tree => &["-r", SRC, DST],
                Work::Archive => &["-r", "--ownership", SRC, DST],
                Work::Move => &["--reflink=never", SRC, DST],
                Work::Clone => &["--reflink=always", SRC, DST],
                Work::Start | Work::Sparse => &[SRC, DST],
                Work::Again | Work::Library(_) => return None,
            },
            // It would make a directory in the destination, even if there is none yet.
            Self::Cpx => match work {
                Work::Tree => &["--no-config", "-r", "SOURCE/.", DST],
                Work::Archive => &["--no-config", "-a", "SOURCE/.", DST],
                Work::Again => &["--no-config", "-a", "-u", "SOURCE/.", DST],
                Work::Move => &["--no-config", "--reflink=never", SRC, DST],
                Work::Clone => &["--no-config", "--reflink=always", SRC, DST],
                Work::Start | Work::Sparse => &["--no-config", SRC, DST],
                Work::Library(_) => return None,
            },
            Self::Rcp => match work {
                Work::Tree | Work::Clone | Work::Start | Work::Sparse => &[SRC, DST],
                Work::Archive => &["--preserve-settings=all", SRC, DST],
                Work::Move => &["--reflink=never", SRC, DST],
                Work::Again => &["--preserve-settings=all", "--overwrite", SRC, DST],
                Work::Library(_) => return None,
            },
            Self::StdCopy => loops(work, &["std", SRC, DST])?,
            Self::ReflinkCopy => loops(work, &["reflink-copy", SRC, DST])?,
            Self::FsExtra => match work {
                Work::Library(Calls::Tree) => &["fs-extra", SRC, DST],
                _ => return None,
            },
        })
    }
}

/// The arguments after `copyist` or, for the library, after `loops`. The command gets no more options than GNU cp
/// does.
pub(super) fn copyist(work: Work) -> Vec<&'static str> {
    match work {
        Work::Library(Calls::Function) => vec!["copy", SRC, DST],
        Work::Library(Calls::Object) => vec!["copier", SRC, DST],
        Work::Library(Calls::Tree) => vec!["tree", SRC, DST],
        _ => [&["cp"], cp(work).unwrap_or_default()].concat(),
    }
}

/// Files that are copied one by one.
fn loops(work: Work, words: &'static [&'static str]) -> Option<&'static [&'static str]> {
    let is_loop = matches!(work, Work::Library(Calls::Function | Calls::Object));
    is_loop.then_some(words)
}

fn cp(work: Work) -> Option<&'static [&'static str]> {
    Some(match work {
        Work::Tree => &["-r", SRC, DST],
        Work::Archive => &["-a", SRC, DST],
        Work::Again => &["-a", "-u", "-T", SRC, DST],
        Work::Move => &["--reflink=never", SRC, DST],
        Work::Clone => &["--reflink=always", SRC, DST],
        Work::Start | Work::Sparse => &[SRC, DST],
        Work::Library(_) => return None,
    })
}

/// It copies trees, and clones where that is cheaper than to copy, as copyist does.
fn floor(work: Work, place: Place) -> Option<&'static [&'static str]> {
    match (work, place) {
        (Work::Tree, Place::Btrfs) => Some(&["floor", "--clone", SRC, DST]),
        (Work::Tree, _) => Some(&["floor", SRC, DST]),
        (Work::Archive, Place::Btrfs) => Some(&["floor", "--clone", "--attributes", SRC, DST]),
        (Work::Archive, _) => Some(&["floor", "--attributes", SRC, DST]),
        (Work::Again, _) => Some(&["look", SRC, DST]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_names_both_paths() {
        let works = [
            Work::Tree,
            Work::Archive,
            Work::Again,
            Work::Move,
            Work::Clone,
            Work::Start,
            Work::Sparse,
            Work::Library(Calls::Function),
            Work::Library(Calls::Object),
            Work::Library(Calls::Tree),
        ];
        for work in works {
            let others = Tool::ALL
                .iter()
                .filter_map(|tool| Some(tool.words(work, Place::Btrfs)?.to_vec()));
            for words in others.chain([copyist(work)]) {
                let [.., src, dst] = words[..] else {
                    panic!("{words:?}")
                };
                assert_eq!(
                    (src.trim_end_matches(['/', '.']), dst),
                    (SRC, DST),
                    "{words:?}"
                );
            }
        }
    }
}
