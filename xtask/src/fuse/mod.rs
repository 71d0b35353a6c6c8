//! A FUSE filesystem that passes everything to a directory, and misbehaves on request.
//!
//! Real network and user filesystems are slow, lie about holes, fold case and fail in the middle.
//! This one does each of these when asked, so that tests meet them on any Linux machine.
//!
//! But with `--short` it offers no `copy_file_range`, and never `ioctl`, `fallocate` or `O_TMPFILE`, as many such filesystems
//! do not: a copier has to live without them here.

mod behaviour;
mod handles;
mod mirror;
mod names;
mod nodes;
mod served;

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread;

use fuser::{Config, MountOption, Session, SessionACL};
use rustix::fs::Mode;
use rustix::mount::UnmountFlags;
use rustix::process::{Resource, Rlimit};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Context, Result};
use behaviour::{Behaviour, Fault};
use mirror::Mirror;
use served::Served;

/// The number of requests served at the same time. Each may sleep for the latency, and parallel requests have to
/// overlap, as they would on a network.
const THREADS: usize = 32;

/// Arguments of `xtask fuse`.
#[derive(Debug, clap::Args)]
pub(crate) struct FuseArgs {
    /// Where to mount
    mountpoint: PathBuf,

    /// The directory that holds the files; it must lie on one filesystem
    backing: PathBuf,

    /// Delay every request by this many milliseconds; parallel requests are delayed together
    #[arg(long, value_name = "N", default_value_t = 0)]
    latency_ms: u64,

    /// Report by SEEK_DATA and SEEK_HOLE that every file is one hole
    #[arg(long)]
    lie_holes: bool,

    /// Support copy_file_range, and change the last byte that it copies
    #[arg(long)]
    corrupt_copies: bool,

    /// Ignore case in names, and preserve the case that they were created with
    #[arg(long)]
    fold_case: bool,

    /// Process only a part of each read, write and copy_file_range (which is not supported without
    /// this option)
    #[arg(long)]
    short: bool,

    /// Fail to open a written file for reading (ENOENT) until it was closed, and this many tries
    /// after that; as filesystems that store files at close, or later
    #[arg(long, value_name = "N")]
    late: Option<u64>,

    /// Report this size for every regular file, in bytes; reads bypass the page cache, which would be limited to it
    #[arg(long, value_name = "N")]
    stat_size: Option<u64>,

    /// Keep times in whole seconds
    #[arg(long)]
    whole_seconds: bool,

    /// Fail the N-th request of a kind, for example `write:EIO:3`; `3+` fails all from the third on
    #[arg(long, value_name = "OP:ERRNO:N")]
    fail: Vec<Fault>,

    /// Write the process id to this file before mounting
    #[arg(long, value_name = "FILE")]
    pid_file: Option<PathBuf>,
}

/// Serves the filesystem until it is unmounted or a signal asks it to end.
pub(crate) fn run(args: FuseArgs) -> Result<()> {
    if let Some(path) = &args.pid_file {
        std::fs::write(path, std::process::id().to_string()).at("write the pid file", path)?;
    }
    // The kernel passes the caller's umask with each request; ours would be added to it.
    rustix::process::umask(Mode::empty());

    let behaviour = Behaviour {
        latency: std::time::Duration::from_millis(args.latency_ms),
        lie_holes: args.lie_holes,
        corrupt_copies: args.corrupt_copies,
        fold_case: args.fold_case,
        short: args.short,
        late: args.late,
        stat_size: args.stat_size,
        whole_seconds: args.whole_seconds,
        faults: args.fail,
    };
    let mirror = Mirror::new(&args.backing, behaviour, limit_of_nodes()?)?;
    let session =
        Session::new(Served(mirror), &args.mountpoint, &config()).at("mount", &args.mountpoint)?;
    let_go_of_input()?;
    unmount_on_signal(args.mountpoint.clone())?;
    session.run().at("serve", &args.mountpoint)
}

/// A lab is locked by the processes that have its lock file as standard input, see `lab/lock.rs`. Up to here that had
/// to include this one.
fn let_go_of_input() -> Result<()> {
    let path = std::path::Path::new("/dev/null");
    let null = std::fs::File::open(path).at("open", path)?;
    rustix::stdio::dup2_stdin(null).doing("replace standard input")
}

fn config() -> Config {
    let mut config = Config::default();
    // The kernel checks permissions, because the files are owned by their users but opened by us.
    config.mount_options = vec![
        MountOption::FSName("copyist-lab".into()),
        MountOption::DefaultPermissions,
        MountOption::Dev,
        MountOption::Suid,
    ];
    config.acl = SessionACL::All;
    config.n_threads = Some(THREADS);
    config.clone_fd = true;
    config
}

/// Raises the limit of open files as far as we may, and returns how many descriptors the nodes
/// may hold: half of it, for speed; the rest is for open files.
fn limit_of_nodes() -> Result<usize> {
    let hard = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: hard,
        maximum: hard,
    };
    rustix::process::setrlimit(Resource::Nofile, limit).doing("raise the limit of open files")?;
    // No limit at all is still no reason to hold more than this.
    const ENOUGH: u64 = 1 << 17;
    Ok((hard.unwrap_or(ENOUGH).min(ENOUGH) / 2) as usize)
}

/// Detaches the mount on SIGINT, SIGTERM or SIGHUP; the session then ends by itself as soon as no process uses the
/// filesystem.
fn unmount_on_signal(mountpoint: PathBuf) -> Result<()> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP]).doing("listen for signals")?;
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        // The receiver only waits for this, so a failed send means that the process is ending.
        let _ = ready.send(());
        for _ in signals.forever() {
            if let Err(error) = rustix::mount::unmount(&mountpoint, UnmountFlags::DETACH) {
                eprintln!(
                    "xtask fuse: cannot unmount {}: {error}",
                    mountpoint.display()
                );
            }
        }
    });
    is_ready
        .recv()
        .doing("start the thread that waits for signals")
}
