//! The directory that a name is in.

use std::ffi::OsStr;
use std::path::Path;

use super::{At, Open, Platform, Sys};
use crate::think::rules;
use crate::words::options::Flush;

/// The directory that a name is in.
pub(crate) fn parent_dir<P: Platform>(at: At<'_, P>) -> At<'_, P> {
    At {
        dir: at.dir,
        name: parent(at.name),
    }
}

/// The same, as a path from where the name is looked up.
pub(crate) fn parent(name: &OsStr) -> &OsStr {
    let parent = Path::new(name).parent().map(Path::as_os_str);
    parent
        .filter(|it| !it.is_empty())
        .unwrap_or(OsStr::new("."))
}

/// Makes the names in the directory of `at` durable.
#[inline(never)] // as `copy_atomic`
pub(crate) fn sync_parent_dir<P: Platform>(platform: &P, at: At<'_, P>) -> Sys<()> {
    flush_directory(platform, parent_dir(at))
}

/// Makes the names in a directory, and its attributes, durable.
pub(crate) fn flush_directory<P: Platform>(platform: &P, at: At<'_, P>) -> Sys<()> {
    let dir = platform.open(at, Open::Directory { follow: true })?;
    match platform.flush(&dir, Flush::Durable) {
        // A filesystem that knows no such thing (FUSE, CIFS) has nothing to wait for.
        Err(code) if rules::is_no_flush(platform.os(), code) => Ok(()),
        flushed => flushed,
    }
}
