//! The state of a tree, to be compared: read from the inside of a simulated world or, on any system, through
//! [`crate::system`].

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::data::{BLOCK, Data};
use super::world::{Body, ROOT, World};
use crate::system::{At, Batch, Open, Platform, Seek, Target};
use crate::words::stat::{FileKind, Stat};

/// Everything by its path, without a leading `/`.
pub(super) type Snapshot = BTreeMap<PathBuf, Seen>;

/// One entry.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) stat: Stat,
    pub(super) data: Data,
    pub(super) target: OsString,
    pub(super) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) flags: u32,
}

impl Seen {
    /// Nothing visible has changed (the access time does not count).
    pub(super) fn is_as_before(&self, before: &Seen) -> bool {
        let with_access = |seen: &Seen| Stat {
            accessed: before.stat.accessed,
            ..seen.stat
        };
        with_access(self) == with_access(before)
            && self.target == before.target
            && self.xattrs == before.xattrs
            && self.data.same_bytes(&before.data)
    }
}

/// Looks at a whole world from the inside.
pub(super) fn of_world(world: &World) -> Snapshot {
    let mut snapshot = Snapshot::new();
    let mut dirs = vec![(PathBuf::new(), ROOT)];
    while let Some((path, dir)) = dirs.pop() {
        let Ok(names) = world.names(dir) else {
            continue;
        };
        for (name, &ino) in names {
            let node = world.node(ino);
            let path = path.join(name);
            if node.kind() == FileKind::Directory {
                dirs.push((path.clone(), ino));
            }
            let (data, target) = match &node.body {
                Body::File(data) => (data.clone(), OsString::new()),
                Body::Link(target) | Body::MagicLink(target, _) => {
                    (Data::default(), target.clone())
                }
                _ => (Data::default(), OsString::new()),
            };
            let (xattrs, flags) = (node.xattrs.clone(), node.flags);
            let stat = world.stat(ino);
            snapshot.insert(
                path,
                Seen {
                    stat,
                    data,
                    target,
                    xattrs,
                    flags,
                },
            );
        }
    }
    snapshot
}

/// Reads everything below `root` through [`crate::system`].
pub(super) fn through_waist<P: Platform>(platform: &P, root: &Path) -> Snapshot {
    let current = platform.current_dir().unwrap();
    let mut snapshot = Snapshot::new();
    let mut dirs = vec![PathBuf::new()];
    while let Some(path) = dirs.pop() {
        let place = root.join(&path);
        let at = At::<P> {
            dir: &current,
            name: place.as_os_str(),
        };
        let dir = platform.open(at, Open::Directory { follow: true }).unwrap();
        let (mut batch, mut raw) = (Batch::default(), Vec::new());
        loop {
            batch.clear();
            platform.read_dir(&dir, &mut raw, &mut batch).unwrap();
            if batch.is_empty() {
                break;
            }
            for (name, _) in batch.iter() {
                let seen = look(platform, &dir, name);
                let path = path.join(name);
                if seen.stat.kind == FileKind::Directory {
                    dirs.push(path.clone());
                }
                snapshot.insert(path, seen);
            }
        }
    }
    snapshot
}

fn look<P: Platform>(platform: &P, dir: &P::Handle, name: &OsStr) -> Seen {
    let at = At::<P> { dir, name };
    let stat = platform.stat(at, false).unwrap();
    let (mut data, mut target) = (Data::default(), OsString::new());
    match stat.kind {
        FileKind::Regular => data = read(platform, at),
        FileKind::Symlink => target = platform.read_link(at).unwrap(),
        _ => {}
    }
    let mut names = Vec::new();
    let mut xattrs = BTreeMap::new();
    if platform.xattr_names(Target::Named(at), &mut names).is_ok() {
        for name in names
            .split(|&byte| byte == 0)
            .filter(|name| !name.is_empty())
        {
            let mut value = Vec::new();
            if platform.xattr(Target::Named(at), name, &mut value) == Ok(true) {
                xattrs.insert(name.to_vec(), value);
            }
        }
    }
    Seen {
        stat,
        data,
        target,
        xattrs,
        flags: 0,
    }
}

/// Reads a file's data, and leaves out what the system says are holes.
fn read<P: Platform>(platform: &P, at: At<'_, P>) -> Data {
    let file = platform.open(at, Open::Read { follow: false }).unwrap();
    let size = platform.stat_open(&file).unwrap().size;
    let mut data = Data::default();
    let mut offset = 0;
    // A system without a map of holes (Wine) has data everywhere.
    let data_from = |offset| match platform.seek(&file, offset, Seek::Data) {
        Ok(start) => start,
        Err(_) => Some(offset),
    };
    while let Some(start) = data_from(offset).filter(|start| *start < size) {
        let end = platform
            .seek(&file, start, Seek::Hole)
            .unwrap_or(None)
            .unwrap_or(size);
        offset = start;
        while offset < end {
            let mut buffer = vec![0; usize::try_from((end - offset).min(16 * BLOCK)).unwrap()];
            let read = platform.read(&file, Some(offset), &mut buffer).unwrap();
            assert!(
                read > 0,
                "a file that nobody changes has the bytes that it says it has"
            );
            data.write(offset, &buffer[..read]);
            offset += read as u64;
        }
    }
    data.set_len(size);
    data
}
