//! Which existing destinations a copy has replaced.

use std::path::{Path, PathBuf};

use copyist::PathSource;

/// How many of the replaced are named in the last line.
const NAMED: usize = 3;

/// Existing destinations that were replaced: how many, and the first of them.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    pub(crate) count: u64,
    pub(crate) first: Vec<PathBuf>,
    /// Those that are about to be replaced.
    begun: Vec<PathBuf>,
}

impl Replaced {
    pub(crate) fn begin(&mut self, paths: &dyn PathSource) {
        self.begun.push(paths.dst());
    }

    /// Something was made: counted if it has replaced something.
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

    /// Something could not be made.
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
