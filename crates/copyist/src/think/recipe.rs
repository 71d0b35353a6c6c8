//! How the plain files of a directory are copied, decided once when the directory is opened. Pure: `fast` of
//! [`crate::tree`] makes the calls, and leaves to the general path what a recipe does not cover.

use crate::think::plan::SmallFiles;
use crate::words::method::{Method, Os};
use crate::words::options::{
    Atomic, Backup, Flush, Follow, Fsync, Make, NewMode, OnChange, Options, Update,
};
use crate::words::stat::{FileKind, Stat};

/// What is done with the plain files of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recipe {
    /// This run has created the directory, so no name in it exists: each file is copied by the same few calls.
    Create(Create),
    /// The same, but the options ask for more: a file is opened without a query of its destination, and the general
    /// path continues.
    Open,
    /// The directory existed, and a destination that is not older than its source is kept (`-u`).
    LeaveNewer {
        /// A file with several names is linked to the copy of the first, which takes more than a stat.
        one_name: bool,
    },
}

impl Recipe {
    /// Whether no name in the directory exists.
    pub(crate) fn creates(&self) -> bool {
        matches!(self, Recipe::Create(_) | Recipe::Open)
    }
}

/// How a plain file is created, filled and given its attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Create {
    pub(crate) files: SmallFiles,
    /// As with [`Recipe::LeaveNewer`].
    pub(crate) one_name: bool,
    /// The call that creates a file does not set all attributes that the options ask for.
    pub(crate) sets_attributes: bool,
}

/// The facts about the two sides of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sides {
    pub(crate) os: Os,
    /// This run has created the destination.
    pub(crate) is_new: bool,
    /// How small files are copied between the volumes, if all by the same calls.
    pub(crate) files: Option<SmallFiles>,
}

/// The recipe of a directory; `None` where the general path must examine each name.
pub(crate) fn recipe(sides: Sides, options: &Options) -> Option<Recipe> {
    if options.make != Make::Copy {
        return None;
    }
    if sides.is_new {
        return Some(create(sides, options).map_or(Recipe::Open, Recipe::Create));
    }
    let leaves = options.update == Update::Older && options.backup == Backup::None;
    (leaves && !options.has_journal() && !links_any_name(options)).then_some(Recipe::LeaveNewer {
        one_name: options.preserve.links,
    })
}

/// The link count of stat does not include names that lead to a file through symbolic links.
fn links_any_name(options: &Options) -> bool {
    options.preserve.links && options.follow == Follow::Always
}

/// `None` where the options ask for a query, a record or a check for each file.
fn create(sides: Sides, options: &Options) -> Option<Create> {
    // Elsewhere one call creates the destination and fills it, and some attributes are always kept.
    let creates_empty = matches!(sides.os, Os::Linux | Os::Freebsd);
    let nothing_beside = options.atomic == Atomic::No
        && (options.fsync, options.flush) == (Fsync::None, None::<Flush>)
        && options.hash_wanted().is_none()
        && !options.prove
        && options.on_change == OnChange::Report
        && !options.has_journal()
        && !options.attributes_only
        && !links_any_name(options)
        && !options.write_through_dangling
        && !options.preserve.flags;
    if !creates_empty || !nothing_beside {
        return None;
    }
    let preserve = &options.preserve;
    Some(Create {
        files: sides.files?,
        one_name: options.preserve.links,
        sets_attributes: options.new_mode != NewMode::FromSource
            || preserve.mode
            || preserve.owner
            || preserve.times
            || preserve.xattrs.wanted()
            || preserve.context.wanted(),
    })
}

impl Create {
    /// Whether the recipe covers this file: a small one without holes.
    pub(crate) fn covers(&self, src: &Stat) -> bool {
        self.files.cover(src) && !(self.one_name && src.links > 1)
    }

    pub(crate) fn method(&self, src: &Stat) -> Method {
        if src.size == 0 {
            Method::ReadWrite
        } else {
            self.files.method
        }
    }
}

/// Whether a destination is kept because its source is not newer. Other kinds, links, and what may be the same file
/// are not decided here.
pub(crate) fn leaves_newer(src: &Stat, dst: &Stat, one_name: bool) -> bool {
    let are_files = (src.kind, dst.kind) == (FileKind::Regular, FileKind::Regular);
    are_files
        && dst.modified >= src.modified
        && !src.is_same_file(dst)
        && !(one_name && src.links > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::options::{Backup, Preserve, Sparse, Want};
    use crate::words::stat::{FileId, Timestamp};

    const FILES: SmallFiles = SmallFiles {
        method: Method::ReadWrite,
        reads_empty: true,
    };

    type Change = fn(&mut Options);

    fn of(os: Os, is_new: bool, options: &Options) -> Option<Recipe> {
        let files = Some(FILES);
        recipe(Sides { os, is_new, files }, options)
    }

    fn with(change: Change) -> Options {
        let mut options = Options::default();
        change(&mut options);
        options
    }

    #[test]
    fn plain_copies_have_a_recipe_in_a_new_directory() {
        let cases: [(Change, bool, bool); 5] = [
            (|_| {}, false, false),
            (|it| it.preserve = Preserve::ARCHIVE, true, true),
            (|it| it.preserve.times = true, true, false),
            (|it| it.new_mode = NewMode::SystemDefault, true, false),
            (|it| it.sparse = Sparse::Always, false, false),
        ];
        for (change, sets_attributes, one_name) in cases {
            for os in [Os::Linux, Os::Freebsd] {
                let expected = Recipe::Create(Create {
                    files: FILES,
                    one_name,
                    sets_attributes,
                });
                assert_eq!(of(os, true, &with(change)), Some(expected));
            }
            assert_eq!(of(Os::Macos, true, &with(change)), Some(Recipe::Open));
            assert_eq!(of(Os::Windows, true, &with(change)), Some(Recipe::Open));
            assert_eq!(of(Os::Linux, false, &with(change)), None);
        }
        let unknown = Sides {
            os: Os::Linux,
            is_new: true,
            files: None,
        };
        let recipe = recipe(unknown, &Options::default());
        assert_eq!(recipe, Some(Recipe::Open));
    }

    #[test]
    fn what_is_asked_of_each_file_is_for_the_general_path() {
        for make in [Make::HardLink, Make::Symlink] {
            let options = Options {
                make,
                ..Options::default()
            };
            assert_eq!(of(Os::Linux, true, &options), None, "{make:?}");
        }
        let special: &[Change] = &[
            |it| it.attributes_only = true,
            |it| it.atomic = Atomic::BestEffort,
            |it| it.fsync = Fsync::File,
            |it| it.fsync = Fsync::End,
            |it| it.flush = Some(Flush::Ordered),
            |it| it.prove = true,
            |it| it.on_change = OnChange::Fail,
            |it| it.on_change = OnChange::Retry,
            |it| it.write_through_dangling = true,
            |it| it.preserve.flags = true,
            |it| (it.preserve.links, it.follow) = (true, Follow::Always),
            #[cfg(feature = "hash")]
            |it| it.hash = Some(crate::words::hash::HashKind::Blake3),
            #[cfg(feature = "verify")]
            |it| it.verify = true,
            #[cfg(feature = "journal")]
            |it| it.journal = Some("j".into()),
        ];
        for (n, change) in special.iter().enumerate() {
            let recipe = of(Os::Linux, true, &with(*change));
            assert_eq!(recipe, Some(Recipe::Open), "{n}");
        }
    }

    #[test]
    fn a_second_run_leaves_what_is_not_older() {
        let newer = |change: Change| {
            let mut options = with(change);
            options.update = Update::Older;
            of(Os::Linux, false, &options)
        };
        let leaves = |one_name| Some(Recipe::LeaveNewer { one_name });
        assert_eq!(newer(|_| {}), leaves(false));
        assert_eq!(newer(|it| it.preserve.links = true), leaves(true));
        assert_eq!(
            newer(|it| it.preserve.xattrs = Want::Required),
            leaves(false)
        );
        assert_eq!(newer(|it| it.backup = Backup::Simple), None);
        assert_eq!(newer(|it| it.make = Make::HardLink), None);
    }

    fn file(inode: u128, seconds: i64) -> Stat {
        Stat {
            id: FileId { volume: 1, inode },
            kind: FileKind::Regular,
            mode: 0o644,
            uid: 0,
            gid: 0,
            size: 1,
            allocated_bytes: 4096,
            links: 1,
            device: 0,
            accessed: Timestamp::default(),
            modified: Timestamp { seconds, nanos: 0 },
            changed: Timestamp::default(),
            created: None,
            flags: None,
        }
    }

    #[test]
    fn only_another_file_that_is_not_older_is_left() {
        let (src, dst) = (file(1, 10), file(2, 10));
        assert!(leaves_newer(&src, &dst, true));
        assert!(leaves_newer(&src, &file(2, 11), false));
        assert!(!leaves_newer(&src, &file(2, 9), false), "it is older");
        assert!(!leaves_newer(&src, &src, false), "it is the source");
        let linked = Stat { links: 2, ..src };
        assert!(leaves_newer(&linked, &dst, false));
        assert!(!leaves_newer(&linked, &dst, true), "a link may be wanted");
        let dir = Stat {
            kind: FileKind::Directory,
            ..dst
        };
        assert!(!leaves_newer(&src, &dir, false));
    }
}
