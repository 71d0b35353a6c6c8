//! What the caller wants.

use std::ffi::OsString;
use std::num::NonZeroUsize;
#[cfg(feature = "journal")]
use std::path::PathBuf;
use std::sync::Arc;

use super::bench_results::BenchResult;
use super::hash::HashKind;
use super::method::MethodSet;

/// The user's policy on cloning (the `--reflink` of cp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reflink {
    /// Clone where possible, else copy.
    #[default]
    Auto,
    /// Clone, or fail.
    Always,
    /// Never share an extent; this excludes copy_file_range too, which may share by itself.
    Never,
}

/// The user's policy on holes (the `--sparse` of cp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sparse {
    /// Keep the source's holes.
    #[default]
    Auto,
    /// Also make holes of blocks that are all zeros.
    Always,
    /// Fill holes with zeros.
    Never,
}

/// Whether something is wanted, and whether its failure is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Want {
    /// Leave it.
    #[default]
    No,
    /// Do it where the destination can; a failure because it can't is not an error.
    BestEffort,
    /// Do it; any failure is an error.
    Required,
}

impl Want {
    /// Whether it is wanted at all.
    pub const fn wanted(self) -> bool {
        !matches!(self, Want::No)
    }
}

/// The attributes to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Preserve {
    /// Permission bits, with set-id and sticky bits.
    pub mode: bool,
    /// Access control lists; nothing without `mode`, whose bits are part of them.
    pub acl: bool,
    /// Owner and group. Kept where the process may; without the right to, silently not, and then
    /// the set-id bits are dropped. On Windows it may where SeRestorePrivilege is enabled in its token, which is
    /// the program's to do.
    pub owner: bool,
    /// Access and modification times, to the nanosecond.
    pub times: bool,
    /// Hard links between the copied files. A name that the destination's filesystem can't make a link is
    /// another copy, and [`crate::Event::NoLink`] says so.
    pub links: bool,
    /// Extended attributes other than access control lists.
    pub xattrs: Want,
    /// SELinux security context (the xattr `security.selinux`).
    pub context: Want,
    /// The inode flags of chattr(1) that can be set on a copy (NOCOW before the first byte).
    pub flags: bool,
}

impl Preserve {
    /// Whether access control lists are kept.
    pub(crate) const fn keeps_acl(&self) -> bool {
        self.mode && self.acl
    }

    /// Nothing, as `cp` without options does.
    pub const NOTHING: Preserve = Preserve {
        mode: false,
        acl: false,
        owner: false,
        times: false,
        links: false,
        xattrs: Want::No,
        context: Want::No,
        flags: false,
    };

    /// The permission bits, as [`std::fs::copy`] does.
    pub const PERMISSIONS: Preserve = Preserve {
        mode: true,
        ..Preserve::NOTHING
    };

    /// Everything, as `cp --archive` does: extended attributes and contexts where possible.
    pub const ARCHIVE: Preserve = Preserve {
        mode: true,
        acl: true,
        owner: true,
        times: true,
        links: true,
        xattrs: Want::BestEffort,
        context: Want::No,
        flags: false,
    };
}

/// Which permission bits a new file gets when its mode is not preserved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum NewMode {
    /// The source's, less the umask.
    #[default]
    FromSource,
    /// The system's default (0666 or 0777, less the umask): `--no-preserve=mode`.
    SystemDefault,
}

/// Which symbolic links in the source are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Follow {
    /// None: links are copied as links.
    #[default]
    Never,
    /// Those named as a source by the caller.
    Operands,
    /// All.
    Always,
}

/// When an existing destination is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Update {
    /// Always.
    #[default]
    All,
    /// When it is older than the source.
    Older,
    /// Never; that is no error.
    None,
    /// Never; each is an error.
    NoneFail,
}

/// How a destination that can't be opened for writing is dealt with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Force {
    /// That is an error.
    #[default]
    No,
    /// It is removed and made anew (`-f`).
    IfNeeded,
    /// Every existing destination is removed before it is copied to (`--remove-destination`).
    RemoveFirst,
}

/// How the old version of a replaced destination is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Backup {
    /// It isn't.
    #[default]
    None,
    /// Under its name with the suffix.
    Simple,
    /// Numbered if numbered backups exist, else simple.
    Existing,
    /// Under its name with `.~N~`.
    Numbered,
}

/// What is made of a source file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Make {
    /// A copy.
    #[default]
    Copy,
    /// A hard link to the source (`-l`).
    HardLink,
    /// A symbolic link to the source (`-s`).
    Symlink,
}

/// What a copy may leave in the page cache (`--cache`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Cache {
    /// `Keep`, but `DropBehind` for a file that would push everything else out: with its copy, larger than
    /// the memory that is to be had.
    #[default]
    Auto,
    /// What the system likes.
    Keep,
    /// What was there before. Linux: what was copied is written to the device and dropped behind the copy,
    /// and counts as progress when it is there (RWF_DONTCACHE where kernel and filesystem have it,
    /// sync_file_range(2), posix_fadvise(2)). Elsewhere like `Direct`.
    DropBehind,
    /// The method [`Method::Direct`](crate::Method::Direct) where the files allow it, else `DropBehind`.
    Direct,
}

/// Whether a file gets its name only when it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Atomic {
    /// It doesn't: an existing file is written into, and a new one has its name at once.
    #[default]
    No,
    /// Where the destination allows that. Elsewhere (a mount point, a mount that can't rename, a directory
    /// that may not be written to) the file is written into, and the first one is reported
    /// ([`crate::observer::Warning::WroteInPlace`], [`crate::Report::in_place`]).
    BestEffort,
    /// Always: a file that can't be published so is an error ([`crate::Error::is_not_atomic`]), and
    /// what has its name stays as it is.
    Required,
}

impl Atomic {
    /// Whether it is wanted at all.
    pub const fn wanted(self) -> bool {
        !matches!(self, Atomic::No)
    }
}

/// When what was copied is made durable: safe from a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fsync {
    /// When the system does it.
    #[default]
    None,
    /// Each file, and its name, before it is told to be done (fsync).
    File,
    /// Everything, before the run ends: its volumes are told to write out all that they have
    /// (syncfs), at a fraction of the cost. Where the system has no such call, as `File`.
    End,
}

/// What is done about a source that changes while it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnChange {
    /// The copy is kept, and there is a warning.
    #[default]
    Report,
    /// It is copied again, up to three times, and then reported. One that another file takes the
    /// name of before it is open is looked at again as often.
    Retry,
    /// It is an error: the copy is removed (with [`Options::atomic`], it never had the name).
    Fail,
}

/// How files are opened and replaced, trees walked and attributes kept.
///
/// Each option has a setter on [`Copier`](crate::Copier); a program that reads options from its own
/// arguments may set the fields.
///
/// ```
/// let mut options = copyist::Options::default();
/// options.recursive = true;
/// let copier = copyist::Copier::with_options(options);
/// # let _ = copier;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Cloning policy.
    pub reflink: Reflink,
    /// Hole policy.
    pub sparse: Sparse,
    /// Only these methods may be used; `None` leaves the choice to the planner.
    pub methods: Option<MethodSet>,
    /// Attributes to keep.
    pub preserve: Preserve,
    /// Permission bits of new files otherwise.
    pub new_mode: NewMode,
    /// Symbolic links to follow in the source.
    pub follow: Follow,
    /// Read what a source named by the caller leads to where that is a symbolic link to an open file
    /// (`/dev/stdin`, `/dev/fd/3`, others in `/proc`) and no directory, whatever [`Options::follow`] and
    /// [`Options::copy_contents`] say. As a link it would mean nothing to any other process.
    pub read_open_files: bool,
    /// Copy directories with all that is in them.
    pub recursive: bool,
    /// Don't cross into other filesystems; their mount points are made as empty directories.
    pub one_file_system: bool,
    /// Read FIFOs, devices and sockets instead of making them anew.
    pub copy_contents: bool,
    /// Make files without their data, and set attributes on existing ones.
    pub attributes_only: bool,
    /// What is made of each file.
    pub make: Make,
    /// When an existing destination is replaced.
    pub update: Update,
    /// Ask the observer before replacing one.
    pub interactive: bool,
    /// Ask the observer of each entry whether it is wanted ([`crate::Observer::wants`]).
    pub filtered: bool,
    /// What to do with a destination that can't be opened.
    pub force: Force,
    /// How to keep replaced files.
    pub backup: Backup,
    /// The suffix of simple backups.
    pub backup_suffix: OsString,
    /// A destination that is a symbolic link to a directory counts as that directory.
    pub keep_directory_symlink: bool,
    /// Do as POSIX asks of cp where a destination is a dangling symbolic link: write through it.
    pub write_through_dangling: bool,
    /// Workers; `None`: as many as the machine has processors (at most eight), and then as many as
    /// turn out to be of use: more on a mount that is slow to answer, fewer on a disk that moves its head.
    pub jobs: Option<NonZeroUsize>,
    /// What was measured before; see [`BenchResult`].
    pub bench_results: Arc<[BenchResult]>,
    /// Ask the filesystem, after each file, how many bytes it shares with its source
    /// ([`crate::Report::shared`]). Data that waits to be written is written out for it.
    pub prove: bool,
    /// Write each file under a temporary name, or none, and give it its own when it is complete:
    /// nobody sees half a file, and one that is replaced keeps its content until then. It is then
    /// another file: links to the old one keep the old content.
    pub atomic: Atomic,
    /// When what was copied is made durable.
    pub fsync: Fsync,
    /// What is done about a source that changes while it is copied.
    pub on_change: OnChange,
    /// Keep a journal in this file, or go on with it if it is there: a run that was killed or lost
    /// power is continued by the same one again. It implies [`Atomic::BestEffort`]. The file is removed when
    /// everything has been copied.
    #[cfg(feature = "journal")]
    pub journal: Option<PathBuf>,
    /// Force each file's data down before it counts as copied; `None` leaves that to the system.
    pub flush: Option<Flush>,
    /// Report a hash of each file's content ([`crate::Report::hash`]).
    #[cfg(feature = "hash")]
    pub hash: Option<HashKind>,
    /// Close each copy, read it back, from the device as far as the system allows that, and compare
    /// its hash. A copy that differs is an error ([`crate::error::Refusal::Differs`]), and is removed. One
    /// that could not be read or compared is an error too ([`crate::error::Operation::Verify`],
    /// [`crate::error::Operation::VerifySource`]), and is kept.
    #[cfg(feature = "verify")]
    pub verify: bool,
    /// Keep a copy that [`Options::verify`] has found to differ, under its name.
    #[cfg(feature = "verify")]
    pub keep_bad: bool,
    /// What may stay in the page cache.
    pub cache: Cache,
    /// One entry after the other, each directory in the order of its inodes (where the system tells
    /// them), so that what an observer sees is in order. A directory's names are all read first.
    pub ordered: bool,
}

impl Default for Options {
    /// What `cp` does without options.
    fn default() -> Options {
        Options {
            reflink: Reflink::default(),
            sparse: Sparse::default(),
            methods: None,
            preserve: Preserve::default(),
            new_mode: NewMode::default(),
            follow: Follow::default(),
            read_open_files: false,
            recursive: false,
            one_file_system: false,
            copy_contents: false,
            attributes_only: false,
            make: Make::default(),
            update: Update::default(),
            interactive: false,
            filtered: false,
            force: Force::default(),
            backup: Backup::default(),
            backup_suffix: OsString::from("~"),
            keep_directory_symlink: false,
            write_through_dangling: false,
            jobs: None,
            bench_results: Arc::default(),
            prove: false,
            atomic: Atomic::default(),
            fsync: Fsync::default(),
            on_change: OnChange::default(),
            #[cfg(feature = "journal")]
            journal: None,
            flush: None,
            #[cfg(feature = "hash")]
            hash: None,
            #[cfg(feature = "verify")]
            verify: false,
            #[cfg(feature = "verify")]
            keep_bad: false,
            cache: Cache::default(),
            ordered: false,
        }
    }
}

impl Options {
    /// The hash that is to be made of what is copied.
    pub(crate) fn hash_wanted(&self) -> Option<HashKind> {
        #[cfg(feature = "hash")]
        return self.hash.or(self.verifies().then_some(HashKind::Blake3));
        #[cfg(not(feature = "hash"))]
        None
    }

    /// The hash that is to be reported.
    pub(crate) fn reported_hash(&self) -> Option<HashKind> {
        #[cfg(feature = "hash")]
        return self.hash;
        #[cfg(not(feature = "hash"))]
        None
    }

    /// Whether each copy is to be read back and compared.
    pub(crate) fn verifies(&self) -> bool {
        #[cfg(feature = "verify")]
        return self.verify;
        #[cfg(not(feature = "verify"))]
        false
    }

    /// Whether a copy that differs is to be kept.
    pub(crate) fn keeps_bad(&self) -> bool {
        #[cfg(feature = "verify")]
        return self.keep_bad;
        #[cfg(not(feature = "verify"))]
        false
    }

    /// Whether there is to be a journal.
    pub(crate) fn has_journal(&self) -> bool {
        #[cfg(feature = "journal")]
        return self.journal.is_some();
        #[cfg(not(feature = "journal"))]
        false
    }
}

/// How far down data is to be forced before a file counts as copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flush {
    /// To the device, and not before anything that was written earlier (F_BARRIERFSYNC).
    Ordered,
    /// To the medium: a power failure loses nothing (fsync; macOS: F_FULLFSYNC).
    Durable,
}
