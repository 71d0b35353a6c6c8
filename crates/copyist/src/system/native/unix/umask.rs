//! The umask, which POSIX lets a process read only by setting it. That affects the whole process: a file that another
//! thread creates at that moment has the wrong mode, and two threads that do it at once may leave a wrong umask
//! permanently. So each system reads it in its own way, and setting it is the last resort.

use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::Mode;
use rustix::process::umask;

/// The umask, read at the first call and kept for the run: a program may change it between two runs.
#[derive(Debug, Default)]
pub(in super::super) struct Umask(OnceLock<u32>);

impl Umask {
    /// `read`: the system's way to read it without setting it.
    pub(in super::super) fn get(&self, read: impl FnOnce() -> Option<u32>) -> u32 {
        *self
            .0
            .get_or_init(|| read().unwrap_or_else(set_and_restore))
    }
}

/// Calls umask(2) twice, one thread at a time. In between, files are created without access for others.
fn set_and_restore() -> u32 {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let now = umask(Mode::from_raw_mode(0o077));
    umask(now);
    #[allow(clippy::useless_conversion)] // a mode_t of 16 bits on the BSDs
    now.as_raw_mode().into()
}
