//! Random trees from a seed: ordinary entries, and specimens of everything odd that a copy can meet.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use fastrand::Rng;

use super::acl;
use super::plan::{Piece, Plan, Time, What};

/// The directory at the top of a source tree under which paths get longer than PATH_MAX.
pub(crate) const DEEP_NAME: &[u8] = b"deep";

/// The user that unprivileged cases run as.
pub(crate) const NOBODY: u32 = 65534;

/// What kind of tree is wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spec<'a> {
    /// Where the situation will be: absolute symbolic links begin with it.
    pub(crate) work: &'a Path,
    /// About how many ordinary entries.
    pub(crate) size: usize,
    /// Every specimen, instead of a random choice.
    pub(crate) all: bool,
    /// With a chain of directories deeper than PATH_MAX.
    pub(crate) deep: bool,
    /// For a copy by an unprivileged user, who should own most of it.
    pub(crate) unprivileged: bool,
}

/// Builds one tree below a directory of a plan.
pub(crate) struct Builder<'a> {
    rng: &'a mut Rng,
    plan: &'a mut Plan,
    top: usize,
    spec: Spec<'a>,
    dir_links: usize,
    count: usize,
}

/// Adds a random tree below the directory `top`.
pub(crate) fn grow(rng: &mut Rng, plan: &mut Plan, top: usize, spec: Spec<'_>) {
    let mut builder = Builder {
        rng,
        plan,
        top,
        spec,
        dir_links: 0,
        count: 0,
    };
    for _ in 0..spec.size / 5 {
        builder.directory();
    }
    for _ in 0..spec.size {
        builder.ordinary();
    }
    builder.specimens();
    if spec.deep {
        builder.deep_chain();
    }
}

impl Builder<'_> {
    /// A name that is unique in the tree, also where case is folded.
    fn name(&mut self) -> Vec<u8> {
        self.count += 1;
        let mut name = format!("{}{}", self.rng.lowercase(), self.count).into_bytes();
        match self.rng.u8(..30) {
            0 => name.extend(b"\nnew line"),
            1 => name.extend([0xff, 0xfe, 0x80]),
            2 => name.extend(b" blank 'quote' \"double\" $x `y` \\"),
            3 => name.extend("\u{e9}\u{4e2d}\u{1f600}".bytes()),
            4 => name.extend(b"\x01\t\x1b[31m\x7f"),
            5 => name.insert(0, b'-'),
            6 => name.insert(0, b'.'),
            7 => name.resize(255, b'n'),
            8 => name.push(b'~'),
            _ => {}
        }
        name
    }

    /// Any directory of the tree, its top included.
    fn some_dir(&mut self) -> usize {
        let mut dirs = vec![self.top];
        dirs.extend(
            self.plan
                .below(self.top)
                .into_iter()
                .filter(|&i| matches!(self.plan.nodes[i].what, What::Dir)),
        );
        dirs[self.rng.usize(..dirs.len())]
    }

    /// Adds a node in a random directory, with random attributes.
    fn add(&mut self, what: What) -> usize {
        let parent = self.some_dir();
        let name = self.name();
        let index = self.plan.push(Some(parent), &name, what);
        decorate(self.rng, self.plan, index, self.spec.unprivileged);
        index
    }

    fn directory(&mut self) {
        self.add(What::Dir);
    }

    fn ordinary(&mut self) {
        match self.rng.u8(..100) {
            0..=59 => {
                let what = random_file(self.rng);
                self.add(what);
            }
            60..=72 => self.symlink(),
            73..=82 => self.hard_link(),
            83..=86 => drop(self.add(What::Fifo)),
            87..=89 => drop(self.add(What::Socket)),
            90..=91 => drop(self.add(What::Char(1, 3))),
            92..=93 => drop(self.add(What::Block(240, 7))),
            _ => self.directory(),
        }
    }

    /// A target that leads from a node's directory to another node of the same tree: absolute or relative.
    fn target_from(&mut self, dir: usize, to: usize) -> Vec<u8> {
        let mut target = if self.rng.u8(..4) == 0 {
            [self.spec.work.as_os_str().as_bytes(), b"/"].concat()
        } else {
            b"../".repeat(self.plan.depth(dir) + 1)
        };
        target.extend(self.plan.path(to));
        target
    }

    fn symlink(&mut self) {
        let parent = self.some_dir();
        let aim = self.rng.u8(..10);
        let is_aim = |what: &What| match aim {
            0..=4 => matches!(what, What::File { .. }),
            _ => matches!(what, What::Dir),
        };
        let below = self.plan.below(self.top);
        let aims: Vec<usize> = below
            .into_iter()
            .filter(|&index| is_aim(&self.plan.nodes[index].what))
            .collect();
        // Links to directories multiply what -L copies, so there are few.
        let target = if aims.is_empty() || aim == 9 || (aim > 4 && self.dir_links >= 2) {
            b"nowhere/at all".to_vec()
        } else {
            self.dir_links += usize::from(aim > 4);
            let aim = aims[self.rng.usize(..aims.len())];
            self.target_from(parent, aim)
        };
        let name = self.name();
        let index = self.plan.push(Some(parent), &name, What::Symlink(target));
        decorate(self.rng, self.plan, index, self.spec.unprivileged);
    }

    fn hard_link(&mut self) {
        let linkable =
            |what: &What| matches!(what, What::File { .. } | What::Symlink(_) | What::Socket);
        let below = self.plan.below(self.top);
        let files: Vec<usize> = below
            .into_iter()
            .filter(|&index| linkable(&self.plan.nodes[index].what))
            .collect();
        if !files.is_empty() {
            let first = files[self.rng.usize(..files.len())];
            self.add(What::HardLink(first));
        }
    }

    /// Adds a specimen always when all are wanted, else one time in four.
    fn specimen(
        &mut self,
        what: What,
        change: impl FnOnce(&mut super::plan::Node),
    ) -> Option<usize> {
        if !self.spec.all && self.rng.u8(..4) != 0 {
            return None;
        }
        let index = self.add(what);
        change(&mut self.plan.nodes[index]);
        Some(index)
    }

    fn specimens(&mut self) {
        let file = || What::File {
            size: 5,
            pieces: vec![Piece {
                offset: 0,
                len: 5,
                noise: Some(5),
            }],
        };
        let empty = || What::File {
            size: 0,
            pieces: Vec::new(),
        };
        self.specimen(empty(), |_| ());
        self.specimen(file(), |node| node.name.extend(b"\nsecond line\n"));
        self.specimen(file(), |node| node.name.extend([0xc3, 0x28, 0xff]));
        self.specimen(file(), |node| node.name.resize(255, b'x'));
        self.specimen(file(), |node| node.mode = 0);
        self.specimen(file(), |node| node.mode = 0o4755);
        self.specimen(What::Dir, |node| node.mode = 0o1777);
        let locked = self.specimen(What::Dir, |node| node.mode = 0o555);
        if let Some(dir) = locked {
            let index = self
                .plan
                .push(Some(dir), b"in a read-only directory", file());
            decorate(self.rng, self.plan, index, self.spec.unprivileged);
        }
        self.specimen(file(), |node| {
            node.modified = Time {
                sec: 1_111_111_111,
                nsec: 123_456_789,
            }
        });
        self.specimen(file(), |node| {
            node.modified = Time {
                sec: -123_456_789,
                nsec: 999_999_999,
            }
        });
        self.specimen(file(), |node| {
            node.modified = Time {
                sec: 14_000_000_000,
                nsec: 1,
            }
        });
        self.specimen(file(), |node| {
            node.xattrs = vec![("user.note", b"a\0b\xff".to_vec())]
        });
        self.specimen(file(), |node| {
            node.xattrs = vec![("user.empty", Vec::new())]
        });
        self.specimen(What::Dir, |node| {
            node.xattrs = vec![("trusted.note", b"dir".to_vec())]
        });
        self.specimen(file(), |node| {
            node.xattrs = vec![("security.capability", acl::capability())]
        });
        self.specimen(file(), |node| {
            node.xattrs = vec![(acl::ACCESS, acl::sample(3))]
        });
        self.specimen(What::Dir, |node| {
            node.xattrs = vec![(acl::DEFAULT, acl::sample(5))]
        });
        self.special_specimens();
        self.link_specimens(file());
    }

    fn special_specimens(&mut self) {
        self.specimen(What::Fifo, |_| ());
        self.specimen(What::Socket, |_| ());
        self.specimen(What::Char(1, 3), |_| ());
        self.specimen(What::Block(240, 7), |_| ());
        self.specimen(What::Symlink(b"/no such/absolute target".to_vec()), |_| ());
        self.specimen(What::Symlink(b"dangling".to_vec()), |_| ());
        self.parent_link();
        self.specimen(What::Symlink(vec![b't'; 1000]), |_| ());
        let noise = self.rng.u64(..);
        self.specimen(sparse_file(noise), |_| ());
    }

    /// A link to its own directory or the one above, but never out of the tree.
    fn parent_link(&mut self) {
        let link = self.specimen(What::Symlink(b".".to_vec()), |_| ());
        if let Some(index) = link.filter(|&index| self.plan.nodes[index].parent != Some(self.top)) {
            self.plan.nodes[index].what = What::Symlink(b"..".to_vec());
        }
    }

    /// Two links that lead to each other, and a file with three names.
    fn link_specimens(&mut self, file: What) {
        if let Some(first) = self.specimen(What::Symlink(b"loop-b".to_vec()), |node| {
            node.name = b"loop-a".to_vec()
        }) {
            let parent = self.plan.nodes[first].parent;
            self.plan
                .push(parent, b"loop-b", What::Symlink(b"loop-a".to_vec()));
        }
        if let Some(first) = self.specimen(file, |_| ()) {
            self.add(What::HardLink(first));
            self.add(What::HardLink(first));
        }
    }

    /// Twenty directories of long names, with a file in some of them.
    fn deep_chain(&mut self) {
        let owner = if self.spec.unprivileged {
            (NOBODY, NOBODY)
        } else {
            (0, 0)
        };
        let mut parent = self.plan.push(Some(self.top), DEEP_NAME, What::Dir);
        self.plan.nodes[parent].owner = owner;
        for level in 0..20_u8 {
            let mut name = vec![b'a' + level];
            name.resize(255, b'-');
            parent = self.plan.push(Some(parent), &name, What::Dir);
            self.plan.nodes[parent].owner = owner;
            if level % 5 == 4 {
                let what = random_file(self.rng);
                let file = self.plan.push(Some(parent), b"file", what);
                let link = self
                    .plan
                    .push(Some(parent), b"link", What::Symlink(b"file".to_vec()));
                self.plan.nodes[file].owner = owner;
                self.plan.nodes[link].owner = owner;
            }
        }
    }
}

/// A file with holes at its beginning, in its middle and at its end, and with written zeros.
pub(crate) fn sparse_file(seed: u64) -> What {
    let noise = |offset, len| Piece {
        offset,
        len,
        noise: Some(seed ^ offset),
    };
    let zeros = |offset, len| Piece {
        offset,
        len,
        noise: None,
    };
    What::File {
        size: 3 << 20,
        pieces: vec![
            noise(512 << 10, 4096),
            noise(1 << 20, 70_000),
            zeros(3 << 19, 512 << 10),
            noise(2 << 20, 1),
        ],
    }
}

/// A random file: mostly small, sometimes with holes.
pub(crate) fn random_file(rng: &mut Rng) -> What {
    let noise = Some(rng.u64(..));
    let size = match rng.u8(..20) {
        0..=2 => 0,
        3..=10 => rng.u64(1..200),
        11..=15 => rng.u64(200..20_000),
        16..=17 => rng.u64(20_000..300_000),
        18 => return sparse_file(rng.u64(..)),
        _ => {
            // All of it is a hole but the last byte, or all of it.
            let size = rng.u64((256 << 10)..(1 << 20));
            let last = Piece {
                offset: size - 1,
                len: 1,
                noise,
            };
            return What::File {
                size,
                pieces: if rng.bool() { vec![last] } else { Vec::new() },
            };
        }
    };
    let whole = Piece {
        offset: 0,
        len: usize::try_from(size).unwrap_or(0),
        noise,
    };
    What::File {
        size,
        pieces: if size == 0 { Vec::new() } else { vec![whole] },
    }
}

/// Gives a node random permissions, owner, times and extended attributes.
pub(crate) fn decorate(rng: &mut Rng, plan: &mut Plan, index: usize, unprivileged: bool) {
    let node = &mut plan.nodes[index];
    let is_dir = matches!(node.what, What::Dir);
    let is_file = matches!(node.what, What::File { .. });
    let modes: &[u32] = match (is_dir, rng.u8(..4)) {
        (true, 0) => &[0, 0o555, 0o1777, 0o2775, 0o500, 0o311, 0o3770, 0o444],
        (true, _) => &[0o755, 0o700, 0o775, 0o711],
        (false, 0) => &[0, 0o4755, 0o2755, 0o6711, 0o1644, 0o7777, 0o200, 0o2644],
        (false, _) => &[0o644, 0o600, 0o755, 0o640, 0o444, 0o664],
    };
    node.mode = modes[rng.usize(..modes.len())];
    let ids = [0, NOBODY, 1000, 12_345];
    let usual = if unprivileged { NOBODY } else { 0 };
    let mut id = || {
        if rng.u8(..4) == 0 {
            ids[rng.usize(..ids.len())]
        } else {
            usual
        }
    };
    node.owner = (id(), id());
    node.modified = random_time(rng);
    node.accessed = random_time(rng);
    if rng.u8(..5) == 0 {
        if is_dir || is_file {
            node.xattrs.push((
                "user.random",
                rng.u64(..).to_le_bytes().repeat(rng.usize(..20)),
            ));
            node.xattrs.push((acl::ACCESS, acl::sample(rng.u32(..))));
        }
        if is_dir && rng.bool() {
            node.xattrs.push((acl::DEFAULT, acl::sample(rng.u32(..))));
        }
        if rng.bool() {
            node.xattrs.push(("trusted.random", vec![rng.u8(..)]));
        }
    }
}

/// A time that is nowhere near now.
pub(crate) fn random_time(rng: &mut Rng) -> Time {
    let sec = match rng.u8(..10) {
        0 => rng.i64(-1_500_000_000..0),
        1 => rng.i64(5_000_000_000..15_000_000_000),
        2 => 0,
        _ => rng.i64(300_000_000..1_600_000_000),
    };
    let nsec = if rng.u8(..4) == 0 {
        0
    } else {
        rng.u32(..1_000_000_000)
    };
    Time { sec, nsec }
}
