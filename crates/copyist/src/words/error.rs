//! What went wrong: operation, method, paths, offset, cause, and what had been tried.

use crate::words::code::Code;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::method::Skip;
use super::method::{Method, Os};
use super::report::{Attempt, Summary};

/// What copyist was doing when something failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the documentation
#[non_exhaustive]
pub enum Operation {
    StatSource,
    StatDestination,
    /// Looking at a directory on the way to an operand (`--parents`).
    StatParent,
    OpenSource,
    OpenDestination,
    CreateFile,
    OpenDirectory,
    ReadDirectory,
    CreateDirectory,
    /// Making a directory on the way to an operand (`--parents`).
    CreateParent,
    /// Asking the volume what it is.
    Volume,
    ReadLink,
    CreateSymlink,
    CreateHardLink,
    CreateFifo,
    CreateSpecial,
    Remove,
    MakeBackup,
    /// Moving data; the error's method and offset say how and where.
    Read,
    Write,
    Transfer,
    FindHoles,
    /// Asking where data lies ([`crate::measure::shared_bytes`]).
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
    /// Waiting until data is safe ([`crate::Options::flush`]).
    Flush,
    /// Reading or writing the journal ([`crate::Options::journal`]).
    Journal,
    /// Giving a finished copy the name of what it replaces.
    Replace,
    CloseDestination,
    /// Reading a copy back to compare it ([`crate::Options::verify`]). Unless the cause is
    /// [`Refusal::Differs`], nothing is known against the copy, and it was kept.
    Verify,
    /// Reading a source again to compare its copy with it; as for `Verify`, the copy was kept.
    VerifySource,
    /// Reading a copy to report its hash ([`crate::Options::hash`]); the copy was kept.
    Hash,
    /// Giving up what the copy does not need ([`crate::process::enter_sandbox`]).
    EnterSandbox,
    /// Deciding what to do; the cause is a [`Refusal`].
    Plan,
}

/// Why copyist declined to do something that the system would perhaps have let it do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// Source and destination are the same file, through whatever alias.
    SameFile,
    /// A directory would be copied into itself.
    IntoItself,
    /// The source is a directory and `recursive` is off.
    OmittingDirectory,
    /// A directory can't replace something else.
    DirectoryOverFile,
    /// What is no directory is where one of those that lead to an operand has to be (`--parents`).
    ParentNotDirectory,
    /// A file can't replace a directory.
    FileOverDirectory,
    /// The destination was made by this very run.
    JustCreated,
    /// The destination's parent is a symbolic link that was made by this very run.
    ThroughJustCreatedSymlink,
    /// The destination is a symbolic link to nothing.
    DanglingSymlink,
    /// The destination is a symbolic link in a tree, made by a user who does not own what it leads to;
    /// a superuser does not write through it.
    ForeignSymlink,
    /// What would be overwritten in a tree is a FIFO, a socket or a device.
    NotRegularFile,
    /// Backing up the destination would destroy the source.
    BackupDestroysSource,
    /// The destination exists and `Update::NoneFail` was asked for.
    NotReplacing,
    /// The observer was asked, and said no.
    Declined,
    /// The source was replaced by something else between being looked at and being opened.
    Replaced,
    /// A directory was moved away, or replaced by another one, while it was copied.
    Moved,
    /// A followed symbolic link leads back to a directory that contains it.
    Loop,
    /// Another run uses the journal.
    JournalInUse,
    /// The journal is that of another copy.
    JournalOfAnother,
    /// The file is no journal of this version.
    NotJournal,
    /// It changed while it was copied, and [`crate::options::OnChange::Fail`] was asked for.
    Changed,
    /// The kind of file can't be copied.
    UnknownKind,
    /// None of the methods that the options allow serves here. Those that were not even tried,
    /// with the reason.
    NoMethod(Vec<(Method, Skip)>),
    /// The copy was read back, and its content is not what was copied.
    Differs,
    /// The copy was read back, and the file is still as it was before: the filesystem has not stored
    /// the copy yet.
    NotStored,
    /// The run was cancelled.
    Cancelled,
    /// A relative symbolic link can be made in the current directory only.
    RelativeSymlink,
    /// A cloud provider keeps the content, and would fetch it to have it copied. That is done only
    /// for a file that the caller named (Windows).
    NotLocal,
}

/// What lies behind an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The system said so.
    System(Code),
    /// copyist said so.
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

    /// What was being done.
    pub fn operation(&self) -> Operation {
        self.inner.operation
    }

    /// The system's or copyist's own reason.
    pub fn cause(&self) -> &Cause {
        &self.inner.cause
    }

    /// The method that was moving data, if one was.
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

    /// How many bytes into the file it happened.
    pub fn offset(&self) -> Option<u64> {
        self.inner.offset
    }

    /// The methods that had run on this file, the failed one included.
    pub fn attempts(&self) -> &[Attempt] {
        &self.inner.attempts
    }

    /// The cause as an [`io::Error`].
    pub fn io_error(&self) -> &io::Error {
        &self.inner.io
    }

    /// The system's error code, if the system is the cause.
    pub fn code(&self) -> Option<Code> {
        match self.inner.cause {
            Cause::System(code) => Some(code),
            Cause::Refused(_) => None,
        }
    }

    /// The name of [`Error::code`], such as `ENOSPC`.
    pub fn code_name(&self) -> Option<&'static str> {
        self.code()?.name(self.inner.os)
    }

    /// Whether the run was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.inner.cause == Cause::Refused(Refusal::Cancelled)
    }
}

impl Operation {
    /// In words, to be followed by the path it was about.
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
            Operation::Flush => "cannot force down the data of",
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

    /// Whether the operation was about the source (else about the destination).
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
    /// Keeps the system's error code ([`io::Error::raw_os_error`]), as a caller of [`std::fs::copy`] may look at it.
    /// An [`io::Error`] with a code has no place for anything else: whoever wants the paths in the message
    /// prints the [`Error`]. Without a code the kind is kept, and the [`Error`] itself is the inner error.
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

/// Something of a run over several files has failed; everything else has been copied.
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

    /// What was done all the same.
    pub fn summary(&self) -> &Summary {
        &self.inner.0
    }

    /// The first failure. An observer is told of each ([`Event::Error`](crate::Event::Error)).
    pub fn first(&self) -> &Error {
        &self.inner.1
    }

    /// How many there were.
    pub fn failures(&self) -> u64 {
        self.inner.0.errors
    }

    /// Whether the run was cancelled, and that is all that failed.
    pub fn is_cancelled(&self) -> bool {
        self.first().is_cancelled() && self.failures() == 1
    }

    /// The first failure, without the rest.
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
    /// As that of the first failure.
    fn from(error: TreeError) -> io::Error {
        error.into_first().into()
    }
}
