//! Calls that copy a whole file or directory at once.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;

use super::machine::Machine;
use super::names::Target;
use crate::words::code::Code;

/// A copy of a whole file by one call, which also creates the destination.
///
/// While the methods of [`Move`](super::Move) move bytes between two open files, these calls give the destination its name:
/// clonefile, copyfile(3) and CopyFileExW have no other interface.
#[allow(dead_code)] // Linux has no such call
pub(crate) struct WholeCopy<'a, P: Machine> {
    pub(crate) how: Whole,
    /// A file is open for reading; a directory is given by name, which is not followed.
    pub(crate) src: Target<'a, P>,
    /// [`Target::Named`]: to be created; the name must be free, also of a symbolic link.
    /// [`Target::Open`]: an empty file to be filled (a system that can't do that returns "not supported").
    pub(crate) dst: Target<'a, P>,
    pub(crate) takes: Takes,
    /// Not 0 once the run is cancelled, which may happen at any time: CopyFileExW reads it by itself and stops
    /// between two calls of the callback.
    pub(crate) cancel: &'a AtomicUsize,
}

/// The calls that copy whole files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Shares everything, as of one moment (clonefile; for a directory, with all its content).
    Clone,
    /// The system's own copier (copyfile(3), CopyFileExW). A destination that it creates may have any of the source's
    /// attributes.
    SystemCopy,
}

/// What such a call copies besides the data, where the system lets the caller choose.
#[allow(dead_code)] // Linux has no such call
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Takes {
    /// The owner (macOS: if unset, CLONE_NOOWNERCOPY).
    pub(crate) owner: bool,
    /// Access control lists (CLONE_ACL, COPYFILE_ACL).
    pub(crate) acl: bool,
    /// Extended attributes, including those in which the system stores its own data (COPYFILE_XATTR).
    pub(crate) xattrs: bool,
    /// Holes (COPYFILE_DATA_SPARSE).
    pub(crate) holes: bool,
    /// The system's copier may share extents instead (COPYFILE_CLONE).
    pub(crate) may_share: bool,
    /// The destination is a path that the caller named, relative to the current directory, and not a name found by a
    /// walk: calls that take whole paths may be used.
    pub(crate) by_path: bool,
    /// The permission bits to create it with, where the call doesn't use the source's.
    pub(crate) mode: u32,
    /// Bypass the page cache (COPY_FILE_NO_BUFFERING).
    pub(crate) unbuffered: bool,
    /// Source or destination is on a file server (COPY_FILE_REQUEST_COMPRESSED_TRAFFIC).
    pub(crate) over_network: bool,
}

/// A failed copy of a whole file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotMade {
    pub(crate) code: Code,
    /// A partial destination was left behind; the caller removes it. Never set if the name existed before the call.
    pub(crate) is_left: bool,
}

impl From<Code> for NotMade {
    fn from(code: Code) -> NotMade {
        NotMade {
            code,
            is_left: false,
        }
    }
}

/// Called with the number of bytes that are complete; returns whether to continue. On `Break` the copy ends with
/// [`Code::CANCELLED`].
pub(crate) type Progress<'a> = dyn FnMut(u64) -> ControlFlow<()> + 'a;
