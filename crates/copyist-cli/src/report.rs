//! The report: one JSON object a line for each file and each failure, and a last one for the run.
//! `docs/report.md` describes it.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use copyist::error::{Code, Operation, Os};
use copyist::observer::{Made, PathSource};
use copyist::report::{Attempt, Ended, Planned};
use copyist::{Error, Method, Report, Summary};
use serde::Serialize;

use crate::console::Console;

/// The system that this program runs on.
pub(crate) fn current_os() -> Os {
    match std::env::consts::OS {
        "macos" => Os::Macos,
        "windows" => Os::Windows,
        "freebsd" => Os::Freebsd,
        _ => Os::Linux,
    }
}

/// A code's name, or for one without a name its number.
pub(crate) fn code_name(code: Code) -> String {
    match code {
        Code::NO_PROGRESS => "NO_PROGRESS".to_owned(),
        Code::CANCELLED => "CANCELLED".to_owned(),
        code => code
            .name(current_os())
            .map_or_else(|| code.0.to_string(), str::to_owned),
    }
}

/// Writes the report.
#[derive(Debug)]
pub(crate) struct Reporter {
    sink: Sink,
    /// Each line is written out at once: what it tells is durable, and somebody may rely on it.
    at_once: bool,
    /// The first failure to write it; nothing is written after that.
    failed: Mutex<Option<io::Error>>,
}

#[derive(Debug)]
enum Sink {
    File(Mutex<BufWriter<File>>),
    /// Through the console, so that no line of `-v` lands inside a line of the report.
    Stdout(Arc<Console>),
}

impl Reporter {
    /// Reports to the file of this name, which is made anew, or to standard output for `-`.
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
            src: name(&src),
            dst: name(&dst),
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

    /// Something else than a regular file is complete.
    pub(crate) fn entry(&self, paths: &dyn PathSource, made: Made) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::Entry {
            src: name(&src),
            dst: name(&dst),
            kind: entry_kind(made),
        });
    }

    /// The destination's filesystem could not be given a link.
    pub(crate) fn no_link(&self, paths: &dyn PathSource, what: Made) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::NoLink {
            src: name(&src),
            dst: name(&dst),
            kind: entry_kind(what),
        });
    }

    /// An existing destination is about to be replaced.
    pub(crate) fn replaces(&self, paths: &dyn PathSource) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::Replaces {
            src: name(&src),
            dst: name(&dst),
        });
    }

    /// A destination was left alone.
    pub(crate) fn skipped(&self, paths: &dyn PathSource) {
        let (src, dst) = (paths.src(), paths.dst());
        self.line(&Line::Skipped {
            src: name(&src),
            dst: name(&dst),
        });
    }

    /// A failure.
    pub(crate) fn error(&self, error: &Error) {
        self.line(&Line::Error {
            operation: operation_name(error.operation()),
            method: error.method().map(Method::name),
            src: error.source_path().map(name),
            dst: error.destination_path().map(name),
            offset: error.offset(),
            code: error.code().map(code_name),
            message: error.to_string(),
            attempts: error.attempts().iter().map(AttemptLine::from).collect(),
        });
    }

    /// The last line; everything is written out then.
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
        // Before any lock, so that workers don't wait for each other's.
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

/// A panic elsewhere leaves nothing half done behind these locks.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A path: a string, or for one that is not UTF-8 an object with all of its bytes.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum Name<'a> {
    Text(&'a str),
    Bytes { bytes_hex: String },
}

pub(crate) fn name(path: &Path) -> Name<'_> {
    let path = path.as_os_str();
    match path.to_str() {
        Some(text) => Name::Text(text),
        None => Name::Bytes {
            bytes_hex: path
                .as_encoded_bytes()
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect(),
        },
    }
}

#[derive(Serialize)]
struct AttemptLine {
    method: &'static str,
    ended: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// What is known about the code, or to be said of a method that was done.
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

/// What the filesystem said of how much is shared: a number, or why there is none.
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
        src: Name<'a>,
        dst: Name<'a>,
        kind: &'static str,
        bytes: u64,
        cloned: u64,
        offloaded: u64,
        moved: u64,
        holes: u64,
        #[serde(flatten, skip_serializing_if = "Option::is_none")]
        shared: Option<SharedLine>,
        /// What an earlier run had copied.
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
        src: Name<'a>,
        dst: Name<'a>,
        kind: &'static str,
    },
    Skipped {
        src: Name<'a>,
        dst: Name<'a>,
    },
    NoLink {
        src: Name<'a>,
        dst: Name<'a>,
        kind: &'static str,
    },
    Replaces {
        src: Name<'a>,
        dst: Name<'a>,
    },
    Error {
        operation: String,
        method: Option<&'static str>,
        src: Option<Name<'a>>,
        dst: Option<Name<'a>>,
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
    use std::path::Path;

    use copyist::error::{Code, Operation};

    use super::{code_name, name, operation_name};

    #[test]
    fn names_are_lossless() {
        let json = |bytes: &[u8]| {
            let path = copyist_sys::os_string_from_bytes(bytes.to_vec())?;
            Some(serde_json::to_string(&name(Path::new(&path))).expect("JSON"))
        };
        let text = json(b"a\n\"\xc3\xa9").expect("text is a name everywhere");
        assert_eq!(text, "\"a\\n\\\"\u{e9}\"");
        if let Some(odd) = json(b"a\xff/") {
            assert_eq!(odd, r#"{"bytes_hex":"61ff2f"}"#);
        }
    }

    #[test]
    fn operations_and_codes_have_names() {
        if std::env::consts::OS == "windows" {
            println!(
                "beyond Wine: operations_and_codes_have_names: the numbers and words are those of Unix"
            );
            return;
        }
        assert_eq!(operation_name(Operation::StatSource), "stat-source");
        assert_eq!(operation_name(Operation::Plan), "plan");
        assert_eq!(code_name(Code(95)), "EOPNOTSUPP");
        assert_eq!(code_name(Code(0)), "NO_PROGRESS");
        assert_eq!(code_name(Code(9999)), "9999");
    }
}
