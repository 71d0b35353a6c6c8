//! Ctrl-C and SIGTERM: the running child is asked to end, and then everything is torn down as after
//! a failure. A second signal kills the child.

use std::process::Child;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread;

use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Context, Error, Result};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// The process group of the child that runs now; 0 for none.
static CHILD_GROUP: AtomicI32 = AtomicI32::new(0);

/// From here on a signal no longer ends this process by itself.
pub(crate) fn catch() -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).doing("listen for signals")?;
    thread::spawn(move || {
        for _ in signals.forever() {
            let again = INTERRUPTED.swap(true, Ordering::SeqCst);
            end_child(if again { Signal::KILL } else { Signal::TERM });
        }
    });
    Ok(())
}

pub(crate) fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// For long tasks to call between two steps.
pub(crate) fn check() -> Result<()> {
    if interrupted() {
        Err(Error::new("interrupted by a signal"))
    } else {
        Ok(())
    }
}

/// Registers a child that has to end with this process, for as long as the returned value lives. The child must lead
/// its own process group.
pub(crate) fn watch(child: &Child) -> Watched {
    CHILD_GROUP.store(child.id().cast_signed(), Ordering::SeqCst);
    // The signal may have come between the start of the child and the line above.
    if interrupted() {
        end_child(Signal::TERM);
    }
    Watched(())
}

/// See [`watch`].
#[derive(Debug)]
pub(crate) struct Watched(());

impl Drop for Watched {
    fn drop(&mut self) {
        CHILD_GROUP.store(0, Ordering::SeqCst);
    }
}

fn end_child(signal: Signal) {
    if let Some(group) = Pid::from_raw(CHILD_GROUP.load(Ordering::SeqCst)) {
        // The group may just have ended, which is what we want.
        let _ = rustix::process::kill_process_group(group, signal);
    }
}
