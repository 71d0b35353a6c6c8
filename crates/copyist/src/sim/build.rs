//! Creates trees to be copied, through [`crate::system`]: the same on a simulated and on a real system.

use std::ffi::OsStr;
use std::iter::once;

use super::at;
use super::data::BLOCK;
use crate::system::Machine;
use crate::system::native::Native;
use crate::system::{Attribute, Node, Open, Platform, Target};
use crate::words::method::Os;
use crate::words::stat::{FileKind, Timestamp};

/// Makes things below a directory.
pub(super) struct Builder<'a, P: Platform> {
    platform: &'a P,
    root: P::Handle,
}

impl<'a, P: Platform> Builder<'a, P> {
    /// Below `root`, a path from the current directory.
    pub(super) fn below(platform: &'a P, root: &OsStr) -> Builder<'a, P> {
        let current = platform.current_dir().unwrap();
        let at = crate::system::At {
            dir: &current,
            name: root,
        };
        let root = platform.open(at, Open::Directory { follow: true }).unwrap();
        Builder { platform, root }
    }

    pub(super) fn dir(&self, path: &str) -> &Self {
        let node = Node::Directory { mode: 0o755 };
        self.platform.make(at(&self.root, path), node).unwrap();
        self
    }

    /// A file of `size` bytes, with data in these ranges of blocks and holes elsewhere.
    pub(super) fn sparse(
        &self,
        path: &str,
        size: u64,
        data: impl IntoIterator<Item = std::ops::Range<u64>>,
    ) -> &Self {
        let how = Open::Create { mode: 0o644 };
        let file = self.platform.open(at(&self.root, path), how).unwrap();
        for range in data {
            let (start, end) = (range.start * BLOCK, (range.end * BLOCK).min(size));
            let bytes = pattern(path, start..end);
            let mut done = 0;
            while done < bytes.len() {
                let at = Some(start + done as u64);
                done += self.platform.write(&file, at, &bytes[done..]).unwrap();
            }
        }
        self.platform.set_len(&file, size).unwrap();
        self.platform.close(file).unwrap();
        self.time(path, 1_600_000_000)
    }

    /// A file that is all data.
    pub(super) fn file(&self, path: &str, size: u64) -> &Self {
        self.sparse(path, size, once(0..size.div_ceil(BLOCK)))
    }

    pub(super) fn symlink(&self, path: &str, target: &str) -> &Self {
        let node = Node::Symlink {
            target: OsStr::new(target),
            to_dir: false,
        };
        self.platform.make(at(&self.root, path), node).unwrap();
        self
    }

    pub(super) fn hard_link(&self, path: &str, to: &str) -> &Self {
        let node = Node::HardLink {
            to: at(&self.root, to),
            follow: false,
        };
        self.platform.make(at(&self.root, path), node).unwrap();
        self
    }

    pub(super) fn special(&self, path: &str, kind: FileKind, device: u64) -> &Self {
        let node = Node::Special {
            kind,
            mode: 0o640,
            device,
        };
        self.platform.make(at(&self.root, path), node).unwrap();
        self
    }

    pub(super) fn xattr(&self, path: &str, name: &str, value: &[u8]) -> &Self {
        let target = Target::Named(at(&self.root, path));
        self.platform
            .set_xattr(target, name.as_bytes(), value)
            .unwrap();
        self
    }

    pub(super) fn mode(&self, path: &str, mode: u32) -> &Self {
        self.set(path, Attribute::Mode(mode))
    }

    pub(super) fn owner(&self, path: &str, uid: u32, gid: u32) -> &Self {
        self.set(
            path,
            Attribute::Owner {
                uid: Some(uid),
                gid: Some(gid),
            },
        )
    }

    pub(super) fn time(&self, path: &str, seconds: i64) -> &Self {
        let modified = Timestamp {
            seconds,
            nanos: 987_654_321,
        };
        let accessed = Timestamp {
            seconds: seconds + 7,
            nanos: 5,
        };
        self.set(path, Attribute::Times { accessed, modified })
    }

    /// Modified and read at this time.
    pub(super) fn times(&self, path: &str, time: Timestamp) -> &Self {
        let (accessed, modified) = (time, time);
        self.set(path, Attribute::Times { accessed, modified })
    }

    fn set(&self, path: &str, attribute: Attribute) -> &Self {
        self.platform
            .set(Target::Named(at(&self.root, path)), attribute)
            .unwrap();
        self
    }
}

/// Whether trees with links and modes can't be made where the tests are.
pub(super) fn lacks_links(test: &str) -> bool {
    if Native::new().os() == Os::Windows {
        println!("beyond Wine: {test}: its tree has FIFOs, which no Windows holds");
        return true;
    }
    let dir = tempfile::tempdir().unwrap();
    let (file, link) = (dir.path().join("file"), dir.path().join("link"));
    std::fs::write(&file, b"").unwrap();
    let lacks = std::fs::hard_link(&file, &link).is_err();
    if lacks {
        println!("not run: the tests' directory has no hard links");
    }
    lacks
}

/// Bytes that differ from file to file and from place to place, and are never 0.
pub(super) fn pattern(path: &str, range: std::ops::Range<u64>) -> Vec<u8> {
    let salt = path
        .bytes()
        .fold(17_u64, |salt, byte| salt.wrapping_mul(31) + u64::from(byte));
    range
        .map(|at| {
            let mixed = (at / 8)
                .wrapping_add(salt)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (mixed >> 32) as u8 | 1
        })
        .collect()
}
