//! The lock that gives one run exclusive use of a journal, or of a part of a file.
//!
//! A killed run holds its locks until the kernel has ended it: with much memory, or writes in progress, up to a
//! second. So the lock is tried several times.

use std::time::Duration;

use crate::system::parent::check_removable;
use crate::system::parent::parent_dir;
use crate::system::{At, Open, Platform, Sys};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::observer::CancelToken;

/// The number of tries, and the time between: 2 seconds in all.
pub(super) const TRIES: u32 = 40;
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 50 });

/// Locks a file; `false` if another process holds the lock and keeps running.
pub(super) fn wait<P: Platform>(platform: &P, file: &P::Handle, cancel: &CancelToken) -> Sys<bool> {
    for _ in 1..TRIES {
        match platform.lock(file) {
            Ok(false) if !cancel.is_cancelled() => std::thread::sleep(PAUSE),
            locked => return locked,
        }
    }
    platform.lock(file)
}

/// Opens or creates the journal `at`, and locks it; `None` if another run has it.
pub(super) fn open<P: Platform>(
    platform: &P,
    at: At<'_, P>,
    cancel: &CancelToken,
) -> Result<Option<P::Handle>, Code> {
    for _ in 0..TRIES {
        let file = match platform.open(at, Open::Draft) {
            Err(code) if rules::is_not_found(platform.os(), code) => {
                check_removable(platform, parent_dir(at))?;
                platform.open(at, Open::CreateDraft { mode: 0o600 })?
            }
            opened => opened?,
        };
        match wait(platform, &file, cancel) {
            Ok(false) => return Ok(None),
            Ok(true) => {}
            // Where files can't be locked, the user must not run one copy twice at a time.
            Err(_) => return Ok(Some(file)),
        }
        // The run that had it may have completed meanwhile, and removed it.
        let found = platform.stat(at, false);
        let opened = platform.stat_open(&file)?;
        if found.is_ok_and(|found| found.is_same_file(&opened)) {
            return Ok(Some(file));
        }
    }
    Ok(None)
}
