//! Which existing destinations a copy has replaced.

use std::path::{Path, PathBuf};

use copyist::observer::PathSource;

/// How many replaced destinations the last line names.
const NAMED: usize = 3;

/// Existing destinations that were replaced: their number, and the names of the first.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    pub(crate) count: u64,
    pub(crate) first: Vec<PathBuf>,
    /// Destinations whose replacement has begun.
    begun: Vec<PathBuf>,
}

impl Replaced {
    pub(crate) fn begin(&mut self, paths: &dyn PathSource) {
        self.begun.push(paths.dst());
    }

    /// A destination is complete: counts it if it has replaced another.
    pub(crate) fn end(&mut self, paths: &dyn PathSource) {
        if self.begun.is_empty() {
            return;
        }
        let dst = paths.dst();
        if self.take(&dst) {
            self.count += 1;
            if self.first.len() < NAMED {
                self.first.push(dst);
            }
        }
    }

    /// A destination could not be created.
    pub(crate) fn fail(&mut self, error: &copyist::Error) {
        if let Some(dst) = error.destination_path() {
            self.take(dst);
        }
    }

    fn take(&mut self, dst: &Path) -> bool {
        let found = self.begun.iter().position(|it| it == dst);
        found.map(|n| self.begun.swap_remove(n)).is_some()
    }
}
