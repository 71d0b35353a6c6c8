//! Runs the probe.

use std::io;
use std::path::Path;

use copyist::probe::Probe;

use super::result::ProbeResult;
use super::{json, text};
use crate::args::ProbeArgs;
use crate::output::console::Console;
use crate::process::bench_results::{self, Pair};
use crate::tools::guard::Guard;
use crate::tools::work::Work;
use crate::words::errors::io_text;
use crate::words::quoting::Quoter;

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
                json::render(&found)
            } else {
                text::render(&found)
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
) -> Result<ProbeResult, String> {
    work.set_total(if dst.is_some() { 3 } else { 1 });
    let work = &*work;
    let pair = |src: &Path, dst: &Path| {
        work.begin(&format!("from {} to {}", src.display(), dst.display()));
        let probe = Probe::pair_until(src, dst, work.cancel());
        work.end();
        probe
    };
    let dirs: Vec<&Path> = [Some(src), dst].into_iter().flatten().collect();
    // The prefix of temporary files, where the filesystem has no files without names.
    let prefix = Probe::scratch_prefix(std::process::id());
    let guard = Guard::over(&dirs, &prefix).map_err(|error| cannot(src, &error))?;
    let failed = |error: copyist::Error| {
        let path = error.source_path().unwrap_or(src);
        cannot(path, error.io_error())
    };
    let found = ProbeResult {
        src: pair(src, src).map_err(failed)?,
        dst: match dst {
            Some(dst) => Some((
                pair(dst, dst).map_err(failed)?,
                pair(src, dst).map_err(failed)?,
            )),
            None => None,
        },
        saved: Vec::new(),
    };
    drop(guard);
    let saved = bench_results::load().unwrap_or_else(|error| {
        console.error(&bench_results::unreadable(&error));
        bench_results::File::default()
    });
    let saved = about(&saved, found.pair());
    Ok(ProbeResult { saved, ..found })
}

fn cannot(path: &Path, error: &io::Error) -> String {
    let path = Quoter::from_environment().always(path);
    format!("cannot examine {path}: {}", io_text(error))
}

/// The saved results between the volumes of a probe.
fn about(file: &bench_results::File, probe: &Probe) -> Vec<(Pair, bool)> {
    let (Some(src), Some(dst)) = (&probe.src.key, &probe.dst.key) else {
        return Vec::new();
    };
    let pairs = file.pairs.iter();
    let same = pairs.filter(|pair| (&pair.src, &pair.dst) == (src, dst));
    same.map(|pair| (pair.clone(), pair.system == probe.system))
        .collect()
}
