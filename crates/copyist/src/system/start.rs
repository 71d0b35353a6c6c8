//! The directory at which the lookup of paths starts.

use std::path::Path;

use super::{Platform, Sys};
use crate::think::rules::is_access_denied;

/// The directory at which the lookup of paths starts: the current one. Where the process may not search it, absolute
/// paths can still be looked up.
pub(crate) fn start_dir<'p, P: Platform>(
    platform: &P,
    paths: impl IntoIterator<Item = &'p Path>,
) -> Sys<P::Handle> {
    match platform.current_dir() {
        Err(code)
            if is_access_denied(platform.os(), code) && paths.into_iter().all(Path::has_root) =>
        {
            platform.root_dir().map_err(|_| code)
        }
        current => current,
    }
}
