//! One error type for tasks: a sentence that names the operation and the path, for a person to read.

use std::fmt;
use std::path::Path;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as a sentence. Tasks never branch on an error's kind, so it needs no structure.
#[derive(Debug)]
pub(crate) struct Error(String);

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Error {}

/// Says what was being done, and to what, when something failed.
pub(crate) trait Context<T> {
    /// `operation` is a verb with its object's kind: "create the directory".
    fn at(self, operation: &str, path: &Path) -> Result<T>;

    /// For operations without a path.
    fn doing(self, operation: &str) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn at(self, operation: &str, path: &Path) -> Result<T> {
        self.map_err(|error| Error(format!("cannot {operation} {}: {error}", path.display())))
    }

    fn doing(self, operation: &str) -> Result<T> {
        self.map_err(|error| Error(format!("cannot {operation}: {error}")))
    }
}
