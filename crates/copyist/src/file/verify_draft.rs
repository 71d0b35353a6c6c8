//! Reading a complete draft back, before it is published.

use super::verify::{ReadBack, ReadBackError};
use super::{FileCopier, FileError, Opened, Source};
use crate::platform::{At, Platform};
use crate::report::Report;

/// A draft whose content and attributes are complete.
pub(super) enum Complete<'a, P: Platform> {
    /// It has no name, and is gone when it is closed.
    Nameless(P::Handle),
    /// It has a temporary name; closed already if there is no handle.
    Named(At<'a, P>, Option<P::Handle>),
}

impl<P: Platform> FileCopier<'_, P> {
    /// Reads a complete draft back, if it has to be, before it gets its final name: one with a name after it was closed.
    /// A bad one goes no further, unless the options keep it.
    pub(super) fn check_draft<'t>(
        &mut self,
        src: &Source<P>,
        (opened, temporary): (Opened<P>, Option<At<'t, P>>),
        read_back: Option<&ReadBack>,
        report: &mut Report,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<(Complete<'t, P>, Result<(), ReadBackError>), FileError> {
        let (complete, checked) = match (temporary, read_back) {
            (None, None) => (Complete::Nameless(opened.handle), Ok(())),
            (Some(at), None) => (Complete::Named(at, Some(opened.handle)), Ok(())),
            (None, Some(read_back)) => {
                let checked = self.check_copy(src, &opened.handle, read_back, report, fail);
                (Complete::Nameless(opened.handle), checked)
            }
            (Some(at), Some(read_back)) => {
                self.close(opened)?;
                match self.open_copy(at, false, read_back) {
                    Ok(copy) => {
                        // No other run is to take it for a leftover, where files can be locked.
                        let _ = self.platform.lock(&copy);
                        let checked = self.check_copy(src, &copy, read_back, report, fail);
                        (Complete::Named(at, Some(copy)), checked)
                    }
                    Err(error) => (Complete::Named(at, None), Err(ReadBackError::new(error))),
                }
            }
        };
        match checked {
            Err(ReadBackError::Bad(error)) if !self.options.keep_bad => Err(error),
            Err(ReadBackError::Cancelled(error)) => Err(error),
            checked => Ok((complete, checked)),
        }
    }
}
