//! Attributes of files.

use super::machine::{Machine, Sys};
use super::names::Target;
use crate::words::code::Code;
use crate::words::stat::Timestamp;

/// One attribute to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Mode(u32),
    /// `None` leaves that ID as it is.
    Owner {
        uid: Option<u32>,
        gid: Option<u32>,
    },
    Times {
        accessed: Timestamp,
        modified: Timestamp,
    },
    /// The time of creation (not on Linux).
    Created(Timestamp),
    /// The flags of chattr(1) on Linux, of chflags(1) on macOS and FreeBSD, and the file attributes on Windows.
    Flags(u32),
}

/// The side on which copying an extended attribute failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XattrFailed {
    Reading(Code),
    Writing(Code),
}

/// The attributes of a file.
pub(crate) trait Attributes: Machine {
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()>;
    fn flags(&self, file: &Self::Handle) -> Sys<u32>;
    /// Stores the names, each ended by a NUL, in `names` (cleared first).
    fn xattr_names(&self, target: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()>;
    /// Stores the value in `value` (cleared first); returns `false` if there is no attribute of that name.
    fn xattr(&self, target: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool>;
    fn set_xattr(&self, target: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()>;
    fn remove_xattr(&self, target: Target<'_, Self>, name: &[u8]) -> Sys<()>;
    /// Copies a value through `buffer`; returns `false` if the source has no attribute of that name. A value that may
    /// be larger than memory (a stream of Windows) is copied piece by piece.
    fn copy_xattr(
        &self,
        src: Target<'_, Self>,
        dst: Target<'_, Self>,
        name: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<bool, XattrFailed> {
        let is_there = self
            .xattr(src, name, buffer)
            .map_err(XattrFailed::Reading)?;
        if is_there {
            self.set_xattr(dst, name, buffer)
                .map_err(XattrFailed::Writing)?;
        }
        Ok(is_there)
    }
}
