//! Whether a destination that is the source under another name may be replaced. Pure.

use crate::think::policy::Policy;
use crate::words::options::{Backup, Force, Make};

/// How two names relate that lead, or may lead, to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Relation {
    /// The options follow symbolic links in the source.
    pub(crate) follows: bool,
    /// With symbolic links followed as the options say, both are one file.
    pub(crate) same_file: bool,
    /// The directory entries themselves refer to one inode.
    pub(crate) same_inode: bool,
    /// They are one directory entry: the same name in the same directory.
    pub(crate) same_entry: bool,
    /// With all symbolic links followed, both are one file.
    pub(crate) same_target: bool,
    pub(crate) src_is_link: bool,
    pub(crate) dst_is_link: bool,
    /// The number of hard links of the destination.
    pub(crate) dst_names: u64,
}

/// What to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sameness {
    /// They are distinct: copy.
    Distinct,
    /// Nothing needs to be done: the destination is already as it should be.
    Done,
    /// Copying would destroy the source.
    Same,
}

/// Decides for two names, as cp does.
pub(crate) fn judge(relation: Relation, policy: &Policy) -> Sameness {
    if relation.same_file && policy.make == Make::HardLink {
        return Sameness::Done;
    }
    if !relation.follows {
        if relation.src_is_link && relation.dst_is_link {
            return two_links(relation, policy);
        }
    } else {
        if !relation.same_file {
            return Sameness::Distinct;
        }
        let both_links = relation.src_is_link && relation.dst_is_link;
        if both_links && policy.force == Force::RemoveFirst {
            return Sameness::Distinct;
        }
    }
    if policy.backup != Backup::None {
        return with_backup(relation);
    }
    if policy.force == Force::RemoveFirst && removable(relation) {
        return Sameness::Distinct;
    }
    if !relation.src_is_link && !relation.dst_is_link && !relation.same_inode {
        return Sameness::Distinct;
    }
    if policy.make == Make::Symlink && relation.dst_is_link {
        return Sameness::Distinct;
    }
    if !relation.follows && !relation.same_target {
        return Sameness::Distinct;
    }
    if !relation.follows && policy.make == Make::HardLink {
        // A link to the source is replaced by a hard link to it; a hard link is there already.
        return if relation.dst_is_link {
            Sameness::Distinct
        } else {
            Sameness::Done
        };
    }
    Sameness::Same
}

/// Two symbolic links that are copied as links: allowed, unless they are one and the same.
fn two_links(relation: Relation, policy: &Policy) -> Sameness {
    if relation.same_entry {
        Sameness::Same
    } else if relation.same_inode && policy.backup == Backup::None {
        Sameness::Done
    } else {
        Sameness::Distinct
    }
}

/// The old file is renamed first: allowed, unless that removes the source.
fn with_backup(relation: Relation) -> Sameness {
    let same = if relation.same_inode {
        relation.same_entry
    } else {
        // The source is a link to the destination, and would then dangle.
        relation.follows && relation.src_is_link && !relation.dst_is_link
    };
    if same {
        Sameness::Same
    } else {
        Sameness::Distinct
    }
}

/// Whether the source still exists after the destination is removed.
fn removable(relation: Relation) -> bool {
    relation.dst_is_link || (relation.same_inode && relation.dst_names > 1 && !relation.same_entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::options::Options;

    fn judge(relation: Relation, options: &Options) -> Sameness {
        super::judge(relation, &Policy::of(options))
    }

    const HARD_LINKS: Relation = Relation {
        follows: true,
        same_file: true,
        same_inode: true,
        same_entry: false,
        same_target: true,
        src_is_link: false,
        dst_is_link: false,
        dst_names: 2,
    };
    const ITSELF: Relation = Relation {
        same_entry: true,
        dst_names: 1,
        ..HARD_LINKS
    };
    const LINK_TO_SOURCE: Relation = Relation {
        same_inode: false,
        dst_is_link: true,
        dst_names: 1,
        ..HARD_LINKS
    };
    const SOURCE_IS_LINK: Relation = Relation {
        same_inode: false,
        src_is_link: true,
        dst_names: 1,
        ..HARD_LINKS
    };

    fn not_followed(relation: Relation) -> Relation {
        Relation {
            follows: false,
            ..relation
        }
    }

    #[test]
    fn one_file_under_two_names_is_the_same() {
        for relation in [HARD_LINKS, ITSELF, LINK_TO_SOURCE, SOURCE_IS_LINK] {
            assert_eq!(
                judge(relation, &Options::default()),
                Sameness::Same,
                "{relation:?}"
            );
        }
        assert_eq!(
            judge(not_followed(HARD_LINKS), &Options::default()),
            Sameness::Same
        );
        assert_eq!(
            judge(not_followed(LINK_TO_SOURCE), &Options::default()),
            Sameness::Same
        );
    }

    #[test]
    fn a_destination_that_is_removed_first_may_be_another_name_of_the_source() {
        let options = Options {
            force: Force::RemoveFirst,
            ..Options::default()
        };
        assert_eq!(judge(HARD_LINKS, &options), Sameness::Distinct);
        assert_eq!(judge(LINK_TO_SOURCE, &options), Sameness::Distinct);
        assert_eq!(judge(ITSELF, &options), Sameness::Same);
        assert_eq!(judge(SOURCE_IS_LINK, &options), Sameness::Same);
    }

    #[test]
    fn a_backup_must_not_take_the_source_away() {
        let options = Options {
            backup: Backup::Simple,
            ..Options::default()
        };
        assert_eq!(judge(HARD_LINKS, &options), Sameness::Distinct);
        assert_eq!(judge(LINK_TO_SOURCE, &options), Sameness::Distinct);
        assert_eq!(judge(ITSELF, &options), Sameness::Same);
        assert_eq!(judge(SOURCE_IS_LINK, &options), Sameness::Same);
    }

    #[test]
    fn a_hard_link_to_what_is_linked_already_is_done() {
        let options = Options {
            make: Make::HardLink,
            ..Options::default()
        };
        assert_eq!(judge(not_followed(HARD_LINKS), &options), Sameness::Done);
    }
}
