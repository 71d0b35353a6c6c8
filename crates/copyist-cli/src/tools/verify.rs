//! `copyist verify`: compares two trees, or a tree with a manifest.

use std::ffi::OsString;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use clap::FromArgMatches as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use copyist::hash::{DeviceHasher, Hash, HashKind};
use copyist::observer::FileKind;
use copyist::verify::{Compare, Compared, Difference, Found};
use copyist::{CancelToken, Error};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use crate::args::{VerifyArgs, verify_command};
use crate::output::console::Console;
use crate::process::invocation::Invocation;
use crate::process::signals::Signals;
use crate::words::errors::io_text;
use crate::words::json_path::{JsonPath, json_path};
use crate::words::manifest_line;
use crate::words::quoting::Quoter;
use crate::words::suggest::did_you_mean;
use crate::words::sync::{add_bytes, lock};
use crate::words::text_file;
use crate::words::time::{duration, rfc3339};

/// The exit code if there are differences.
const DIFFERENT: u8 = 1;
/// The exit code if something could not be compared.
const TROUBLE: u8 = 2;

/// Runs the command; the result is the exit code.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let console = Console::new(Invocation::subcommand("verify"));
    let arguments = std::iter::once("copyist verify".into()).chain(arguments);
    let options = verify_command()
        .try_get_matches_from(arguments)
        .and_then(|matches| VerifyArgs::from_arg_matches(&matches));
    let code = match options {
        Ok(options) => check(&options, &console),
        Err(error) if error.kind() == ErrorKind::DisplayHelp => {
            console.out(error.to_string().as_bytes());
            0
        }
        Err(error) => {
            console.error(first_line(&error.to_string()));
            if let Some(ContextValue::String(meant)) = error.get(ContextKind::SuggestedArg) {
                console.error(&did_you_mean(meant));
            }
            console.try_help();
            TROUBLE
        }
    };
    if console.finish_or_report() {
        code
    } else {
        TROUBLE
    }
}

/// The first line of an error of clap, without "error: ".
fn first_line(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

fn check(options: &VerifyArgs, console: &Console) -> u8 {
    let (signals, cancel) = match Signals::install(console.asking()) {
        Ok(signals) => signals,
        Err(error) => {
            console.error(&format!("cannot start: {}", io_text(&error)));
            return TROUBLE;
        }
    };
    let printer = Printer {
        console,
        quoter: Quoter::from_environment(),
        json: options.json,
        quiet: options.quiet,
    };
    let start = Instant::now();
    let compared = match (&options.manifest, options.paths.as_slice()) {
        (None, [src, dst]) => trees(options, (src, dst), &cancel, &printer),
        (Some(file), [] | [_]) => {
            let dir = options
                .paths
                .first()
                .map_or(Path::new(""), PathBuf::as_path);
            match check_manifest(options, file, dir, &cancel, &printer) {
                Ok(compared) => compared,
                Err(error) => {
                    let file = printer.quoter.always(file);
                    console.error(&format!("cannot read manifest {file}: {}", io_text(&error)));
                    return TROUBLE;
                }
            }
        }
        (given, _) => {
            console.error(match given {
                None => "SRC and DST are needed, or --manifest=FILE",
                Some(_) => "with --manifest, there is one DIR",
            });
            console.try_help();
            return TROUBLE;
        }
    };
    printer.last(&compared, start.elapsed(), cancel.is_cancelled());
    match signals.exit_code() {
        Some(code) => code,
        None if compared.errors > 0 => TROUBLE,
        None if compared.differences > 0 => DIFFERENT,
        None => 0,
    }
}

fn trees(
    options: &VerifyArgs,
    (src, dst): (&Path, &Path),
    cancel: &CancelToken,
    printer: &Printer<'_>,
) -> Compared {
    let compares = |what: &str| !options.ignore.iter().any(|it| it == what || it == "all");
    let compare = Compare::default()
        .mode(compares("mode"))
        .owner(compares("ownership"))
        .times(compares("timestamps"))
        .xattrs(compares("xattr"))
        .from_device(!options.cached)
        .threads(options.jobs.map_or(0, usize::from));
    compare.run(src, dst, cancel, printer)
}

/// Checks each file of a manifest.
fn check_manifest(
    options: &VerifyArgs,
    file: &OsString,
    dir: &Path,
    cancel: &CancelToken,
    printer: &Printer<'_>,
) -> io::Result<Compared> {
    let mut lines = text_file::open(file)?;
    let chosen = options.hash.as_deref().and_then(|name| name.parse().ok());
    let check = ManifestCheck {
        dir,
        device: (!options.cached).then(DeviceHasher::new),
        printer,
        cancel,
        kind: Mutex::new(chosen),
        files: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        differences: AtomicU64::new(0),
        errors: AtomicU64::new(0),
    };
    let threads = match options.jobs {
        Some(jobs) => usize::from(jobs),
        None => Compare::usual_threads(check.device.is_some()),
    };
    let (jobs, next) = sync_channel::<(String, OsString)>(4 * threads);
    let next = Arc::new(Mutex::new(next));
    let mut read = Ok(());
    thread::scope(|scope| {
        for _ in 0..threads {
            let (next, check) = (Arc::clone(&next), &check);
            scope.spawn(move || {
                loop {
                    let job = lock(&next).recv();
                    match job {
                        Ok(_) if cancel.is_cancelled() => {}
                        Ok((hex, name)) => check.file(&hex, Path::new(&name)),
                        Err(_) => return,
                    }
                }
            });
        }
        // The channel closes with the last receiver, also if the threads panic.
        drop(next);
        let (mut line, mut number) = (Vec::new(), 0_u64);
        read = loop {
            line.clear();
            number += 1;
            match lines.read_until(b'\n', &mut line) {
                Ok(0) => break Ok(()),
                Ok(_) if cancel.is_cancelled() => break Ok(()),
                Ok(_) => {}
                Err(error) => break Err(error),
            }
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            match manifest_line::parse(text) {
                _ if text.is_empty() => {}
                // The receivers exist until this thread drops the sender.
                Some(job) => drop(jobs.send(job)),
                None => check.bad_line(number),
            }
        };
        drop(jobs);
    });
    read.map(|()| check.compared())
}

/// Compares files with the lines of a manifest.
struct ManifestCheck<'a> {
    dir: &'a Path,
    /// `None` to read from the page cache too.
    device: Option<DeviceHasher>,
    printer: &'a Printer<'a>,
    cancel: &'a CancelToken,
    /// Two kinds of hash have the same length. The first file that matches decides which it is.
    kind: Mutex<Option<HashKind>>,
    files: AtomicU64,
    bytes: AtomicU64,
    differences: AtomicU64,
    errors: AtomicU64,
}

impl ManifestCheck<'_> {
    fn bad_line(&self, number: u64) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let message = format!("line {number} of the manifest is not a hash and a name");
        self.printer.console.error(&message);
    }

    fn file(&self, hex: &str, name: &Path) {
        let known = *lock(&self.kind);
        let mut kinds = HashKind::ALL
            .into_iter()
            .filter(|kind| known.is_none_or(|known| known == *kind))
            .filter_map(|kind| Hash::parse(kind, hex))
            .peekable();
        if kinds.peek().is_none() {
            self.errors.fetch_add(1, Ordering::Relaxed);
            let name = self.printer.quoter.always(name);
            self.printer
                .console
                .error(&format!("{name}: unknown kind of hash: {hex}"));
            return;
        }
        self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(name);
        for (n, expected) in kinds.enumerate() {
            let (kind, cancel) = (expected.kind(), self.cancel);
            // For the second kind of hash the file is in the page cache.
            let hash = match self.device.as_ref().filter(|_| n == 0) {
                Some(device) => device.hash_file(&path, kind, cancel),
                None => copyist::hash::hash_file(&path, kind, false, cancel),
            };
            match hash {
                Ok(hash) if hash == expected => {
                    lock(&self.kind).get_or_insert(expected.kind());
                    let size = std::fs::metadata(&path).map_or(0, |it| it.len());
                    add_bytes(&self.bytes, size);
                    return;
                }
                Ok(_) => {}
                Err(error) if error.is_cancelled() => return,
                Err(error) if error.io_error().kind() == io::ErrorKind::NotFound => {
                    return self.differs(name, &Difference::Missing);
                }
                Err(error) => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    return self.printer.error(&error);
                }
            }
        }
        self.differs(name, &Difference::Hash);
    }

    fn differs(&self, name: &Path, difference: &Difference) {
        self.differences.fetch_add(1, Ordering::Relaxed);
        self.printer.difference(name, difference);
    }

    fn compared(&self) -> Compared {
        let mut compared = Compared::default();
        compared.files = self.files.load(Ordering::Relaxed);
        compared.bytes = self.bytes.load(Ordering::Relaxed);
        compared.differences = self.differences.load(Ordering::Relaxed);
        compared.errors = self.errors.load(Ordering::Relaxed);
        compared
    }
}

/// Prints what is found.
struct Printer<'a> {
    console: &'a Console,
    quoter: Quoter,
    json: bool,
    quiet: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Difference {
        path: JsonPath<'a>,
        what: &'static str,
        text: String,
    },
    Error {
        path: Option<JsonPath<'a>>,
        message: String,
    },
    Summary {
        files: u64,
        dirs: u64,
        others: u64,
        bytes: u64,
        differences: u64,
        errors: u64,
        stopped: bool,
        ns: u64,
    },
}

impl Found for Printer<'_> {
    fn difference(&self, path: &Path, difference: &Difference) {
        let (what, text) = words(difference);
        if self.json {
            let path = json_path(path);
            self.json_line(&Line::Difference { path, what, text });
        } else if !self.quiet {
            let shown = if path.as_os_str().is_empty() {
                Path::new(".")
            } else {
                path
            };
            let shown = self.quoter.if_needed(shown);
            self.console.out(format!("{shown}: {text}\n").as_bytes());
        }
    }

    fn error(&self, error: &Error) {
        let path = if error.operation().is_about_source() {
            error.source_path()
        } else {
            error.destination_path().or(error.source_path())
        };
        let why = io_text(error.io_error());
        if self.json {
            let (path, message) = (path.map(json_path), error.to_string());
            self.json_line(&Line::Error { path, message });
        } else {
            let path = self.quoter.always(path.unwrap_or(Path::new("")));
            self.console.error(&format!("cannot compare {path}: {why}"));
        }
    }
}

impl Printer<'_> {
    fn json_line(&self, line: &Line<'_>) {
        // Numbers and strings always serialize.
        let text = serde_json::to_string(line).unwrap_or_default();
        self.console.out(format!("{text}\n").as_bytes());
    }

    fn last(&self, compared: &Compared, elapsed: Duration, stopped: bool) {
        if self.json {
            return self.json_line(&Line::Summary {
                files: compared.files,
                dirs: compared.dirs,
                others: compared.others,
                bytes: compared.bytes,
                differences: compared.differences,
                errors: compared.errors,
                stopped,
                ns: u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX),
            });
        }
        if self.quiet {
            return;
        }
        let begin = if stopped {
            "Stopped: compared"
        } else {
            "Compared"
        };
        let plural = if compared.files == 1 { "" } else { "s" };
        let found = match compared.differences {
            0 if compared.errors > 0 || stopped => "no difference in what was compared".to_owned(),
            0 => "no difference".to_owned(),
            1 => "1 DIFFERENCE".to_owned(),
            n => format!("{} DIFFERENCES", HumanCount(n)),
        };
        let mut line = format!(
            "{begin} {} file{plural} ({}) in {}: {found}",
            HumanCount(compared.files),
            HumanBytes(compared.bytes),
            duration(elapsed)
        );
        if compared.errors > 0 {
            line += &format!("; {} could not be compared", HumanCount(compared.errors));
        }
        self.console.out(format!("{line}\n").as_bytes());
    }
}

/// A difference's name in JSON, and its text.
fn words(difference: &Difference) -> (&'static str, String) {
    match difference {
        Difference::Missing => ("missing", "missing in the destination".to_owned()),
        Difference::Extra => ("extra", "not in the source".to_owned()),
        Difference::Kind(src, dst) => {
            let (src, dst) = (kind(*src), kind(*dst));
            ("kind", format!("is {dst}, and in the source {src}"))
        }
        Difference::Size(src, dst) => {
            let text = format!("has {dst} bytes, and in the source {src}");
            ("size", text)
        }
        Difference::Content(at) => ("content", format!("its content differs from byte {at} on")),
        Difference::Hash => (
            "content",
            "its content differs from the manifest".to_owned(),
        ),
        Difference::Target => ("target", "the symbolic link has another target".to_owned()),
        Difference::Device => ("device", "is another device".to_owned()),
        Difference::Mode(src, dst) => {
            let text = format!("its mode is {dst:04o}, and in the source {src:04o}");
            ("mode", text)
        }
        Difference::Owner(src, dst) => {
            let text = format!(
                "its owner is {}:{}, and in the source {}:{}",
                dst.0, dst.1, src.0, src.1
            );
            ("owner", text)
        }
        Difference::Modified(src, dst) => {
            let text = format!(
                "it was modified at {}, and in the source at {}",
                rfc3339(*dst),
                rfc3339(*src)
            );
            ("modified", text)
        }
        Difference::Xattr(name) => ("xattr", format!("its attribute {name} differs")),
        _ => ("other", "it differs".to_owned()),
    }
}

fn kind(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Regular => "a file",
        FileKind::Directory => "a directory",
        FileKind::Symlink => "a symbolic link",
        FileKind::Fifo => "a FIFO",
        FileKind::Socket => "a socket",
        FileKind::CharDevice | FileKind::BlockDevice => "a device",
        FileKind::Unknown => "something else",
    }
}
