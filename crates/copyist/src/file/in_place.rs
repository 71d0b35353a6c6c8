//! A file that has its name while it is written.

use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::target::{Destination, Opened, ResumeState};
use crate::run::step::since;
use crate::system::Platform;

impl<P: Platform> FileCopier<'_, P> {
    /// Copies into an existing file, or into a new file that has its name at once.
    pub(super) fn copy_in_place(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let start = self.context.now();
        let target = self.open_destination(file.src, file.dst)?;
        let result = match self.fill(file, &target, ResumeState::nothing()) {
            Ok(hash) => match self.finish_in_place(file, &target) {
                Ok(()) => {
                    self.prove(file.src, &target, file.report);
                    self.prepare_read_back(file.src, &target, hash, file.report)
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let is_new = target.made.is_new;
        let closed = self.close(target);
        let closed = match (&result, closed) {
            (Ok(_), Ok(())) if is_new => self.sync_parent_dir(file.dst.at, file.dst),
            (_, closed) => closed,
        };
        let result = match (result, closed) {
            (Ok(None), Ok(())) => Ok(()),
            (Ok(Some(it)), Ok(())) => self.read_back(file, &it),
            (Err(error), _) | (_, Err(error)) => Err(self.give_up(file.dst, is_new, error)),
        };
        file.report.elapsed = since(start);
        result
    }

    /// A file that was created and could not be completed must not look like a copy.
    #[cold]
    fn give_up(&self, dst: &Destination<'_, P>, is_new: bool, error: FileError) -> FileError {
        if is_new {
            // The failure is reported; a failure to remove it says less.
            let _ = self.platform.remove(dst.at, false);
        }
        error
    }

    /// Sets attributes, and flushes.
    fn finish_in_place(
        &mut self,
        file: &mut OneFile<'_, P>,
        target: &Opened<P>,
    ) -> Result<(), FileError> {
        self.copy_attributes(file.src, target, file.failures);
        self.flush(&target.handle, file.dst)
    }
}
