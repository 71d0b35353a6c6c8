//! Runs the examination: every method on every file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use copyist::error::{Cause, Refusal};
use copyist::options::Reflink;
use copyist::probe::Probe;
use copyist::report::{Ended, Known};
use copyist::{Copier, Method, Options};

use super::finding::{Ending, Examination, Finding};
use super::patterns::{self, Pattern};
use super::{judge, live, report};
use crate::args::DoctorArgs;
use crate::output::console::Console;
use crate::tools::guard::Guard;
use crate::tools::work::Work;
use crate::words::errors::{code_name, current_os, io_text};
use crate::words::quoting::Quoter;

/// The exit code where not everything was tested.
const UNFINISHED: u8 = 3;

/// Runs the command; the result is the exit code.
pub(crate) fn run(arguments: &DoctorArgs, console: &Console) -> u8 {
    let examined = Work::start(arguments.max_seconds, console).and_then(|mut work| {
        let examination = examine(&arguments.dir, &mut work)?;
        Ok((examination, work.exit_code()))
    });
    match examined {
        Ok((examination, signal)) => {
            let text = if arguments.json {
                report::json(&examination)
            } else {
                report::text(&examination)
            };
            console.out(text.as_bytes());
            let is_bad = |it: &Finding| it.is_unsafe() || !it.failed.is_empty();
            let found = examination.findings.iter().any(is_bad);
            let is_unfinished = examination.findings.iter().any(|it| it.untested > 0);
            match signal {
                Some(code) => code,
                None if found => 1,
                None if is_unfinished => UNFINISHED,
                None => 0,
            }
        }
        Err(message) => {
            console.error(&message);
            2
        }
    }
}

fn examine(dir: &Path, work: &mut Work) -> Result<Examination, String> {
    work.begin("examining the volume");
    let probe = Probe::pair_until(dir, dir, work.cancel())
        .map_err(|error| cannot("examine", dir, error.io_error()))?;
    let prefix = format!(".copyist-doctor-{}-", std::process::id());
    let guard = Guard::over(&[dir], &prefix)
        .map_err(|error| format!("cannot start: {}", io_text(&error)))?;
    let own = dir.join(prefix + "files");
    fs::create_dir(&own).map_err(|error| cannot("create", &own, &error))?;
    let mut left_out = Vec::new();
    let patterns = patterns::all(&probe, &mut left_out);
    let changes = live::Change::all(probe.dst.free_bytes, &mut left_out);
    let methods = current_os().order();
    let mut findings: Vec<Finding> = methods.iter().map(|it| Finding::of(Some(*it))).collect();
    let mut map = Finding::of(None);
    let files = patterns.len() + changes.len() + 1;
    work.set_total((files * methods.len()) as u64);
    let work = &*work;
    let examiner = Examiner { dir: own, work };
    for pattern in &patterns {
        examiner.still(pattern, &mut findings, &mut map)?;
    }
    for &change in changes {
        examiner.live(change, &mut findings)?;
    }
    examiner.procfs(&mut findings, &mut left_out)?;
    // A filesystem without holes, or that does not report them, has no map to test.
    if probe.dst.holes.known != Known::No || map.is_unsafe() {
        findings.push(map);
    }
    let untested: usize = findings.iter().map(|it| it.untested).sum();
    if untested > 0
        && let Some(why) = work.why_over()
    {
        left_out.push(format!("{untested} copies, as {why}"));
    }
    let removed = fs::remove_dir_all(&examiner.dir);
    if !guard.clean_up() {
        removed.map_err(|error| cannot("remove", &examiner.dir, &error))?;
    }
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

/// Creates the files and copies them.
struct Examiner<'a> {
    dir: PathBuf,
    work: &'a Work,
}

impl Examiner<'_> {
    fn src(&self) -> PathBuf {
        self.dir.join("src")
    }

    fn dst(&self) -> PathBuf {
        self.dir.join("dst")
    }

    /// Tests a file that does not change.
    fn still(
        &self,
        pattern: &Pattern,
        findings: &mut [Finding],
        map: &mut Finding,
    ) -> Result<(), String> {
        if self.work.is_over() {
            findings.iter_mut().for_each(|it| it.untested += 1);
            map.untested += 1;
            return Ok(());
        }
        let (src, dst) = (self.src(), self.dst());
        self.work.begin(pattern.name);
        let made = self.unless_over("write", &src, || pattern.write(&src, self.work))?;
        let ranges = match made {
            None => None,
            Some(()) => self.unless_over("read", &src, || {
                copyist::measure::data_ranges(&src).map_err(io::Error::from)
            })?,
        };
        match ranges.as_ref().map(|ranges| judge::map(pattern, ranges)) {
            None => map.untested += 1,
            Some(None) => map.good += 1,
            Some(Some(fault)) => map.wrong.push((pattern.name, fault)),
        }
        for finding in findings {
            if ranges.is_none() || self.work.is_over() {
                finding.untested += 1;
                continue;
            }
            self.begin(pattern.name, finding);
            if pattern.replaces {
                let longer = vec![0xEE; pattern.len as usize + 10_000];
                fs::write(&dst, longer).map_err(|error| cannot("write", &dst, &error))?;
            }
            let copied = self.copy(finding.method, &src, &dst);
            finding.take((pattern.name, self.work), copied, || {
                judge::copy(
                    (&dst, self.work),
                    |offset, piece| pattern.fill(offset, piece),
                    pattern.len,
                )
            });
            gone(&dst)?;
            self.work.end();
        }
        gone(&src)
    }

    /// Tests a file that changes while it is copied.
    fn live(&self, change: live::Change, findings: &mut [Finding]) -> Result<(), String> {
        let (src, dst) = (self.src(), self.dst());
        for finding in findings {
            if self.work.is_over() {
                finding.untested += 1;
                continue;
            }
            self.begin(change.name(), finding);
            let made = self.unless_over("write", &src, || change.prepare(&src, self.work))?;
            if made.is_some() {
                let copied = change
                    .during(&src, || self.copy(finding.method, &src, &dst))
                    .map_err(|error| cannot("write", &src, &error))?;
                finding.take((change.name(), self.work), copied, || {
                    change.judge(&dst, self.work)
                });
            } else {
                finding.untested += 1;
            }
            gone(&dst)?;
            gone(&src)?;
            self.work.end();
        }
        Ok(())
    }

    /// Tests a file of /proc, whose size is reported as 0.
    fn procfs(&self, findings: &mut [Finding], left_out: &mut Vec<String>) -> Result<(), String> {
        let src = Path::new("/proc/version");
        let Ok(content) = fs::read(src) else {
            left_out
                .push("there is no /proc/version, which has a size of 0 and content".to_owned());
            return Ok(());
        };
        let (dst, name) = (self.dst(), "a file of /proc");
        for finding in findings {
            if self.work.is_over() {
                finding.untested += 1;
                continue;
            }
            self.begin(name, finding);
            let copied = self.copy(finding.method, src, &dst);
            let len = content.len() as u64;
            finding.take((name, self.work), copied, || {
                judge::copy(
                    (&dst, self.work),
                    |offset, piece| {
                        piece.copy_from_slice(&content[offset as usize..][..piece.len()])
                    },
                    len,
                )
            });
            gone(&dst)?;
            self.work.end();
        }
        Ok(())
    }

    fn begin(&self, name: &str, finding: &Finding) {
        let method = finding.method.map_or("", Method::name);
        self.work.begin(&format!("{name}, {method}"));
    }

    /// The result of a call; `None` if the time is up.
    fn unless_over<T>(
        &self,
        what: &str,
        path: &Path,
        call: impl FnOnce() -> io::Result<T>,
    ) -> Result<Option<T>, String> {
        if self.work.is_over() {
            return Ok(None);
        }
        match call() {
            Err(_) if self.work.cancel().is_cancelled() => Ok(None),
            result => result.map(Some).map_err(|error| cannot(what, path, &error)),
        }
    }

    /// Copies by one method only. Returns whether that method was used: an empty file needs none.
    fn copy(&self, method: Option<Method>, src: &Path, dst: &Path) -> Result<bool, Ending> {
        let mut options = Options::default();
        options.methods = method.map(|method| [method].into_iter().collect());
        options.reflink = Reflink::Auto;
        let copier = Copier::with_options(options).cancel_token(self.work.cancel().clone());
        let error = match copier.copy(src, dst) {
            Ok(report) => return Ok(report.method() == method),
            Err(error) => error,
        };
        if let Cause::Refused(Refusal::NoMethod(skipped)) = error.cause() {
            let why = skipped
                .first()
                .map_or(String::new(), |(_, why)| why.to_string());
            return Err(Ending::Refused(why));
        }
        let last = error
            .attempts()
            .last()
            .map(|last| (last.ended(), last.why()));
        Err(match last {
            Some((Ended::Next(code), why)) => {
                let why = why.unwrap_or("not supported here");
                Ending::Refused(format!("{}, {why}", code_name(code)))
            }
            _ => Ending::Failed(error.to_string()),
        })
    }
}

fn gone(path: &Path) -> Result<(), String> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(cannot("remove", path, &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Examination, Finding, examine, report};
    use crate::tools::work::tests::over_after;

    fn examined_until(looks: u64) -> (Examination, usize) {
        let dir = std::env::temp_dir().join(format!("copyist-work-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let examination = examine(&dir, &mut over_after(looks)).expect("an examination");
        let left = std::fs::read_dir(&dir).expect("names").count();
        std::fs::remove_dir_all(&dir).expect("removed");
        (examination, left)
    }

    /// Whenever the time is up, what was left out is reported and counted, and no file is left.
    #[test]
    fn it_stops_when_the_time_is_up() {
        let count = |it: &Examination| {
            let of = |it: &Finding| it.tried() + it.refused.len() + it.untested;
            it.findings.iter().map(of).max()
        };
        let mut last = usize::MAX;
        for looks in [0, 1, 40, 150] {
            let (examination, left) = examined_until(looks);
            assert_eq!(left, 0, "{looks}");
            let untested: usize = examination.findings.iter().map(|it| it.untested).sum();
            assert!(0 < untested && untested <= last, "{looks}: {untested}");
            assert!(count(&examination) >= Some(25), "{looks}");
            last = untested;
            let text = report::text(&examination);
            let said = format!("not tried: {untested} copies, as it was stopped");
            assert!(text.contains(&said), "{looks}: {text}");
            assert!(text.contains("UNFINISHED"), "{looks}: {text}");
            let failed = examination.findings.iter().any(|it| !it.failed.is_empty());
            assert!(!failed && !text.contains("FAILS"), "{looks}: {text}");
        }
        assert!(last < examined_until(0).0.findings.len() * 30);
    }
}
