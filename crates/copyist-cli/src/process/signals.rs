//! SIGINT and SIGTERM (on Windows Ctrl-C and Ctrl-Break): the first cancels the copy, which
//! removes incomplete files; the second, half a second later or more, ends the process immediately.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use copyist::CancelToken;
use copyist_start::FirstSignal;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The signal that was received, if any.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Installs the handlers: the first signal cancels, or ends the process if `asking` is set. The
    /// handlers do all of it: to start a thread for them takes a tenth of the time of a small copy.
    pub(crate) fn install(asking: &Arc<AtomicBool>) -> io::Result<(Signals, CancelToken)> {
        let signals = Signals::default();
        let cancelled = Arc::new(AtomicUsize::new(0));
        let first = FirstSignal::default();
        let interrupts = copyist_sys::ALSO_INTERRUPTS
            .iter()
            .map(|signal| (*signal, 2));
        for (signal, number) in [(SIGINT, 2), (SIGTERM, 15)].into_iter().chain(interrupts) {
            let exit_code = 128 + number as i32;
            first.exit_at_second(signal, exit_code)?;
            flag::register_conditional_shutdown(signal, exit_code, Arc::clone(asking))?;
            flag::register_usize(signal, Arc::clone(&signals.number), number)?;
            flag::register_usize(signal, Arc::clone(&cancelled), number)?;
        }
        Ok((signals, CancelToken::from_flag(cancelled)))
    }

    /// Installs handlers that do nothing.
    pub(crate) fn ignore() -> io::Result<()> {
        let unread = Arc::new(AtomicBool::new(false));
        // SIGHUP and SIGQUIT, which a terminal sends to all, do not exist on every system.
        let others: &[i32] = match std::env::consts::FAMILY {
            "unix" => &[1, 3],
            _ => &[],
        };
        for signal in [SIGINT, SIGTERM].iter().chain(others) {
            flag::register(*signal, Arc::clone(&unread))?;
        }
        Ok(())
    }

    /// 128 and the signal's number, if one was received.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        let number = u8::try_from(self.number.load(Ordering::Acquire)).unwrap_or(u8::MAX);
        (number > 0).then_some(number.saturating_add(128))
    }
}
