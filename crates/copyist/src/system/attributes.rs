//! Attributes of files.

use super::machine::{Machine, Sys};
use super::names::Target;
use crate::words::code::Code;
use crate::words::stat::Timestamp;

/// One attribute to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Mode(u32),
    /// `None` leaves it as it is.
    Owner {
        uid: Option<u32>,
        gid: Option<u32>,
    },
    Times {
        accessed: Timestamp,
        modified: Timestamp,
    },
    /// When it was made (not on Linux).
    Created(Timestamp),
    /// The flags of chattr(1), of chflags(1) on macOS and FreeBSD, and file attributes on Windows.
    Flags(u32),
}

/// On which side a copy of an extended attribute failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XattrFailed {
    Reading(Code),
    Writing(Code),
}

/// What a file has besides its name and its data.
pub(crate) trait Attributes: Machine {
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()>;
    fn flags(&self, file: &Self::Handle) -> Sys<u32>;
    /// The names, each ended by a NUL, into `names` (cleared first).
    fn xattr_names(&self, target: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()>;
    /// The value into `value` (cleared first); `false` if there is none of that name.
    fn xattr(&self, target: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool>;
    fn set_xattr(&self, target: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()>;
    fn remove_xattr(&self, target: Target<'_, Self>, name: &[u8]) -> Sys<()>;
    /// Copies a value through `buffer`; `false` if the source has none of that name. Where one may be
    /// larger than memory (a stream of Windows) it goes piece by piece.
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
