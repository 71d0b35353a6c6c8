//! The directory that a name is in.

use std::ffi::OsStr;
use std::path::Path;

use super::{At, Open, Platform, Sys};
use crate::think::rules;
use crate::words::options::Flush;
use crate::words::stat::KeptNames;

/// The directory that a name is in.
pub(crate) fn parent_dir<P: Platform>(at: At<'_, P>) -> At<'_, P> {
    At {
        dir: at.dir,
        name: parent(at.name),
    }
}

/// The same, as a path relative to where the name is looked up.
pub(crate) fn parent(name: &OsStr) -> &OsStr {
    let parent = Path::new(name).parent().map(Path::as_os_str);
    parent
        .filter(|it| !it.is_empty())
        .unwrap_or(OsStr::new("."))
}

/// Flushes the directory of `at`, so that its names are on stable storage.
pub(crate) fn sync_parent_dir<P: Platform>(platform: &P, at: At<'_, P>) -> Sys<()> {
    flush_directory(platform, parent_dir(at))
}

/// Flushes a directory: its names and its attributes.
pub(crate) fn flush_directory<P: Platform>(platform: &P, at: At<'_, P>) -> Sys<()> {
    let dir = platform.open(at, Open::Directory { follow: true })?;
    match platform.flush(&dir, Flush::Durable) {
        // A filesystem that can't flush directories (FUSE, CIFS) has nothing to wait for.
        Err(code) if rules::is_no_flush(platform.os(), code) => Ok(()),
        flushed => flushed,
    }
}

/// Refuses to create a name in a directory from which names can't be removed, before it is created.
pub(crate) fn check_removable<P: Platform>(platform: &P, dir: At<'_, P>) -> Sys<()> {
    match platform.kept_names(dir) {
        KeptNames::All => Err(rules::kept_name(platform.os())),
        KeptNames::None | KeptNames::OfOthers { .. } => Ok(()), // what is created is the user's own
    }
}
