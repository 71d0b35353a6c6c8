//! Plays cases on a filesystem, with GNU cp and with the cp under test, and reports what differs.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, chmodat, openat};

use super::Fallible;
use super::case::{self, Case};
use super::judge::{Played, judge};
use super::make::{Features, make};
use super::remove::{Scratch, remove_tree};
use super::run::{Program, oracle_is_old, run};
use super::snapshot::{self, Stamp, Window};

/// How many lines of a failure are printed.
const SHOWN_LINES: usize = 16;

/// Makes a case from a seed, about how many entries its source has, where it is, and whether we are root.
pub(crate) type MakeCase = fn(u64, usize, &Path, bool) -> Case;

/// What to play.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The seed of the first case; the next ones count up from it.
    pub(crate) seed: u64,
    /// How many cases.
    pub(crate) cases: u64,
    /// About how many entries a source tree has.
    pub(crate) size: usize,
    /// The case after case n is case n + stride.
    pub(crate) stride: u64,
    /// Cases are counted up to here, and then again from the first.
    pub(crate) modulo: u64,
    /// Makes a case from its seed.
    pub(crate) make: MakeCase,
    /// Directories are read in one order in both situations: on filesystems that count their inodes.
    pub(crate) counts_inodes: bool,
    /// Compare output too, not only whether there is some.
    pub(crate) with_text: bool,
    /// Leave the last situation behind, to look at.
    pub(crate) keep: bool,
    /// How long one run may take.
    pub(crate) limit: Duration,
    /// The cp under test.
    pub(crate) program: Program,
    /// The test's name, for the line that says how to run one case again.
    pub(crate) test: &'static str,
}

impl Settings {
    /// Reads COPYIST_ORACLE_SEED (a number, or `random`), _CASES, _SIZE and _KEEP.
    pub(crate) fn from_env(test: &'static str, cases: u64) -> Self {
        let var = |name: &str| std::env::var(format!("COPYIST_ORACLE_{name}")).ok();
        let number = |name: &str, default: u64| {
            var(name).map_or(default, |text| {
                text.parse()
                    .unwrap_or_else(|_| panic!("{name} is not a number: {text}"))
            })
        };
        let seed = match var("SEED").as_deref() {
            Some("random") => fastrand::u64(..1 << 32),
            _ => number("SEED", 1),
        };
        Self {
            seed,
            cases: number("CASES", cases),
            size: usize::try_from(number("SIZE", 20)).unwrap_or(20),
            stride: 1,
            modulo: u64::MAX,
            make: case::make,
            counts_inodes: false,
            with_text: !oracle_is_old(),
            keep: var("KEEP").is_some_and(|text| text == "1"),
            limit: Duration::from_secs(30),
            program: Program::under_test(),
            test,
        }
    }
}

/// A case in which the two differ.
#[derive(Debug)]
pub(crate) struct Failure {
    seed: u64,
    size: usize,
    text: String,
}

/// Plays all cases on the filesystem of `base`, in as many threads as there are processors.
pub(crate) fn play_all(settings: &Settings, base: &Path) -> Fallible<(Vec<Failure>, Features)> {
    let tools = Scratch::new(&std::env::temp_dir())?;
    let program = settings.program.within_reach(tools.path())?;
    let (next, found) = (AtomicU64::new(0), Mutex::new((Vec::new(), Features::new())));
    let work_through = || -> Result<(), String> {
        let scratch = Scratch::new(base).map_err(|error| error.to_string())?;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= settings.cases {
                break;
            }
            let seed = settings
                .seed
                .wrapping_add(index.wrapping_mul(settings.stride))
                % settings.modulo;
            let (failure, features) = try_case(settings, &program, scratch.path(), seed)?;
            let mut found = found.lock().map_err(|error| error.to_string())?;
            found.0.extend(failure);
            found.1.extend(features);
        }
        if settings.keep {
            println!("kept: {}", scratch.path().display());
            std::mem::forget(scratch);
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work_through)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a worker panicked".to_string())?)
    })?;
    Ok(found.into_inner()?)
}

/// Plays the case that holds everything, and returns what the filesystem could make of it.
pub(crate) fn play_complete(settings: &Settings, base: &Path) -> Fallible<Features> {
    let (tools, scratch) = (Scratch::new(&std::env::temp_dir())?, Scratch::new(base)?);
    let program = settings.program.within_reach(tools.path())?;
    let work = work_in(&scratch);
    let case = case::make_complete(settings.seed, &work, true);
    let (text, features) = play_case(settings, &program, &case, &work)?;
    if text.is_empty() {
        Ok(features)
    } else {
        Err(format!("the complete case differs:\n{text}").into())
    }
}

/// Plays one case; when it fails, also with smaller trees, and reports the smallest that still fails.
fn try_case(
    settings: &Settings,
    program: &Program,
    dir: &Path,
    seed: u64,
) -> Result<(Option<Failure>, Features), String> {
    let work = dir.join("work");
    let is_root = rustix::process::geteuid().is_root();
    let attempt = |size: usize| {
        let case = (settings.make)(seed, size, &work, is_root);
        let played = play_case(settings, program, &case, &work);
        played.map_err(|error| format!("seed {seed}, size {size}: {error}"))
    };
    let (mut text, features) = attempt(settings.size)?;
    if text.is_empty() {
        return Ok((None, features));
    }
    let size = settings.size;
    if settings.keep {
        // A smaller one would be left behind instead.
        return Ok((Some(Failure { seed, size, text }), features));
    }
    let mut smallest = settings.size;
    for size in [0, 1, 2, 4, 8, 12]
        .into_iter()
        .filter(|size| *size < settings.size)
    {
        let (smaller, _) = attempt(size)?;
        if !smaller.is_empty() {
            (text, smallest) = (smaller, size);
            break;
        }
    }
    Ok((
        Some(Failure {
            seed,
            size: smallest,
            text,
        }),
        features,
    ))
}

/// Plays one case with both programs; the text describes what differs and is empty when nothing does.
pub(crate) fn play_case(
    settings: &Settings,
    program: &Program,
    case: &Case,
    work: &Path,
) -> Fallible<(String, Features)> {
    let (gnu, features) = play(settings, &Program::gnu(), case, work)?;
    let (ours, _) = play(settings, program, case, work)?;
    let in_order = settings.counts_inodes && case.options.is_ordered;
    let found = judge(case, &gnu, &ours, settings.with_text.then_some(in_order));
    let text = if found.is_empty() {
        String::new()
    } else {
        describe(case, program, &found, &gnu, &ours)
    };
    Ok((text, features))
}

/// Makes the situation, runs one program in it and takes a picture of what it leaves.
fn play(
    settings: &Settings,
    program: &Program,
    case: &Case,
    work: &Path,
) -> Fallible<(Played, Features)> {
    if work.exists() {
        remove_tree(work)?;
    }
    std::fs::create_dir(work)?;
    let mode = if case.unprivileged { 0o777 } else { 0o755 };
    chmodat(CWD, work, Mode::from_raw_mode(mode), AtFlags::empty())?;
    let open = || {
        openat(
            CWD,
            work,
            OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    };
    let features = make(&open()?, &case.plan)?;
    // The kernel's clock for files ticks some milliseconds behind.
    let began = now() - 1;
    let window = Window {
        from: began,
        to: i64::MAX,
    };
    // Of GNU's situation too: reading everything may give it new access times.
    let soon = Window {
        to: now() + 2,
        ..window
    };
    let before = snapshot::take(open()?, soon)?;
    let outcome = run(program, case, work, settings.limit)?;
    let mut after = snapshot::take(
        open()?,
        Window {
            to: now() + 1,
            ..window
        },
    )?;
    for pipe in case.pipes.iter().filter(|_| case.fills_pipes()) {
        // It depends on the moment whether the reader was still there to be written to.
        if let Some(entry) = after.entries.get_mut(pipe) {
            entry.modified = Stamp::Fresh;
        }
    }
    Ok((
        Played {
            outcome,
            before,
            after,
            began,
            is_ours: program.is_ours,
        },
        features,
    ))
}

/// The time, in seconds since 1970.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A failure as text: the user, the command and the differences.
fn describe(
    case: &Case,
    program: &Program,
    found: &[String],
    gnu: &Played,
    ours: &Played,
) -> String {
    let words: Vec<String> = case
        .args
        .iter()
        .map(|word| quote(word.as_encoded_bytes()))
        .collect();
    let user = if case.unprivileged {
        "uid 65534"
    } else {
        "this user"
    };
    let mut text = format!("  command: cp {}\n", words.join(" "));
    text += &format!(
        "  with: umask {}, {user}, environment {:?}, program {}",
        case.umask,
        case.env,
        program.path.display()
    );
    text += &format!(", answers {:?}\n", case.stdin.get(..1).unwrap_or("none"));
    for (name, played) in [("GNU ", gnu), ("ours", ours)] {
        text += &format!("  {name}: {}\n", played.outcome.ending());
        for (stream, bytes) in [
            ("stdout", &played.outcome.stdout),
            ("stderr", &played.outcome.stderr),
        ] {
            let lines = bytes
                .split(|byte| *byte == b'\n')
                .filter(|line| !line.is_empty());
            for line in lines.take(6) {
                text += &format!(
                    "    {stream}: {}\n",
                    shorten(&line.escape_ascii().to_string())
                );
            }
        }
    }
    for line in found.iter().take(SHOWN_LINES) {
        text += &format!("  - {}\n", shorten(line));
    }
    if found.len() > SHOWN_LINES {
        text += &format!("  - and {} more\n", found.len() - SHOWN_LINES);
    }
    text
}

/// A line with long runs of one character and, if it is still very long, its middle left out.
fn shorten(line: &str) -> String {
    let mut chars: Vec<char> = Vec::new();
    for run in line
        .chars()
        .collect::<Vec<_>>()
        .chunk_by(|left, right| left == right)
    {
        chars.extend(&run[..run.len().min(4)]);
        chars.extend(if run.len() > 4 { "..." } else { "" }.chars());
    }
    let (head, tail) = (240, 120);
    if chars.len() > head + tail {
        let end = chars.len() - tail;
        chars.splice(head..end, " ... ".chars());
    }
    chars.into_iter().collect()
}

/// A word as a shell would take it.
fn quote(word: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=,~".contains(byte);
    if !word.is_empty() && word.iter().all(is_plain) {
        return String::from_utf8_lossy(word).into_owned();
    }
    format!("$'{}'", word.escape_ascii())
}

/// Says which cases failed and how to play each again, and fails the test when one did.
pub(crate) fn conclude(
    settings: &Settings,
    place: &str,
    failures: &[Failure],
) -> Result<(), String> {
    let Settings {
        seed, cases, test, ..
    } = settings;
    println!(
        "{test} on {place}: {cases} cases from seed {seed}, {} differ from GNU cp",
        failures.len()
    );
    let filter = if place == "here" {
        String::new()
    } else {
        format!("COPYIST_ORACLE_FS={place} ")
    };
    for Failure { seed, size, text } in failures {
        println!(
            "\n{test} on {place}: seed {seed}, size {size}\n{text}  again: {filter}COPYIST_ORACLE_SEED={seed} \
                  COPYIST_ORACLE_SIZE={size} COPYIST_ORACLE_CASES=1 cargo test -p copyist-cli --test {test}"
        );
    }
    if failures.is_empty() {
        Ok(())
    } else {
        Err(format!("{} cases differ on {place}", failures.len()))
    }
}

/// Where a situation is made under a scratch directory.
pub(crate) fn work_in(scratch: &Scratch) -> PathBuf {
    scratch.path().join("work")
}
