//! `cp` and `copy`, from their arguments to their exit code.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use copyist::options::{Fsync, Make};
use copyist::{Copier, Operand, Summary};

use crate::args::face_command;
use crate::console::Console;
use crate::count;
use crate::explain::Explainer;
use crate::filter::Filter;
use crate::invocation::{Face, Invocation};
use crate::last_line::{Told, last_line};
use crate::learnt;
use crate::manifest::Manifest;
use crate::messages::{Words, io_text};
use crate::preflight;
use crate::probe::unreadable;
use crate::progress::Progress;
use crate::quoting::Quoter;
use crate::report::{Reporter, lock};
use crate::resume;
use crate::settings::{self, Environment, Settings, Stop, When};
use crate::signals::Signals;
use crate::streams;
use crate::suggest::did_you_mean;
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
            let operands = resume::resolve(&mut settings, quoter)?;
            streams::leave_to_data(&mut settings, &operands, (&console, quoter))?;
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
        Stop::Syntax(message, meant) => {
            console.syntax_error(message);
            // GNU cp says no more.
            if let Some(meant) = meant.filter(|_| face == Face::Copy) {
                console.syntax_error(&did_you_mean(&format!("--{meant}")));
            }
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

/// What was measured before. Without it everything is copied all the same.
fn learnt(console: &Console) -> Arc<[copyist::measure::BenchResult]> {
    match learnt::load() {
        Ok(file) => file.learnt().into(),
        Err(error) => {
            console.error(&unreadable(&error));
            Arc::default()
        }
    }
}

/// Asks the system for what a copy may need: the library does not do that in whatever process it is in.
fn prepare_process(options: &copyist::Options) {
    copyist::process::raise_open_file_limit();
    if options.preserve.owner {
        copyist_start::enable_restore();
    }
}

fn copy(
    settings: &Settings,
    operands: &[Operand],
    quoter: Quoter,
    console: &Arc<Console>,
) -> Result<u8, Stop> {
    let mut options = settings.options.clone();
    options.bench_results = learnt(console);
    let options = &options;
    let (reporter, manifest) = files_to_write(settings, operands, quoter, console)?;
    let filter = Filter::new(&settings.filters, operands, quoter)?;
    enter_sandbox(settings, operands)?;
    let (signals, cancel) =
        Signals::install(console.asking()).map_err(|error| cannot_start(&error))?;
    let progress =
        Progress::start(settings.progress, console).map_err(|error| cannot_start(&error))?;
    let counters = progress
        .as_ref()
        .map(|progress| Arc::clone(progress.counters()));
    if settings.preflight && !settings.is_dry() {
        let looking = |on| {
            if let Some(counters) = &counters {
                counters.looking.store(on, Ordering::Release);
            }
        };
        looking(true);
        let filter = filter.as_ref();
        let passes = preflight::passes(settings, operands, filter, (console, quoter), &cancel);
        looking(false);
        if !passes {
            progress.into_iter().for_each(|it| it.finish(true));
            return Ok(signals.exit_code().unwrap_or(1));
        }
    }
    if let Some(counters) = &counters {
        count::start(operands, options, counters).map_err(|error| cannot_start(&error))?;
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
        filter,
        explainer: settings.explain.then(|| Explainer::new(quoter)),
        replaced: Mutex::default(),
        no_links: Mutex::default(),
        planned_bytes: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        failures: AtomicU64::new(0),
    });
    prepare_process(options);
    let copier = Copier::with_options(options.clone())
        .observer(Arc::clone(&watch) as Arc<dyn copyist::Observer>)
        .cancel_token(cancel);
    let done = if settings.is_dry() {
        copier.dry_run_operands(operands)
    } else {
        copier.copy_operands(operands)
    };
    let mut summary = done.unwrap_or_else(|failed| *failed.summary());
    if settings.is_dry() {
        summary.bytes = watch.planned_bytes.load(Ordering::Relaxed);
    }
    if let Some(progress) = progress {
        progress.finish(settings.last_line);
    }
    let copied = summary.errors == 0 && !watch.failed.load(Ordering::Acquire);
    let ok = finish_files(settings, &watch, &summary) && copied;
    let stopped = signals.exit_code().is_some() && !ok;
    tell_outcome(settings, &watch, &summary, stopped);
    // A signal that came after the last file was complete has stopped nothing.
    let code = if ok { 0 } else { 1 };
    Ok(signals.exit_code().filter(|_| !ok).unwrap_or(code))
}

/// What is written besides the copies.
fn files_to_write(
    settings: &Settings,
    operands: &[Operand],
    quoter: Quoter,
    console: &Arc<Console>,
) -> Result<(Option<Reporter>, Option<Manifest>), Stop> {
    let failed = |what: &str, name: &OsStr, error: &io::Error| {
        let (name, why) = (quoter.always(name), io_text(error));
        Stop::Fatal(format!("cannot create {what} {name}: {why}"))
    };
    let reporter = settings.report.as_ref().map(|name| {
        let at_once = settings.options.fsync == Fsync::File;
        Reporter::create(name, at_once, console).map_err(|error| failed("report", name, &error))
    });
    let manifest = settings.manifest.as_ref().map(|name| {
        Manifest::create(name, manifest_base(settings, operands), console)
            .map_err(|error| failed("manifest", name, &error))
    });
    Ok((reporter.transpose()?, manifest.transpose()?))
}

/// Writes their last lines; whether they are complete.
fn finish_files(settings: &Settings, watch: &Watch, summary: &Summary) -> bool {
    let reported = watch.reporter.as_ref().map(|it| it.finish(summary));
    let listed = watch.manifest.as_ref().map(Manifest::finish);
    let mut ok = true;
    for (written, what, name) in [
        (reported, "report", &settings.report),
        (listed, "manifest", &settings.manifest),
    ] {
        if let Some(Err(error)) = written {
            let name = watch
                .words
                .quoter
                .always(name.as_deref().unwrap_or_default());
            let why = io_text(&error);
            watch
                .console
                .error(&format!("error writing {what} {name}: {why}"));
            ok = false;
        }
    }
    ok
}

/// Says on standard output what was done, or would be, unless that belongs to a program.
fn tell_outcome(settings: &Settings, watch: &Watch, summary: &Summary, stopped: bool) {
    let for_program = |name: &Option<OsString>| name.as_deref() == Some("-".as_ref());
    if for_program(&settings.report) || for_program(&settings.manifest) {
        return;
    }
    if let Some(explainer) = &watch.explainer {
        watch.console.out(explainer.text().as_bytes());
    }
    let no_links = lock(&watch.no_links).sentences(settings.is_dry());
    if !settings.last_line {
        for sentence in &no_links {
            if watch.explainer.is_some() {
                watch.console.out(format!("{sentence}\n").as_bytes());
            } else {
                watch.console.error(&format!("warning: {sentence}"));
            }
        }
    }
    if settings.last_line {
        let told = Told {
            stopped,
            failed: watch.failures.load(Ordering::Relaxed),
            dry: settings.is_dry(),
            replaced: &lock(&watch.replaced),
            left_out: watch.filter.as_ref().map_or(0, Filter::left_out),
            no_links: &no_links,
            quoter: watch.words.quoter,
        };
        let line = format!("{}\n", last_line(summary, &told));
        watch.console.out(line.as_bytes());
    } else if stopped {
        let told = Told {
            stopped,
            failed: watch.failures.load(Ordering::Relaxed),
            dry: false,
            replaced: &lock(&watch.replaced),
            left_out: 0,
            no_links: &[],
            quoter: watch.words.quoter,
        };
        watch.console.error(&last_line(summary, &told));
    }
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

/// Before any other thread is there, which would stay as it is.
fn enter_sandbox(settings: &Settings, operands: &[Operand]) -> Result<(), Stop> {
    if settings.sandbox == When::Never {
        return Ok(());
    }
    match copyist::process::enter_sandbox(&settings.options, operands, &[]) {
        Err(error) if settings.sandbox == When::Always => {
            let why = io_text(error.io_error());
            Err(Stop::Fatal(format!("cannot enter a sandbox: {why}")))
        }
        _ => Ok(()),
    }
}

fn cannot_start(error: &io::Error) -> Stop {
    Stop::Fatal(format!("cannot start: {}", io_text(error)))
}
