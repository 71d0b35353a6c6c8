//! Tells the user, the report and the progress display what the library tells us.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use copyist::error::{Cause, Refusal};
use copyist::observer::{FileKind, Made, NoLink, PathSource, Question};
use copyist::{Event, Observer, Report};
use indicatif::HumanCount;

use crate::console::Console;
use crate::explain::Explainer;
use crate::filter::Filter;
use crate::manifest::Manifest;
use crate::messages::{Failure, Words};
use crate::progress::{Counters, add_bytes};
use crate::report::{Reporter, lock};

/// Watches one run of `cp`.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) console: Arc<Console>,
    pub(crate) words: Words,
    pub(crate) verbose: bool,
    pub(crate) debug: bool,
    /// Files get data, so that there is something to say about how.
    pub(crate) explains_data: bool,
    pub(crate) reporter: Option<Reporter>,
    pub(crate) manifest: Option<Manifest>,
    pub(crate) counters: Option<Arc<Counters>>,
    pub(crate) filter: Option<Filter>,
    pub(crate) explainer: Option<Explainer>,
    /// What was replaced on the way.
    pub(crate) replaced: Mutex<Replaced>,
    /// Links that the destination's filesystem could not be given.
    pub(crate) no_links: Mutex<NoLinks>,
    /// The bytes that a dry run would copy.
    pub(crate) planned_bytes: AtomicU64,
    /// Something failed.
    pub(crate) failed: AtomicBool,
    /// How many did; what was only stopped doesn't count.
    pub(crate) failures: AtomicU64,
}

/// How many of the replaced are named in the last line.
const NAMED: usize = 3;

/// Existing destinations that were replaced: how many, and the first of them.
#[derive(Debug, Default)]
pub(crate) struct Replaced {
    pub(crate) count: u64,
    pub(crate) first: Vec<PathBuf>,
    /// Those that are about to be replaced.
    begun: Vec<PathBuf>,
}

impl Replaced {
    fn begin(&mut self, paths: &dyn PathSource) {
        self.begun.push(paths.dst());
    }

    /// Something was made: counted if it has replaced something.
    fn end(&mut self, paths: &dyn PathSource) {
        if self.begun.is_empty() {
            return;
        }
        let dst = paths.dst();
        if self.take(&dst) {
            self.count += 1;
            if self.first.len() < NAMED {
                self.first.push(dst);
            }
        }
    }

    /// Something could not be made.
    fn fail(&mut self, error: &copyist::Error) {
        if let Some(dst) = error.destination_path() {
            self.take(dst);
        }
    }

    fn take(&mut self, dst: &Path) -> bool {
        let found = self.begun.iter().position(|it| it == dst);
        found.map(|n| self.begun.swap_remove(n)).is_some()
    }
}

/// Links that could not be made, by what they are and why.
#[derive(Debug, Default)]
pub(crate) struct NoLinks(Vec<(Made, NoLink, u64)>);

impl NoLinks {
    fn add(&mut self, what: Made, why: NoLink) {
        match self.0.iter_mut().find(|it| (it.0, it.1) == (what, why)) {
            Some((.., count)) => *count += 1,
            None => self.0.push((what, why, 1)),
        }
    }

    /// What became of them, one sentence for each reason.
    pub(crate) fn sentences(&self, dry: bool) -> Vec<String> {
        let sentence = |&(what, why, count): &(Made, NoLink, u64)| {
            let would = if dry { "would become" } else { "became" };
            let could = if dry {
                "can't be made"
            } else {
                "could not be made"
            };
            let became = match (what, count) {
                (Made::HardLink, 1) => format!("1 hard link {would} a copy"),
                (Made::HardLink, n) => format!("{} hard links {would} copies", HumanCount(n)),
                (_, 1) => format!("1 symbolic link {could}"),
                (_, n) => format!("{} symbolic links {could}", HumanCount(n)),
            };
            let why = match why {
                NoLink::Unsupported(kind) => format!("{} has none", kind.name()),
                NoLink::TooMany => "the filesystem allows a file no more names".to_owned(),
                NoLink::Elsewhere => "the names are on different mounts".to_owned(),
                NoLink::NotReplaceable => "what has the name can't be replaced".to_owned(),
                _ => "the filesystem does not allow it".to_owned(),
            };
            format!("{became}: {why}")
        };
        let is_hard = |it: &&(Made, NoLink, u64)| it.0 == Made::HardLink;
        let hard = self.0.iter().filter(is_hard);
        let others = self.0.iter().filter(|it| !is_hard(it));
        hard.chain(others).map(sentence).collect()
    }
}

impl Observer for Watch {
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
            Event::Removed { paths } if self.verbose => self.say("removed", paths),
            Event::MovedBack { paths, backup } if self.verbose => {
                let quoter = self.words.quoter;
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
                    self.say("skipped", paths);
                }
                if let Some(reporter) = &self.reporter {
                    reporter.skipped(paths);
                }
            }
            Event::Error(error) => {
                lock(&self.replaced).fail(error);
                self.error(error);
            }
            Event::Warning(warning) => self.console.error(&self.words.warning(warning)),
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
            .ask(&self.words.question(typed, &dst, unwritable))
    }
}

impl Watch {
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
                .out(format!("{}\n", self.words.debug(report.attempts())).as_bytes());
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
        let quoter = self.words.quoter;
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

    fn say(&self, what: &str, paths: &dyn PathSource) {
        let dst = self.words.quoter.always(paths.dst());
        self.console.out(format!("{what} {dst}\n").as_bytes());
    }

    fn error(&self, error: &copyist::Error) {
        self.failed.store(true, Ordering::Release);
        if !error.is_cancelled() {
            self.failures.fetch_add(1, Ordering::Relaxed);
        }
        let failure = Failure::from(error);
        if let Some(message) = self.words.failure(&failure) {
            self.console.error(&message);
        }
        if self.debug && failure.cause == Cause::Refused(Refusal::Declined) {
            let dst = self.words.quoter.always(failure.dst);
            self.console.out(format!("skipped {dst}\n").as_bytes());
        }
        if let Some(reporter) = &self.reporter {
            reporter.error(error);
        }
    }
}
