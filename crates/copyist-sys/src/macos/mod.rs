//! macOS: what is not in every Unix.

mod acl;
mod clonefile;
mod copyfile;
mod fcntl;
mod getattrlistbulk;
mod mknod;
mod setattrlist;
mod volume;

pub use acl::{acl, remove_acl, set_acl};
pub use clonefile::{CLONE_ACL, CLONE_NOFOLLOW, CLONE_NOOWNERCOPY, clonefileat, fclonefileat};
pub use copyfile::{Contents, copyfile, fcopyfile};
pub use fcntl::{barrierfsync, fullfsync, log2phys, nocache, preallocate, rdahead};
pub use getattrlistbulk::{EntryKind, getattrlistbulk};
pub use mknod::mknod;
pub use setattrlist::set_creation_time;
pub use volume::{VolumeCapabilities, volume_capabilities};

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

use rustix::io::Errno;

/// The errno of the call that has just failed on this thread.
fn last_error() -> Errno {
    let code = std::io::Error::last_os_error().raw_os_error();
    Errno::from_raw_os_error(code.unwrap_or(libc::EIO))
}

/// -1 is a failure, everything else a success.
fn succeed(result: libc::c_int) -> Result<(), Errno> {
    if result == -1 {
        Err(last_error())
    } else {
        Ok(())
    }
}

/// A name as C wants it. One with a NUL in it names nothing.
fn c_name(name: &OsStr) -> Result<CString, Errno> {
    CString::new(name.as_bytes()).map_err(|_| Errno::INVAL)
}
