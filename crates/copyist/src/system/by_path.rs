//! Copies of whole files, which a system makes by one call.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicUsize;

use super::machine::Machine;
use super::names::Target;
use crate::words::code::Code;

/// A copy of a whole file that a system makes by one call, destination and all.
///
/// Where the others move bytes between two open files ([`Move`]), these give the destination its
/// name: clonefile, copyfile(3) and CopyFileExW know no other way.
#[allow(dead_code)] // Linux makes none
pub(crate) struct WholeCopy<'a, P: Machine> {
    pub(crate) how: Whole,
    /// A file is open for reading; a directory has a name, which is not followed.
    pub(crate) src: Target<'a, P>,
    /// [`Target::Named`]: to be made; the name must be free, a symbolic link has it too.
    /// [`Target::Open`]: an empty file, to be filled (a system that can't says "not supported").
    pub(crate) dst: Target<'a, P>,
    pub(crate) takes: Takes,
    /// Other than 0 once the run is cancelled, at any time: a system that looks at it by itself
    /// (CopyFileExW) stops between two calls of the callback.
    pub(crate) cancel: &'a AtomicUsize,
}

/// The calls that make whole copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Share everything, of one moment (clonefile; on a directory, with all that is in it).
    Clone,
    /// The system's own copier (copyfile(3), CopyFileExW). A destination that it makes may have
    /// been given any attribute of the source.
    SystemCopy,
}

/// What a whole copy takes along besides the data, where the system lets the caller choose.
#[allow(dead_code)] // Linux makes no such copies
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Takes {
    /// The owner (macOS: without it, CLONE_NOOWNERCOPY).
    pub(crate) owner: bool,
    /// Access control lists (CLONE_ACL, COPYFILE_ACL).
    pub(crate) acl: bool,
    /// Extended attributes, with what the system keeps in them (COPYFILE_XATTR).
    pub(crate) xattrs: bool,
    /// Holes (COPYFILE_DATA_SPARSE).
    pub(crate) holes: bool,
    /// Its copier may share extents instead (COPYFILE_CLONE).
    pub(crate) may_share: bool,
    /// The destination is what the caller named, from the current directory, and not a name that
    /// a walk came to: calls that take whole paths may be made.
    pub(crate) by_path: bool,
    /// Permission bits to make it with, where the call doesn't take the source's.
    pub(crate) mode: u32,
    /// Around the cache (COPY_FILE_NO_BUFFERING).
    pub(crate) unbuffered: bool,
    /// A file server is on one side (COPY_FILE_REQUEST_COMPRESSED_TRAFFIC).
    pub(crate) over_network: bool,
}

/// A whole copy that was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotMade {
    pub(crate) code: Code,
    /// A part of it has the name now, and is the caller's to remove. Never set for a name that
    /// was taken before the call.
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

/// Told how many bytes of a whole copy are in place; answers whether to go on. Where it breaks
/// off, the copy ends with [`Code::CANCELLED`].
pub(crate) type Progress<'a> = dyn FnMut(u64) -> ControlFlow<()> + 'a;
