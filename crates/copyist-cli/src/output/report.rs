//! The report: one JSON object a line for each file and each failure, and a last one for the run.
//! `docs/report.md` describes it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use copyist::error::{Code, Operation};
use copyist::observer::{Made, PathSource};
use copyist::report::{Attempt, Ended, Planned};
use copyist::{Error, Method, Report, Summary};
use serde::Serialize;

use crate::output::console::Console;
use crate::words::errors::code_name;
use crate::words::json_path::{JsonPath, json_path};
use crate::words::sync::lock;

/// Writes the report.
#[derive(Debug)]
pub(crate) struct Reporter {
    sink: Sink,
    /// Each line is flushed: with `--fsync=file` it says that the file is on stable storage.
    at_once: bool,
    /// The first failure to write it; nothing is written after that.
    failed: Mutex<Option<io::Error>>,
}

#[derive(Debug)]
enum Sink {
    File(Mutex<BufWriter<File>>),
    /// Through the console, so that lines of `-v` and of the report do not mix.
    Stdout(Arc<Console>),
}

impl Reporter {
    /// Creates the file of this name, or for `-` writes to standard output.
    pub(crate) fn create(
        name: &OsStr,
        at_once: bool,
        console: &Arc<Console>,
    ) -> io::Result<Reporter> {
        let sink = if name == "-" {
            Sink::Stdout(Arc::clone(console))
        } else {
            Sink::File(Mutex::new(BufWriter::new(File::create(name)?)))
        };
        Ok(Reporter {
            sink,
            at_once,
            failed: Mutex::new(None),
        })
    }

    /// A regular file is complete.
    pub(crate) fn file(&self, paths: &dyn PathSource, report: &Report) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::File {
            src: json_path(&src),
            dst: json_path(&dst),
            kind: "regular",
            bytes: report.bytes(),
            cloned: report.cloned(),
            offloaded: report.offloaded(),
            moved: report.moved(),
            holes: report.holes(),
            shared: report.shared().map(SharedLine::from),
            resumed: report.resumed(),
            method: report.method().map(Method::name),
            attempts: report.attempts().iter().map(AttemptLine::from).collect(),
            changed: report.changed().map(|changed| ChangedLine {
                size_before: changed.size_before(),
                size_after: changed.size_after(),
            }),
            in_place: report.in_place().map(code_name),
            hash: report.hash().map(|hash| hash.to_string()),
            hash_kind: report.hash().map(|hash| hash.kind().name()),
            verified: report.verified(),
            planned: report.planned().map(|it| Box::new(PlannedLine::from(it))),
            ns: nanos(report.elapsed()),
        });
    }

    /// A directory, link or special file is complete.
    pub(crate) fn entry(&self, paths: &dyn PathSource, made: Made) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::Entry {
            src: json_path(&src),
            dst: json_path(&dst),
            kind: entry_kind(made),
        });
    }

    /// A link could not be made on the destination's filesystem.
    pub(crate) fn no_link(&self, paths: &dyn PathSource, what: Made) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::NoLink {
            src: json_path(&src),
            dst: json_path(&dst),
            kind: entry_kind(what),
        });
    }

    /// An existing destination is about to be replaced.
    pub(crate) fn replaces(&self, paths: &dyn PathSource) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::Replaces {
            src: json_path(&src),
            dst: json_path(&dst),
        });
    }

    /// An existing destination was skipped.
    pub(crate) fn skipped(&self, paths: &dyn PathSource) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::Skipped {
            src: json_path(&src),
            dst: json_path(&dst),
        });
    }

    /// A failure.
    pub(crate) fn error(&self, error: &Error) {
        self.line(&Line::Error {
            operation: operation_name(error.operation()),
            method: error.method().map(Method::name),
            src: error.source_path().map(json_path),
            dst: error.destination_path().map(json_path),
            offset: error.offset(),
            code: error.code().map(code_name),
            message: error.to_string(),
            attempts: error.attempts().iter().map(AttemptLine::from).collect(),
        });
    }

    /// Writes the last line and flushes the report.
    pub(crate) fn finish(&self, summary: &Summary) -> io::Result<()> {
        self.line(&Line::Summary {
            files: summary.files,
            dirs: summary.dirs,
            links: summary.links,
            symlinks: summary.symlinks,
            specials: summary.specials,
            skipped: summary.skipped,
            bytes: summary.bytes,
            cloned: summary.cloned,
            offloaded: summary.offloaded,
            moved: summary.moved,
            holes: summary.holes,
            shared: summary.shared,
            errors: summary.errors,
            ns: nanos(summary.elapsed),
        });
        if let Some(error) = lock(&self.failed).take() {
            return Err(error);
        }
        match &self.sink {
            Sink::File(file) => lock(file).flush(),
            Sink::Stdout(_) => Ok(()),
        }
    }

    fn line(&self, line: &Line<'_>) {
        // Before the lock, so that workers serialize in parallel.
        let text = serde_json::to_vec(line).map(|mut text| {
            text.push(b'\n');
            text
        });
        let mut failed = lock(&self.failed);
        if failed.is_some() {
            return;
        }
        let written = match (text, &self.sink) {
            (Err(error), _) => Err(io::Error::from(error)),
            (Ok(text), Sink::File(file)) => {
                let mut file = lock(file);
                let written = file.write_all(&text);
                if self.at_once {
                    written.and_then(|()| file.flush())
                } else {
                    written
                }
            }
            (Ok(text), Sink::Stdout(console)) => {
                console.out(&text);
                Ok(())
            }
        };
        *failed = written.err();
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde calls it
fn is_zero(number: &u64) -> bool {
    *number == 0
}

fn entry_kind(made: Made) -> &'static str {
    match made {
        Made::Directory => "directory",
        Made::HardLink => "hard-link",
        Made::Symlink => "symlink",
        Made::Special => "special",
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// `StatSource` -> `stat-source`.
fn operation_name(operation: Operation) -> String {
    let mut out = String::new();
    for c in format!("{operation:?}").chars() {
        if c.is_ascii_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

#[derive(Serialize)]
struct AttemptLine {
    method: &'static str,
    ended: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What the code means here, or a remark on a method that is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'static str>,
    offset: u64,
    bytes: u64,
    holes: u64,
    ns: u64,
}

impl From<&Attempt> for AttemptLine {
    fn from(attempt: &Attempt) -> AttemptLine {
        let (ended, code) = match attempt.ended() {
            Ended::Done => ("done", None),
            Ended::Next(code) => ("next", Some(code)),
            Ended::Failed(code) => ("failed", Some(code)),
        };
        AttemptLine {
            method: attempt.method().name(),
            ended,
            code: code.map(code_name),
            why: attempt.why(),
            offset: attempt.offset(),
            bytes: attempt.bytes(),
            holes: attempt.holes(),
            ns: nanos(attempt.elapsed()),
        }
    }
}

/// The bytes that the filesystem reports as shared, or the code of the query that failed.
#[derive(Serialize)]
struct SharedLine {
    shared: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shared_code: Option<String>,
}

impl From<Result<u64, Code>> for SharedLine {
    fn from(answer: Result<u64, Code>) -> SharedLine {
        SharedLine {
            shared: answer.ok(),
            shared_code: answer.err().map(code_name),
        }
    }
}

/// What a dry run would try.
#[derive(Serialize)]
struct PlannedLine {
    bytes: u64,
    src_filesystem: &'static str,
    dst_filesystem: &'static str,
    methods: Vec<&'static str>,
    skipped: Vec<SkippedLine>,
}

#[derive(Serialize)]
struct SkippedLine {
    method: &'static str,
    why: String,
}

impl From<&Planned> for PlannedLine {
    fn from(planned: &Planned) -> PlannedLine {
        let skipped = planned.skipped().iter();
        PlannedLine {
            bytes: planned.size(),
            src_filesystem: planned.src_kind().name(),
            dst_filesystem: planned.dst_kind().name(),
            methods: planned.methods().iter().map(|it| it.name()).collect(),
            skipped: skipped
                .map(|(method, why)| SkippedLine {
                    method: method.name(),
                    why: why.to_string(),
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct ChangedLine {
    size_before: u64,
    size_after: u64,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    File {
        src: JsonPath<'a>,
        dst: JsonPath<'a>,
        kind: &'static str,
        bytes: u64,
        cloned: u64,
        offloaded: u64,
        moved: u64,
        holes: u64,
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        shared: Option<SharedLine>,
        /// Bytes that an earlier run had copied.
        #[serde(skip_serializing_if = "is_zero")]
        resumed: u64,
        method: Option<&'static str>,
        attempts: Vec<AttemptLine>,
        #[serde(skip_serializing_if = "Option::is_none")]
        changed: Option<ChangedLine>,
        /// Why it could not be replaced in one step.
        #[serde(skip_serializing_if = "Option::is_none")]
        in_place: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hash: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        hash_kind: Option<&'static str>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        verified: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        planned: Option<Box<PlannedLine>>,
        ns: u64,
    },
    Entry {
        src: JsonPath<'a>,
        dst: JsonPath<'a>,
        kind: &'static str,
    },
    Skipped {
        src: JsonPath<'a>,
        dst: JsonPath<'a>,
    },
    NoLink {
        src: JsonPath<'a>,
        dst: JsonPath<'a>,
        kind: &'static str,
    },
    Replaces {
        src: JsonPath<'a>,
        dst: JsonPath<'a>,
    },
    Error {
        operation: String,
        method: Option<&'static str>,
        src: Option<JsonPath<'a>>,
        dst: Option<JsonPath<'a>>,
        offset: Option<u64>,
        code: Option<String>,
        message: String,
        attempts: Vec<AttemptLine>,
    },
    Summary {
        files: u64,
        dirs: u64,
        links: u64,
        symlinks: u64,
        specials: u64,
        skipped: u64,
        bytes: u64,
        cloned: u64,
        offloaded: u64,
        moved: u64,
        holes: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        shared: Option<u64>,
        errors: u64,
        ns: u64,
    },
}

#[cfg(test)]
mod tests {
    use copyist::error::Operation;

    use super::operation_name;

    #[test]
    fn operations_have_names() {
        assert_eq!(operation_name(Operation::StatSource), "stat-source");
        assert_eq!(operation_name(Operation::Plan), "plan");
    }
}
