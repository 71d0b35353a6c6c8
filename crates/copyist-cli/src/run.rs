//! `cp` and `copy`, from their arguments to their exit code.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use copyist::{CancelToken, Copier, Make, Operand};

use crate::args::face_command;
use crate::console::Console;
use crate::count;
use crate::invocation::{Face, Invocation};
use crate::last_line::last_line;
use crate::manifest::Manifest;
use crate::messages::{Words, io_text};
use crate::operands;
use crate::progress::Progress;
use crate::quoting::Quoter;
use crate::report::Reporter;
use crate::settings::{self, Environment, Settings, Stop};
use crate::signals::Signals;
use crate::watch::Watch;

/// Runs the command; the result is the exit code.
pub(crate) fn run(
    face: Face,
    invocation: Invocation,
    arguments: impl IntoIterator<Item = OsString>,
) -> u8 {
    let quoter = Quoter::from_environment();
    let console = Arc::new(Console::new(invocation));
    let environment = Environment::current();
    let mut warn = |warning: &str| console.error(warning);
    let copied = settings::read(face, arguments, &environment, quoter, &mut warn).and_then(
        |mut settings| {
            let operands = operands::resolve(&mut settings, quoter)?;
            copy(&settings, &operands, quoter, &console)
        },
    );
    let code = match copied {
        Ok(code) => code,
        Err(stop) => explain(face, &stop, &console),
    };
    if console.finish_telling() { code } else { 1 }
}

/// Tells why there is nothing to copy.
fn explain(face: Face, stop: &Stop, console: &Console) -> u8 {
    match stop {
        Stop::Help => {
            let help = face_command(face, console.invocation())
                .render_help()
                .to_string();
            console.out(help.as_bytes());
            return 0;
        }
        Stop::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let name = console.invocation().short();
            let name = if name.starts_with("copyist") {
                face.name()
            } else {
                name
            };
            console.out(format!("{name} (copyist) {version}\n").as_bytes());
            return 0;
        }
        Stop::Syntax(message) => {
            console.syntax_error(message);
            console.try_help();
        }
        Stop::Usage(message) => {
            console.error(message);
            console.try_help();
        }
        Stop::Fatal(message) => console.error(message),
    }
    1
}

fn copy(
    settings: &Settings,
    operands: &[Operand],
    quoter: Quoter,
    console: &Arc<Console>,
) -> Result<u8, Stop> {
    let options = &settings.options;
    let unmade = |what: &str, name: &OsStr, error: &io::Error| {
        let (name, why) = (quoter.always(name), io_text(error));
        Stop::Fatal(format!("cannot create {what} {name}: {why}"))
    };
    let reporter = match &settings.report {
        Some(name) => {
            Some(Reporter::create(name, console).map_err(|error| unmade("report", name, &error))?)
        }
        None => None,
    };
    let manifest = match &settings.manifest {
        Some(name) => Some(
            Manifest::create(name, manifest_base(settings, operands), console)
                .map_err(|error| unmade("manifest", name, &error))?,
        ),
        None => None,
    };
    let cancel = CancelToken::new();
    let signals = watch_signals(console, &cancel).map_err(|error| no_thread(&error))?;
    let progress =
        Progress::start(settings.progress, console).map_err(|error| no_thread(&error))?;
    let counters = progress
        .as_ref()
        .map(|progress| Arc::clone(progress.counters()));
    if let Some(counters) = &counters {
        count::start(operands, options, counters).map_err(|error| no_thread(&error))?;
    }
    let watch = Arc::new(Watch {
        console: Arc::clone(console),
        words: Words::new(quoter, options),
        verbose: settings.verbose,
        debug: settings.debug,
        explains_data: options.make == Make::Copy && !options.attributes_only,
        reporter,
        manifest,
        counters,
        failed: AtomicBool::new(false),
    });
    copyist::raise_open_file_limit();
    let summary = Copier::with_options(options.clone())
        .observer(Arc::clone(&watch) as Arc<dyn copyist::Observer>)
        .cancel_token(cancel)
        .copy_operands(operands);
    if let Some(progress) = progress {
        progress.finish(settings.last_line);
    }
    let mut ok = summary.errors == 0 && !watch.failed.load(Ordering::Acquire);
    let reported = watch.reporter.as_ref().map(|it| it.finish(&summary));
    let listed = watch.manifest.as_ref().map(Manifest::finish);
    for (written, what, name) in [
        (reported, "report", &settings.report),
        (listed, "manifest", &settings.manifest),
    ] {
        if let Some(Err(error)) = written {
            let name = quoter.always(name.as_deref().unwrap_or_default());
            console.error(&format!("error writing {what} {name}: {}", io_text(&error)));
            ok = false;
        }
    }
    // What is on standard output for a program must stay as it is.
    let for_program = |name: &Option<OsString>| name.as_deref() == Some("-".as_ref());
    let is_free = !for_program(&settings.report) && !for_program(&settings.manifest);
    if settings.last_line && is_free {
        let stopped = signals.exit_code().is_some() && !ok;
        console.out(format!("{}\n", last_line(&summary, stopped)).as_bytes());
    }
    // A signal that came after the last file was complete has stopped nothing.
    let code = if ok { 0 } else { 1 };
    Ok(signals.exit_code().filter(|_| !ok).unwrap_or(code))
}

/// The directory that the names in a manifest are relative to: that which the copies are in, or
/// the copy of a directory itself.
fn manifest_base(settings: &Settings, operands: &[Operand]) -> PathBuf {
    match (&settings.into, operands) {
        (Some(directory), _) => PathBuf::from(directory),
        (None, [only]) if only.src.is_dir() => only.dst.clone(),
        (None, [only]) => only.dst.parent().unwrap_or(Path::new("")).to_path_buf(),
        (None, _) => PathBuf::new(),
    }
}

fn no_thread(error: &io::Error) -> Stop {
    Stop::Fatal(format!("cannot start: {}", io_text(error)))
}

/// A signal cancels the copy; while a question waits for its answer there is nothing to wait for.
fn watch_signals(console: &Arc<Console>, cancel: &CancelToken) -> io::Result<Signals> {
    let (console, cancel) = (Arc::clone(console), cancel.clone());
    Signals::install(move |exit_code| {
        cancel.cancel();
        if console.is_asking() {
            // The exit code tells already that this was no success.
            let _ = console.finish();
            process::exit(i32::from(exit_code));
        }
    })
}
