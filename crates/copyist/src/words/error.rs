//! Errors: the operation, method, paths, offset and cause, and the methods that had been tried.

use crate::words::code::Code;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::method::Skip;
use super::method::{Method, Os};
use super::report::{Attempt, Summary};

/// The operation that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the documentation
#[non_exhaustive]
pub enum Operation {
    StatSource,
    StatDestination,
    /// Calling stat on a directory that leads to an operand (`--parents`).
    StatParent,
    OpenSource,
    OpenDestination,
    CreateFile,
    OpenDirectory,
    ReadDirectory,
    CreateDirectory,
    /// Making a directory that leads to an operand (`--parents`).
    CreateParent,
    /// Querying the volume (statfs, GetVolumeInformation and the like).
    Volume,
    ReadLink,
    CreateSymlink,
    CreateHardLink,
    CreateFifo,
    CreateSpecial,
    Remove,
    MakeBackup,
    /// Moving data; [`Error::method`] and [`Error::offset`] have the method and the position.
    Read,
    Write,
    Transfer,
    FindHoles,
    /// Querying the extents of a file ([`crate::measure::shared_bytes`]).
    FindExtents,
    Allocate,
    Truncate,
    SetMode,
    SetOwner,
    SetTimes,
    ListXattrs,
    ReadXattrs,
    SetXattrs,
    SetAcl,
    SetFlags,
    /// Waiting until data is on stable storage ([`crate::Options::flush`]).
    Flush,
    /// Reading or writing the journal ([`crate::Options::journal`]).
    Journal,
    /// Renaming a finished copy over the file that it replaces.
    Replace,
    CloseDestination,
    /// Reading a copy back to compare it ([`crate::Options::verify`]). Unless the cause is [`Refusal::Differs`], the
    /// comparison was not made, and the copy was kept.
    Verify,
    /// Reading a source again to compare its copy with it; as with `Verify`, the copy was kept.
    VerifySource,
    /// Reading a copy to report its hash ([`crate::Options::hash`]); the copy was kept.
    Hash,
    /// Dropping the rights that the copy does not need ([`crate::process::enter_sandbox`]).
    EnterSandbox,
    /// Deciding what to do; the cause is a [`Refusal`].
    Plan,
}

/// Why copyist refused an operation that the system might have allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Source and destination are the same file, possibly under two names.
    SameFile,
    /// A directory would be copied into itself.
    IntoItself,
    /// The source is a directory and `recursive` is off.
    OmittingDirectory,
    /// A directory can't replace a file that is not a directory.
    DirectoryOverFile,
    /// A path that leads to an operand has a component that is not a directory (`--parents`).
    ParentNotDirectory,
    /// A file can't replace a directory.
    FileOverDirectory,
    /// The destination was created earlier in this run.
    JustCreated,
    /// The destination's parent is a symbolic link that was created earlier in this run.
    ThroughJustCreatedSymlink,
    /// The destination is a symbolic link whose target does not exist.
    DanglingSymlink,
    /// The destination, inside a tree, is a symbolic link of a user who does not own the link's target. A process of
    /// the superuser does not write through it.
    ForeignSymlink,
    /// The existing destination, inside a tree, is a FIFO, a socket or a device.
    NotRegularFile,
    /// Backing up the destination would destroy the source.
    BackupDestroysSource,
    /// The destination exists, and the options have [`Update::NoneFail`](crate::options::Update::NoneFail).
    NotReplacing,
    /// [`Observer::may_replace`](crate::Observer::may_replace) returned `false`.
    Declined,
    /// The source was replaced by another file between its stat and its open.
    Replaced,
    /// A directory was moved away, or replaced by another one, while it was copied.
    Moved,
    /// A followed symbolic link leads back to a directory that contains it.
    Loop,
    /// Another process has the journal locked.
    JournalInUse,
    /// The journal was written by a copy with other sources, destinations or options.
    JournalOfAnother,
    /// The file is not a journal of this version.
    NotJournal,
    /// The source changed while it was copied, and the options have [`crate::options::OnChange::Fail`].
    Changed,
    /// Files of this type can't be copied.
    UnknownKind,
    /// None of the methods that the options allow can be used. The methods that were not tried, each with the reason.
    NoMethod(Vec<(Method, Skip)>),
    /// The copy was read back, and its content differs from what was written.
    Differs,
    /// The copy was read back, and the file still has its content from before the copy: the filesystem has not stored
    /// the new data yet.
    NotStored,
    /// The run was cancelled.
    Cancelled,
    /// A relative symbolic link can be created in the current directory only.
    RelativeSymlink,
    /// A cloud provider holds the content and would download it for the copy. That is done only for a file that the
    /// caller named (Windows).
    NotLocal,
}

/// The cause of an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A system call returned this code.
    System(Code),
    /// copyist refused the operation.
    Refused(Refusal),
}

/// A failure to copy something.
pub struct Error {
    inner: Box<Inner>,
}

struct Inner {
    os: Os,
    operation: Operation,
    cause: Cause,
    method: Option<Method>,
    src: Option<PathBuf>,
    dst: Option<PathBuf>,
    offset: Option<u64>,
    attempts: Vec<Attempt>,
    io: io::Error,
}

/// The result of copyist's operations.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn new(os: Os, operation: Operation, cause: Cause) -> Error {
        let io = match &cause {
            Cause::System(code) if *code != Code::NO_PROGRESS => {
                io::Error::from_raw_os_error(code.0)
            }
            Cause::System(_) => io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "it ended before the end of the file",
            ),
            Cause::Refused(refusal) => io::Error::new(refusal.kind(), refusal.to_string()),
        };
        Error {
            inner: Box::new(Inner {
                os,
                operation,
                cause,
                method: None,
                src: None,
                dst: None,
                offset: None,
                attempts: Vec::new(),
                io,
            }),
        }
    }

    pub(crate) fn with_paths(mut self, src: Option<PathBuf>, dst: Option<PathBuf>) -> Error {
        self.inner.src = src;
        self.inner.dst = dst;
        self
    }

    pub(crate) fn with_transfer(mut self, method: Method, offset: u64) -> Error {
        self.inner.method = Some(method);
        self.inner.offset = Some(offset);
        self
    }

    pub(crate) fn with_attempts(mut self, attempts: &[Attempt]) -> Error {
        self.inner.attempts = attempts.to_vec();
        self
    }

    pub(crate) fn os(&self) -> Os {
        self.inner.os
    }

    /// The operation that failed.
    pub fn operation(&self) -> Operation {
        self.inner.operation
    }

    /// The cause: the system's error code, or the reason of a refusal.
    pub fn cause(&self) -> &Cause {
        &self.inner.cause
    }

    /// The method that was moving data, if any.
    pub fn method(&self) -> Option<Method> {
        self.inner.method
    }

    /// The source's path.
    pub fn source_path(&self) -> Option<&Path> {
        self.inner.src.as_deref()
    }

    /// The destination's path.
    pub fn destination_path(&self) -> Option<&Path> {
        self.inner.dst.as_deref()
    }

    /// The position in the file at which it failed, in bytes; `None` if no data was being moved.
    pub fn offset(&self) -> Option<u64> {
        self.inner.offset
    }

    /// The methods that were tried on this file, the failed one included.
    pub fn attempts(&self) -> &[Attempt] {
        &self.inner.attempts
    }

    /// The cause as an [`io::Error`].
    pub fn io_error(&self) -> &io::Error {
        &self.inner.io
    }

    /// The system's error code; `None` if copyist itself refused.
    pub fn code(&self) -> Option<Code> {
        match self.inner.cause {
            Cause::System(code) => Some(code),
            Cause::Refused(_) => None,
        }
    }

    /// The constant's name of [`Error::code`], such as `ENOSPC`; `None` without a code, or for one without a name
    /// here.
    pub fn code_name(&self) -> Option<&'static str> {
        self.code()?.name(self.inner.os)
    }

    /// Whether the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cause == Cause::Refused(Refusal::Cancelled)
    }
}

impl Operation {
    /// The operation in words; the path follows them in a message.
    pub const fn words(self) -> &'static str {
        match self {
            Operation::StatSource | Operation::StatDestination => "cannot stat",
            Operation::StatParent => "failed to get attributes of",
            Operation::OpenSource => "cannot open for reading",
            Operation::OpenDestination => "cannot open for writing",
            Operation::CreateFile => "cannot create regular file",
            Operation::OpenDirectory => "cannot access",
            Operation::ReadDirectory => "cannot read directory",
            Operation::CreateDirectory => "cannot create directory",
            Operation::CreateParent => "cannot make directory",
            Operation::Volume => "cannot examine the volume of",
            Operation::ReadLink => "cannot read symbolic link",
            Operation::CreateSymlink => "cannot create symbolic link",
            Operation::CreateHardLink => "cannot create hard link",
            Operation::CreateFifo => "cannot create fifo",
            Operation::CreateSpecial => "cannot create special file",
            Operation::Remove => "cannot remove",
            Operation::MakeBackup => "cannot backup",
            Operation::Read => "error reading",
            Operation::Write => "error writing",
            Operation::Transfer => "cannot copy",
            Operation::FindHoles => "cannot find holes in",
            Operation::FindExtents => "cannot find the extents of",
            Operation::Allocate => "cannot allocate space for",
            Operation::Truncate => "cannot truncate",
            Operation::SetMode => "cannot preserve permissions of",
            Operation::SetOwner => "cannot preserve ownership of",
            Operation::SetTimes => "cannot preserve times of",
            Operation::ListXattrs => "cannot list extended attributes of",
            Operation::ReadXattrs => "cannot read extended attributes of",
            Operation::SetXattrs => "cannot preserve extended attributes of",
            Operation::SetAcl => "cannot preserve access control list of",
            Operation::SetFlags => "cannot preserve inode flags of",
            Operation::Flush => "cannot flush the data of",
            Operation::Journal => "cannot use the journal",
            Operation::Replace => "cannot replace",
            Operation::CloseDestination => "failed to close",
            Operation::Verify => "could not verify",
            Operation::VerifySource => "could not verify the copy of",
            Operation::Hash => "could not hash",
            Operation::EnterSandbox => "cannot enter a sandbox",
            Operation::Plan => "cannot copy",
        }
    }

    /// Whether the operation acts on the source (otherwise on the destination).
    pub const fn is_about_source(self) -> bool {
        matches!(
            self,
            Operation::StatSource
                | Operation::StatParent
                | Operation::OpenSource
                | Operation::OpenDirectory
                | Operation::ReadDirectory
                | Operation::ReadLink
                | Operation::Read
                | Operation::FindHoles
                | Operation::ListXattrs
                | Operation::ReadXattrs
                | Operation::Plan
                | Operation::VerifySource
        )
    }
}

impl Refusal {
    fn kind(&self) -> io::ErrorKind {
        match self {
            Refusal::NotReplacing | Refusal::JustCreated => io::ErrorKind::AlreadyExists,
            Refusal::OmittingDirectory => io::ErrorKind::IsADirectory,
            Refusal::NoMethod(_) => io::ErrorKind::Unsupported,
            Refusal::Differs => io::ErrorKind::InvalidData,
            Refusal::Cancelled => io::ErrorKind::Interrupted,
            Refusal::SameFile | Refusal::IntoItself | Refusal::Loop => io::ErrorKind::InvalidInput,
            _ => io::ErrorKind::Other,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Refusal::SameFile => "source and destination are the same file",
            Refusal::IntoItself => "a directory can't be copied into itself",
            Refusal::OmittingDirectory => "it is a directory, and the copy is not recursive",
            Refusal::DirectoryOverFile => "a directory can't replace a file",
            Refusal::ParentNotDirectory => "it exists and is no directory",
            Refusal::FileOverDirectory => "a file can't replace a directory",
            Refusal::JustCreated => "the destination was created by this run",
            Refusal::ThroughJustCreatedSymlink => {
                "the destination lies behind a symbolic link created by this run"
            }
            Refusal::DanglingSymlink => "the destination is a dangling symbolic link",
            Refusal::ForeignSymlink => "the destination is another user's symbolic link",
            Refusal::NotRegularFile => "the destination is no file to be written into",
            Refusal::BackupDestroysSource => "backing up the destination would destroy the source",
            Refusal::NotReplacing => "the destination exists",
            Refusal::Declined => "declined",
            Refusal::Replaced => "the file was replaced while being copied",
            Refusal::Moved => "the directory was moved away while it was copied",
            Refusal::JournalInUse => "another run uses it",
            Refusal::JournalOfAnother => "it is that of another copy",
            Refusal::NotJournal => "it is no journal of this version",
            Refusal::Changed => "the file changed while being copied",
            Refusal::Loop => "a symbolic link leads back to a directory above it",
            Refusal::UnknownKind => "unknown file type",
            Refusal::NoMethod(skipped) => {
                f.write_str("none of the allowed methods works here")?;
                for (method, why) in skipped {
                    write!(f, "; {method}: {why}")?;
                }
                return Ok(());
            }
            Refusal::Differs => "its content is not what was copied",
            Refusal::NotStored => "it still has its old content",
            Refusal::Cancelled => "cancelled",
            Refusal::RelativeSymlink => {
                "relative symbolic links can be made in the current directory only"
            }
            Refusal::NotLocal => {
                "its content is not on this machine; name the file itself to have it fetched"
            }
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.inner;
        f.write_str(inner.operation.words())?;
        let (first, second) = if inner.operation.is_about_source() {
            (&inner.src, &inner.dst)
        } else {
            (&inner.dst, &inner.src)
        };
        if let Some(path) = first.as_ref().or(second.as_ref()) {
            write!(f, " {path:?}")?;
        }
        if let Some(method) = inner.method {
            write!(f, " by {method}")?;
        }
        if let Some(offset) = inner.offset {
            write!(f, " at byte {offset}")?;
        }
        write!(f, ": {}", inner.io)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("operation", &self.inner.operation)
            .field("cause", &self.inner.cause)
            .field("method", &self.inner.method)
            .field("source", &self.inner.src)
            .field("destination", &self.inner.dst)
            .field("offset", &self.inner.offset)
            .field("attempts", &self.inner.attempts)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.inner.io)
    }
}

impl From<Error> for io::Error {
    /// Keeps the system's error code ([`io::Error::raw_os_error`]), since a caller of [`std::fs::copy`] may check it.
    /// An [`io::Error`] with a code can't hold anything else: to have the paths in the message, print the [`Error`].
    /// Without a code, the kind is kept, and the [`Error`] is the inner error.
    ///
    /// ```
    /// fn copy() -> std::io::Result<()> {
    ///     copyist::copy("no such file", "copy")?;
    ///     Ok(())
    /// }
    /// let error = copy().expect_err("there is no such file");
    /// assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    /// assert!(error.raw_os_error().is_some());
    /// ```
    fn from(error: Error) -> io::Error {
        match error.inner.io.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::new(error.inner.io.kind(), error),
        }
    }
}

/// The error of a run over several files: at least one entry failed; all others were copied.
///
/// ```
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// let failed = copyist::Copier::new().copy_tree(&src, &dst).expect_err("there is no source");
/// assert_eq!((failed.failures(), failed.summary().files), (1, 0));
/// assert_eq!(failed.first().io_error().kind(), std::io::ErrorKind::NotFound);
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "something was not copied"]
#[derive(Debug)]
pub struct TreeError {
    inner: Box<(Summary, Error)>,
}

impl TreeError {
    pub(crate) fn new(summary: Summary, first: Error) -> TreeError {
        TreeError {
            inner: Box::new((summary, first)),
        }
    }

    /// What was copied despite the failures.
    pub fn summary(&self) -> &Summary {
        &self.inner.0
    }

    /// The first failure. An observer gets every failure as an [`Event::Error`](crate::Event::Error).
    pub fn first(&self) -> &Error {
        &self.inner.1
    }

    /// The number of failures.
    pub fn failures(&self) -> u64 {
        self.inner.0.errors
    }

    /// Whether the run was cancelled, and nothing else failed.
    pub fn is_cancelled(&self) -> bool {
        self.first().is_cancelled() && self.failures() == 1
    }

    /// Converts into the first failure.
    pub fn into_first(self) -> Error {
        self.inner.1
    }
}

impl fmt::Display for TreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.failures() {
            0 | 1 => write!(f, "{}", self.first()),
            failures => write!(f, "{failures} failures, the first: {}", self.first()),
        }
    }
}

impl std::error::Error for TreeError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.first())
    }
}

impl From<TreeError> for io::Error {
    /// Converts the first failure, as for a single [`Error`].
    fn from(error: TreeError) -> io::Error {
        error.into_first().into()
    }
}
