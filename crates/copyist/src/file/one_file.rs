//! One file's data and attributes: from two names to a report.

use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::target::{Destination, Existing};
use crate::system::Platform;
use crate::words::error::{Cause, Operation};

impl<P: Platform> FileCopier<'_, P> {
    /// Copies a file.
    pub(crate) fn copy(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        if self.platform.is_dry() {
            return self.copy_dry(file);
        }
        if self.is_atomic() {
            return self.publish(file);
        }
        if self.may_be_made_whole(&file.src.stat, file.dst) {
            return self.copy_by_name(file);
        }
        self.copy_in_place(file)
    }

    /// [`FileCopier::copy`], for a file that gets its name only when it is complete.
    fn publish(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let code = match self.known_irreplaceable(file.dst) {
            Some(code) => code,
            None => {
                let before = file.failures.len();
                let result = if self.may_be_made_whole(&file.src.stat, file.dst) {
                    self.copy_by_name(file)
                } else {
                    self.copy_atomic(file)
                };
                let result = result.map_err(|error| as_replacing(file.dst, error));
                let failed = result.as_ref().err();
                let Some(code) = failed.and_then(|error| self.in_place_instead(error)) else {
                    return result;
                };
                // The existing file is rewritten in place, with its attributes.
                file.failures.truncate(before);
                code
            }
        };
        self.write_in_place(file, code)
    }
}

/// The file can't be replaced because no new file can be created beside it.
fn as_replacing<P: Platform>(dst: &Destination<'_, P>, error: FileError) -> FileError {
    let is_there = dst.existing != Existing::Nothing || dst.replaces;
    match *error.cause() {
        Cause::System(code) if is_there && error.operation() == Operation::CreateFile => {
            FileError::system(Operation::Replace, code)
        }
        _ => error,
    }
}
