//! What is copied, what is not to be touched, and how it is seen that it was.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::attack::Decoy;
use crate::error::{Context, Result};

/// What only its owner may access.
const SECRET: &[u8] = b"SECRET: not to be read, and not to be written\n";

/// An attacker is no superuser: what he makes is his.
const ATTACKER: u32 = 1000;

/// Files in the directory that is swapped: enough for the copy to be busy with it for a while.
const FILES: usize = 8;

/// `src`, `dst`, `outside` (the decoys' place) and `secret`, below one directory.
#[derive(Debug)]
pub(super) struct World {
    pub(super) root: PathBuf,
    secret: Vec<State>,
}

/// Everything of a file or directory that a copy could change.
#[derive(Debug, PartialEq, Eq)]
struct State {
    name: PathBuf,
    mode: u32,
    owner: (u32, u32),
    size: u64,
    modified: (i64, i64),
    /// Any change of attributes, lists and links shows here.
    changed: (i64, i64),
    content: Vec<u8>,
}

impl World {
    pub(super) fn make(root: &Path) -> Result<Self> {
        if root.exists() {
            fs::remove_dir_all(root).at("remove", root)?;
        }
        fs::create_dir_all(root).at("create", root)?;
        let secret = root.join("secret");
        tree(&secret)?;
        for path in all_below(&secret)? {
            let is_dir = path.is_dir();
            if !is_dir {
                fs::write(&path, SECRET).at("write", &path)?;
            }
            let mode = fs::Permissions::from_mode(if is_dir { 0o700 } else { 0o600 });
            fs::set_permissions(&path, mode).at("close", &path)?;
        }
        let secret = states(&secret)?;
        let root = root.to_owned();
        Ok(Self { root, secret })
    }

    /// Creates source and decoys again, and an existing destination if that is wanted.
    pub(super) fn lay(&self, is_over: bool, decoys: &[(Decoy, PathBuf)]) -> Result<()> {
        for name in ["src", "dst", "outside"] {
            let path = self.root.join(name);
            if path.exists() {
                fs::remove_dir_all(&path).at("remove", &path)?;
            }
        }
        tree(&self.root.join("src"))?;
        let outside = self.root.join("outside");
        fs::create_dir(&outside).at("create", &outside)?;
        if is_over {
            tree(&self.root.join("dst"))?;
        }
        decoys
            .iter()
            .try_for_each(|(decoy, path)| self.decoy(*decoy, path))
    }

    fn decoy(&self, decoy: Decoy, path: &Path) -> Result<()> {
        let secret = self.root.join("secret");
        let mode = Mode::from_raw_mode(0o666);
        let node = |kind, device| mknodat(CWD, path, kind, mode, device).at("make", path);
        match decoy {
            Decoy::LinkToDir => symlink(secret.join("d"), path).at("link", path)?,
            Decoy::LinkToFile => symlink(secret.join("f"), path).at("link", path)?,
            Decoy::Fifo => node(FileType::Fifo, 0)?,
            // /dev/zero: it can be read for ever.
            Decoy::Device => node(FileType::CharacterDevice, makedev(1, 5))?,
            Decoy::Dir => tree(path)?,
        }
        lchown(path, Some(ATTACKER), Some(ATTACKER)).at("give away", path)
    }

    /// What of the secret has got out, or was changed, if anything.
    pub(super) fn harm(&self) -> Result<Option<String>> {
        let now = states(&self.root.join("secret"))?;
        if now != self.secret {
            let touched = now.iter().find(|state| !self.secret.contains(state));
            let what = touched.map_or("something was removed".to_owned(), |it| format!("{it:?}"));
            return Ok(Some(format!("the secret was changed: {what}")));
        }
        for side in ["dst", "outside"] {
            let root = self.root.join(side);
            if !root.is_dir() {
                continue;
            }
            for path in all_below(&root)? {
                let stat = fs::symlink_metadata(&path).at("look at", &path)?;
                if stat.is_file() && fs::read(&path).at("read", &path)? == SECRET {
                    let path = path.display();
                    return Ok(Some(format!("the secret was copied to {path}")));
                }
            }
        }
        Ok(None)
    }
}

/// The same names everywhere: what is found behind a link has the names that are looked for.
fn tree(at: &Path) -> Result<()> {
    fs::create_dir_all(at.join("d/sub")).at("create", at)?;
    let mut names: Vec<String> = (0..FILES).map(|n| format!("d/f{n}")).collect();
    names.extend(["f".to_owned(), "d/sub/g".to_owned()]);
    for name in names {
        let path = at.join(name);
        fs::write(&path, path.as_os_str().as_encoded_bytes()).at("write", &path)?;
    }
    Ok(())
}

/// Everything below a directory, and it too. Symbolic links are not followed.
fn all_below(root: &Path) -> Result<Vec<PathBuf>> {
    let mut all = vec![root.to_owned()];
    let mut next = 0;
    while let Some(path) = all.get(next).cloned() {
        next += 1;
        if fs::symlink_metadata(&path).at("look at", &path)?.is_dir() {
            for entry in fs::read_dir(&path).at("read", &path)? {
                all.push(entry.at("read", &path)?.path());
            }
        }
    }
    Ok(all)
}

fn states(root: &Path) -> Result<Vec<State>> {
    let mut states = Vec::new();
    for name in all_below(root)? {
        let stat = fs::symlink_metadata(&name).at("look at", &name)?;
        let content = if stat.is_file() {
            fs::read(&name).at("read", &name)?
        } else {
            Vec::new()
        };
        states.push(State {
            mode: stat.mode(),
            owner: (stat.uid(), stat.gid()),
            size: stat.size(),
            modified: (stat.mtime(), stat.mtime_nsec()),
            changed: (stat.ctime(), stat.ctime_nsec()),
            content,
            name,
        });
    }
    states.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(states)
}
