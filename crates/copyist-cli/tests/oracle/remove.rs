//! Directories for the tests' own use, and their removal however deep they have become.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, chmodat, openat, unlinkat};
use rustix::io::Errno;

/// A directory that is removed when dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a new directory under `base`, which every user may enter.
    pub(crate) fn new(base: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = base.join(format!("copyist-test-{}-{count}", std::process::id()));
            match std::fs::create_dir(&path) {
                Ok(()) => {
                    let scratch = Self { path };
                    chmodat(
                        CWD,
                        &scratch.path,
                        Mode::from_raw_mode(0o755),
                        AtFlags::empty(),
                    )?;
                    return Ok(scratch);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.path) {
            eprintln!("cannot remove {}: {error}", self.path.display());
        }
    }
}

/// A directory on the way down: its name, and its subdirectories that are still there.
struct Level {
    name: Vec<u8>,
    dirs: Vec<Vec<u8>>,
}

/// Removes a directory and all that is in it: one open directory at a time, so no path is too long, and
/// no recursion, so no tree is too deep.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .as_bytes()
        .to_vec();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut here = openat(CWD, parent, flags, Mode::empty())?;
    let mut levels: Vec<Level> = Vec::new();
    let mut next = Some(name);
    loop {
        if let Some(name) = next.take() {
            here = open_for_removal(&here, &name)?;
            let dirs = unlink_all_but_dirs(&here)?;
            levels.push(Level { name, dirs });
        }
        let Some(level) = levels.last_mut() else {
            return Ok(());
        };
        next = level.dirs.pop();
        if next.is_none() {
            here = openat(&here, "..", flags, Mode::empty())?;
            unlinkat(&here, level.name.as_slice(), AtFlags::REMOVEDIR)?;
            levels.pop();
        }
    }
}

/// Opens a directory, giving its owner the permission first when that is what stands in the way.
fn open_for_removal(parent: &OwnedFd, name: &[u8]) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    if !rustix::process::geteuid().is_root() {
        chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(openat(parent, name, flags, Mode::empty())?)
}

/// Unlinks what is not a directory and returns the names of the directories.
fn unlink_all_but_dirs(dir: &OwnedFd) -> io::Result<Vec<Vec<u8>>> {
    // All names first: a directory that changes while it is read may skip some.
    let (mut dirs, mut others) = (Vec::new(), Vec::new());
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            let is_dir = entry.file_type() == FileType::Directory;
            if is_dir { &mut dirs } else { &mut others }.push(name.to_vec());
        }
    }
    for name in others {
        match unlinkat(dir, name.as_slice(), AtFlags::empty()) {
            Err(Errno::ISDIR) => dirs.push(name),
            outcome => outcome?,
        }
    }
    Ok(dirs)
}
