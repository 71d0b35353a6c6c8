//! `copyist probe`: what a volume, or a pair of them, can do.

use std::io;
use std::path::Path;

use copyist::probe::Probe;

use crate::args::ProbeArgs;
use crate::console::Console;
use crate::guard::Guard;
use crate::learnt::{self, Pair};
use crate::messages::io_text;
use crate::quoting::Quoter;
use crate::work::Work;

mod json;
mod text;

/// All that was found out.
pub(crate) struct Found {
    /// The source's volume, by itself.
    pub(crate) src: Probe,
    /// The destination's, and what can be done between the two.
    pub(crate) dst: Option<(Probe, Probe)>,
    /// What was measured before, and whether it still counts.
    pub(crate) learnt: Vec<(Pair, bool)>,
}

impl Found {
    /// What a copy would be made by.
    pub(crate) fn pair(&self) -> &Probe {
        self.dst.as_ref().map_or(&self.src, |(_, pair)| pair)
    }
}

/// The exit code where not everything was tried.
const UNFINISHED: u8 = 3;

/// Runs the command; the result is the exit code.
pub(crate) fn run(arguments: &ProbeArgs, console: &Console) -> u8 {
    let found = Work::start(arguments.max_seconds, console).and_then(|mut work| {
        let places = (arguments.path.as_path(), arguments.dest.as_deref());
        let found = find(places, &mut work, console)?;
        let unfinished = work.why_over().map(|why| {
            console.error(&format!("not everything was tried, as {why}"));
            UNFINISHED
        });
        Ok((found, work.exit_code().or(unfinished).unwrap_or(0)))
    });
    match found {
        Ok((found, code)) => {
            let text = if arguments.json {
                json::whole(&found)
            } else {
                text::whole(&found)
            };
            console.out(text.as_bytes());
            code
        }
        Err(message) => {
            console.error(&message);
            1
        }
    }
}

fn find(
    (src, dst): (&Path, Option<&Path>),
    work: &mut Work,
    console: &Console,
) -> Result<Found, String> {
    work.set_total(if dst.is_some() { 3 } else { 1 });
    let work = &*work;
    let pair = |src: &Path, dst: &Path| {
        work.begin(&format!("from {} to {}", src.display(), dst.display()));
        let probe = Probe::pair_until(src, dst, work.cancel());
        work.end();
        probe
    };
    let dirs: Vec<&Path> = [Some(src), dst].into_iter().flatten().collect();
    // For what has to have a name for a moment, where there are no nameless files.
    let prefix = Probe::scratch_prefix(std::process::id());
    let guard = Guard::over(&dirs, &prefix).map_err(|error| cannot(src, &error))?;
    let failed = |error: copyist::Error| {
        let path = error.source_path().unwrap_or(src);
        cannot(path, error.io_error())
    };
    let found = Found {
        src: pair(src, src).map_err(failed)?,
        dst: match dst {
            Some(dst) => Some((
                pair(dst, dst).map_err(failed)?,
                pair(src, dst).map_err(failed)?,
            )),
            None => None,
        },
        learnt: Vec::new(),
    };
    drop(guard);
    let learnt = learnt::load().unwrap_or_else(|error| {
        console.error(&unreadable(&error));
        learnt::File::default()
    });
    let learnt = about(&learnt, found.pair());
    Ok(Found { learnt, ..found })
}

/// The file of what was learnt can't be used.
pub(crate) fn unreadable(error: &io::Error) -> String {
    let path = learnt::current_path().unwrap_or_default();
    let path = Quoter::from_environment().always(path);
    format!("warning: ignoring {path}: {}", io_text(error))
}

fn cannot(path: &Path, error: &io::Error) -> String {
    let path = Quoter::from_environment().always(path);
    format!("cannot examine {path}: {}", io_text(error))
}

/// What was measured between the volumes of a probe.
fn about(file: &learnt::File, probe: &Probe) -> Vec<(Pair, bool)> {
    let (Some(src), Some(dst)) = (&probe.src.key, &probe.dst.key) else {
        return Vec::new();
    };
    let pairs = file.pairs.iter();
    let same = pairs.filter(|pair| (&pair.src, &pair.dst) == (src, dst));
    same.map(|pair| (pair.clone(), pair.system == probe.system))
        .collect()
}
