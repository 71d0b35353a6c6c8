//! The plan of a copy into an open file.

use super::copier::FileCopier;
use super::target::Opened;
use crate::run::thread_budget::ThreadLease;
use crate::run::volumes::VolumePair;
use crate::system::Platform;
use crate::think::plan;
use crate::think::plan::Plan;
use crate::words::facts::Facts;
use crate::words::stat::Stat;

impl<'a, P: Platform> FileCopier<'a, P> {
    /// The plan of a copy into an open file, and the threads for it.
    pub(super) fn plan(
        &self,
        src: &Stat,
        target: &Opened<P>,
        pair: &VolumePair,
    ) -> (Facts, Plan, Option<ThreadLease<'a>>) {
        let mut facts = self.facts(src, pair);
        facts.dst_is_regular = !target.streams;
        facts.dst_is_free = false;
        // Threads are taken only for a file that is large enough and will not be cloned.
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
