//! What is copied while calls fail, and what is compared afterwards.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, Timespec, Timestamps, XattrFlags, lgetxattr, llistxattr,
    lsetxattr, mknodat, utimensat,
};

use crate::error::{Context, Error, Result};

/// The largest file: more than one buffer, and more than one request.
const LARGE: usize = 700_001;

/// One of everything, small.
pub(super) fn source(at: &Path) -> Result<()> {
    let dir = |name: &str| fs::create_dir(at.join(name)).at("create", &at.join(name));
    fs::create_dir(at).at("create", at)?;
    dir("sub")?;
    dir("sub/deep")?;
    dir("empty")?;
    file(at, "a", 5000)?;
    file(at, "sub/large", LARGE)?;
    file(at, "sub/deep/b", 17)?;
    file(at, "nothing", 0)?;
    holes(&at.join("sub/holes"))?;
    let link = |to: &str, name: &str| fs::hard_link(at.join(to), at.join(name));
    link("a", "sub/again").at("link", at)?;
    symlink("../a", at.join("sub/link")).at("link", at)?;
    let fifo = at.join("sub/fifo");
    let mode = Mode::from_raw_mode(0o640);
    mknodat(CWD, &fifo, FileType::Fifo, mode, 0).at("make", &fifo)?;
    chown(at.join("a"), Some(12), Some(34)).at("give away", at)?;
    mode_of(&at.join("a"), 0o4750)?;
    mode_of(&at.join("sub/deep"), 0o2755)?;
    lsetxattr(at.join("a"), "user.one", b"1", XattrFlags::empty()).at("set an attribute", at)?;
    let acl = acl();
    let name = "system.posix_acl_access";
    lsetxattr(at.join("sub/deep/b"), name, &acl, XattrFlags::empty()).at("set an ACL", at)?;
    date(at)
}

/// The same times each time, so that trees can be compared.
fn date(path: &Path) -> Result<()> {
    if path.is_dir() && !path.is_symlink() {
        for entry in fs::read_dir(path).at("read", path)? {
            date(&entry.at("read", path)?.path())?;
        }
    }
    let time = Timespec {
        tv_sec: 1_500_000_000,
        tv_nsec: 123_456_789,
    };
    let times = Timestamps {
        last_access: time,
        last_modification: time,
    };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).at("date", path)
}

/// An existing destination for the same tree: other content under the same names.
pub(super) fn existing(at: &Path) -> Result<()> {
    for dir in ["", "sub", "sub/deep"] {
        fs::create_dir(at.join(dir)).at("create", at)?;
    }
    for (name, size) in [("a", 900), ("sub/large", 300_000), ("sub/deep/b", 4)] {
        let content: Vec<u8> = (0..size).map(|n: u32| (n % 199) as u8 | 1).collect();
        fs::write(at.join(name), content).at("write", at)?;
    }
    symlink("elsewhere", at.join("sub/link")).at("link", at)?;
    date(at)
}

fn file(at: &Path, name: &str, size: usize) -> Result<()> {
    let path = at.join(name);
    let content: Vec<u8> = (0..size).map(|n| (n / 7 % 251) as u8 + 1).collect();
    fs::write(&path, content).at("write", &path)
}

fn holes(path: &Path) -> Result<()> {
    let file = File::create(path).at("create", path)?;
    file.set_len(600_000).at("extend", path)?;
    for offset in [0, 131_072, 400_000] {
        file.write_all_at(&[7; 9000], offset).at("write", path)?;
    }
    Ok(())
}

fn mode_of(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).at("set the mode of", path)
}

/// A list for user 77 as well, in the form that the kernel takes: see acl(5), and posix_acl_xattr.h.
fn acl() -> Vec<u8> {
    const NO_ID: u32 = u32::MAX;
    let mut bytes = 2_u32.to_le_bytes().to_vec();
    for (tag, permissions, id) in [
        (0x01_u16, 6_u16, NO_ID),
        (0x02, 4, 77),
        (0x04, 4, NO_ID),
        (0x10, 4, NO_ID),
        (0x20, 0, NO_ID),
    ] {
        bytes.extend(tag.to_le_bytes());
        bytes.extend(permissions.to_le_bytes());
        bytes.extend(id.to_le_bytes());
    }
    bytes
}

/// What is compared of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) kind: Kind,
    pub(super) mode: u32,
    owner: (u32, u32),
    modified: (i64, i64),
    pub(super) links: u64,
    /// The first of its names, where it has several.
    pub(super) first: PathBuf,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// The type, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    File(Vec<u8>),
    Dir,
    Link(PathBuf),
    Fifo,
    Other,
}

/// Everything below a directory by its path from there, and the directory itself as "".
pub(super) type Picture = BTreeMap<PathBuf, Seen>;

/// Takes a picture of a tree; an empty one if there is none.
pub(super) fn picture(root: &Path) -> Result<Picture> {
    let mut picture = Picture::new();
    let mut inodes: BTreeMap<u64, Vec<PathBuf>> = BTreeMap::new();
    let mut left = vec![PathBuf::new()];
    while let Some(name) = left.pop() {
        let path = root.join(&name);
        let stat = match fs::symlink_metadata(&path) {
            Err(error) if name.as_os_str().is_empty() && is_not_there(&error) => break,
            stat => stat.at("look at", &path)?,
        };
        let kind = if stat.is_dir() {
            for entry in fs::read_dir(&path).at("read", &path)? {
                left.push(name.join(entry.at("read", &path)?.file_name()));
            }
            Kind::Dir
        } else if stat.is_file() {
            Kind::File(fs::read(&path).at("read", &path)?)
        } else if stat.is_symlink() {
            Kind::Link(fs::read_link(&path).at("read", &path)?)
        } else if stat.file_type().is_fifo() {
            Kind::Fifo
        } else {
            Kind::Other
        };
        let seen = Seen {
            // The length of a directory's list of names, and of its own, is the filesystem's affair.
            links: if stat.is_dir() { 1 } else { stat.nlink() },
            mode: stat.mode() & 0o7777,
            owner: (stat.uid(), stat.gid()),
            modified: (stat.mtime(), stat.mtime_nsec()),
            xattrs: xattrs(&path)?,
            first: name.clone(),
            kind,
        };
        inodes.entry(stat.ino()).or_default().push(name.clone());
        picture.insert(name, seen);
    }
    for names in inodes.into_values() {
        let first = names.iter().min().cloned().unwrap_or_default();
        for name in names {
            if let Some(seen) = picture.get_mut(&name) {
                seen.first.clone_from(&first);
            }
        }
    }
    Ok(picture)
}

fn is_not_there(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::NotFound
}

fn xattrs(path: &Path) -> Result<BTreeMap<Vec<u8>, Vec<u8>>> {
    let mut names = vec![0; 4096];
    let len = llistxattr(path, &mut names[..]).at("list the attributes of", path)?;
    let mut found = BTreeMap::new();
    for name in names[..len].split(|byte| *byte == 0) {
        if name.is_empty() {
            continue;
        }
        let text = std::str::from_utf8(name).map_err(|error| Error::new(error.to_string()))?;
        let mut value = vec![0; 4096];
        let len = lgetxattr(path, text, &mut value[..]).at("read an attribute of", path)?;
        value.truncate(len);
        found.insert(name.to_vec(), value);
    }
    Ok(found)
}
