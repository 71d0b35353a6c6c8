//! Loop devices, found by the image behind them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use crate::command;
use crate::error::{Context, Error, Result};

/// The kernel detaches a loop device shortly after its last user is gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// Detaches every loop device whose image lies, or lay, under `root`.
pub(super) fn detach_all(root: &Path) -> Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while !under(root)?.is_empty() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(20));
    }
    for device in under(root)? {
        command::run(
            command::system("losetup").arg("-d").arg(&device),
            Stdio::null(),
        )?;
    }
    let left = under(root)?;
    if left.is_empty() {
        Ok(())
    } else {
        Err(Error::new(format!("still attached: {left:?}")))
    }
}

/// The devices with an image under `root`, even a deleted one.
pub(super) fn under(root: &Path) -> Result<Vec<PathBuf>> {
    let block = Path::new("/sys/block");
    let mut devices = Vec::new();
    for entry in fs::read_dir(block).at("list", block)? {
        let entry = entry.at("list", block)?;
        // Devices that are not loops, or loops that are free, have no such file.
        let backing = fs::read_to_string(entry.path().join("loop/backing_file"));
        if backing.is_ok_and(|image| Path::new(image.trim_end()).starts_with(root)) {
            devices.push(Path::new("/dev").join(entry.file_name()));
        }
    }
    Ok(devices)
}
