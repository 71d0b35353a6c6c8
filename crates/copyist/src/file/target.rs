//! The name that a file is copied to, and the file that is open under it.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::attributes::CreatedState;
use crate::run::progress_sink::ProgressSink;
use crate::system::{At, Platform};
pub(crate) use crate::think::disposition::Existing;
use crate::words::stat::{Stat, Timestamp};

/// The name that a file is copied to, and what is known about it.
pub(crate) struct Destination<'a, P: Platform> {
    pub(crate) at: At<'a, P>,
    pub(crate) existing: Existing,
    /// Whatever has the name is replaced by a new file.
    pub(crate) replaces: bool,
    /// New files may inherit an access control list from its directory.
    pub(crate) may_have_acl: bool,
    /// It is an operand: its name is relative to the current directory.
    pub(crate) is_operand: bool,
    /// Its path, if the journal records it.
    pub(crate) path: Option<PathBuf>,
}

impl<P: Platform> Destination<'_, P> {
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.existing, Existing::Stream { .. })
    }

    /// A temporary name in the same directory, for a new file that replaces this one.
    pub(crate) fn beside<'n>(&'n self, name: &'n OsStr) -> Destination<'n, P> {
        Destination {
            at: At {
                dir: self.at.dir,
                name,
            },
            existing: Existing::Nothing,
            replaces: false,
            may_have_acl: self.may_have_acl,
            is_operand: self.is_operand,
            path: None,
        }
    }
}

/// What an earlier run has left of a file, and the sink for the progress of this one.
pub(crate) struct ResumeState<'a, P: Platform> {
    pub(crate) progress_sink: Option<&'a dyn ProgressSink<P>>,
    pub(crate) offset: u64,
}

impl<P: Platform> Clone for ResumeState<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for ResumeState<'_, P> {}

impl<P: Platform> ResumeState<'_, P> {
    pub(crate) fn nothing() -> Self {
        ResumeState {
            progress_sink: None,
            offset: 0,
        }
    }
}

/// An open destination.
pub(crate) struct Opened<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) made: CreatedState,
    pub(crate) streams: bool,
    /// Its state before it was emptied.
    pub(super) old: Option<OldState>,
}

/// A file's state before it was overwritten, to distinguish old content from a bad copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OldState {
    size: u64,
    modified: Timestamp,
    changed: Timestamp,
}

impl From<&Stat> for OldState {
    fn from(stat: &Stat) -> OldState {
        OldState {
            size: stat.size,
            modified: stat.modified,
            changed: stat.changed,
        }
    }
}
