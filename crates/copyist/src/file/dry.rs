//! The plan of a file's copy: the same for a run and for a dry run, which does not run it.

use super::failure::FileError;
use super::one_file::{Destination, Existing, FileCopier, FindPair, Opened, Source};
use super::temp_file::Temporary;
use crate::run::thread_budget::ThreadLease;
use crate::run::volumes::VolumePair;
use crate::system::Platform;
use crate::think::plan;
use crate::think::plan::Plan;
use crate::words::facts::Facts;
use crate::words::report::{Planned, Report};
use crate::words::stat::Stat;

impl<P: Platform> FileCopier<'_, P> {
    /// Puts what would be tried into the report.
    pub(super) fn copy_dry(
        &mut self,
        src: &Source<P>,
        dst: &Destination<'_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
    ) -> Result<(), FileError> {
        let is_file = matches!(dst.existing, Existing::Nothing | Existing::File);
        if !self.is_atomic() || !is_file {
            let target = self.open_destination(src, dst)?;
            return self.plan_only(src, &target, dst, pair, report);
        }
        // It is made beside what it replaces, whatever that is.
        let name = Temporary::new().beside(dst.at.name);
        let beside = dst.beside(&name);
        let target = self.open_destination(src, &beside)?;
        self.plan_only(src, &target, dst, pair, report)
    }

    fn plan_only(
        &self,
        src: &Source<P>,
        target: &Opened<P>,
        dst: &Destination<'_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
    ) -> Result<(), FileError> {
        if self.options.attributes_only {
            return Ok(());
        }
        let pair = pair(&src.handle, &target.handle)?;
        let (facts, plan) = if self.may_be_made_whole(&src.stat, dst) {
            let facts = self.facts(&src.stat, &pair);
            let plan = plan::plan(&facts, self.options);
            (facts, plan)
        } else {
            let (facts, plan, _) = self.plan(&src.stat, target, &pair);
            (facts, plan)
        };
        report.planned = Some(Box::new(Planned::new(&facts, &plan)));
        Ok(())
    }
}

impl<'a, P: Platform> FileCopier<'a, P> {
    /// The plan of a copy into an open file, and the threads that it has for it.
    pub(super) fn plan(
        &self,
        src: &Stat,
        target: &Opened<P>,
        pair: &VolumePair,
    ) -> (Facts, Plan, Option<ThreadLease<'a>>) {
        let mut facts = self.facts(src, pair);
        facts.dst_is_regular = !target.streams;
        facts.dst_is_free = false;
        // Only a file that is worth it takes them from the others, and none that will be cloned.
        facts.threads = 2;
        let to_hash =
            self.options.hash_wanted().is_some() && facts.src.size >= plan::HASH_BESIDE_BYTES;
        let is_moved = || !plan::is_sure_to_clone(&facts, self.options);
        let several = to_hash || facts.is_for_several() && is_moved();
        let taken = several.then(|| self.thread_budget.take(facts.src.size, self.others_at_work));
        facts.threads = taken.as_ref().map_or(1, ThreadLease::threads);
        let plan = plan::plan(&facts, self.options);
        (facts, plan, taken)
    }
}
