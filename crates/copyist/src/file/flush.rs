//! Makes a file, and its name, durable.

use super::copier::FileCopier;
use super::failure::FileError;
use super::target::{Destination, Existing};
use crate::system::parent::sync_parent_dir;
use crate::system::{At, Platform};
use crate::think::rules;
use crate::words::error::Operation;
use crate::words::options::Flush;
use crate::words::options::Fsync;

impl<P: Platform> FileCopier<'_, P> {
    /// Whether this file is flushed by itself. The volume that a symbolic link leads to is not among those that are
    /// flushed at the end.
    fn flushes_each(&self, dst: &Destination<'_, P>) -> bool {
        match self.options.fsync {
            Fsync::None => false,
            Fsync::File => true,
            Fsync::End => matches!(dst.existing, Existing::LinkToFile(_)),
        }
    }

    pub(super) fn flush(
        &self,
        handle: &P::Handle,
        dst: &Destination<'_, P>,
    ) -> Result<(), FileError> {
        let how = match (dst, self.options.flush) {
            _ if self.flushes_each(dst) => Flush::Durable,
            (_, Some(how)) => how,
            (_, None) => return Ok(()),
        };
        match self.platform.flush(handle, how) {
            // A pipe has nothing to flush.
            Err(code) if dst.is_stream() && rules::is_no_flush(self.platform.os(), code) => Ok(()),
            flushed => flushed.map_err(|code| FileError::system(Operation::Flush, code)),
        }
    }

    /// Flushes a new name, if the options ask for it.
    pub(super) fn sync_parent_dir(
        &self,
        at: At<'_, P>,
        dst: &Destination<'_, P>,
    ) -> Result<(), FileError> {
        if !self.flushes_each(dst) {
            return Ok(());
        }
        sync_parent_dir(self.platform, at).map_err(|code| FileError::system(Operation::Flush, code))
    }
}
