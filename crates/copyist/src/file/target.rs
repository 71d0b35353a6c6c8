//! The name that a file is copied to, and what is open under it.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::attributes::CreatedState;
use crate::run::progress_sink::ProgressSink;
use crate::system::{At, Platform};
pub(crate) use crate::think::disposition::Existing;
use crate::words::stat::{Stat, Timestamp};

/// The name a file is copied to, and what is known of it.
pub(crate) struct Destination<'a, P: Platform> {
    pub(crate) at: At<'a, P>,
    pub(crate) existing: Existing,
    /// What has the name, whatever it is, is replaced by a new file.
    pub(crate) replaces: bool,
    /// Its directory may give new files an access control list.
    pub(crate) may_have_acl: bool,
    /// The caller named it, from the current directory.
    pub(crate) is_operand: bool,
    /// Where it is, if that is to be written down.
    pub(crate) path: Option<PathBuf>,
}

impl<P: Platform> Destination<'_, P> {
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.existing, Existing::Stream { .. })
    }

    /// A new file of this name in the same directory, which is to replace it.
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

/// What an earlier run has left of a file, and who is told how far it comes in this one.
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
    /// What it was before it was emptied.
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
