//! The time limit, cancellation and progress of a command that may take long. Progress is a bar on a
//! terminal, and elsewhere a line every two seconds.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use copyist::CancelToken;
use indicatif::{ProgressBar, ProgressStyle};

use crate::output::console::Console;
use crate::process::signals::Signals;
use crate::words::errors::io_text;
use crate::words::sync::lock;

/// The interval of progress lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(2);

/// Work in progress.
#[derive(Debug)]
pub(crate) struct Work {
    cancel: CancelToken,
    signals: Signals,
    max_seconds: u64,
    bar: ProgressBar,
    state: Arc<State>,
    watcher: Option<JoinHandle<()>>,
    /// After how many queries it is over: tests do not depend on a clock.
    #[cfg(test)]
    looks: AtomicU64,
}

/// The state shared with the watcher thread.
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
    /// Starts; 0 seconds are no limit.
    pub(crate) fn start(max_seconds: u64, console: &Console) -> Result<Work, String> {
        let failed = |error: io::Error| format!("cannot start: {}", io_text(&error));
        let (signals, cancel) = Signals::install(console.asking()).map_err(failed)?;
        let state = Arc::new(State::default());
        let watcher = Watcher {
            name: console.invocation().short().to_owned(),
            deadline: (max_seconds > 0).then(|| Instant::now() + Duration::from_secs(max_seconds)),
            prints: !io::stderr().is_terminal(),
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

    /// Sets the number of steps.
    pub(crate) fn set_total(&mut self, steps: u64) {
        self.state.total.store(steps, Ordering::Relaxed);
        let style = ProgressStyle::with_template("{msg:28} {pos}/{len} {wide_bar}");
        self.bar = ProgressBar::new(steps);
        self.bar
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    }

    /// Begins a step.
    pub(crate) fn begin(&self, step: &str) {
        step.clone_into(&mut lock(&self.state.step));
        self.bar.set_message(step.to_owned());
    }

    /// Ends a step.
    pub(crate) fn end(&self) {
        self.state.done.fetch_add(1, Ordering::Relaxed);
        self.bar.inc(1);
    }

    /// The token that is cancelled when the work is over.
    pub(crate) fn cancel(&self) -> &CancelToken {
        &self.cancel
    }

    /// Whether no further step may begin.
    pub(crate) fn is_over(&self) -> bool {
        #[cfg(test)]
        if self.looks.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.cancel.cancel();
        }
        self.cancel.is_cancelled()
    }

    /// Returns an error once the work is over.
    pub(crate) fn check_time(&self) -> io::Result<()> {
        if self.is_over() {
            return Err(io::Error::other("stopped"));
        }
        Ok(())
    }

    /// Why the work ended early, if it did.
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
            // It fails only if the thread has panicked, and the panic has been printed.
            let _ = watcher.join();
        }
    }
}

/// The thread that cancels the work when its time is up, and prints progress lines.
struct Watcher {
    name: String,
    deadline: Option<Instant>,
    prints: bool,
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
            if self.prints && now >= next_line {
                // A failed write to standard error can't be reported anywhere.
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

    /// Work that is over after so many queries.
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
