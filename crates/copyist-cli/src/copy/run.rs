//! `cp` and `copy`, from their arguments to their exit code.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use copyist::options::{Fsync, Make};
use copyist::{Copier, Operand, Summary};

use crate::args::frontend_command;
use crate::copy::count;
use crate::copy::filter::Filter;
use crate::copy::observer::CopyObserver;
use crate::copy::preflight;
use crate::copy::resume;
use crate::copy::streams;
use crate::output::console::Console;
use crate::output::explain::Explainer;
use crate::output::last_line::{SummaryInput, last_line};
use crate::output::manifest::Manifest;
use crate::output::messages::Messages;
use crate::output::progress::Progress;
use crate::output::report::Reporter;
use crate::process::bench_results;
use crate::process::environment::Environment;
use crate::process::invocation::{Frontend, Invocation};
use crate::process::signals::Signals;
use crate::settings::{self, Settings, Stop, When};
use crate::words::errors::io_text;
use crate::words::quoting::Quoter;
use crate::words::suggest::did_you_mean;
use crate::words::sync::lock;

/// Runs the command; the result is the exit code.
pub(crate) fn run(
    frontend: Frontend,
    invocation: Invocation,
    arguments: impl IntoIterator<Item = OsString>,
) -> u8 {
    let quoter = Quoter::from_environment();
    let console = Arc::new(Console::new(invocation));
    let environment = Environment::current();
    let mut warn = |warning: &str| console.error(warning);
    let copied = settings::read(frontend, arguments, &environment, quoter, &mut warn).and_then(
        |mut settings| {
            let operands = resume::resolve(&mut settings, quoter)?;
            streams::keep_output_off_destinations(&mut settings, &operands, (&console, quoter))?;
            copy(&settings, &operands, quoter, &console)
        },
    );
    let code = match copied {
        Ok(code) => code,
        Err(stop) => print_stop(frontend, &stop, &console),
    };
    if console.finish_or_report() { code } else { 1 }
}

/// Prints the help, the version or the error.
fn print_stop(frontend: Frontend, stop: &Stop, console: &Console) -> u8 {
    match stop {
        Stop::Help => {
            let help = frontend_command(frontend, console.invocation())
                .render_help()
                .to_string();
            console.out(help.as_bytes());
            return 0;
        }
        Stop::Version => {
            let version = env!("CARGO_PKG_VERSION");
            let name = console.invocation().short();
            let name = if name.starts_with("copyist") {
                frontend.name()
            } else {
                name
            };
            console.out(format!("{name} (copyist) {version}\n").as_bytes());
            return 0;
        }
        Stop::Syntax(message, meant) => {
            console.syntax_error(message);
            // GNU cp says no more.
            if let Some(meant) = meant.filter(|_| frontend == Frontend::Copy) {
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

/// Saved results of `bench`. A file that can't be read is reported and ignored.
fn learnt(console: &Console) -> Arc<[copyist::measure::BenchResult]> {
    match bench_results::load() {
        Ok(file) => file.learnt().into(),
        Err(error) => {
            console.error(&bench_results::unreadable(&error));
            Arc::default()
        }
    }
}

/// Changes limits and privileges of this process, which the library never does.
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
    let filter = filter.map(Arc::new);
    let mut counted = None;
    if settings.preflight && !settings.is_dry() {
        let shown = (filter.as_deref(), counters.as_deref());
        counted = preflight::check(settings, operands, shown, (console, quoter), &cancel);
        if counted.is_none() {
            progress.into_iter().for_each(|it| it.finish(true));
            return Ok(signals.exit_code().unwrap_or(1));
        }
    }
    if let Some(counters) = &counters
        && !counters.takes(counted)
    {
        count::start(operands, options, counters, filter.as_ref())
            .map_err(|error| cannot_start(&error))?;
    }
    let observer = Arc::new(CopyObserver {
        console: Arc::clone(console),
        messages: Messages::new(quoter, options),
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
        .observer(Arc::clone(&observer) as Arc<dyn copyist::Observer>)
        .cancel_token(cancel);
    let done = if settings.is_dry() {
        copier.dry_run_operands(operands)
    } else {
        copier.copy_operands(operands)
    };
    let mut summary = done.unwrap_or_else(|failed| *failed.summary());
    if settings.is_dry() {
        summary.bytes = observer.planned_bytes.load(Ordering::Relaxed);
    }
    if let Some(progress) = progress {
        progress.finish(settings.last_line);
    }
    let copied = summary.errors == 0 && !observer.failed.load(Ordering::Acquire);
    let ok = finish_files(settings, &observer, &summary) && copied;
    let stopped = signals.exit_code().is_some() && !ok;
    print_outcome(settings, &observer, &summary, stopped);
    // A signal after the last file was complete does not change the exit code.
    let code = if ok { 0 } else { 1 };
    Ok(signals.exit_code().filter(|_| !ok).unwrap_or(code))
}

/// Creates the report and the manifest.
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

/// Completes the report and the manifest. Returns whether both could be written.
fn finish_files(settings: &Settings, observer: &CopyObserver, summary: &Summary) -> bool {
    let reported = observer.reporter.as_ref().map(|it| it.finish(summary));
    let listed = observer.manifest.as_ref().map(Manifest::finish);
    let mut ok = true;
    for (written, what, name) in [
        (reported, "report", &settings.report),
        (listed, "manifest", &settings.manifest),
    ] {
        if let Some(Err(error)) = written {
            let name = observer
                .messages
                .quoter
                .always(name.as_deref().unwrap_or_default());
            let why = io_text(&error);
            observer
                .console
                .error(&format!("error writing {what} {name}: {why}"));
            ok = false;
        }
    }
    ok
}

/// Prints the summary to standard output, unless the report or the manifest is written there.
fn print_outcome(settings: &Settings, observer: &CopyObserver, summary: &Summary, stopped: bool) {
    let for_program = |name: &Option<OsString>| name.as_deref() == Some("-".as_ref());
    if for_program(&settings.report) || for_program(&settings.manifest) {
        return;
    }
    if let Some(explainer) = &observer.explainer {
        observer.console.out(explainer.text().as_bytes());
    }
    let no_links = lock(&observer.no_links).sentences(settings.is_dry());
    if !settings.last_line {
        for sentence in &no_links {
            if observer.explainer.is_some() {
                observer.console.out(format!("{sentence}\n").as_bytes());
            } else {
                observer.console.error(&format!("warning: {sentence}"));
            }
        }
    }
    if settings.last_line {
        let input = SummaryInput {
            stopped,
            failed: observer.failures.load(Ordering::Relaxed),
            dry: settings.is_dry(),
            replaced: &lock(&observer.replaced),
            left_out: observer.filter.as_deref().map_or(0, Filter::left_out),
            no_links: &no_links,
            quoter: observer.messages.quoter,
        };
        let line = format!("{}\n", last_line(summary, &input));
        observer.console.out(line.as_bytes());
    } else if stopped {
        let input = SummaryInput {
            stopped,
            failed: observer.failures.load(Ordering::Relaxed),
            dry: false,
            replaced: &lock(&observer.replaced),
            left_out: 0,
            no_links: &[],
            quoter: observer.messages.quoter,
        };
        observer.console.error(&last_line(summary, &input));
    }
}

/// The directory that the names in a manifest are relative to: the copy of a directory, or the
/// directory that the copies are in.
fn manifest_base(settings: &Settings, operands: &[Operand]) -> PathBuf {
    match (&settings.into, operands) {
        (Some(directory), _) => PathBuf::from(directory),
        (None, [only]) if only.src.is_dir() => only.dst.clone(),
        (None, [only]) => only.dst.parent().unwrap_or(Path::new("")).to_path_buf(),
        (None, _) => PathBuf::new(),
    }
}

/// Enters the sandbox. It is called before threads are started, since it applies to the calling thread.
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
