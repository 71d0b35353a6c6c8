//! Symbolic links at a destination, followed to what is to be replaced.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path};

use super::{FileCopier, FileError, parent};
use crate::error::Operation;
use crate::platform::{At, FileKind, Platform};
use crate::rules;

/// More symbolic links than this at a destination are a loop, as in Linux.
const MOST_LINKS: u32 = 40;

impl<P: Platform> FileCopier<'_, P> {
    /// Where a symbolic link at the destination leads.
    pub(super) fn resolve(&self, at: At<'_, P>) -> Result<OsString, FileError> {
        let failed = |code| FileError::system(Operation::OpenDestination, code);
        let mut name = at.name.to_os_string();
        for _ in 0..MOST_LINKS {
            let link = At {
                dir: at.dir,
                name: &name,
            };
            match self.platform.stat(link, false) {
                Ok(stat) if stat.kind == FileKind::Symlink => {
                    let target = self.platform.read_link(link).map_err(failed)?;
                    name = follow(&name, &target);
                }
                Ok(_) => return Ok(name),
                Err(code) if rules::is_not_found(self.platform.os(), code) => return Ok(name),
                Err(code) => return Err(failed(code)),
            }
        }
        Err(failed(rules::link_loop(self.platform.os())))
    }
}

/// The path of a symbolic link's target.
fn follow(link: &OsStr, target: &OsStr) -> OsString {
    // Not by Path::with_file_name, which knows no other last part than a name.
    let mut path = match Path::new(link).components().next_back() {
        Some(Component::Normal(_)) => Path::new(parent(link)).to_path_buf(),
        _ => Path::new(link).to_path_buf(),
    };
    path.push(target);
    path.into_os_string()
}
