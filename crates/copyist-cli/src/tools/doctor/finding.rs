//! What an examination has found.

use std::io;

use copyist::Method;
use copyist::probe::Probe;

use super::judge::Fault;
use crate::tools::work::Work;
use crate::words::errors::io_text;

/// The examination of one filesystem.
pub(crate) struct Examination {
    pub(super) probe: Probe,
    pub(super) findings: Vec<Finding>,
    /// What was not tried, and why.
    pub(super) left_out: Vec<String>,
}

/// The result for one method, or for the map of holes.
pub(crate) struct Finding {
    /// `None`: the map of holes.
    pub(super) method: Option<Method>,
    /// How many files were copied correctly.
    pub(super) good: u32,
    /// Files that the method refused: the code, if the system returned one, and why.
    pub(super) refused: Vec<(&'static str, String)>,
    /// Files that were copied wrongly without an error.
    pub(super) wrong: Vec<(&'static str, Fault)>,
    /// Files whose copy failed with an error.
    pub(super) failed: Vec<(&'static str, String)>,
    /// How many were not tested, or not completely, because the time was up.
    pub(super) untested: usize,
}

impl Finding {
    pub(super) fn of(method: Option<Method>) -> Finding {
        Finding {
            method,
            good: 0,
            refused: Vec::new(),
            wrong: Vec::new(),
            failed: Vec::new(),
            untested: 0,
        }
    }

    pub(super) fn is_unsafe(&self) -> bool {
        !self.wrong.is_empty()
    }
}

impl Finding {
    /// Counts a result; `judge` compares the copy, if there is one.
    pub(super) fn take(
        &mut self,
        (name, work): (&'static str, &Work),
        copied: Result<bool, Ending>,
        judge: impl FnOnce() -> io::Result<Option<Fault>>,
    ) {
        let is_over = || work.cancel().is_cancelled();
        match copied {
            Err(Ending::Failed(_)) if is_over() => self.untested += 1,
            Err(Ending::Refused(why)) => self.refused.push((name, why)),
            Err(Ending::Failed(why)) => self.failed.push((name, why)),
            Ok(served) => match judge() {
                Ok(None) => self.good += u32::from(served),
                Ok(Some(fault)) => self.wrong.push((name, fault)),
                Err(_) if is_over() => self.untested += 1,
                Err(error) => self.failed.push((name, io_text(&error))),
            },
        }
    }
}

/// Why there is no copy.
pub(super) enum Ending {
    Refused(String),
    Failed(String),
}

impl Finding {
    pub(super) fn tried(&self) -> usize {
        self.good as usize + self.wrong.len() + self.failed.len()
    }
}
