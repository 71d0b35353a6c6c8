//! The directory that a name is in.

use std::ffi::OsStr;
use std::path::Path;

use super::{At, Platform};

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
