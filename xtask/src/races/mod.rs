//! `cargo xtask races`: a superuser copies trees while attackers, who may write to source or
//! destination, put symbolic links, FIFOs, devices and other directories in the place of what is
//! copied. Nothing outside of the two trees may be read, written or changed, and no copy may hang.
//!
//! - `attack`: the attackers, and what they put there
//! - `world`: the trees, and the secret that no process may touch

mod attack;
mod world;

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{fmt, fs, thread};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::error::{Context, Result};
use crate::patience::Patience;
use crate::{gnu, signals, workspace};

use attack::{Attackers, Decoy, Swap, decoy_path};
use world::World;

/// A copy that takes longer hangs: an ordinary one takes some milliseconds.
const LONGEST: Duration = Duration::from_secs(10);

/// Arguments of `xtask races`.
#[derive(Debug, clap::Args)]
pub(crate) struct RacesArgs {
    /// How many copies to make
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    copies: usize,

    /// The program to attack, called as `cp` [default: ours, built for release]
    #[arg(long, value_name = "PROGRAM")]
    cp: Option<PathBuf>,
}

/// Runs `xtask races`.
pub(crate) fn run(args: &RacesArgs) -> Result<ExitCode> {
    signals::catch()?;
    let cp = match &args.cp {
        Some(cp) => fs::canonicalize(cp).at("find", cp)?,
        None => gnu::build_ours()?,
    };
    let score = play(&cp, args.copies)?;
    println!("{score}");
    let is_good = score.leaks + score.hangs == 0;
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Makes some copies, for the lane.
pub(crate) fn sample(copies: usize) -> Result<Score> {
    let score = play(&gnu::build_ours()?, copies)?;
    println!("{score}");
    Ok(score)
}

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) copies: u64,
    /// Copies that said nothing of a failure.
    succeeded: u64,
    pub(crate) leaks: u64,
    pub(crate) hangs: u64,
    swaps: u64,
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            copies,
            succeeded,
            leaks,
            hangs,
            swaps,
        } = self;
        write!(
            f,
            "{copies} copies under {swaps} swaps: {succeeded} succeeded, {leaks} leaked, {hangs} hung"
        )
    }
}

/// What is attacked, and how the copy is made.
#[derive(Debug)]
struct Attack {
    /// Below the working directory, with what is put there. None is below another: the attackers, who
    /// are superusers too, would themselves change what a link of the other leads to.
    victims: &'static [(&'static str, Decoy)],
    options: &'static [&'static str],
    is_over: bool,
}

const fn attack(
    options: &'static [&'static str],
    is_over: bool,
    victims: &'static [(&'static str, Decoy)],
) -> Attack {
    Attack {
        victims,
        options,
        is_over,
    }
}

/// Each is played in turn.
#[rustfmt::skip] // one attack, one line
const ATTACKS: &[Attack] = &[
    attack(&["-r"], false, &[("src/d", Decoy::LinkToDir)]),
    attack(&["-a"], false, &[("src/d", Decoy::LinkToDir), ("src/f", Decoy::LinkToFile)]),
    attack(&["-r"], false, &[("src/d/f3", Decoy::LinkToFile), ("src/f", Decoy::LinkToFile)]),
    attack(&["-a"], false, &[("src/d/sub", Decoy::LinkToDir), ("src/d/f1", Decoy::Fifo)]),
    attack(&["-r"], false, &[("src/f", Decoy::Fifo), ("src/d/f2", Decoy::Fifo)]),
    attack(&["-r"], false, &[("src/f", Decoy::Device), ("src/d/sub/g", Decoy::Device)]),
    attack(&["-a"], false, &[("src/d", Decoy::Dir)]),
    attack(&["-r"], false, &[("dst/d", Decoy::LinkToDir)]),
    attack(&["-a"], false, &[("dst/d", Decoy::LinkToDir), ("dst/f", Decoy::LinkToFile)]),
    attack(&["-a"], false, &[("dst/d/sub", Decoy::LinkToDir), ("dst/d/f3", Decoy::LinkToFile)]),
    attack(&["-a"], false, &[("dst/d", Decoy::Dir), ("dst/f", Decoy::Fifo)]),
    attack(&["-r"], true, &[("dst/d", Decoy::LinkToDir)]),
    attack(&["-a"], true, &[("dst/d/sub", Decoy::LinkToDir), ("dst/d/f1", Decoy::LinkToFile)]),
    attack(&["-r"], true, &[("dst/f", Decoy::LinkToFile), ("dst/d/f3", Decoy::LinkToFile)]),
    attack(&["-a"], true, &[("dst/f", Decoy::LinkToFile), ("dst/d/f5", Decoy::LinkToFile)]),
    attack(&["-rf"], true, &[("dst/f", Decoy::LinkToFile), ("dst/d", Decoy::LinkToDir)]),
    attack(&["-a", "--remove-destination"], true, &[("dst/f", Decoy::LinkToFile), ("dst/d", Decoy::LinkToDir)]),
    attack(&["-a", "--backup=numbered"], true, &[("dst/f", Decoy::LinkToFile), ("dst/d", Decoy::LinkToDir)]),
    attack(&["-r"], true, &[("dst/f", Decoy::Fifo), ("dst/d/f4", Decoy::Fifo)]),
    attack(&["-a"], true, &[("dst/d", Decoy::Dir), ("src/d", Decoy::LinkToDir)]),
];

fn play(cp: &Path, copies: usize) -> Result<Score> {
    let work = workspace::target().join("races");
    let work = work.join(std::process::id().to_string());
    let (score, next) = (Mutex::new(Score::default()), AtomicUsize::new(0));
    let played = thread::scope(|scope| {
        // Each has attackers of its own beside it.
        let workers: Vec<_> = (0..thread::available_parallelism().map_or(1, usize::from))
            .map(|worker| {
                let (work, score, next) = (work.join(worker.to_string()), &score, &next);
                scope.spawn(move || {
                    let mut world = World::make(&work)?;
                    loop {
                        let n = next.fetch_add(1, Ordering::Relaxed);
                        if n >= copies {
                            return Ok(());
                        }
                        signals::check()?;
                        play_one(cp, &mut world, &ATTACKS[n % ATTACKS.len()], score)?;
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            })
    });
    if work.exists() {
        fs::remove_dir_all(&work).at("remove", &work)?;
    }
    played?;
    Ok(score
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn play_one(cp: &Path, world: &mut World, attack: &Attack, score: &Mutex<Score>) -> Result<()> {
    let outside = world.root.join("outside");
    let victims = attack.victims.iter().enumerate();
    let swaps: Vec<(Decoy, Swap)> = victims
        .map(|(n, (victim, decoy))| {
            let victim = world.root.join(victim);
            let decoy_path = decoy_path(&outside, n);
            (
                *decoy,
                Swap {
                    victim,
                    decoy: decoy_path,
                },
            )
        })
        .collect();
    let decoys: Vec<_> = swaps
        .iter()
        .map(|(decoy, swap)| (*decoy, swap.decoy.clone()))
        .collect();
    world.lay(attack.is_over, &decoys)?;
    let stop = AtomicBool::new(false);
    let swaps = swaps.into_iter().map(|(_, swap)| swap).collect();
    let (ended, swapped) = thread::scope(|scope| {
        let attackers = Attackers::start(scope, swaps, &stop);
        let ended = copy(cp, &world.root, attack.options);
        let swapped = attackers.stop();
        ended.map(|ended| (ended, swapped))
    })?;
    let harm = world.harm()?;
    if let Some(harm) = &harm {
        println!("{attack:?}: {harm}");
    }
    if ended.is_none() {
        println!("{attack:?}: hangs");
    }
    let mut score = score
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    score.copies += 1;
    score.succeeded += u64::from(ended == Some(0));
    score.leaks += u64::from(harm.is_some());
    score.hangs += u64::from(ended.is_none());
    score.swaps += swapped;
    if score.copies.is_multiple_of(1000) {
        println!("{score}");
    }
    drop(score);
    if harm.is_some() {
        // What was touched once would be found touched by every later copy.
        *world = World::make(&world.root)?;
    }
    Ok(())
}

/// Copies `src` to `dst`; returns the exit code (for a signal, 128 and its number), or `None` if it had to be killed.
fn copy(cp: &Path, root: &Path, options: &[&str]) -> Result<Option<i32>> {
    let mut command = Command::new(cp);
    command.arg0("cp").args(options).args(["-T", "src", "dst"]);
    command.current_dir(root).process_group(0);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut child = command.spawn().at("run", cp)?;
    let mut patience = Patience::new(LONGEST);
    loop {
        if let Some(status) = child.try_wait().at("wait for", cp)? {
            let signal = || 128 + status.signal().unwrap_or(0);
            return Ok(Some(status.code().unwrap_or_else(signal)));
        }
        if patience.is_over() {
            // What it waits for, and what it has done meanwhile.
            let state = fs::read_to_string(format!("/proc/{}/stat", child.id()));
            println!("after {LONGEST:?}: {}", state.unwrap_or_default().trim());
            if let Some(group) = Pid::from_raw(child.id().cast_signed()) {
                // It may just have ended.
                let _ = kill_process_group(group, Signal::KILL);
            }
            child.wait().at("wait for", cp)?;
            return Ok(None);
        }
        thread::sleep(Duration::from_micros(500));
    }
}
