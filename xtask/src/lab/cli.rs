//! `cargo xtask lab up|down|status`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::{DEFAULT_GIB, Lab, STATE, VARIABLE, check, spec};
use crate::error::{Context, Result};
use crate::{signals, workspace};

/// Arguments of `xtask lab`.
#[derive(Debug, clap::Args)]
pub(crate) struct LabArgs {
    #[command(subcommand)]
    command: LabCommand,

    /// The lab's directory [default: $COPYIST_LAB, or `lab` in the build directory]
    #[arg(long, value_name = "DIR", global = true)]
    root: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum LabCommand {
    /// Make, mount and check all filesystems
    Up {
        /// The size of each large filesystem; images are sparse
        #[arg(long, value_name = "GIB", default_value_t = DEFAULT_GIB,
              value_parser = clap::value_parser!(u64).range(1..=1024))]
        size_gib: u64,
    },
    /// Unmount and remove everything; also after a crash
    Down,
    /// Check again that each filesystem is what it claims to be
    Status,
}

/// Runs `xtask lab`.
pub(crate) fn run(args: &LabArgs) -> Result<ExitCode> {
    let root = args.root.clone().unwrap_or_else(default_root);
    match args.command {
        LabCommand::Up { size_gib } => {
            signals::catch()?;
            let lab = Lab::up(&root, size_gib)?;
            println!("export {VARIABLE}={}", lab.root().display());
            lab.leave_up();
        }
        LabCommand::Down => super::down(&root)?,
        LabCommand::Status => return status(&root),
    }
    Ok(ExitCode::SUCCESS)
}

fn default_root() -> PathBuf {
    std::env::var_os(VARIABLE).map_or_else(|| workspace::target().join("lab"), PathBuf::from)
}

/// One line for each filesystem; fails unless all are up and sound.
fn status(root: &Path) -> Result<ExitCode> {
    let size_file = root.join(STATE).join("bytes");
    let Ok(size) = fs::read_to_string(&size_file) else {
        println!("no lab at {}", root.display());
        return Ok(ExitCode::FAILURE);
    };
    let bytes = size.trim().parse().at("understand", &size_file)?;
    let mut code = ExitCode::SUCCESS;
    for spec in spec::all().iter().filter(|spec| spec.is_for_tests()) {
        let state = match check::check(root, spec, bytes) {
            Ok(()) => format!("ok, {}", free(&root.join(spec.name))?),
            Err(error) => {
                code = ExitCode::FAILURE;
                format!("BROKEN: {error}")
            }
        };
        println!("{:10} {:34} {state}", spec.name, spec.describe());
    }
    Ok(code)
}

fn free(mountpoint: &Path) -> Result<String> {
    let statvfs = rustix::fs::statvfs(mountpoint).at("statfs", mountpoint)?;
    let mib = |blocks: u64| (blocks * statvfs.f_frsize) >> 20;
    Ok(format!(
        "{} of {} MiB free",
        mib(statvfs.f_bavail),
        mib(statvfs.f_blocks)
    ))
}
