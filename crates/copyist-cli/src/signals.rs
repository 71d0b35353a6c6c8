//! SIGINT and SIGTERM (on Windows Ctrl-C and Ctrl-Break): the first stops the copy in an orderly way, so that nothing half made is
//! left; the second ends the program at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// How soon a signal is noticed. Waiting for one by other means than looking is not possible on
/// every system.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Which signal has come.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals {
    number: Arc<AtomicUsize>,
}

impl Signals {
    /// Takes over the signals of this process. `stop` is called, once, in another thread, with
    /// the exit code of the signal that has come.
    pub(crate) fn install(stop: impl FnOnce(u8) + Send + 'static) -> io::Result<Signals> {
        let signals = Signals::default();
        let stopping = Arc::new(AtomicBool::new(false));
        let interrupts = copyist_sys::ALSO_INTERRUPTS
            .iter()
            .map(|signal| (*signal, 2));
        for (signal, number) in [(SIGINT, 2), (SIGTERM, 15)].into_iter().chain(interrupts) {
            // In this order: the first signal arms what the second one finds.
            let exit_code = 128 + number as i32;
            flag::register_conditional_shutdown(signal, exit_code, Arc::clone(&stopping))?;
            flag::register(signal, Arc::clone(&stopping))?;
            flag::register_usize(signal, Arc::clone(&signals.number), number)?;
        }
        let watched = signals.clone();
        thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                loop {
                    if let Some(exit_code) = watched.exit_code() {
                        return stop(exit_code);
                    }
                    thread::sleep(LOOK_EVERY);
                }
            })?;
        Ok(signals)
    }

    /// Takes over the signals of this process, and does nothing about them.
    pub(crate) fn ignore() -> io::Result<()> {
        let unread = Arc::new(AtomicBool::new(false));
        // SIGHUP and SIGQUIT, which a terminal sends to all, are not known everywhere.
        let others: &[i32] = match std::env::consts::FAMILY {
            "unix" => &[1, 3],
            _ => &[],
        };
        for signal in [SIGINT, SIGTERM].iter().chain(others) {
            flag::register(*signal, Arc::clone(&unread))?;
        }
        Ok(())
    }

    /// 128 and the signal's number, if one has come.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        let number = u8::try_from(self.number.load(Ordering::Acquire)).unwrap_or(u8::MAX);
        (number > 0).then_some(number.saturating_add(128))
    }
}
