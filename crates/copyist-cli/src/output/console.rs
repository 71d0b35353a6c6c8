//! Standard output, standard error and questions, for all workers of a run.
//!
//! Standard output is buffered, by lines on a terminal. As in C programs it is written out before
//! anything goes to standard error, so that the two keep their order in one file. The progress
//! bar is hidden while either is written. Where standard output is a destination of the copy, nothing
//! else is written there ([`Console::divert_stdout`]).

use std::io::{self, BufRead as _, BufWriter, IsTerminal as _, Stdout, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use indicatif::ProgressBar;

use crate::process::invocation::Invocation;
use crate::words::errors::{EBADF, io_text};
use crate::words::sync::lock;

/// Prints everything but the progress display.
#[derive(Debug)]
pub(crate) struct Console {
    invocation: Invocation,
    out: Mutex<Out>,
    bar: OnceLock<ProgressBar>,
    asking: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Out {
    writer: BufWriter<Stdout>,
    is_terminal: bool,
    /// Where lines go if standard output belongs to copied data.
    instead: Option<Instead>,
    /// Standard output was closed when the process started; a write to it fails.
    was_closed: bool,
    /// The first failure; nothing is written after that, and it is reported once, at the end.
    failed: Option<io::Error>,
}

/// Where output goes instead of standard output.
#[derive(Clone, Copy, Debug)]
enum Instead {
    Err,
    Nothing,
}

impl Console {
    pub(crate) fn new(invocation: Invocation) -> Console {
        Console {
            invocation,
            out: Mutex::new(Out {
                is_terminal: io::stdout().is_terminal(),
                instead: None,
                writer: BufWriter::with_capacity(64 * 1024, io::stdout()),
                was_closed: copyist_start::stdout_was_closed(),
                failed: None,
            }),
            bar: OnceLock::new(),
            asking: Arc::default(),
        }
    }

    pub(crate) fn invocation(&self) -> &Invocation {
        &self.invocation
    }

    /// Sets the progress bar that is hidden during output.
    pub(crate) fn set_bar(&self, bar: ProgressBar) {
        // There is one bar in a run.
        let _ = self.bar.set(bar);
    }

    /// Standard output is a destination: what is written there goes to standard error, or nowhere.
    pub(crate) fn divert_stdout(&self, to_err: bool) {
        lock(&self.out).instead = Some(if to_err {
            Instead::Err
        } else {
            Instead::Nothing
        });
    }

    /// Writes whole lines to standard output.
    pub(crate) fn out(&self, lines: &[u8]) {
        let mut out = lock(&self.out);
        match out.instead {
            None => {}
            Some(Instead::Nothing) => return,
            Some(Instead::Err) => {
                self.beside_bar(|| out.write_err(lines));
                return;
            }
        }
        if out.is_terminal {
            self.beside_bar(|| out.write(lines, true));
        } else {
            out.write(lines, false);
        }
    }

    /// Writes a message to standard error, after the program's name.
    pub(crate) fn error(&self, message: &str) {
        self.err_line(&format!("{}: {message}\n", self.invocation.short()));
    }

    /// Writes an error about the command line itself, which names the program as typed.
    pub(crate) fn syntax_error(&self, message: &str) {
        self.err_line(&format!("{}: {message}\n", self.invocation.typed()));
    }

    /// Points to the help, after an error in the command line.
    pub(crate) fn try_help(&self) {
        let typed = self.invocation.typed();
        self.err_line(&format!("Try '{typed} --help' for more information.\n"));
    }

    /// Asks a question on standard error and reads the answer from standard input; no answer is
    /// no.
    pub(crate) fn ask(&self, question: &str) -> bool {
        lock(&self.out).flush();
        self.beside_bar(|| {
            self.asking.store(true, Ordering::Release);
            let _ = io::stderr().write_all(question.as_bytes());
            let mut answer = Vec::new();
            let read = io::stdin().lock().read_until(b'\n', &mut answer);
            self.asking.store(false, Ordering::Release);
            read.is_ok() && matches!(answer.first(), Some(b'y' | b'Y'))
        })
    }

    /// Whether a question waits for its answer. Nothing is incomplete or buffered then.
    pub(crate) fn asking(&self) -> &Arc<AtomicBool> {
        &self.asking
    }

    /// Flushes standard output; the error is the first of the run.
    pub(crate) fn finish(&self) -> io::Result<()> {
        let mut out = lock(&self.out);
        out.flush();
        out.failed.take().map_or(Ok(()), Err)
    }

    /// [`Console::finish`], which reports the error. Returns whether there was none.
    pub(crate) fn finish_or_report(&self) -> bool {
        match self.finish() {
            Ok(()) => true,
            Err(error) => {
                self.error(&format!("write error: {}", io_text(&error)));
                false
            }
        }
    }

    /// Writes lines to standard error as they are.
    pub(crate) fn err_text(&self, lines: &str) {
        self.err_line(lines);
    }

    fn err_line(&self, line: &str) {
        lock(&self.out).flush();
        // A failed write to standard error can't be reported anywhere.
        self.beside_bar(|| {
            let _ = io::stderr().write_all(line.as_bytes());
        });
    }

    fn beside_bar<T>(&self, f: impl FnOnce() -> T) -> T {
        match self.bar.get() {
            Some(bar) => bar.suspend(f),
            None => f(),
        }
    }
}

impl Out {
    fn write(&mut self, lines: &[u8], now: bool) {
        if self.failed.is_some() {
            return;
        }
        if self.was_closed {
            self.failed = Some(io::Error::from_raw_os_error(EBADF));
            return;
        }
        self.failed = self.writer.write_all(lines).err();
        if now {
            self.flush();
        }
    }

    fn write_err(&mut self, lines: &[u8]) {
        if self.failed.is_none() {
            self.failed = io::stderr().write_all(lines).err();
        }
    }

    fn flush(&mut self) {
        if self.failed.is_none() {
            self.failed = self.writer.flush().err();
        }
    }
}
