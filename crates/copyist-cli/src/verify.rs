//! `copyist verify`: are two trees the same, and is a tree what a manifest says.

use std::ffi::OsString;
use std::io::{self, BufRead as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args as _, Command, FromArgMatches as _};
use copyist::hash::{Hash, HashKind};
use copyist::observer::FileKind;
use copyist::verify::{Compare, Compared, Difference, Found};
use copyist::{CancelToken, Error};
use indicatif::{HumanBytes, HumanCount};
use serde::Serialize;

use crate::console::Console;
use crate::date::rfc3339;
use crate::invocation::Invocation;
use crate::last_line::time;
use crate::manifest;
use crate::messages::io_text;
use crate::progress::add_bytes;
use crate::quoting::Quoter;
use crate::report::{Name, lock, name};
use crate::signals::Signals;
use crate::suggest::did_you_mean;
use crate::text_file;

/// Differences were found.
const DIFFERENT: u8 = 1;
/// Something could not be compared.
const TROUBLE: u8 = 2;

// No documentation: clap would show it in place of `about`.
#[derive(Debug, clap::Args)]
struct Options {
    /// Check the files below DIR (or the current directory) against FILE, as --manifest, b3sum, sha256sum or xxh128sum wrote it (- for standard input)
    #[arg(long, value_name = "FILE")]
    manifest: Option<OsString>,
    /// The manifest's hash: blake3, xxh3 or sha256; without it, it is told from the manifest
    #[arg(long, value_name = "KIND", requires = "manifest", value_parser = ["blake3", "xxh3", "sha256"])]
    hash: Option<String>,
    /// Let files be read from the cache; without it they are read from their devices, where the system allows that
    #[arg(long)]
    cached: bool,
    /// Don't compare these attributes: a list of mode, ownership, timestamps, xattr and all
    #[arg(long, value_name = "LIST", value_delimiter = ',', conflicts_with = "manifest",
          value_parser = ["mode", "ownership", "timestamps", "xattr", "all"])]
    ignore: Vec<String>,
    /// How many threads compare (without it: one for each processor, or at least 8 that read from devices)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    jobs: Option<u16>,
    /// Write what is found to standard output as JSON, one object a line
    #[arg(long)]
    json: bool,
    /// Say nothing: the exit status tells
    #[arg(short, long)]
    quiet: bool,
    /// SRC and DST; with --manifest, DIR
    #[arg(value_name = "PATH", num_args = 0..=2)]
    paths: Vec<PathBuf>,
}

/// The command line, as clap knows it.
pub(crate) fn command() -> Command {
    let command = Command::new("verify")
        .about("Compare a copy with its source or a manifest")
        .override_usage(
            "copyist verify [OPTION]... SRC DST\n       \
             copyist verify [OPTION]... --manifest=FILE [DIR]",
        )
        .after_help(
            "Each difference is a line: the name, and in what the destination differs. What the \
             destination's filesystem can't hold any better is none: a time in its unit (FAT: two \
             seconds) or at the end of its range, and an access control list of another kind of \
             filesystem (NFSv4) that says no more than the permission bits.\n\n\
             Exit status: 0 if there is none, 1 if there are some, 2 if something could not be \
             compared.",
        );
    Options::augment_args(command)
}

/// Runs the command; the result is the exit code.
pub(crate) fn run(arguments: impl Iterator<Item = OsString>) -> u8 {
    let console = Console::new(Invocation::subcommand("verify"));
    let arguments = std::iter::once("copyist verify".into()).chain(arguments);
    let options = command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Options::from_arg_matches(&matches));
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
    if console.finish_telling() {
        code
    } else {
        TROUBLE
    }
}

/// What clap says of a mistake, without its "error: " and its hints.
fn first_line(message: &str) -> &str {
    let line = message.lines().next().unwrap_or_default();
    line.strip_prefix("error: ").unwrap_or(line)
}

fn check(options: &Options, console: &Console) -> u8 {
    let (signals, cancel) = match Signals::install(console.asking()) {
        Ok(signals) => signals,
        Err(error) => {
            console.error(&format!("cannot start: {}", io_text(&error)));
            return TROUBLE;
        }
    };
    let teller = Teller {
        console,
        quoter: Quoter::from_environment(),
        json: options.json,
        quiet: options.quiet,
    };
    let start = Instant::now();
    let compared = match (&options.manifest, options.paths.as_slice()) {
        (None, [src, dst]) => trees(options, (src, dst), &cancel, &teller),
        (Some(file), [] | [_]) => {
            let dir = options
                .paths
                .first()
                .map_or(Path::new(""), PathBuf::as_path);
            match check_manifest(options, file, dir, &cancel, &teller) {
                Ok(compared) => compared,
                Err(error) => {
                    let file = teller.quoter.always(file);
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
    teller.last(&compared, start.elapsed(), cancel.is_cancelled());
    match signals.exit_code() {
        Some(code) => code,
        None if compared.errors > 0 => TROUBLE,
        None if compared.differences > 0 => DIFFERENT,
        None => 0,
    }
}

fn trees(
    options: &Options,
    (src, dst): (&Path, &Path),
    cancel: &CancelToken,
    teller: &Teller<'_>,
) -> Compared {
    let compares = |what: &str| !options.ignore.iter().any(|it| it == what || it == "all");
    let compare = Compare::default()
        .mode(compares("mode"))
        .owner(compares("ownership"))
        .times(compares("timestamps"))
        .xattrs(compares("xattr"))
        .from_device(!options.cached)
        .threads(options.jobs.map_or(0, usize::from));
    compare.run(src, dst, cancel, teller)
}

/// Checks each file of a manifest.
fn check_manifest(
    options: &Options,
    file: &OsString,
    dir: &Path,
    cancel: &CancelToken,
    teller: &Teller<'_>,
) -> io::Result<Compared> {
    let mut lines = text_file::open(file)?;
    let chosen = options.hash.as_deref().and_then(|name| name.parse().ok());
    let check = ManifestCheck {
        dir,
        from_device: !options.cached,
        teller,
        cancel,
        kind: Mutex::new(chosen),
        files: AtomicU64::new(0),
        bytes: AtomicU64::new(0),
        differences: AtomicU64::new(0),
        errors: AtomicU64::new(0),
    };
    let threads = match options.jobs {
        Some(jobs) => usize::from(jobs),
        None => Compare::usual_threads(check.from_device),
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
        // The channel ends with the last of them, also where they panic.
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
            match manifest::parse(text) {
                _ if text.is_empty() => {}
                // They listen for as long as this thread sends.
                Some(job) => drop(jobs.send(job)),
                None => check.bad_line(number),
            }
        };
        drop(jobs);
    });
    read.map(|()| check.compared())
}

/// Checks files against their lines.
struct ManifestCheck<'a> {
    dir: &'a Path,
    from_device: bool,
    teller: &'a Teller<'a>,
    cancel: &'a CancelToken,
    /// Two hashes are of one length: the first file that is right tells which it is.
    kind: Mutex<Option<HashKind>>,
    files: AtomicU64,
    bytes: AtomicU64,
    differences: AtomicU64,
    errors: AtomicU64,
}

impl ManifestCheck<'_> {
    fn bad_line(&self, number: u64) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        let message = format!("line {number} of the manifest is no hash and name");
        self.teller.console.error(&message);
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
            let name = self.teller.quoter.always(name);
            self.teller
                .console
                .error(&format!("{name}: no hash that is known: {hex}"));
            return;
        }
        self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.dir.join(name);
        for (n, expected) in kinds.enumerate() {
            // What was read just now for another hash is in the cache.
            let from_device = self.from_device && n == 0;
            match copyist::hash::hash_file(&path, expected.kind(), from_device, self.cancel) {
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
                    return self.teller.error(&error);
                }
            }
        }
        self.differs(name, &Difference::Hash);
    }

    fn differs(&self, name: &Path, difference: &Difference) {
        self.differences.fetch_add(1, Ordering::Relaxed);
        self.teller.difference(name, difference);
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

/// Tells what is found.
struct Teller<'a> {
    console: &'a Console,
    quoter: Quoter,
    json: bool,
    quiet: bool,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
enum Line<'a> {
    Difference {
        path: Name<'a>,
        what: &'static str,
        text: String,
    },
    Error {
        path: Option<Name<'a>>,
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

impl Found for Teller<'_> {
    fn difference(&self, path: &Path, difference: &Difference) {
        let (what, text) = words(difference);
        if self.json {
            let path = name(path);
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
            let (path, message) = (path.map(name), error.to_string());
            self.json_line(&Line::Error { path, message });
        } else {
            let path = self.quoter.always(path.unwrap_or(Path::new("")));
            self.console.error(&format!("cannot compare {path}: {why}"));
        }
    }
}

impl Teller<'_> {
    fn json_line(&self, line: &Line<'_>) {
        // Numbers and text can't fail to become JSON.
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
            time(elapsed)
        );
        if compared.errors > 0 {
            line += &format!("; {} could not be compared", HumanCount(compared.errors));
        }
        self.console.out(format!("{line}\n").as_bytes());
    }
}

/// A difference's name in JSON, and in words.
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
            "its content is not that of the manifest".to_owned(),
        ),
        Difference::Target => ("target", "the symbolic link leads elsewhere".to_owned()),
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
