//! The failure of a file, before its paths are known.

use super::attributes::Failed;
use crate::run::exec::Failure;
use crate::run::step::Stop;
use crate::words::code::Code;
use crate::words::error::{Cause, Operation, Refusal};
use crate::words::method::Method;

/// The reason why a file, or a part of its attributes, was not copied. As small as possible: every call of a file
/// returns a result that may contain one.
#[derive(Debug)]
pub(crate) struct FileError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    operation: Operation,
    cause: Cause,
    transfer: Option<(Method, u64)>,
}

impl FileError {
    #[cold]
    #[inline(never)] // what makes an error is kept apart from what makes copies
    pub(super) fn new(operation: Operation, cause: Cause) -> FileError {
        FileError(Box::new(Inner {
            operation,
            cause,
            transfer: None,
        }))
    }

    #[cold]
    #[inline(never)] // as `new`
    pub(crate) fn system(operation: Operation, code: Code) -> FileError {
        FileError::new(operation, Cause::System(code))
    }

    #[cold]
    #[inline(never)] // as `new`
    pub(super) fn refused(refusal: Refusal) -> FileError {
        FileError::new(Operation::Plan, Cause::Refused(refusal))
    }

    /// Adds the method, and the offset.
    pub(super) fn with_transfer(mut self, transfer: Option<(Method, u64)>) -> FileError {
        self.0.transfer = transfer;
        self
    }

    pub(crate) fn operation(&self) -> Operation {
        self.0.operation
    }

    pub(crate) fn cause(&self) -> &Cause {
        &self.0.cause
    }

    /// Whether another failure has the same operation and cause.
    pub(crate) fn says_as_much(&self, other: &FileError) -> bool {
        (self.operation(), self.cause()) == (other.operation(), other.cause())
    }

    pub(crate) fn into_parts(self) -> (Operation, Cause, Option<(Method, u64)>) {
        (self.0.operation, self.0.cause, self.0.transfer)
    }

    /// The copy was read back, and its content differs.
    pub(super) fn is_bad_copy(&self) -> bool {
        self.0.cause == Cause::Refused(Refusal::Differs)
    }

    /// The copy is complete, and could not be read back.
    pub(crate) fn is_about_checking(&self) -> bool {
        use Operation::{Hash, Verify, VerifySource};
        matches!(self.0.operation, Hash | Verify | VerifySource)
    }
}

impl From<Failed> for FileError {
    #[cold]
    fn from(failed: Failed) -> FileError {
        FileError::system(failed.operation, failed.code)
    }
}

pub(crate) fn explain(failure: Failure, offset: u64) -> FileError {
    match failure {
        Failure::Stopped { method, stop } => explain_stop(stop, Some(method), offset),
        Failure::NoMethod {
            last: Some((method, code)),
            ..
        } => FileError::system(Operation::Transfer, code).with_transfer(Some((method, offset))),
        Failure::NoMethod {
            last: None,
            skipped,
        } => FileError::refused(Refusal::NoMethod(skipped)),
    }
}

pub(crate) fn explain_stop(stop: Stop, method: Option<Method>, offset: u64) -> FileError {
    let (operation, cause) = match stop {
        Stop::Code { operation, code } => (operation, Cause::System(code)),
        Stop::Cancelled => (Operation::Transfer, Cause::Refused(Refusal::Cancelled)),
        // The code of the failed open says more.
        Stop::NoDestination => (Operation::OpenDestination, Cause::System(Code::NO_PROGRESS)),
    };
    FileError::new(operation, cause).with_transfer(method.map(|method| (method, offset)))
}
