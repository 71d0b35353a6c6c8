//! The messages for what the library reports. A message that GNU cp has is the same text, which scripts and tests
//! compare.

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use copyist::error::{Cause, Operation, Refusal};
use copyist::observer::Warning;
use copyist::options::{Make, Reflink, Sparse};
use copyist::report::{Attempt, Ended, Skip, Tally};
use copyist::{Error, Method, Options};

use crate::words::errors::{code_name, io_text};
use crate::words::quoting::Quoter;

/// The parts of an [`Error`].
#[derive(Clone, Debug)]
pub(crate) struct Failure<'a> {
    pub(crate) operation: Operation,
    pub(crate) cause: Cause,
    pub(crate) method: Option<Method>,
    pub(crate) src: &'a OsStr,
    pub(crate) dst: &'a OsStr,
    pub(crate) attempts: &'a [Attempt],
    /// The reason's text.
    pub(crate) why: String,
    /// The reason is that the destination is a directory.
    pub(crate) is_a_directory: bool,
    /// The destination can't be replaced in one step, but writing into it may succeed.
    pub(crate) is_not_atomic: bool,
}

impl<'a> From<&'a Error> for Failure<'a> {
    fn from(error: &'a Error) -> Failure<'a> {
        let name = |path: Option<&'a Path>| path.map(Path::as_os_str).unwrap_or_default();
        Failure {
            operation: error.operation(),
            cause: error.cause().clone(),
            method: error.method(),
            src: name(error.source_path()),
            dst: name(error.destination_path()),
            attempts: error.attempts(),
            why: io_text(error.io_error()),
            is_not_atomic: error.is_not_atomic(),
            is_a_directory: error.io_error().kind() == io::ErrorKind::IsADirectory,
        }
    }
}

/// Makes messages for one run.
#[derive(Clone, Debug)]
pub(crate) struct Messages {
    pub(crate) quoter: Quoter,
    pub(crate) make: Make,
    pub(crate) reflink: Reflink,
    pub(crate) sparse: Sparse,
    /// The methods that the user has chosen, if any.
    pub(crate) methods: Option<Vec<Method>>,
}

impl Messages {
    pub(crate) fn new(quoter: Quoter, options: &Options) -> Messages {
        Messages {
            quoter,
            make: options.make,
            reflink: options.reflink,
            sparse: options.sparse,
            methods: options.methods.map(|methods| methods.iter().collect()),
        }
    }

    /// A failure's message, without the program's name; `None` for one that cp is silent about.
    pub(crate) fn failure(&self, failure: &Failure<'_>) -> Option<String> {
        match &failure.cause {
            Cause::Refused(refusal) => self.refusal(failure, refusal),
            Cause::System(_) => {
                let action = self.action(failure);
                let hint = match failure.operation {
                    _ if failure.is_not_atomic => "; --atomic=no writes into it",
                    Operation::Journal => "; --journal=FILE puts it elsewhere",
                    _ => "",
                };
                Some(format!("{action}: {}{hint}", self.why(failure)))
            }
        }
    }

    /// The reason. For a new file whose name ends in a slash the system returns EISDIR; GNU cp reports
    /// ENOTDIR.
    fn why<'a>(&self, failure: &'a Failure<'_>) -> &'a str {
        let creates = matches!(
            failure.operation,
            Operation::CreateFile | Operation::OpenDestination
        );
        let slash = failure.dst.as_encoded_bytes().ends_with(b"/");
        if creates && slash && failure.is_a_directory {
            return "Not a directory";
        }
        &failure.why
    }

    /// The operation that failed, and its file.
    fn action(&self, failure: &Failure<'_>) -> String {
        let src = self.quoter.always(failure.src);
        let dst = self.quoter.always(failure.dst);
        match failure.operation {
            Operation::StatSource => format!("cannot stat {src}"),
            Operation::StatDestination => format!("cannot stat {dst}"),
            Operation::StatParent => format!("failed to get attributes of {src}"),
            Operation::OpenSource => format!("cannot open {src} for reading"),
            Operation::OpenDestination | Operation::CreateFile => {
                format!("cannot create regular file {dst}")
            }
            Operation::OpenDirectory | Operation::ReadDirectory => format!("cannot access {src}"),
            Operation::CreateDirectory => format!("cannot create directory {dst}"),
            Operation::CreateParent => format!("cannot make directory {dst}"),
            Operation::Volume => format!("cannot find the filesystem of {dst}"),
            Operation::ReadLink => format!("cannot read symbolic link {src}"),
            Operation::CreateSymlink if self.make == Make::Symlink => {
                format!("cannot create symbolic link {dst} to {src}")
            }
            Operation::CreateSymlink => format!("cannot create symbolic link {dst}"),
            Operation::CreateHardLink => format!("cannot create hard link {dst} to {src}"),
            Operation::CreateFifo => format!("cannot create fifo {dst}"),
            Operation::CreateSpecial => format!("cannot create special file {dst}"),
            Operation::Remove => format!("cannot remove {dst}"),
            Operation::MakeBackup => format!("cannot backup {dst}"),
            Operation::Read => format!("error reading {src}{}", self.chosen(failure)),
            Operation::Write => format!("error writing {dst}{}", self.chosen(failure)),
            // It fails where the filesystem is full, as a write would.
            Operation::Allocate => format!("error writing {dst}"),
            Operation::Transfer if failure.method == Some(Method::Clone) => {
                format!("failed to clone {dst} from {src}")
            }
            Operation::Transfer => {
                format!("error copying {src} to {dst}{}", self.chosen(failure))
            }
            Operation::FindHoles => format!("cannot lseek {src}"),
            Operation::FindExtents => format!("cannot find the extents of {src} and {dst}"),
            Operation::Truncate => format!("failed to extend {dst}"),
            Operation::SetMode | Operation::SetAcl => {
                let dst = self.quoter.word(failure.dst);
                format!("preserving permissions for {dst}")
            }
            Operation::SetOwner => format!("failed to preserve ownership for {dst}"),
            Operation::SetTimes => format!("preserving times for {dst}"),
            Operation::ListXattrs => format!("listing attributes of {src}"),
            Operation::ReadXattrs => format!("getting attributes of {src}"),
            Operation::SetXattrs => format!("setting attributes for {dst}"),
            Operation::SetFlags => format!("preserving inode flags for {dst}"),
            Operation::Journal => format!("cannot use journal {dst}"),
            Operation::Flush => format!("error flushing {dst}"),
            Operation::Replace => format!("cannot replace {dst} in one step"),
            Operation::CloseDestination => format!("failed to close {dst}"),
            Operation::Verify => format!("{dst} could not be verified"),
            Operation::VerifySource => {
                format!("{dst} could not be verified: cannot read {src} again")
            }
            Operation::Hash => format!("{dst} could not be hashed"),
            Operation::EnterSandbox => "cannot enter a sandbox".to_owned(),
            Operation::Plan => format!("cannot copy {src} to {dst}"),
            other => format!("{} {dst}", other.words()),
        }
    }

    /// Names the method if the user chose the methods: GNU has no words for that.
    fn chosen(&self, failure: &Failure<'_>) -> String {
        match (&self.methods, failure.method) {
            (Some(_), Some(method)) => format!(" by {method}"),
            _ => String::new(),
        }
    }

    fn refusal(&self, failure: &Failure<'_>, refusal: &Refusal) -> Option<String> {
        let src = self.quoter.always(failure.src);
        let dst = self.quoter.always(failure.dst);
        Some(match refusal {
            Refusal::SameFile => format!("{src} and {dst} are the same file"),
            Refusal::IntoItself => {
                format!("cannot copy a directory, {src}, into itself, {dst}")
            }
            Refusal::OmittingDirectory => format!("-r not specified; omitting directory {src}"),
            Refusal::DirectoryOverFile => {
                format!("cannot overwrite non-directory {dst} with directory {src}")
            }
            Refusal::ParentNotDirectory => format!("{dst} exists but is not a directory"),
            Refusal::FileOverDirectory => {
                format!("cannot overwrite directory {dst} with non-directory {src}")
            }
            Refusal::JustCreated => format!("will not overwrite just-created {dst} with {src}"),
            Refusal::ThroughJustCreatedSymlink => {
                format!("will not copy {src} through just-created symlink {dst}")
            }
            Refusal::DanglingSymlink => format!("not writing through dangling symlink {dst}"),
            Refusal::ForeignSymlink => {
                format!("not writing through {dst}, a symbolic link of another user")
            }
            Refusal::NotRegularFile => format!("not overwriting {dst}, which is no regular file"),
            Refusal::BackupDestroysSource => {
                format!("backing up {dst} might destroy source;  {src} not copied")
            }
            Refusal::NotReplacing => format!("not replacing {dst}"),
            Refusal::Changed if failure.operation == Operation::VerifySource => {
                format!("{dst} could not be verified: {src} changed while being copied")
            }
            Refusal::Replaced if failure.operation == Operation::Hash => {
                format!("{dst} could not be hashed: it was replaced after it was copied")
            }
            Refusal::Replaced if failure.operation == Operation::Verify => {
                format!("{dst} could not be verified: it was replaced after it was copied")
            }
            Refusal::NotStored => format!("{dst} could not be verified: {refusal}"),
            Refusal::Replaced => {
                format!("skipping file {src}, as it was replaced while being copied")
            }
            Refusal::Moved => {
                format!(
                    "skipping the rest of {src}, as it was moved away while being copied to {dst}"
                )
            }
            Refusal::JournalInUse | Refusal::JournalOfAnother | Refusal::NotJournal => {
                format!("cannot use journal {dst}: {refusal}")
            }
            Refusal::Changed => format!("{src} changed while being copied"),
            Refusal::Loop => format!("cannot copy cyclic symbolic link {src}"),
            Refusal::UnknownKind => format!("{src} has unknown file type"),
            Refusal::NotLocal => format!(
                "skipping {src}, whose content is not on this machine; name it to have it fetched"
            ),
            Refusal::RelativeSymlink => format!(
                "{}: can make relative symbolic links only in current directory",
                self.quoter.if_needed(failure.dst)
            ),
            Refusal::NoMethod(skipped) => self.no_method(failure, skipped, &src, &dst),
            Refusal::Differs => {
                format!("{dst} is not what was copied from {src}: read back, its content differs")
            }
            // The user has declined it; or the summary reports it.
            Refusal::Declined | Refusal::Cancelled => return None,
            other => format!("cannot copy {src} to {dst}: {other}"),
        })
    }

    fn no_method(
        &self,
        failure: &Failure<'_>,
        skipped: &[(Method, Skip)],
        src: &str,
        dst: &str,
    ) -> String {
        let reason = |attempt: &Attempt| match attempt.ended() {
            Ended::Next(code) | Ended::Failed(code) if code.0 > 0 => {
                Some((code, io_text(&io::Error::from_raw_os_error(code.0))))
            }
            _ => None,
        };
        let Some(chosen) = &self.methods else {
            let clone = failure
                .attempts
                .iter()
                .rfind(|one| one.method() == Method::Clone);
            let why = clone.and_then(reason).map(|(_, text)| text);
            // No attempt: the volume pair has refused before.
            let why = why.unwrap_or_else(|| "Operation not supported".to_owned());
            return format!("failed to clone {dst} from {src}: {why}");
        };
        let mut message = format!("cannot copy {src} to {dst}: no allowed method works here");
        for method in chosen {
            let attempt = failure.attempts.iter().rfind(|one| one.method() == *method);
            let why = match attempt.map(reason) {
                Some(Some((code, text))) => format!("{text} ({})", code_name(code)),
                Some(None) => "copied nothing".to_owned(),
                None => match skipped.iter().find(|(it, _)| it == method) {
                    Some((_, skip)) => skip.to_string(),
                    None => "this system does not have it".to_owned(),
                },
            };
            message.push_str(&format!("; {method}: {why}"));
        }
        message
    }

    /// A warning's message, without the program's name.
    pub(crate) fn warning(&self, warning: &Warning) -> String {
        match warning {
            Warning::Changed {
                src,
                size_before,
                size_after,
            } => {
                let src = self.quoter.always(src);
                if size_before == size_after {
                    return format!("warning: {src} changed while it was copied");
                }
                format!(
                    "warning: {src} changed while it was copied: \
                     from {size_before} bytes to {size_after}"
                )
            }
            Warning::GivenTwice { src, is_dir } => {
                let kind = if *is_dir { "directory" } else { "file" };
                let src = self.quoter.always(src);
                format!("warning: source {kind} {src} specified more than once")
            }
            Warning::WroteInPlace { dst, code } => format!(
                "warning: {} was written in place, since it can't be replaced in one step: {} \
                 (and so may be others)",
                self.quoter.always(dst),
                io_text(&io::Error::from_raw_os_error(code.0))
            ),
            Warning::Skipped { src } => {
                format!(
                    "warning: {} has nothing to copy; skipped",
                    self.quoter.always(src)
                )
            }
            _ => "warning: something else happened".to_owned(),
        }
    }

    /// The question before a destination is replaced, with the program's name as typed.
    /// `unwritable` are the permission bits of one that can't be written to, and whether it would be removed.
    pub(crate) fn question(
        &self,
        typed: &str,
        dst: &Path,
        unwritable: Option<(u32, bool)>,
    ) -> String {
        let dst = self.quoter.always(dst);
        match unwritable {
            None => format!("{typed}: overwrite {dst}? "),
            Some((mode, removes)) => {
                let letters = permission_letters(mode);
                let mode = mode & 0o7777;
                if removes {
                    format!("{typed}: replace {dst}, overriding mode {mode:04o} ({letters})? ")
                } else {
                    format!("{typed}: unwritable {dst} (mode {mode:04o}, {letters}); try anyway? ")
                }
            }
        }
    }

    /// The line of `--debug`: what the attempts show, and "unknown" for what they don't.
    pub(crate) fn debug(&self, attempts: &[Attempt]) -> String {
        let of = |wanted: Tally| {
            let mut these = attempts
                .iter()
                .filter(|attempt| attempt.method().tally() == wanted)
                .peekable();
            these.peek()?;
            let worked = these.any(|attempt| attempt.ended() == Ended::Done || attempt.bytes() > 0);
            Some(if worked { "yes" } else { "unsupported" })
        };
        let moved = |wanted: Tally| {
            let mut of_tally = attempts.iter().filter(|it| it.method().tally() == wanted);
            of_tally.any(|it| it.bytes() > 0)
        };
        let offload = of(Tally::Offloaded).unwrap_or(if moved(Tally::Moved) {
            "avoided"
        } else {
            "unknown"
        });
        let reflink = match (self.reflink, of(Tally::Cloned)) {
            (Reflink::Never, _) => "no",
            (_, clone) => clone.unwrap_or("unknown"),
        };
        let sparse = match (self.sparse, attempts.iter().any(|it| it.holes() > 0)) {
            _ if moved(Tally::Cloned) => "unknown",
            (Sparse::Always, true) => "SEEK_HOLE + zeros",
            (Sparse::Always, false) => "zeros",
            (_, true) => "SEEK_HOLE",
            (_, false) => "no",
        };
        format!("copy offload: {offload}, reflink: {reflink}, sparse detection: {sparse}")
    }
}

/// Permission bits as `ls -l` shows them, without the type.
fn permission_letters(mode: u32) -> String {
    let triple = |shift: u32, special: bool, letters: [char; 2]| {
        let bits = mode >> shift;
        let execute = match (special, bits & 1 != 0) {
            (true, true) => letters[0],
            (true, false) => letters[1],
            (false, true) => 'x',
            (false, false) => '-',
        };
        [
            if bits & 4 != 0 { 'r' } else { '-' },
            if bits & 2 != 0 { 'w' } else { '-' },
            execute,
        ]
    };
    [
        triple(6, mode & 0o4000 != 0, ['s', 'S']),
        triple(3, mode & 0o2000 != 0, ['s', 'S']),
        triple(0, mode & 0o1000 != 0, ['t', 'T']),
    ]
    .concat()
    .into_iter()
    .collect()
}

#[cfg(test)]
#[path = "messages_tests.rs"]
mod tests;
