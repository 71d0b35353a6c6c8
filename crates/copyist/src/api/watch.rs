//! The receivers of a call's events: an observer, closures, and the report that the call returns.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::words::observer::{Event, Observer, PathSource, Progress, Question};
use crate::words::report::Report;
use crate::words::stat::FileKind;

type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;
type OnEvent = Arc<dyn Fn(Event<'_>) + Send + Sync>;

/// The observer and the closures of a copier.
#[derive(Clone, Default)]
pub(super) struct Watch {
    pub(super) observer: Option<Arc<dyn Observer>>,
    pub(super) on_event: Option<OnEvent>,
    pub(super) on_progress: Option<OnProgress>,
}

impl Watch {
    /// Whether nobody is told anything.
    pub(super) fn is_empty(&self) -> bool {
        let Watch {
            observer,
            on_event,
            on_progress,
        } = self;
        observer.is_none() && on_event.is_none() && on_progress.is_none()
    }

    /// For one call.
    pub(super) fn begin(&self) -> Watching<'_> {
        Watching {
            watch: self,
            bytes: AtomicU64::new(0),
            files: AtomicU64::new(0),
            report: None,
        }
    }

    /// For a call that returns the report of one file.
    pub(super) fn begin_one(&self) -> Watching<'_> {
        Watching {
            report: Some(Mutex::default()),
            ..self.begin()
        }
    }
}

/// The observer of one call.
pub(super) struct Watching<'a> {
    watch: &'a Watch,
    bytes: AtomicU64,
    files: AtomicU64,
    /// The report of the last file, if it is wanted.
    report: Option<Mutex<Report>>,
}

impl Watching<'_> {
    /// The last file's report.
    pub(super) fn into_report(self) -> Report {
        let report = self.report.map(Mutex::into_inner);
        report.map_or_else(Report::default, |it| {
            it.unwrap_or_else(PoisonError::into_inner)
        })
    }

    fn count(&self, event: &Event<'_>) {
        let (bytes, files) = match event {
            Event::Bytes(bytes) => (*bytes, 0),
            Event::File { .. } => (0, 1),
            _ => return,
        };
        let bytes = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let files = self.files.fetch_add(files, Ordering::Relaxed) + files;
        if let Some(on_progress) = &self.watch.on_progress {
            on_progress(Progress { bytes, files });
        }
    }
}

impl Observer for Watching<'_> {
    fn event(&self, event: Event<'_>) {
        if let (Event::File { report, .. }, Some(last)) = (event, &self.report) {
            *last.lock().unwrap_or_else(PoisonError::into_inner) = report.clone();
        }
        if let Some(observer) = &self.watch.observer {
            observer.event(event);
        }
        if let Some(on_event) = &self.watch.on_event {
            on_event(event);
        }
        if self.watch.on_progress.is_some() {
            self.count(&event);
        }
    }

    fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        let observer = self.watch.observer.as_ref();
        observer.is_none_or(|it| it.wants(paths, kind))
    }

    fn wants_times(&self) -> bool {
        let observer = self.watch.observer.as_ref();
        observer.is_none_or(|it| it.wants_times())
    }

    fn may_replace(&self, question: Question<'_>) -> bool {
        let observer = self.watch.observer.as_ref();
        observer.is_some_and(|it| it.may_replace(question))
    }
}
