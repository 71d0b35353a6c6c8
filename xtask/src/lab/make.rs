//! Makes and mounts the filesystems of a lab.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::lock::Lock;
use super::spec::{Claim, Make, Size, Spec};
use super::{STATE, daemon};
use crate::command;
use crate::error::{Context, Result};

/// Makes filesystems below `root`.
#[derive(Debug)]
pub(super) struct Maker<'a> {
    pub(super) root: &'a Path,
    /// The size of each large filesystem.
    pub(super) bytes: u64,
    pub(super) lock: &'a Lock,
}

impl Maker<'_> {
    pub(super) fn make(&self, spec: &Spec) -> Result<()> {
        let mountpoint = self.root.join(spec.name);
        fs::create_dir_all(&mountpoint).at("create", &mountpoint)?;
        match spec.make {
            Make::Image { mkfs, size } => self.image(spec, mkfs, size, &mountpoint)?,
            Make::Tmpfs => {
                let options = format!("size={}", self.bytes);
                self.mount(
                    &["-t", "tmpfs", "-o", &options],
                    "copyist-lab".as_ref(),
                    &mountpoint,
                )?;
            }
            Make::Fuse(options) => daemon::start(self.root, spec.name, options, self.lock)?,
        }
        // Tests that drop their privileges need a place to write.
        let everyone = fs::Permissions::from_mode(0o777);
        fs::set_permissions(&mountpoint, everyone).at("change the mode of", &mountpoint)
    }

    fn image(&self, spec: &Spec, mkfs: &[&str], size: Size, mountpoint: &Path) -> Result<()> {
        let name = spec.name.replace(['/', '.'], "_") + ".img";
        let image = self.root.join(STATE).join(name);
        let file = File::create(&image).at("create", &image)?;
        let bytes = match size {
            Size::AsAsked => self.bytes,
            Size::Bytes(bytes) => bytes,
        };
        file.set_len(bytes).at("set the size of", &image)?;
        // The first word is the program.
        self.run(command::system(mkfs[0]).args(&mkfs[1..]).arg(&image))?;
        // `discard` gives the space of deleted files back to the disk under the image.
        self.mount(&["-o", "loop,discard"], image.as_os_str(), mountpoint)?;
        remove_lost_and_found(mountpoint)?;
        if spec
            .claims
            .iter()
            .any(|claim| matches!(claim, Claim::FoldsCase))
        {
            // From now on in all that is made below; it must be empty.
            self.run(command::system("chattr").arg("+F").arg(mountpoint))?;
        }
        Ok(())
    }

    /// mount(8) finds a free loop device and makes it vanish with the mount.
    fn mount(&self, options: &[&str], source: &OsStr, mountpoint: &Path) -> Result<()> {
        self.run(
            command::system("mount")
                .args(options)
                .arg(source)
                .arg(mountpoint),
        )
    }

    fn run(&self, command: &mut Command) -> Result<()> {
        command::run(command, self.lock.input()?)
    }
}

/// Tests compare whole filesystems, and case is folded only in an empty directory.
fn remove_lost_and_found(mountpoint: &Path) -> Result<()> {
    let path = mountpoint.join("lost+found");
    match fs::remove_dir(&path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error).at("remove", &path),
        _ => Ok(()),
    }
}
