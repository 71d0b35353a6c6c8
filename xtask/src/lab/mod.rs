//! The lab: real filesystems on loop devices, each proved to be what it claims, always torn down.
//!
//! A lab is a directory. Every mount, loop device and process of it can be found from that path
//! alone, so `down` works in another process and after a crash, and two labs do not meet.
//!
//! ```text
//! ROOT/btrfs  ROOT/xfs  ROOT/fuse ...   the mount points
//! ROOT/.lab/                            images, pid files and logs; the FUSE files are in backing/
//! ```

mod check;
mod cli;
mod daemon;
mod lock;
mod loops;
mod make;
mod mounts;
mod spec;

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{Context, Error, Result};
use crate::{command, signals};

use lock::Lock;
use make::Maker;

pub(crate) use cli::{LabArgs, run};

/// The environment variable with the lab's directory, for tests and for these commands.
pub(crate) const VARIABLE: &str = "COPYIST_LAB";

/// Large enough for a copy of /usr or a few files of 1 GiB; the images are sparse.
pub(crate) const DEFAULT_GIB: u64 = 8;

/// Where a lab keeps what is not for tests.
const STATE: &str = ".lab";

const PROGRAMS: &[&str] = &[
    "mkfs.btrfs",
    "mkfs.xfs",
    "mkfs.ext4",
    "chattr",
    "mount",
    "losetup",
];

/// A lab that is up. Dropping it tears it down, for panics and early returns; call [`Lab::down`] to have failures
/// reported, or [`Lab::leave_up`] to keep it.
#[derive(Debug)]
pub(crate) struct Lab {
    root: PathBuf,
    armed: bool,
    lock: Lock,
}

impl Lab {
    /// Makes, mounts and checks all filesystems; on failure nothing stays.
    pub(crate) fn up(root: &Path, gib: u64) -> Result<Self> {
        Self::make(root, gib, &|_| true)
    }

    /// The same with only some of them, and what these need.
    pub(crate) fn up_with(root: &Path, gib: u64, names: &[&str]) -> Result<Self> {
        Self::make(root, gib, &|wanted| {
            let is_named = |spec: &spec::Spec| names.contains(&spec.name);
            let backs_one = || {
                spec::all()
                    .iter()
                    .any(|spec| is_named(spec) && spec.is_fuse())
            };
            is_named(wanted) || !wanted.is_for_tests() && backs_one()
        })
    }

    fn make(root: &Path, gib: u64, wanted: &dyn Fn(&spec::Spec) -> bool) -> Result<Self> {
        require_tools()?;
        fs::create_dir_all(root).at("create", root)?;
        let root = fs::canonicalize(root).at("resolve", root)?;
        let lock = Lock::take(&root)?;
        if !mounts::under(&root)?.is_empty() || root.join(STATE).exists() {
            let root = root.display();
            return Err(Error::new(format!(
                "there is a lab at {root} already; take it down first"
            )));
        }
        let lab = Self {
            root,
            armed: true,
            lock,
        };
        let state = lab.root.join(STATE);
        fs::create_dir(&state).at("create", &state)?;
        let bytes = gib << 30;
        let size_file = state.join("bytes");
        fs::write(&size_file, bytes.to_string()).at("write", &size_file)?;
        let maker = Maker {
            root: &lab.root,
            bytes,
            lock: &lab.lock,
        };
        for spec in spec::all().into_iter().filter(wanted) {
            signals::check()?;
            maker.make(&spec)?;
            check::check(&lab.root, &spec, bytes)?;
        }
        Ok(lab)
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Tears the lab down.
    pub(crate) fn down(mut self) -> Result<()> {
        self.armed = false;
        tear_down(&self.root)
    }

    /// Ends this process's care for the lab; a later `lab down` removes it.
    fn leave_up(mut self) {
        self.armed = false;
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if self.armed
            && let Err(error) = tear_down(&self.root)
        {
            eprintln!("xtask: {error}");
        }
    }
}

/// Takes down whatever is left of a lab at `root`. That there is none is no error.
pub(crate) fn down(root: &Path) -> Result<()> {
    let root = match fs::canonicalize(root) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        resolved => resolved.at("resolve", root)?,
    };
    let _lock = Lock::take(&root)?;
    tear_down(&root)
}

/// Takes down the labs below `parent` whose process is gone: they are named after its pid.
pub(crate) fn sweep(parent: &Path) -> Result<()> {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let owner = Path::new("/proc").join(entry.file_name());
        if !owner.exists() {
            eprintln!(
                "taking down a lab that was left behind: {}",
                entry.path().display()
            );
            down(&entry.path())?;
        }
    }
    Ok(())
}

/// Unmounts what a test left mounted below `at`, a directory on one of the lab's filesystems.
pub(crate) fn clear(at: &Path) -> Result<()> {
    mounts::under(at)?
        .iter()
        .try_for_each(|point| mounts::unmount(point))
}

/// What the filesystems are used by is stopped in this order: users of FUSE, FUSE, the store
/// below it, loop devices, images. Each step is tried even if an earlier one failed.
fn tear_down(root: &Path) -> Result<()> {
    let state = root.join(STATE);
    let mut outcome = Ok(());
    for in_state in [false, true] {
        // A mount may hide another one, so look again until there is none.
        loop {
            let points = mounts::under(root)?;
            let mut due = points
                .iter()
                .filter(|point| point.starts_with(&state) == in_state);
            let Some(point) = due.next() else { break };
            outcome = outcome.and(mounts::unmount(point));
            if mounts::under(root)?.len() >= points.len() {
                return outcome; // it cannot be unmounted, and its images must stay
            }
        }
        outcome = outcome.and(daemon::stop_all(root));
    }
    outcome = outcome.and(loops::detach_all(root));
    outcome.and(remove_files(root))
}

/// Removes only what `up` made. Mount points must be empty now: they are not removed recursively,
/// so that nothing can be deleted through a mount.
fn remove_files(root: &Path) -> Result<()> {
    let state = root.join(STATE);
    for spec in spec::all() {
        remove(&root.join(spec.name), |path| fs::remove_dir(path))?;
    }
    remove(&state, |path| fs::remove_dir_all(path))?;
    // A directory that holds something else stays.
    let _ = fs::remove_dir(root);
    Ok(())
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<()> {
    match how(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).at("remove", path),
        _ => Ok(()),
    }
}

/// Why no lab can be made here, if so.
pub(crate) fn require_tools() -> Result<()> {
    if !rustix::process::geteuid().is_root() {
        return Err(Error::new("mounting needs root"));
    }
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .copied()
        .filter(|program| !command::exists(program))
        .collect();
    if !missing.is_empty() {
        return Err(Error::new(format!("not installed: {}", missing.join(", "))));
    }
    if !Path::new("/dev/fuse").exists() || !Path::new("/dev/loop-control").exists() {
        return Err(Error::new(
            "this system offers no /dev/fuse or no /dev/loop-control",
        ));
    }
    Ok(())
}
