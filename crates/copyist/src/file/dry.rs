//! The plan of a file's copy, the same for a run and for a dry run, which does not run it.

use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::target::{Existing, Opened};
use super::temp_file::Temporary;
use crate::system::Platform;
use crate::think::plan;
use crate::words::report::Planned;

impl<P: Platform> FileCopier<'_, P> {
    /// Adds to the report what would be tried.
    pub(super) fn copy_dry(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let (src, dst) = (&*file.src, file.dst);
        let is_file = matches!(dst.existing, Existing::Nothing | Existing::File);
        if !self.is_atomic() || !is_file {
            let target = self.open_destination(src, dst)?;
            return self.plan_only(file, &target);
        }
        // The copy is made beside what it replaces, whatever that is.
        let name = Temporary::new().beside(dst.at.name);
        let beside = dst.beside(&name);
        let target = self.open_destination(src, &beside)?;
        self.plan_only(file, &target)
    }

    fn plan_only(&self, file: &mut OneFile<'_, P>, target: &Opened<P>) -> Result<(), FileError> {
        if self.options.attributes_only {
            return Ok(());
        }
        let src = &*file.src;
        let pair = self.volume_pair(src, &target.handle, file.known_pair)?;
        let (facts, plan) = if self.may_be_made_whole(&src.stat, file.dst) {
            let facts = self.facts(&src.stat, &pair);
            let plan = plan::plan(&facts, self.options);
            (facts, plan)
        } else {
            let (facts, plan, _) = self.plan(&src.stat, target, &pair);
            (facts, plan)
        };
        file.report.planned = Some(Box::new(Planned::new(&facts, &plan)));
        Ok(())
    }
}
