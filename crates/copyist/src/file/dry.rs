//! A file in a dry run: the plan is made, and not run.

use super::{FileCopier, FileError, FindPair, Opened, Source};
use crate::plan;
use crate::platform::Platform;
use crate::report::{Planned, Report};

impl<P: Platform> FileCopier<'_, P> {
    /// Puts what would be tried into the report.
    pub(super) fn plan_only(
        &self,
        src: &Source<P>,
        target: &Opened<P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
    ) -> Result<(), FileError> {
        if self.options.attributes_only {
            return Ok(());
        }
        let pair = pair(&src.handle, &target.handle)?;
        let mut facts = self.facts(&src.stat, &pair);
        facts.dst_is_regular = !target.streams;
        facts.dst_is_free = target.made.is_new;
        let taken = self.spare.take(facts.src.size, self.others_at_work);
        facts.threads = taken.threads();
        let plan = plan::plan(&facts, self.options);
        report.planned = Some(Box::new(Planned::new(&facts, &plan)));
        Ok(())
    }
}
