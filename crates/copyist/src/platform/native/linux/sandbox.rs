//! The sandbox: Landlock, which takes a process's own rights away.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use copyist_sys::linux::{Landlock, access};
use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::error::Code;
use crate::platform::native::unix::code;
use crate::sandbox::Places;

/// Limits this thread, and those that it starts, to the places.
pub(crate) fn enter<'a>(places: &Places<'a>) -> Result<(), (Option<&'a Path>, Code)> {
    let landlock = Landlock::new().map_err(|errno| (None, code(errno)))?;
    for &path in &places.read {
        let failed = |errno| (Some(path), code(errno));
        // What isn't there can't be read; the copy will say so.
        if let Some(place) = open(path).map_err(failed)? {
            let is_dir = is_dir(&place).map_err(failed)?;
            let dir = if is_dir { access::READ_DIR } else { 0 };
            landlock
                .allow(&place, access::READ_FILE | dir)
                .map_err(failed)?;
        }
    }
    for &path in &places.write {
        let failed = |errno| (Some(path), code(errno));
        if let Some(place) = open(path).map_err(failed)? {
            let not = access::EXECUTE | access::IOCTL_DEV;
            landlock.allow_all_but(&place, not).map_err(failed)?;
        }
    }
    landlock
        .restrict_self()
        .map_err(|errno| (None, code(errno)))
}

/// Opens a path to name it; `None` if there is nothing, or nothing that may be looked at.
fn open(path: &Path) -> Result<Option<OwnedFd>, Errno> {
    match fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Ok(place) => Ok(Some(place)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => Ok(None),
        Err(errno) => Err(errno),
    }
}

fn is_dir(place: impl AsFd) -> Result<bool, Errno> {
    let stat = fs::fstat(place)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}
