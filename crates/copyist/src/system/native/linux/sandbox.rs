//! The sandbox: Landlock, with which a process gives up rights.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use copyist_sys::linux::{Landlock, access};
use rustix::fs::{self, FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::system::native::unix::code;
use crate::system::sandbox::Places;
use crate::words::code::Code;

/// Restricts this thread, and those that it starts, to these places.
pub(crate) fn enter(places: &Places) -> Result<(), (Option<&Path>, Code)> {
    let landlock = Landlock::new().map_err(|errno| (None, code(errno)))?;
    for path in &places.read {
        let failed = |errno| (Some(&**path), code(errno));
        allow(&landlock, path, access::READ_FILE | access::READ_DIR).map_err(failed)?;
    }
    for path in &places.write {
        let failed = |errno| (Some(&**path), code(errno));
        let not = access::EXECUTE | access::IOCTL_DEV;
        allow(&landlock, path, !not).map_err(failed)?;
    }
    landlock
        .restrict_self()
        .map_err(|errno| (None, code(errno)))
}

/// Allows these accesses to the file or directory that a path leads to.
fn allow(landlock: &Landlock, path: &Path, access: u64) -> Result<(), Errno> {
    // A file that does not exist can't be opened; the copy will report it.
    let Some(place) = open(path)? else {
        return Ok(());
    };
    let possible = if is_dir(&place)? {
        access
    } else {
        access & access::OF_FILES
    };
    match landlock.allow(&place, possible) {
        // Pipes and sockets are not restricted, and no rule can name them.
        Err(Errno::BADFD) => Ok(()),
        result => result,
    }
}

/// Opens a path to use it in a rule; `None` if it does not exist or may not be looked up.
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
