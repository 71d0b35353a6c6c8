//! The hash of a copy, and the proof that the copy is good.
//!
//! A hash is of what was written. Where the bytes went through memory it was made on the way; else
//! the copy is read. To verify, the copy is read from the device, as far as the system lets the
//! cache be left out, and compared with that hash, or with one of the source.

use super::{Destination, Existing, FileCopier, FileError, Opened, Source};
use crate::content;
use crate::error::{Cause, Code, Operation, Refusal};
use crate::hash::{Hash, HashKind};
use crate::plan;
use crate::platform::{Flush, Open, Platform};
use crate::prove;
use crate::report::Report;
use crate::transfer::InFlight;

impl<P: Platform> FileCopier<'_, P> {
    /// Puts the hash that the options ask for into the report, and verifies the copy if they ask
    /// for that. `in_flight` is the hash that was made on the way.
    #[inline(always)] // as `open_source`
    pub(super) fn verify(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        dst: &Destination<'_, P>,
        in_flight: Option<Hash>,
        report: &mut Report,
    ) -> Result<(), FileError> {
        match self.options.hash_wanted() {
            None => Ok(()),
            Some(kind) => self.hash_and_verify(src, target, dst, (kind, in_flight), report),
        }
    }

    #[inline(never)] // as `copy_atomic`
    fn hash_and_verify(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        dst: &Destination<'_, P>,
        (kind, in_flight): (HashKind, Option<Hash>),
        report: &mut Report,
    ) -> Result<(), FileError> {
        report.hash = in_flight;
        // A device or a pipe can't be read back.
        if target.streams || self.options.attributes_only {
            return Ok(());
        }
        if !self.options.verify {
            if report.hash.is_none() {
                let copy = self.open_copy(target, dst)?;
                let copy = copy.as_ref().unwrap_or(&target.handle);
                report.hash = Some(self.hash_of(copy, kind, Operation::Verify)?);
            }
            return Ok(());
        }
        if self.is_shared(src, target, report) {
            report.verified = true;
            if self.options.hash.is_some() {
                let copy = self.open_copy(target, dst)?;
                let copy = copy.as_ref().unwrap_or(&target.handle);
                report.hash = Some(self.hash_of(copy, kind, Operation::Verify)?);
            }
            return Ok(());
        }
        let expected = match in_flight {
            Some(hash) => hash,
            None => self.hash_of(&src.handle, kind, Operation::Read)?,
        };
        // Only what has been written out can be let go of.
        let failed = |code| FileError::system(Operation::Flush, code);
        self.platform
            .flush(&target.handle, Flush::Durable)
            .map_err(failed)?;
        let copy = self.open_copy(target, dst)?;
        let copy = copy.as_ref().unwrap_or(&target.handle);
        // Where the cache can't be left out, what it says is all there is.
        let _ = self.platform.uncache(copy);
        let found = self.hash_of(copy, kind, Operation::Verify)?;
        if found != expected {
            let cause = Cause::Refused(Refusal::Differs);
            return Err(FileError::new(Operation::Verify, cause));
        }
        (report.hash, report.verified) = (Some(found), true);
        Ok(())
    }

    /// Whether a clone is proved by its extents: the same places of the same device can't differ.
    fn is_shared(&self, src: &Source<P>, target: &Opened<P>, report: &Report) -> bool {
        let cloned = report.cloned();
        cloned > 0
            && cloned == report.bytes()
            && prove::shared(self.platform, &src.handle, &target.handle) == Ok(cloned)
    }

    /// Opens the copy to read it. It must still be the one that was written. `None` where that can
    /// be read itself: it may have no name yet.
    fn open_copy(
        &self,
        target: &Opened<P>,
        dst: &Destination<'_, P>,
    ) -> Result<Option<P::Handle>, FileError> {
        if target.is_readable {
            return Ok(None);
        }
        let failed = |code| FileError::system(Operation::Verify, code);
        let is_link = matches!(dst.existing, Existing::LinkToFile(_));
        let follow = is_link || self.options.write_through_dangling;
        let copy = self
            .platform
            .open(dst.at, Open::Read { follow })
            .map_err(failed)?;
        let found = self.platform.stat_open(&copy).map_err(failed)?;
        let made = self.platform.stat_open(&target.handle).map_err(failed)?;
        if found.id != made.id {
            let cause = Cause::Refused(Refusal::Replaced);
            return Err(FileError::new(Operation::Verify, cause));
        }
        Ok(Some(copy))
    }

    /// Reads a file from end to end.
    fn hash_of(
        &mut self,
        file: &P::Handle,
        kind: HashKind,
        operation: Operation,
    ) -> Result<Hash, FileError> {
        let failed = |code| FileError::system(operation, code);
        let size = self.platform.stat_open(file).map_err(failed)?.size;
        let spare =
            (size >= plan::HASH_BESIDE_BYTES).then(|| self.spare.take(size, self.others_at_work));
        let beside = spare.as_ref().is_some_and(|taken| taken.threads() > 1);
        let hash = InFlight::new(kind, beside);
        let hash = content::hash(
            self.platform,
            (file, size),
            hash,
            self.buffers,
            self.watch.cancel,
        );
        hash.map_err(|code| match code {
            Code::CANCELLED => FileError::new(operation, Cause::Refused(Refusal::Cancelled)),
            code => failed(code),
        })
    }
}
