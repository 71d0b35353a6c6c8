//! The options of a copy.

use std::ffi::OsString;
use std::num::NonZeroUsize;
#[cfg(feature = "journal")]
use std::path::PathBuf;
use std::sync::Arc;

use super::bench_results::BenchResult;
use super::hash::HashKind;
use super::method::MethodSet;

/// The policy on cloning (`--reflink` of cp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Reflink {
    /// Clone where possible, otherwise copy.
    #[default]
    Auto,
    /// Clone, or fail.
    Always,
    /// Never share an extent. This excludes copy_file_range too, which may share extents.
    Never,
}

/// The policy on holes (`--sparse` of cp).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sparse {
    /// Keep the source's holes.
    #[default]
    Auto,
    /// Keep them, and turn blocks that are all zeros into holes.
    Always,
    /// Fill holes with zeros.
    Never,
}

/// Whether something is wanted, and whether its failure is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Want {
    /// Don't do it.
    #[default]
    No,
    /// Do it where the destination supports it; lack of support is not an error.
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

/// The attributes to preserve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Preserve {
    /// Permission bits, including the set-ID and sticky bits.
    pub mode: bool,
    /// Access control lists. They need `mode`, since the permission bits are part of them.
    pub acl: bool,
    /// Owner and group. Without the right to set them they are silently not kept, and the set-ID bits are dropped. On
    /// Windows the right is SeRestorePrivilege, which the program has to enable in its token.
    pub owner: bool,
    /// Access and modification times, to the nanosecond.
    pub times: bool,
    /// Hard links between the copied files. Where the destination's filesystem can't create a link, the file is
    /// copied again, and [`crate::Event::NoLink`] reports it.
    pub links: bool,
    /// Extended attributes other than access control lists.
    pub xattrs: Want,
    /// SELinux security context (the xattr `security.selinux`).
    pub context: Want,
    /// The inode flags of chattr(1) that can be set on a copy (NOCOW is set before the first byte is written).
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
    /// Those that the caller named as a source.
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
    /// Never; an existing destination is no error.
    None,
    /// Never; each existing destination is an error.
    NoneFail,
}

/// What to do with a destination that can't be opened for writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Force {
    /// Report an error.
    #[default]
    No,
    /// Remove it and create it again (`-f`).
    IfNeeded,
    /// Remove every existing destination before copying to it (`--remove-destination`).
    RemoveFirst,
}

/// Whether and how the old version of a replaced destination is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Backup {
    /// It isn't kept.
    #[default]
    None,
    /// Under its name with the suffix appended.
    Simple,
    /// Numbered if numbered backups of the file exist, otherwise simple.
    Existing,
    /// Under its name with `.~N~` appended.
    Numbered,
}

/// What is created for a source file.
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
    /// `Keep`, but `DropBehind` for a file that would evict everything else: one that, together with its copy, is
    /// larger than the available memory.
    #[default]
    Auto,
    /// The kernel's default.
    Keep,
    /// Only what was there before. Linux: copied data is written to the device and evicted while the copy runs, and
    /// counts as progress when it is on the device (RWF_DONTCACHE where kernel and filesystem support it, otherwise
    /// sync_file_range(2) and posix_fadvise(2)). Elsewhere like `Direct`.
    DropBehind,
    /// The method [`Method::Direct`](crate::Method::Direct) where the files allow it, otherwise `DropBehind`.
    Direct,
}

/// Whether a file gets its name only when it is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Atomic {
    /// No: an existing file is written into, and a new one has its name from the start.
    #[default]
    No,
    /// Where the destination allows it. Elsewhere (a mount point, a mount without rename, a directory without write
    /// permission) the file is written into, and the first such file is reported
    /// ([`crate::observer::Warning::WroteInPlace`], [`crate::Report::in_place`]).
    BestEffort,
    /// Always: a file that can't be published this way is an error ([`crate::Error::is_not_atomic`]), and the
    /// existing destination is left as it is.
    Required,
}

impl Atomic {
    /// Whether it is wanted at all.
    pub const fn wanted(self) -> bool {
        !matches!(self, Atomic::No)
    }
}

/// When copied data is forced to stable storage, so that it survives a power failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Fsync {
    /// When the kernel writes it out by itself.
    #[default]
    None,
    /// Each file and its directory entry, before the file is reported as done (fsync).
    File,
    /// Everything, before the run ends: all dirty data of the volumes is written out (syncfs), which costs a fraction
    /// of an fsync per file. Where the system has no such call, as `File`.
    End,
}

/// What to do when a source changes while it is copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum OnChange {
    /// Keep the copy, and report a warning.
    #[default]
    Report,
    /// Copy it again, up to three times, and report it if it still changes. A source whose name was given to another
    /// file before it was opened is looked up again as often.
    Retry,
    /// Report an error and remove the copy (with [`Options::atomic`], it never had the name).
    Fail,
}

/// The options of a copy: how files are opened and replaced, trees walked and attributes preserved.
///
/// [`Copier`](crate::Copier) has a setter for each option; a program that parses options from its own arguments can
/// set the fields.
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
    /// The policy on cloning.
    pub reflink: Reflink,
    /// The policy on holes.
    pub sparse: Sparse,
    /// The methods that may be used; `None` leaves the choice to the planner.
    pub methods: Option<MethodSet>,
    /// The attributes to preserve.
    pub preserve: Preserve,
    /// The permission bits of new files where `preserve` doesn't include the mode.
    pub new_mode: NewMode,
    /// The symbolic links in the source that are followed.
    pub follow: Follow,
    /// Where a source that the caller named is a symbolic link to an open file (`/dev/stdin`, `/dev/fd/3`, others in
    /// `/proc`) and not to a directory, read that file, whatever [`Options::follow`] and [`Options::copy_contents`]
    /// say. A copy of the link would have no meaning in another process.
    pub read_open_files: bool,
    /// Copy directories with their content.
    pub recursive: bool,
    /// Don't cross into other filesystems; their mount points become empty directories.
    pub one_file_system: bool,
    /// Read FIFOs, devices and sockets instead of creating new ones.
    pub copy_contents: bool,
    /// Create files without their data, and set the attributes of existing ones.
    pub attributes_only: bool,
    /// What is created for each source file.
    pub make: Make,
    /// When an existing destination is replaced.
    pub update: Update,
    /// Call [`crate::Observer::may_replace`] before an existing destination is replaced.
    pub interactive: bool,
    /// Call [`crate::Observer::wants`] for each entry, and skip the entries that are not wanted.
    pub filtered: bool,
    /// What to do with a destination that can't be opened for writing.
    pub force: Force,
    /// Whether and how replaced files are kept.
    pub backup: Backup,
    /// The suffix of simple backups.
    pub backup_suffix: OsString,
    /// Treat a destination that is a symbolic link to a directory as that directory.
    pub keep_directory_symlink: bool,
    /// Write through a destination that is a dangling symbolic link, as POSIX specifies for cp.
    pub write_through_dangling: bool,
    /// The number of workers. `None`: at first the number of processors (at most eight), then adapted to what is
    /// measured: more on a mount with a high latency, fewer on a rotational disk.
    pub jobs: Option<NonZeroUsize>,
    /// Earlier measurements; see [`BenchResult`].
    pub bench_results: Arc<[BenchResult]>,
    /// Query, after each file, how many bytes it shares with its source ([`crate::Report::shared`]). Dirty data of
    /// the file is written out for this.
    pub prove: bool,
    /// Write each file under a temporary name, or without one, and give it its name when it is complete: no process
    /// sees a partial file, and a replaced file keeps its content until then. The result is a new inode: hard links
    /// to the old file keep the old content.
    pub atomic: Atomic,
    /// When copied data is forced to stable storage.
    pub fsync: Fsync,
    /// What to do when a source changes while it is copied.
    pub on_change: OnChange,
    /// Keep a journal in this file, or continue from it if it exists: a run that was killed or lost power is resumed
    /// by running the same copy again. It implies [`Atomic::BestEffort`]. The file is removed when everything has
    /// been copied.
    #[cfg(feature = "journal")]
    pub journal: Option<PathBuf>,
    /// Flush each file's data before it counts as copied; `None` leaves that to the kernel.
    pub flush: Option<Flush>,
    /// Report a hash of each file's content ([`crate::Report::hash`]).
    #[cfg(feature = "hash")]
    pub hash: Option<HashKind>,
    /// Close each copy, read it back (from the device, as far as the system allows that) and compare its hash. A copy
    /// that differs is an error ([`crate::error::Refusal::Differs`]) and is removed. A copy that could not be read or
    /// compared is an error too ([`crate::error::Operation::Verify`], [`crate::error::Operation::VerifySource`]), and
    /// is kept.
    #[cfg(feature = "verify")]
    pub verify: bool,
    /// Keep a copy that [`Options::verify`] has found to differ, under its name.
    #[cfg(feature = "verify")]
    pub keep_bad: bool,
    /// What may remain in the page cache.
    pub cache: Cache,
    /// Process one entry at a time, each directory in the order of its inode numbers (where the system reports them),
    /// so that an observer's events come in a fixed order. All names of a directory are read first.
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
    /// The hash to compute of what is copied.
    pub(crate) fn hash_wanted(&self) -> Option<HashKind> {
        #[cfg(feature = "hash")]
        return self.hash.or(self.verifies().then_some(HashKind::Blake3));
        #[cfg(not(feature = "hash"))]
        None
    }

    /// The hash to report.
    pub(crate) fn reported_hash(&self) -> Option<HashKind> {
        #[cfg(feature = "hash")]
        return self.hash;
        #[cfg(not(feature = "hash"))]
        None
    }

    /// Whether each copy is read back and compared.
    pub(crate) fn verifies(&self) -> bool {
        #[cfg(feature = "verify")]
        return self.verify;
        #[cfg(not(feature = "verify"))]
        false
    }

    /// Whether a copy that differs is kept.
    pub(crate) fn keeps_bad(&self) -> bool {
        #[cfg(feature = "verify")]
        return self.keep_bad;
        #[cfg(not(feature = "verify"))]
        false
    }

    /// Whether a journal is kept.
    pub(crate) fn has_journal(&self) -> bool {
        #[cfg(feature = "journal")]
        return self.journal.is_some();
        #[cfg(not(feature = "journal"))]
        false
    }
}

/// How far data is flushed before a file counts as copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flush {
    /// To the device, after everything that was written earlier (F_BARRIERFSYNC).
    Ordered,
    /// To stable storage: the data survives a power failure (fsync; macOS: F_FULLFSYNC).
    Durable,
}
