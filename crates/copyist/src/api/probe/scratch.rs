//! Files for trials.

use std::ffi::{OsStr, OsString};
use std::ops::Deref;

use super::{Place, scratch_name};
use crate::file::temp_file::remove_closed;
use crate::system::parent::check_removable;
use crate::system::{At, Open, Platform, Sys};
use crate::words::code::Code;

/// Refuses to create a name that could not be removed again.
pub(super) fn check_names<P: Platform>(platform: &P, place: &Place<P>) -> Sys<()> {
    let here = At {
        dir: &place.dir,
        name: OsStr::new("."),
    };
    check_removable(platform, here)
}

/// A file for trials, which is removed when it is dropped.
pub(super) struct Scratch<'a, P: Platform> {
    platform: &'a P,
    place: &'a Place<P>,
    /// `None` only while it is dropped.
    file: Option<P::Handle>,
    /// Its name, if it has one.
    name: Option<OsString>,
}

impl<'a, P: Platform> Scratch<'a, P> {
    /// A nameless file or, if that is refused for any reason, one with a name. The name is removed after the file is
    /// closed: some mounts can't remove an open file, and CIFS treats a removed open file differently (direct I/O,
    /// extended attributes).
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
            // What is left now has the prefix [`super::Probe::scratch_prefix`], by which it can be found.
            let _ = remove_closed(self.platform, at);
        }
    }
}
