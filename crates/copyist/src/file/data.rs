//! The data of one file, into an open destination.

use super::change::{Shown, check_source, look_again};
use super::copier::{FileCopier, OneFile};
use super::failure::{FileError, explain};
use super::target::{Opened, ResumeState};
use crate::run::exec;
use crate::run::exec::Failure;
use crate::run::transfer::{Shape, State, Transfer};
use crate::run::volumes::VolumePair;
use crate::system::Platform;
use crate::words::error::Operation;
use crate::words::hash::Hash;
use crate::words::report::Report;

impl<P: Platform> FileCopier<'_, P> {
    /// Copies the data, if the options want it. Returns the hash that was computed meanwhile.
    pub(super) fn fill(
        &mut self,
        file: &mut OneFile<'_, P>,
        target: &Opened<P>,
        kept: ResumeState<'_, P>,
    ) -> Result<Option<Hash>, FileError> {
        if self.options.attributes_only {
            return Ok(None);
        }
        let pair = self.volume_pair(file.src, &target.handle, file.known_pair)?;
        self.copy_until_stable(file, target, kept, &pair)
    }

    /// Copies the data, and again if the source has changed (`--on-change=retry`).
    fn copy_until_stable(
        &mut self,
        file: &mut OneFile<'_, P>,
        target: &Opened<P>,
        mut kept: ResumeState<'_, P>,
        pair: &VolumePair,
    ) -> Result<Option<Hash>, FileError> {
        let mut retries = 0;
        loop {
            self.wait_for_ctime_tick(file.src)?;
            self.prepare(file.src, target)?;
            let hash = self.copy_as_planned(file, target, kept, pair)?;
            if !self.copies_again(file.report, &mut retries)? || target.streams {
                return Ok(hash);
            }
            self.platform
                .set_len(&target.handle, 0)
                .map_err(|code| FileError::system(Operation::Truncate, code))?;
            look_again(self.platform, file.src)?;
            *file.report = Report::default();
            kept = ResumeState::nothing();
        }
    }

    /// Plans the copy, and makes it.
    fn copy_as_planned(
        &mut self,
        file: &mut OneFile<'_, P>,
        target: &Opened<P>,
        kept: ResumeState<'_, P>,
        pair: &VolumePair,
    ) -> Result<Option<Hash>, FileError> {
        let (src, report) = (&*file.src, &mut *file.report);
        let (facts, plan, _taken) = self.plan(&src.stat, target, pair);
        let hashes = self.digest(&src.stat);
        let shape = Shape {
            hash: hashes.map(|digest| (digest, plan.hash_beside)),
            ..Shape::new(&facts, &plan)
        };
        let mut transfer = Transfer::new(
            self.platform,
            (&src.handle, &target.handle),
            shape,
            self.context,
            self.buffers,
        );
        transfer.progress_sink = kept.progress_sink;
        transfer.state = State::resumed(kept.offset);
        report.resumed = kept.offset;
        let result = exec::run(&plan, &facts, &mut transfer, pair, report);
        if let Err(failure) = result {
            let was_served =
                !matches!(failure, Failure::NoMethod { .. }) || kept.progress_sink.is_some();
            transfer.abandon(was_served);
            return Err(explain(failure, transfer.offset()));
        }
        let mut shown = Shown {
            transfer: &mut transfer,
            report,
        };
        check_source((self.platform, self.options), src, &facts, &mut shown)?;
        Ok(transfer.finish_hash())
    }
}
