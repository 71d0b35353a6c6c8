//! `cargo xtask faults`: each system call that copyist makes is made to fail, by the kernel, with
//! every code of its manual page, while the released program copies a tree.
//!
//! - `calls`: the calls and their codes
//! - `scenario`: the command lines, and which calls each makes
//! - `tree`: what is copied, and pictures of trees
//! - `run`: one run under strace, which does the injecting
//! - `judge`: what must be true after a run
//! - `table`: the counts, for people

mod calls;
mod judge;
mod run;
mod scenario;
mod table;
mod tree;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{fs, thread};

use crate::choice::Choice;
use crate::error::{Context, Error, Result};
use crate::{gnu, signals, workspace};

use calls::{CALLS, Call};
use judge::Trial;
use scenario::{Known, Place, SCENARIOS};
use table::Table;

/// Which of the calls of a kind fail: each of these alone, and then all.
const NTH: [Option<u32>; 4] = [Some(1), Some(2), Some(5), None];

/// "Every" call that is interrupted: so many, one after the other. No signal comes for ever, and Rust's
/// standard library makes an interrupted call again until none does.
const SIGNALS: u32 = 30;

/// What the lane's choice starts from, unless said otherwise.
const SEED: u64 = 0x5eed;

/// Arguments of `xtask faults`.
#[derive(Debug, clap::Args)]
pub(crate) struct FaultsArgs {
    /// Play so many cases, chosen by the seed [default: all]
    #[arg(long, value_name = "N")]
    cases: Option<usize>,

    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,

    /// Only cases whose name has this in it
    #[arg(long, value_name = "TEXT", default_value = "")]
    matching: String,

    /// The program to test [default: ours, built for release]
    #[arg(long, value_name = "PROGRAM")]
    program: Option<PathBuf>,

    /// Write the table of counts to docs/faults.md
    #[arg(long)]
    write_table: bool,
}

/// Runs `xtask faults`.
pub(crate) fn run(args: &FaultsArgs) -> Result<ExitCode> {
    signals::catch()?;
    let program = match &args.program {
        Some(program) => fs::canonicalize(program).at("find", program)?,
        None => gnu::build_ours()?,
    };
    let table = play(&program, &args.matching, args.cases, args.seed)?;
    print!("{table}");
    if args.write_table {
        let path = workspace::root().join("docs/faults.md");
        fs::write(&path, table.page()).at("write", &path)?;
    }
    let is_good = table.wrong() == 0;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Plays a sample, for the lane; returns how many cases passed and how many did not.
pub(crate) fn sample(cases: usize) -> Result<(u64, u64)> {
    let table = play(&gnu::build_ours()?, "", Some(cases), SEED)?;
    print!("{table}");
    Ok((table.right(), table.wrong()))
}

/// One fault in one scenario.
#[derive(Debug)]
struct Case<'a> {
    known: &'a Known,
    call: &'static Call,
    effect: String,
    nth: Option<u32>,
}

impl Case<'_> {
    fn name(&self) -> String {
        let Self {
            known,
            call,
            effect,
            nth,
        } = self;
        let nth = nth.map_or("every".to_owned(), |nth| nth.to_string());
        format!("{}: {} {effect} {nth}", known.scenario.name, call.name)
    }

    /// strace's options that let it happen.
    fn options(&self) -> Vec<String> {
        let name = self.call.name;
        let before = self.known.calls[name].before;
        let when = match self.nth {
            Some(nth) => (before + nth).to_string(),
            None if self.effect.ends_with("EINTR") => {
                format!("{}..{}", before + 1, before + SIGNALS)
            }
            None => format!("{}+", before + 1),
        };
        let inject = format!("inject={name}:{}:when={when}", self.effect);
        // Only this call stops the program: the rest runs at full speed.
        [
            "--seccomp-bpf",
            "-e",
            &format!("trace={name}"),
            "-e",
            &inject,
        ]
        .map(str::to_owned)
        .into()
    }
}

fn play(program: &Path, matching: &str, wanted: Option<usize>, seed: u64) -> Result<Table> {
    let work = workspace::target().join("faults");
    let work = Place::new(work.join(std::process::id().to_string()))?;
    let known: Result<Vec<Known>> = SCENARIOS
        .iter()
        .map(|scenario| Known::learn(scenario, program, &work.path))
        .collect();
    let known = known?;
    let mut cases: Vec<Case<'_>> = known.iter().flat_map(cases_of).collect();
    cases.retain(|case| case.name().contains(matching));
    let all = cases.len();
    let mut choice = Choice::new(seed, all, wanted.unwrap_or(all));
    cases.retain(|_| choice.next());
    println!("{} of {all} cases, seed {seed:#x}", cases.len());
    let (table, next) = (Mutex::new(Table::default()), AtomicUsize::new(0));
    let workers = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let running: Vec<_> = (0..workers)
            .map(|worker| {
                let work = work.path.join(worker.to_string());
                let (cases, table, next) = (&cases, &table, &next);
                scope.spawn(move || {
                    while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                        signals::check()?;
                        play_one(case, program, &work, table)?;
                    }
                    Ok(())
                })
            })
            .collect();
        running
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    })?;
    Ok(table
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}

/// Every call that is made, with all that may become of it.
fn cases_of(known: &Known) -> Vec<Case<'_>> {
    let mut cases = Vec::new();
    for call in CALLS {
        let count = known.calls.get(call.name).copied().unwrap_or_default();
        for effect in call.effects() {
            for nth in NTH.into_iter().filter(|nth| nth.unwrap_or(1) <= count.own) {
                let effect = effect.clone();
                cases.push(Case {
                    known,
                    call,
                    effect,
                    nth,
                });
            }
        }
    }
    cases
}

fn play_one(case: &Case<'_>, program: &Path, work: &Path, table: &Mutex<Table>) -> Result<()> {
    let scenario = case.known.scenario;
    let place = Place::new(work.to_owned())?;
    place.lay(scenario.is_over)?;
    let log = place.path.join("log");
    let ran = run::traced(
        &place.path,
        &log,
        &case.options(),
        program,
        scenario.arguments(),
    )?;
    let log = fs::read_to_string(&log).map_err(|error| {
        let (name, said) = (case.name(), &ran.stderr);
        Error::new(format!("{name}: strace wrote no log: {error}: {said}"))
    })?;
    let (src, dst) = (
        tree::picture(&place.path.join("src"))?,
        tree::picture(&place.path.join("dst"))?,
    );
    let met = log.contains("(INJECTED)");
    let trial = Trial {
        known: case.known,
        call: case.call,
        effect: &case.effect,
        is_every: case.nth.is_none(),
        ran: &ran,
        src: &src,
        dst: &dst,
    };
    let verdict = trial.judge();
    if let Err(what) = &verdict {
        println!("{}: {what}\n    {:?}", case.name(), ran.stderr);
    }
    let mut table = table
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    table.add(case.call.name, met, verdict.ok());
    Ok(())
}

/// The calls that are played, for the table.
fn names() -> BTreeSet<&'static str> {
    CALLS.iter().map(|call| call.name).collect()
}
