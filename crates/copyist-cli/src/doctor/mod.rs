//! `copyist doctor`: which methods are safe on a filesystem.
//!
//! `patterns.rs` has files of known content, `live.rs` files that change meanwhile; `judge.rs`
//! compares what was made of them. `tell.rs` says what came out.

// Most files have one range of data.
#![allow(clippy::single_range_in_vec_init)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copyist::{Cause, Copier, Ended, Known, Method, Options, Probe, Reflink, Refusal};
use indicatif::{ProgressBar, ProgressStyle};

use crate::args::DoctorArgs;
use crate::console::Console;
use crate::guard::Guard;
use crate::messages::io_text;
use crate::quoting::Quoter;
use crate::report::{code_name, current_os};

mod judge;
mod live;
mod patterns;
mod tell;

use judge::Fault;
use patterns::Pattern;

/// What came out for one method, or for the map of holes.
pub(crate) struct Finding {
    /// `None`: the map of holes.
    method: Option<Method>,
    /// Patterns that were copied, and are the same.
    good: u32,
    /// Those that it declined: the code, if the system gave one, and why.
    refused: Vec<(&'static str, String)>,
    /// Those that came out wrong.
    wrong: Vec<(&'static str, Fault)>,
    /// Those that ended with an error, which at least is loud.
    failed: Vec<(&'static str, String)>,
}

/// The examination of one filesystem.
pub(crate) struct Examination {
    probe: Probe,
    findings: Vec<Finding>,
    /// What was not tried, and why.
    left_out: Vec<String>,
}

impl Finding {
    fn of(method: Option<Method>) -> Finding {
        Finding {
            method,
            good: 0,
            refused: Vec::new(),
            wrong: Vec::new(),
            failed: Vec::new(),
        }
    }

    fn is_unsafe(&self) -> bool {
        !self.wrong.is_empty()
    }
}

/// Runs the command; the result is the exit code.
pub(crate) fn run(arguments: &DoctorArgs, console: &Console) -> u8 {
    match examine(&arguments.dir) {
        Ok(examination) => {
            let text = if arguments.json {
                tell::json(&examination)
            } else {
                tell::text(&examination)
            };
            console.out(text.as_bytes());
            let is_bad = |it: &Finding| it.is_unsafe() || !it.failed.is_empty();
            u8::from(examination.findings.iter().any(is_bad))
        }
        Err(message) => {
            console.error(&message);
            2
        }
    }
}

fn examine(dir: &Path) -> Result<Examination, String> {
    let probe = Probe::volume(dir).map_err(|error| cannot("examine", dir, error.io_error()))?;
    let prefix = format!(".copyist-doctor-{}-", std::process::id());
    let guard = Guard::over(&[dir], &prefix)
        .map_err(|error| format!("cannot start: {}", io_text(&error)))?;
    let ward = Ward {
        dir: dir.join(prefix + "ward"),
    };
    fs::create_dir(&ward.dir).map_err(|error| cannot("create", &ward.dir, &error))?;
    let mut left_out = Vec::new();
    let patterns = patterns::all(&probe, &mut left_out);
    let changes = live::Change::all(probe.dst.free_bytes, &mut left_out);
    let methods = current_os().order();
    let mut findings: Vec<Finding> = methods.iter().map(|it| Finding::of(Some(*it))).collect();
    let mut map = Finding::of(None);
    let bar = ProgressBar::new(patterns.len() as u64 + 4);
    let style = ProgressStyle::with_template("{msg:28} {pos}/{len} {wide_bar}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    for pattern in &patterns {
        bar.set_message(pattern.name);
        ward.still(pattern, &mut findings, &mut map)?;
        bar.inc(1);
    }
    for &change in changes {
        bar.set_message(change.name());
        ward.live(change, &mut findings)?;
        bar.inc(1);
    }
    ward.procfs(&mut findings, &mut left_out)?;
    bar.finish_and_clear();
    // Where there are no holes, or nobody tells of them, there is no map to be wrong.
    if probe.dst.holes.known != Known::No || map.is_unsafe() {
        findings.push(map);
    }
    fs::remove_dir_all(&ward.dir).map_err(|error| cannot("remove", &ward.dir, &error))?;
    drop(guard);
    Ok(Examination {
        probe,
        findings,
        left_out,
    })
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    let path = Quoter::from_environment().always(path);
    format!("cannot {what} {path}: {}", io_text(error))
}

/// Where patterns are made and copied.
struct Ward {
    dir: PathBuf,
}

impl Ward {
    fn src(&self) -> PathBuf {
        self.dir.join("src")
    }

    fn dst(&self) -> PathBuf {
        self.dir.join("dst")
    }

    /// A file that keeps still.
    fn still(
        &self,
        pattern: &Pattern,
        findings: &mut [Finding],
        map: &mut Finding,
    ) -> Result<(), String> {
        let (src, dst) = (self.src(), self.dst());
        pattern
            .write(&src)
            .map_err(|error| cannot("write", &src, &error))?;
        let told = copyist::data_ranges(&src);
        let told = told.map_err(|error| cannot("read", &src, error.io_error()))?;
        match judge::map(pattern, &told) {
            None => map.good += 1,
            Some(fault) => map.wrong.push((pattern.name, fault)),
        }
        for finding in findings {
            if pattern.replaces {
                let longer = vec![0xEE; pattern.len as usize + 10_000];
                fs::write(&dst, longer).map_err(|error| cannot("write", &dst, &error))?;
            }
            let copied = copy(finding.method, &src, &dst);
            finding.take(pattern.name, copied, || {
                judge::copy(
                    &dst,
                    |offset, piece| pattern.fill(offset, piece),
                    pattern.len,
                )
            });
            gone(&dst)?;
        }
        gone(&src)
    }

    /// A file that changes while it is copied.
    fn live(&self, change: live::Change, findings: &mut [Finding]) -> Result<(), String> {
        let (src, dst) = (self.src(), self.dst());
        for finding in findings {
            change
                .prepare(&src)
                .map_err(|error| cannot("write", &src, &error))?;
            let copied = change
                .during(&src, || copy(finding.method, &src, &dst))
                .map_err(|error| cannot("write", &src, &error))?;
            finding.take(change.name(), copied, || change.judge(&dst));
            gone(&dst)?;
            gone(&src)?;
        }
        Ok(())
    }

    /// A file whose size means nothing.
    fn procfs(&self, findings: &mut [Finding], left_out: &mut Vec<String>) -> Result<(), String> {
        let src = Path::new("/proc/version");
        let Ok(content) = fs::read(src) else {
            left_out
                .push("there is no /proc/version, which has a size of 0 and content".to_owned());
            return Ok(());
        };
        let dst = self.dst();
        for finding in findings {
            let copied = copy(finding.method, src, &dst);
            let len = content.len() as u64;
            finding.take("a file of /proc", copied, || {
                judge::copy(
                    &dst,
                    |offset, piece| {
                        piece.copy_from_slice(&content[offset as usize..][..piece.len()])
                    },
                    len,
                )
            });
            gone(&dst)?;
        }
        Ok(())
    }
}

impl Finding {
    /// Counts what came out; `judge` looks at the copy, if there is one.
    fn take(
        &mut self,
        name: &'static str,
        copied: Result<bool, Ending>,
        judge: impl FnOnce() -> io::Result<Option<Fault>>,
    ) {
        match copied {
            Err(Ending::Refused(why)) => self.refused.push((name, why)),
            Err(Ending::Failed(why)) => self.failed.push((name, why)),
            Ok(served) => match judge() {
                Ok(None) => self.good += u32::from(served),
                Ok(Some(fault)) => self.wrong.push((name, fault)),
                Err(error) => self.failed.push((name, io_text(&error))),
            },
        }
    }
}

/// Why there is no copy.
enum Ending {
    Refused(String),
    Failed(String),
}

/// Copies by one method and no other. Answers whether it was that method that did it: an empty
/// file needs none.
fn copy(method: Option<Method>, src: &Path, dst: &Path) -> Result<bool, Ending> {
    let options = Options {
        methods: method.map(|method| [method].into_iter().collect()),
        reflink: Reflink::Auto,
        ..Options::default()
    };
    let error = match Copier::with_options(options).copy(src, dst) {
        Ok(report) => return Ok(report.method() == method),
        Err(error) => error,
    };
    if let Cause::Refused(Refusal::NoMethod(skipped)) = error.cause() {
        let why = skipped
            .first()
            .map_or(String::new(), |(_, why)| why.to_string());
        return Err(Ending::Refused(why));
    }
    let last = error.attempts().last().map(|last| (last.ended, last.why));
    Err(match last {
        Some((Ended::Next(code), why)) => {
            let why = why.unwrap_or("not served here");
            Ending::Refused(format!("{}, {why}", code_name(code)))
        }
        _ => Ending::Failed(error.to_string()),
    })
}

fn gone(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(cannot("remove", path, &error))
        }
        _ => Ok(()),
    }
}
