//! A failure that belongs to a file, before its paths are known.

use crate::attributes::Failed;
use crate::error::{Cause, Code, Operation, Refusal};
use crate::method::Method;

/// Why a file was not copied, or not quite.
#[derive(Debug)]
pub(crate) struct FileError {
    pub(crate) operation: Operation,
    pub(crate) cause: Cause,
    pub(crate) transfer: Option<(Method, u64)>,
}

impl FileError {
    pub(super) fn system(operation: Operation, code: Code) -> FileError {
        FileError {
            operation,
            cause: Cause::System(code),
            transfer: None,
        }
    }

    /// The copy was read back, and is not good.
    pub(super) fn is_bad_copy(&self) -> bool {
        self.cause == Cause::Refused(Refusal::Differs)
    }

    pub(super) fn refused(refusal: Refusal) -> FileError {
        FileError {
            operation: Operation::Plan,
            cause: Cause::Refused(refusal),
            transfer: None,
        }
    }
}

impl From<Failed> for FileError {
    fn from(failed: Failed) -> FileError {
        FileError::system(failed.operation, failed.code)
    }
}
