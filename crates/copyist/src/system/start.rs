//! Where paths are looked up from.

use std::path::Path;

use super::{Platform, Sys};
use crate::think::rules::is_access_denied;

/// The directory to look up paths from. That is the current one; where the process may not search it,
/// absolute paths can be looked up all the same.
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
