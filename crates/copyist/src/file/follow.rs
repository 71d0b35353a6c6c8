//! Follows symbolic links at a destination to the file that is replaced.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path};

use crate::system::parent::parent;
use crate::system::{At, Platform, Sys};
use crate::think::rules;
use crate::words::options::Options;
use crate::words::stat::FileKind;

/// The maximum number of symbolic links at a destination, as in Linux: more are a loop.
const MOST_LINKS: u32 = 40;

/// The path that a symbolic link at the destination leads to; `None` if it leads to an open file
/// ([`Names::is_magic_link`](crate::system::Names::is_magic_link)).
pub(crate) fn resolve<P: Platform>(platform: &P, at: At<'_, P>) -> Sys<Option<OsString>> {
    let os = platform.os();
    let mut name = at.name.to_os_string();
    for _ in 0..MOST_LINKS {
        let link = At {
            dir: at.dir,
            name: &name,
        };
        match platform.stat(link, false) {
            Ok(stat) if stat.kind == FileKind::Symlink => {
                if platform.is_magic_link(link)? {
                    return Ok(None);
                }
                name = follow(&name, &platform.read_link(link)?);
            }
            Ok(_) => return Ok(Some(name)),
            Err(code) if rules::is_not_found(os, code) => return Ok(Some(name)),
            Err(code) => return Err(code),
        }
    }
    Err(rules::link_loop(os))
}

/// Whether an operand is a symbolic link to an open file, which the options ask to read.
pub(crate) fn reads_open_file<P: Platform>(platform: &P, options: &Options, at: At<'_, P>) -> bool {
    options.read_open_files
        && matches!(resolve(platform, at), Ok(None))
        && platform
            .stat(at, true)
            .is_ok_and(|it| it.kind != FileKind::Directory)
}

/// The path of a symbolic link's target.
fn follow(link: &OsStr, target: &OsStr) -> OsString {
    // Not `Path::with_file_name`, which can't append `..`.
    let mut path = match Path::new(link).components().next_back() {
        Some(Component::Normal(_)) => Path::new(parent(link)).to_path_buf(),
        _ => Path::new(link).to_path_buf(),
    };
    path.push(target);
    path.into_os_string()
}
