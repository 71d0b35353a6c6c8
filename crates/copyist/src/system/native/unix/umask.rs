//! The umask, which POSIX lets a process read only by setting it. That is an effect on the whole process:
//! what another thread makes at that moment has the wrong mode, and two threads that do it at once may
//! leave the wrong umask for good. So each system has its own way, and that is the last one.

use std::sync::{Mutex, OnceLock, PoisonError};

use rustix::fs::Mode;
use rustix::process::umask;

/// The umask, read when it is first asked for and then kept for a run: a program may change it between two.
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

/// By umask(2) twice, one thread at a time. In between nobody has access who would not have had it.
fn set_and_restore() -> u32 {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _one = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let now = umask(Mode::from_raw_mode(0o077));
    umask(now);
    #[allow(clippy::useless_conversion)] // a mode_t of 16 bits on the BSDs
    now.as_raw_mode().into()
}
