//! Files to try things with.

use std::ffi::{OsStr, OsString};
use std::ops::Deref;

use super::{Place, scratch_name};
use crate::file::temp_file::remove_closed;
use crate::system::parent::check_removable;
use crate::system::{At, Open, Platform, Sys};
use crate::words::code::Code;

/// Refuses to make a name where it could not be removed again.
pub(super) fn check_names<P: Platform>(platform: &P, place: &Place<P>) -> Sys<()> {
    let here = At {
        dir: &place.dir,
        name: OsStr::new("."),
    };
    check_removable(platform, here)
}

/// A file to try things with, which is gone when it is dropped.
pub(super) struct Scratch<'a, P: Platform> {
    platform: &'a P,
    place: &'a Place<P>,
    /// `None` only while it is dropped.
    file: Option<P::Handle>,
    /// It has this name.
    name: Option<OsString>,
}

impl<'a, P: Platform> Scratch<'a, P> {
    /// A file that the system makes without a name, or, whatever that is refused with, one with a
    /// name. The name is removed after the file is closed: not every mount removes an open file, and
    /// CIFS treats one that it has removed differently (direct I/O, extended attributes).
    pub(super) fn make(platform: &'a P, place: &'a Place<P>) -> Sys<Scratch<'a, P>> {
        if place.cancel.is_cancelled() {
            return Err(Code::CANCELLED);
        }
        let scratch = |file, name| Scratch {
            platform,
            place,
            file: Some(file),
            name,
        };
        if let Ok(file) = platform.scratch(&place.dir) {
            return Ok(scratch(file, None));
        }
        let name = scratch_name("scratch");
        let at = At {
            dir: &place.dir,
            name: &name,
        };
        check_names(platform, place)?;
        let file = platform.open(at, Open::CreateDraft { mode: 0o600 })?;
        Ok(scratch(file, Some(name)))
    }
}

impl<P: Platform> Deref for Scratch<'_, P> {
    type Target = P::Handle;

    fn deref(&self) -> &P::Handle {
        // Only `drop` takes it.
        self.file.as_ref().expect("it is open until it is dropped")
    }
}

impl<P: Platform> Drop for Scratch<'_, P> {
    fn drop(&mut self) {
        if let Some(file) = self.file.take() {
            self.platform.close_quietly(file);
        }
        if let Some(name) = self.name.take() {
            let at = At {
                dir: &self.place.dir,
                name: &name,
            };
            // What is left now begins with [`super::Probe::scratch_prefix`], by which it can be found.
            let _ = remove_closed(self.platform, at);
        }
    }
}
