//! The hash of a copy, and its verification.
//!
//! The hash is of what was written: computed while the bytes passed through memory, otherwise from the copy. To
//! verify, the copy is read from the device (as far as the page cache can be bypassed), and compared with that hash,
//! or with one of the source.
//!
//! A copy is closed before it is opened again for reading: some filesystems (NFS, AFS, cloud storage over FUSE) store
//! a file, and report errors, at close. Only a copy that was read and differs is bad ([`Refusal::Differs`]). A copy
//! that could not be read is kept, and reported as not verified.

use super::change::has_changed;
use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::follow::resolve;
use super::source::Source;
use super::target::{Existing, OldState, Opened};
use crate::run::content;
use crate::run::digest::Digest;
use crate::run::hashing::InFlight;
use crate::run::prove;
use crate::system::filesystem;
use crate::system::{At, Attribute, Open, Platform, Sys, Target};
use crate::think::plan;
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Operation, Refusal};
use crate::words::facts::FsKind;
use crate::words::hash::Hash;
use crate::words::method::Os;
use crate::words::options::Flush;
use crate::words::report::Report;
use crate::words::stat::{FileId, Stat};

/// What is needed to read a copy after its close.
pub(super) struct ReadBack {
    digest: Digest,
    /// The file that was written.
    written: Sys<FileId>,
    old: Option<OldState>,
    what: What,
}

/// The purpose of the reading.
enum What {
    /// To report its hash.
    Hash,
    /// To compare it with what was written, or else with the source.
    Compare(Option<Hash>),
}

impl ReadBack {
    fn operation(&self) -> Operation {
        match self.what {
            What::Hash => Operation::Hash,
            What::Compare(_) => Operation::Verify,
        }
    }
}

/// The reason why a copy that was read back does not count as verified.
pub(super) enum ReadBackError {
    /// Its content differs from what was copied.
    Bad(FileError),
    /// Its content could not be read, or compared.
    Unchecked(FileError),
    Cancelled(FileError),
}

impl ReadBackError {
    pub(super) fn new(error: FileError) -> ReadBackError {
        match error.cause() {
            Cause::Refused(Refusal::Differs) => ReadBackError::Bad(error),
            Cause::Refused(Refusal::Cancelled) => ReadBackError::Cancelled(error),
            _ => ReadBackError::Unchecked(error),
        }
    }
}

impl<P: Platform> FileCopier<'_, P> {
    /// What is needed to read the copy after its close; `None` if it need not be read. `in_flight` is the hash that
    /// was computed during the copy.
    pub(super) fn prepare_read_back(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        in_flight: Option<Hash>,
        report: &mut Report,
    ) -> Result<Option<Box<ReadBack>>, FileError> {
        match self.digest(&src.stat) {
            None => Ok(None),
            Some(digest) => self.prepare_to_hash(src, target, (digest, in_flight), report),
        }
    }

    fn prepare_to_hash(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        (digest, in_flight): (Digest, Option<Hash>),
        report: &mut Report,
    ) -> Result<Option<Box<ReadBack>>, FileError> {
        report.hash = in_flight.filter(|_| digest.is_reported());
        // A device or a pipe can't be read back.
        if target.streams || self.options.attributes_only {
            return Ok(None);
        }
        report.verified = self.options.verifies() && self.is_shared(src, target, report);
        let compares = self.options.verifies() && !report.verified;
        if compares {
            self.flush_to_read(target)?;
        } else if report.hash.is_some() || self.options.reported_hash().is_none() {
            return Ok(None);
        }
        let stat = self.platform.stat_open(&target.handle);
        Ok(Some(Box::new(ReadBack {
            digest,
            written: stat.map(|stat| stat.id),
            old: target.old,
            what: if compares {
                What::Compare(in_flight)
            } else {
                What::Hash
            },
        })))
    }

    /// Writes a copy out: only clean pages can be evicted from the cache, so that it is read from its device.
    fn flush_to_read(&self, target: &Opened<P>) -> Result<(), FileError> {
        let (platform, handle) = (self.platform, &target.handle);
        let writes_back = platform.os() == Os::Linux
            && filesystem::is_on(platform, handle, FsKind::writes_back_in_ranges);
        let flushed = if writes_back {
            platform.write_back(handle, 0..i64::MAX.cast_unsigned(), true)
        } else {
            platform.flush(handle, Flush::Durable)
        };
        match flushed {
            // Then only the content of the cache can be read.
            Err(code)
                if rules::is_no_flush(self.platform.os(), code)
                    || rules::is_no_flush_to_read(self.platform.os(), code) =>
            {
                Ok(())
            }
            flushed => flushed.map_err(|code| FileError::system(Operation::Flush, code)),
        }
    }

    /// Whether extents prove a clone: the same blocks of the same device are equal.
    fn is_shared(&self, src: &Source<P>, target: &Opened<P>, report: &Report) -> bool {
        let cloned = report.cloned();
        cloned > 0
            && cloned == report.bytes()
            && prove::shared(self.platform, &src.handle, &target.handle) == Ok(cloned)
    }

    /// Reads a closed copy under its name. A bad copy is removed, unless the options keep it; one that could not be
    /// read is reported in `failures`.
    pub(super) fn read_back(
        &mut self,
        file: &mut OneFile<'_, P>,
        read_back: &ReadBack,
    ) -> Result<(), FileError> {
        let dst = file.dst;
        let is_link = matches!(dst.existing, Existing::LinkToFile(_));
        let follow = is_link || self.options.write_through_dangling;
        let result = match self.open_copy(dst.at, follow, read_back) {
            Ok(copy) => {
                let result = self.check_copy(file, &copy, read_back);
                self.platform.close_quietly(copy);
                result
            }
            Err(error) => Err(ReadBackError::new(error)),
        };
        match result {
            Err(ReadBackError::Bad(error)) => {
                if !self.options.keeps_bad() {
                    self.remove_bad(dst.at, follow, read_back);
                }
                file.report.hash = None;
                Err(error)
            }
            result => report_unchecked(result, file.report, file.failures),
        }
    }

    /// Removes a bad copy, if its name still refers to it.
    fn remove_bad(&self, at: At<'_, P>, follow: bool, read_back: &ReadBack) {
        let name = if follow {
            resolve(self.platform, at)
        } else {
            Ok(Some(at.name.to_os_string()))
        };
        // An open file that a magic link leads to has no name.
        let Ok(Some(name)) = name else { return };
        let at = At {
            dir: at.dir,
            name: &name,
        };
        let found = self.platform.stat(at, false).map(|stat| stat.id);
        if found.is_ok() && found == read_back.written {
            // The failure is reported; a failure to remove it says less.
            let _ = self.platform.remove(at, false);
        }
    }

    /// Opens a closed copy to read it. It must still be the file that was written.
    pub(super) fn open_copy(
        &self,
        at: At<'_, P>,
        follow: bool,
        read_back: &ReadBack,
    ) -> Result<P::Handle, FileError> {
        let failed = |code| FileError::system(read_back.operation(), code);
        let written = read_back.written.map_err(failed)?;
        let copy = self
            .platform
            .open(at, Open::Read { follow })
            .map_err(failed)?;
        let found = self.platform.stat_open(&copy).map_err(failed)?;
        if found.id != written {
            let cause = Cause::Refused(Refusal::Replaced);
            return Err(FileError::new(read_back.operation(), cause));
        }
        Ok(copy)
    }

    /// Reads an open copy, and resets its access time.
    pub(super) fn check_copy(
        &mut self,
        file: &mut OneFile<'_, P>,
        copy: &P::Handle,
        read_back: &ReadBack,
    ) -> Result<(), ReadBackError> {
        let before = self.platform.stat_open(copy);
        let found = match read_back.what {
            What::Hash => self.hash_of(copy, read_back.digest, Operation::Hash),
            What::Compare(in_flight) => self.compare(file.src, copy, (in_flight, read_back)),
        };
        if self.options.preserve.times {
            let times = before.unwrap_or(file.src.stat);
            let unread = |stat: Stat| stat.accessed == times.accessed;
            if !self.platform.stat_open(copy).is_ok_and(unread) {
                let times = Attribute::Times {
                    accessed: times.accessed,
                    modified: times.modified,
                };
                let set = self.platform.set(Target::Open(copy), times);
                let failed = |code| FileError::system(Operation::SetTimes, code);
                file.failures.extend(set.err().map(failed));
            }
        }
        let found = found.map_err(ReadBackError::new)?;
        file.report.hash = read_back.digest.is_reported().then_some(found);
        file.report.verified = self.options.verifies();
        Ok(())
    }

    /// Compares a copy with what was written.
    fn compare(
        &mut self,
        src: &Source<P>,
        copy: &P::Handle,
        (in_flight, read_back): (Option<Hash>, &ReadBack),
    ) -> Result<Hash, FileError> {
        let expected = match in_flight {
            Some(hash) => hash,
            None => self.hash_of(&src.handle, read_back.digest, Operation::VerifySource)?,
        };
        // Where the cache can't be bypassed, its content is all that can be compared.
        let _ = self.platform.uncache(copy);
        let found = self.hash_of(copy, read_back.digest, Operation::Verify)?;
        if found == expected {
            return Ok(found);
        }
        let refused = |operation, refusal| Err(FileError::new(operation, Cause::Refused(refusal)));
        if in_flight.is_none() {
            let failed = |code| FileError::system(Operation::VerifySource, code);
            let now = self.platform.stat_open(&src.handle).map_err(failed)?;
            if has_changed(self.options, &src.stat, &now) {
                return refused(Operation::VerifySource, Refusal::Changed);
            }
        }
        let failed = |code| FileError::system(Operation::Verify, code);
        let stat = self.platform.stat_open(copy).map_err(failed)?;
        if read_back.old == Some(OldState::from(&stat)) {
            return refused(Operation::Verify, Refusal::NotStored);
        }
        refused(Operation::Verify, Refusal::Differs)
    }

    /// Reads a file from end to end.
    fn hash_of(
        &mut self,
        file: &P::Handle,
        digest: Digest,
        operation: Operation,
    ) -> Result<Hash, FileError> {
        let failed = |code| FileError::system(operation, code);
        let stat = self.platform.stat_open(file).map_err(failed)?;
        let size = stat.size;
        let thread_budget = (size >= plan::HASH_BESIDE_BYTES)
            .then(|| self.thread_budget.take(size, self.others_at_work));
        let beside = thread_budget
            .as_ref()
            .is_some_and(|taken| taken.threads() > 1);
        let hash = InFlight::new(digest, beside);
        let hash = content::hash(
            self.platform,
            (file, &stat),
            hash,
            self.buffers,
            self.context.cancel,
        );
        hash.map_err(|code| match code {
            Code::CANCELLED => FileError::new(operation, Cause::Refused(Refusal::Cancelled)),
            code => failed(code),
        })
    }
}

/// Reports a copy that could not be read, which is kept.
pub(super) fn report_unchecked(
    result: Result<(), ReadBackError>,
    report: &mut Report,
    failures: &mut Vec<FileError>,
) -> Result<(), FileError> {
    match result {
        Ok(()) => Ok(()),
        Err(ReadBackError::Unchecked(error)) => {
            report.hash = None;
            failures.push(error);
            Ok(())
        }
        Err(ReadBackError::Bad(error) | ReadBackError::Cancelled(error)) => Err(error),
    }
}
