//! Standard streams that are a destination: output must not be mixed with the copied data.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use copyist::Operand;
use copyist_sys::{Stream, StreamId, id_of_path, id_of_stream};

use crate::output::console::Console;
use crate::settings::{Settings, Stop, When};
use crate::words::quoting::Quoter;

/// Which standard streams are destinations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Taken {
    out: bool,
    err: bool,
}

/// Keeps output off streams that are destinations: what is for standard output goes to standard
/// error, or nowhere if that is a destination too. Errors always go to standard error.
pub(crate) fn keep_output_off_destinations(
    settings: &mut Settings,
    operands: &[Operand],
    (console, quoter): (&Console, Quoter),
) -> Result<(), Stop> {
    for (what, name) in [
        ("report", &mut settings.report),
        ("manifest", &mut settings.manifest),
    ] {
        keep_file_off_destinations((what, name), operands, quoter)?;
    }
    let for_program = [&settings.report, &settings.manifest]
        .iter()
        .any(|name| name.as_deref() == Some("-".as_ref()));
    let says_something = settings.verbose || settings.debug || settings.last_line || for_program;
    let shows_progress = settings.progress != When::Never;
    if settings.is_dry() || !says_something && !shows_progress {
        return Ok(());
    }
    let taken = taken(operands);
    if taken.err {
        settings.progress = When::Never;
    }
    if taken.out && taken.err && for_program {
        let message = "standard output and standard error are a destination: --report=- and \
                       --manifest=- can't be written";
        return Err(Stop::Fatal(message.to_owned()));
    }
    if taken.out {
        console.divert_stdout(!taken.err);
    }
    Ok(())
}

/// A report or manifest that is also a destination: if it is standard output under another name, it goes
/// where standard output goes; otherwise it is an error.
fn keep_file_off_destinations(
    (what, name): (&str, &mut Option<OsString>),
    operands: &[Operand],
    quoter: Quoter,
) -> Result<(), Stop> {
    let Some(path) = name.as_deref().filter(|it| *it != "-").map(Path::new) else {
        return Ok(());
    };
    let id = id_of_path(path);
    // A character device has no ID either: it stores no data that output could damage.
    let is_new = id.is_none() && !path.exists();
    let is_there = |operand: &Operand| {
        is_new && operand.dst == path || id.is_some() && id_of_path(&operand.dst) == id
    };
    if !operands.iter().any(is_there) {
        return Ok(());
    }
    if id.is_some() && id == id_of_stream(Stream::Out) {
        *name = Some("-".into());
        return Ok(());
    }
    let path = quoter.always(path);
    Err(Stop::Fatal(format!(
        "cannot create {what} {path}: it is a destination"
    )))
}

fn taken(operands: &[Operand]) -> Taken {
    let (out, err) = (id_of_stream(Stream::Out), id_of_stream(Stream::Err));
    let is_destination = |id: Option<StreamId>, number: u32| {
        id.is_some_and(|id| {
            let path = path_of(number, id);
            let leads_there = |operand: &Operand| is_in(operand, id, path.as_deref());
            operands.iter().any(leads_there)
        })
    };
    let out_is = is_destination(out, 1);
    Taken {
        out: out_is,
        err: if err == out {
            out_is
        } else {
            is_destination(err, 2)
        },
    }
}

/// Whether an operand is copied to this file: it is the destination, or it is below the destination
/// directory and the source has an entry of that name.
fn is_in(operand: &Operand, id: StreamId, path: Option<&Path>) -> bool {
    if id_of_path(&operand.dst) == Some(id) {
        return true;
    }
    let Some(path) = path else { return false };
    let below = operand.dst.canonicalize().ok().and_then(|dst| {
        let below = path.strip_prefix(dst).ok()?;
        (!below.as_os_str().is_empty()).then(|| operand.src.join(below))
    });
    below.is_some_and(|src| src.symlink_metadata().is_ok())
}

/// The path of a descriptor's file, where procfs has it.
fn path_of(number: u32, id: StreamId) -> Option<PathBuf> {
    let path = std::fs::read_link(format!("/proc/self/fd/{number}")).ok()?;
    (id_of_path(&path) == Some(id)).then_some(path)
}
