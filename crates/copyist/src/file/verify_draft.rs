//! Reads a complete draft back before it is published.

use std::time::Duration;

use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::target::Opened;
use super::verify::{ReadBack, ReadBackError};
use crate::system::{At, Platform};
use crate::think::rules;
use crate::words::error::Cause;

/// A draft whose content and attributes are complete.
pub(super) enum Complete<'a, P: Platform> {
    /// It has no name, and disappears when it is closed.
    Nameless(P::Handle),
    /// It has a temporary name; without a handle it is closed.
    Named(At<'a, P>, Option<P::Handle>),
}

/// The number of renames that are tried for a draft that is not found, and the time before each.
const RENAMES: u32 = 20;
const WAIT: Duration = Duration::from_millis(100);

impl<P: Platform> FileCopier<'_, P> {
    /// Renames a closed draft that could not be opened: a filesystem that stores files late may not find it yet.
    pub(super) fn rename_late(
        &self,
        from: At<'_, P>,
        to: At<'_, P>,
        replaces: bool,
    ) -> Result<(), FileError> {
        let mut left = RENAMES;
        loop {
            let renamed = self.rename(from, to, replaces);
            let is_missing = |error: &FileError| matches!(*error.cause(), Cause::System(code) if rules::is_not_found(self.platform.os(), code));
            let goes_on = left > 0 && !self.context.cancel.is_cancelled();
            if !goes_on || !renamed.as_ref().is_err_and(is_missing) {
                return renamed;
            }
            left -= 1;
            std::thread::sleep(WAIT);
        }
    }

    /// Reads a complete draft back, if the options ask for it, before it gets its name; a draft that has a name is
    /// closed first. A bad draft is not published, unless the options keep it.
    pub(super) fn check_draft<'t>(
        &mut self,
        file: &mut OneFile<'_, P>,
        (opened, temporary): (Opened<P>, Option<At<'t, P>>),
        read_back: Option<&ReadBack>,
    ) -> Result<(Complete<'t, P>, Result<(), ReadBackError>), FileError> {
        let (complete, checked) = match (temporary, read_back) {
            (None, None) => (Complete::Nameless(opened.handle), Ok(())),
            (Some(at), None) => (Complete::Named(at, Some(opened.handle)), Ok(())),
            (None, Some(read_back)) => {
                let checked = self.check_copy(file, &opened.handle, read_back);
                (Complete::Nameless(opened.handle), checked)
            }
            (Some(at), Some(read_back)) => {
                self.close(opened)?;
                match self.open_copy(at, false, read_back) {
                    Ok(copy) => {
                        // Locked, so that no other run takes it for a leftover.
                        let _ = self.platform.lock(&copy);
                        let checked = self.check_copy(file, &copy, read_back);
                        (Complete::Named(at, Some(copy)), checked)
                    }
                    Err(error) => (Complete::Named(at, None), Err(ReadBackError::new(error))),
                }
            }
        };
        match checked {
            Err(ReadBackError::Bad(error)) if !self.options.keeps_bad() => Err(error),
            Err(ReadBackError::Cancelled(error)) => Err(error),
            checked => Ok((complete, checked)),
        }
    }
}
