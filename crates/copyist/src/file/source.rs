//! An open source.

use super::failure::FileError;
use crate::system::{At, Open, Platform};
use crate::words::error::{Operation, Refusal};
use crate::words::stat::{FileKind, Stat};

/// An open source.
pub(crate) struct Source<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) stat: Stat,
}

/// Opens a source to read its content. Never waits for the other end of a FIFO unless the options ask for the FIFO's
/// content, and never returns a device that has replaced a file meanwhile.
pub(crate) fn open_source<P: Platform>(
    platform: &P,
    at: At<'_, P>,
    follow: bool,
    expected: Option<FileKind>,
) -> Result<Source<P>, FileError> {
    let how = match expected {
        None | Some(FileKind::Regular) => Open::Read { follow },
        Some(_) => Open::ReadStream { follow },
    };
    let failed = |code| FileError::system(Operation::OpenSource, code);
    let handle = platform.open(at, how).map_err(failed)?;
    let stat = platform
        .stat_open(&handle)
        .map_err(|code| FileError::system(Operation::StatSource, code))?;
    if stat.kind != expected.unwrap_or(FileKind::Regular) {
        return Err(FileError::refused(Refusal::Replaced));
    }
    Ok(Source { handle, stat })
}
