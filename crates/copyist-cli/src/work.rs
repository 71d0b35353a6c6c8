//! Work that may take long: it has a limit of time, stops in an orderly way at a signal, and says how
//! far it is: with a bar on a terminal, with a line now and then elsewhere.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use copyist::CancelToken;
use indicatif::{ProgressBar, ProgressStyle};

use crate::console::Console;
use crate::messages::io_text;
use crate::report::lock;
use crate::signals::Signals;

/// How often a line says how far it is, where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Work on its way.
#[derive(Debug)]
pub(crate) struct Work {
    cancel: CancelToken,
    signals: Signals,
    max_seconds: u64,
    bar: ProgressBar,
    state: Arc<State>,
    watcher: Option<JoinHandle<()>>,
    /// How often it may still be asked whether it is over: tests have no clock.
    #[cfg(test)]
    looks: AtomicU64,
}

/// What its watcher looks at.
#[derive(Debug, Default)]
struct State {
    done: AtomicU64,
    total: AtomicU64,
    step: Mutex<String>,
    is_late: AtomicBool,
    is_over: AtomicBool,
}

impl State {
    fn line(&self, name: &str) -> String {
        let (done, total) = (&self.done, &self.total);
        let (done, total) = (done.load(Ordering::Relaxed), total.load(Ordering::Relaxed));
        let step = lock(&self.step);
        format!("{name}: {done} of {total} done: {step}\n")
    }
}

impl Work {
    /// Begins it; 0 seconds are no limit.
    pub(crate) fn start(max_seconds: u64, console: &Console) -> Result<Work, String> {
        let failed = |error: io::Error| format!("cannot start: {}", io_text(&error));
        let (signals, cancel) = Signals::install(console.asking()).map_err(failed)?;
        let state = Arc::new(State::default());
        let watcher = Watcher {
            name: console.invocation().short().to_owned(),
            deadline: (max_seconds > 0).then(|| Instant::now() + Duration::from_secs(max_seconds)),
            says: !io::stderr().is_terminal(),
            cancel: cancel.clone(),
            state: Arc::clone(&state),
        };
        let watcher = thread::Builder::new().spawn(move || watcher.run());
        Ok(Work {
            cancel,
            signals,
            max_seconds,
            bar: ProgressBar::hidden(),
            state,
            watcher: Some(watcher.map_err(failed)?),
            #[cfg(test)]
            looks: AtomicU64::new(u64::MAX),
        })
    }

    /// Says how many steps there are.
    pub(crate) fn set_total(&mut self, steps: u64) {
        self.state.total.store(steps, Ordering::Relaxed);
        let style = ProgressStyle::with_template("{msg:28} {pos}/{len} {wide_bar}");
        self.bar = ProgressBar::new(steps);
        self.bar
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    }

    /// Says what the next step is.
    pub(crate) fn begin(&self, step: &str) {
        step.clone_into(&mut lock(&self.state.step));
        self.bar.set_message(step.to_owned());
    }

    /// A step is done.
    pub(crate) fn end(&self) {
        self.state.done.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
    }

    /// Stops a copy, or whatever else takes this, once the work is over.
    pub(crate) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Whether nothing more is to be begun.
    pub(crate) fn is_over(&self) -> bool {
        #[cfg(test)]
        if self.looks.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cancel.cancel();
        }
        self.cancel.is_cancelled()
    }

    /// An error for what reads or writes step by step, once the work is over.
    pub(crate) fn goes_on(&self) -> io::Result<()> {
        if self.is_over() {
            return Err(io::Error::other("stopped"));
        }
        Ok(())
    }

    /// Why not everything was done, if the work is over.
    pub(crate) fn why_over(&self) -> Option<String> {
        if self.state.is_late.load(Ordering::Acquire) {
            return Some(format!(
                "the time was up (--max-seconds={})",
                self.max_seconds
            ));
        }
        let stopped = self.cancel.is_cancelled();
        stopped.then(|| "it was stopped".to_owned())
    }

    /// 128 and the signal's number, if a signal has stopped it.
    pub(crate) fn exit_code(&self) -> Option<u8> {
        self.signals.exit_code()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        self.state.is_over.store(true, Ordering::Release);
        if let Some(watcher) = self.watcher.take() {
            watcher.thread().unpark();
            // It can only fail by a panic, which has been told by then.
            let _ = watcher.join();
        }
    }
}

/// The thread that ends the work when its time is up, and says how far it is.
struct Watcher {
    name: String,
    deadline: Option<Instant>,
    says: bool,
    cancel: CancelToken,
    state: Arc<State>,
}

impl Watcher {
    fn run(&self) {
        let mut next_line = Instant::now() + LINE_EVERY;
        while !self.state.is_over.load(Ordering::Acquire) {
            let now = Instant::now();
            if self.deadline.is_some_and(|deadline| now >= deadline) && !self.cancel.is_cancelled()
            {
                self.state.is_late.store(true, Ordering::Release);
                self.cancel.cancel();
            }
            if self.says && now >= next_line {
                // If standard error can't be written to, there is nowhere left to say so.
                let _ = io::stderr().write_all(self.state.line(&self.name).as_bytes());
                next_line = now + LINE_EVERY;
            }
            let next = self.deadline.filter(|_| !self.cancel.is_cancelled());
            let wake = next.map_or(next_line, |deadline| deadline.min(next_line));
            thread::park_timeout(wake.saturating_duration_since(now));
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Work that is over when it has been asked so many times whether it is.
    pub(crate) fn over_after(looks: u64) -> Work {
        let work = Work {
            cancel: CancelToken::new(),
            signals: Signals::default(),
            max_seconds: 0,
            bar: ProgressBar::hidden(),
            state: Arc::default(),
            watcher: None,
            looks: AtomicU64::new(looks),
        };
        if looks == 0 {
            work.cancel.cancel();
        }
        work
    }

    #[test]
    fn a_line_says_how_far_it_is() {
        let mut work = over_after(3);
        work.set_total(58);
        work.begin("one byte");
        work.end();
        work.begin("a sector less a byte");
        let line = work.state.line("copyist doctor");
        assert_eq!(line, "copyist doctor: 1 of 58 done: a sector less a byte\n");
        assert!(!work.is_over() && !work.is_over() && work.is_over());
        assert_eq!(work.why_over().as_deref(), Some("it was stopped"));
    }
}
