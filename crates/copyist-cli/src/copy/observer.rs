//! Passes the library's events on to the console, the report, the manifest and the progress display.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use copyist::error::{Cause, Refusal};
use copyist::observer::{FileKind, PathSource, Question};
use copyist::{Event, Observer, Report};

use crate::copy::filter::Filter;
use crate::output::console::Console;
use crate::output::explain::Explainer;
use crate::output::manifest::Manifest;
use crate::output::messages::{Failure, Messages};
use crate::output::no_links::NoLinks;
use crate::output::progress::Counters;
use crate::output::replaced::Replaced;
use crate::output::report::Reporter;
use crate::words::sync::{add_bytes, lock};

/// The observer of one run of `cp` or `copy`.
#[derive(Debug)]
pub(crate) struct CopyObserver {
    pub(crate) console: Arc<Console>,
    pub(crate) messages: Messages,
    pub(crate) verbose: bool,
    pub(crate) debug: bool,
    /// `--debug` explains how data is copied: it is copied, not linked.
    pub(crate) explains_data: bool,
    pub(crate) reporter: Option<Reporter>,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) counters: Option<Arc<Counters>>,
    pub(crate) filter: Option<Arc<Filter>>,
    pub(crate) explainer: Option<Explainer>,
    /// Destinations that were replaced.
    pub(crate) replaced: Mutex<Replaced>,
    /// Links that could not be made.
    pub(crate) no_links: Mutex<NoLinks>,
    /// The bytes that a dry run would copy.
    pub(crate) planned_bytes: AtomicU64,
    /// Something failed.
    pub(crate) failed: AtomicBool,
    /// The number of failures, without what a signal has cancelled.
    pub(crate) failures: AtomicU64,
}

impl Observer for CopyObserver {
    fn wants_times(&self) -> bool {
        self.reporter.is_some()
    }

    fn event(&self, event: Event<'_>) {
        match event {
            Event::Begin {
                paths,
                is_parent: true,
                ..
            } if self.verbose => self.begin_parent(paths),
            Event::Begin { paths, backup, .. } if self.verbose => self.begin(paths, backup),
            Event::Bytes(bytes) => {
                if let Some(counters) = &self.counters {
                    add_bytes(&counters.bytes, bytes);
                }
            }
            Event::Replaces { paths } => {
                lock(&self.replaced).begin(paths);
                if let Some(reporter) = &self.reporter {
                    reporter.replaces(paths);
                }
            }
            Event::Removed { paths } if self.verbose => self.print_line("removed", paths),
            Event::MovedBack { paths, backup } if self.verbose => {
                let quoter = self.messages.quoter;
                let (from, to) = (quoter.always(backup), quoter.always(paths.dst()));
                let line = format!("{from} -> {to} (unbackup)\n");
                self.console.out(line.as_bytes());
            }
            Event::File { paths, report } => self.file(paths, report),
            Event::Entry { paths, what } => {
                lock(&self.replaced).end(paths);
                if let Some(reporter) = &self.reporter {
                    reporter.entry(paths, what);
                }
            }
            Event::NoLink { paths, what, why } => {
                lock(&self.no_links).add(what, why);
                if let Some(reporter) = &self.reporter {
                    reporter.no_link(paths, what);
                }
            }
            Event::Skipped { paths } => {
                if self.debug {
                    self.print_line("skipped", paths);
                }
                if let Some(reporter) = &self.reporter {
                    reporter.skipped(paths);
                }
            }
            Event::Error(error) => {
                lock(&self.replaced).fail(error);
                self.error(error);
            }
            Event::Warning(warning) => self.console.error(&self.messages.warning(warning)),
            _ => {}
        }
    }

    fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.wants(paths, kind))
    }

    fn may_replace(&self, question: Question<'_>) -> bool {
        let typed = self.console.invocation().typed();
        let unwritable = question.unwritable_mode();
        let unwritable = unwritable.map(|mode| (mode, question.removes()));
        let dst = question.paths().dst();
        self.console
            .ask(&self.messages.question(typed, &dst, unwritable))
    }
}

impl CopyObserver {
    fn file(&self, paths: &dyn PathSource, report: &Report) {
        lock(&self.replaced).end(paths);
        if let Some(counters) = &self.counters {
            counters.files.fetch_add(1, Ordering::Relaxed);
        }
        if let Some(planned) = &report.planned() {
            add_bytes(&self.planned_bytes, planned.size());
        }
        if let Some(explainer) = &self.explainer {
            explainer.add(paths, report);
        }
        if self.debug && self.explains_data {
            self.console
                .out(format!("{}\n", self.messages.debug(report.attempts())).as_bytes());
        }
        if let Some(reporter) = &self.reporter {
            reporter.file(paths, report);
        }
        if let (Some(manifest), Some(hash)) = (&self.manifest, &report.hash()) {
            manifest.add(&paths.dst(), hash);
        }
    }

    /// GNU writes these without quotes.
    fn begin_parent(&self, paths: &dyn PathSource) {
        let (src, dst) = (paths.src().into_os_string(), paths.dst().into_os_string());
        let line = [
            src.as_encoded_bytes(),
            b" -> ",
            dst.as_encoded_bytes(),
            b"\n",
        ]
        .concat();
        self.console.out(&line);
    }

    fn begin(&self, paths: &dyn PathSource, backup: Option<&PathBuf>) {
        let quoter = self.messages.quoter;
        let mut line = format!(
            "{} -> {}",
            quoter.always(paths.src()),
            quoter.always(paths.dst())
        );
        if let Some(backup) = backup {
            line += &format!(" (backup: {})", quoter.always(backup));
        }
        line.push('\n');
        self.console.out(line.as_bytes());
    }

    fn print_line(&self, what: &str, paths: &dyn PathSource) {
        let dst = self.messages.quoter.always(paths.dst());
        self.console.out(format!("{what} {dst}\n").as_bytes());
    }

    fn error(&self, error: &copyist::Error) {
        self.failed.store(true, Ordering::Release);
        if !error.is_cancelled() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let failure = Failure::from(error);
        if let Some(message) = self.messages.failure(&failure) {
            self.console.error(&message);
        }
        if self.debug && failure.cause == Cause::Refused(Refusal::Declined) {
            let dst = self.messages.quoter.always(failure.dst);
            self.console.out(format!("skipped {dst}\n").as_bytes());
        }
        if let Some(reporter) = &self.reporter {
            reporter.error(error);
        }
    }
}
