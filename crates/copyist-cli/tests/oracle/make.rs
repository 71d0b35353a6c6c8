//! Makes a planned tree on a real filesystem, and says which features it could make there.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

use rustix::fs::{
    AtFlags, FileType, Gid, Mode, OFlags, StatxFlags, Timespec, Timestamps, Uid, XattrFlags,
    chmodat, chownat, linkat, lsetxattr, makedev, mkdirat, mknodat, openat, statx, symlinkat,
    utimensat,
};
use rustix::io::Errno;

use super::plan::{Node, Piece, Plan, Time, What};
use super::{Fallible, acl};

/// What a tree can have that a filesystem, or an unprivileged user, might not support.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names say it")]
pub(crate) enum Feature {
    NameNewline,
    NameNotUtf8,
    Name255,
    PathOverMax,
    EmptyFile,
    Hole,
    HardLink,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
    ModeNone,
    Setuid,
    Sticky,
    ReadOnlyDir,
    Owner,
    TimeNanoseconds,
    TimeBefore1970,
    TimeFarFuture,
    XattrUser,
    XattrTrusted,
    XattrCapability,
    AclAccess,
    AclDefault,
}

impl Feature {
    /// All of them: what a filesystem of Linux's own gives to root.
    pub(crate) const ALL: [Self; 25] = [
        Self::NameNewline,
        Self::NameNotUtf8,
        Self::Name255,
        Self::PathOverMax,
        Self::EmptyFile,
        Self::Hole,
        Self::HardLink,
        Self::Symlink,
        Self::Fifo,
        Self::Socket,
        Self::CharDevice,
        Self::BlockDevice,
        Self::ModeNone,
        Self::Setuid,
        Self::Sticky,
        Self::ReadOnlyDir,
        Self::Owner,
        Self::TimeNanoseconds,
        Self::TimeBefore1970,
        Self::TimeFarFuture,
        Self::XattrUser,
        Self::XattrTrusted,
        Self::XattrCapability,
        Self::AclAccess,
        Self::AclDefault,
    ];
}

/// The features that were made.
pub(crate) type Features = BTreeSet<Feature>;

/// Makes trees below one open directory.
struct Maker<'a> {
    plan: &'a Plan,
    root: &'a OwnedFd,
    dirs: Vec<Option<OwnedFd>>,
    made: Vec<bool>,
    features: Features,
}

/// Makes every node of the plan below `root`; what the filesystem refuses is left out.
pub(crate) fn make(root: &OwnedFd, plan: &Plan) -> Fallible<Features> {
    let count = plan.nodes.len();
    let dirs = std::iter::repeat_with(|| None).take(count).collect();
    let mut maker = Maker {
        plan,
        root,
        dirs,
        made: vec![false; count],
        features: Features::new(),
    };
    for index in 0..count {
        let made = maker.create(index);
        maker.made[index] = made.map_err(|error| maker.explain(index, "create", &error))?;
    }
    // Children before parents, so that a directory's times are not touched again.
    for index in (0..count).rev() {
        let done = maker.dress(index);
        done.map_err(|error| maker.explain(index, "set attributes of", &error))?;
    }
    Ok(maker.features)
}

/// True when the filesystem, or a lack of privilege, refuses: the node or attribute is then left out.
fn is_refusal(error: Errno) -> bool {
    let refusals = [
        Errno::PERM,
        Errno::ACCESS,
        Errno::OPNOTSUPP,
        Errno::INVAL,
        Errno::NOSYS,
        Errno::ILSEQ,
    ];
    let limits = [
        Errno::EXIST,
        Errno::NAMETOOLONG,
        Errno::TOOBIG,
        Errno::RANGE,
    ];
    refusals.contains(&error) || limits.contains(&error)
}

/// Turns a refusal into `false`.
fn unless_refused(outcome: Result<(), Errno>) -> io::Result<bool> {
    match outcome {
        Ok(()) => Ok(true),
        Err(error) if is_refusal(error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

impl Maker<'_> {
    fn explain(&self, index: usize, doing: &str, error: &io::Error) -> String {
        let path = self.plan.path(index);
        format!("cannot {doing} {}: {error}", path.escape_ascii())
    }

    /// The open directory that holds a node, if it was made.
    fn dir_of(&self, node: &Node) -> Option<&OwnedFd> {
        match node.parent {
            None => Some(self.root),
            Some(parent) => self.dirs[parent].as_ref(),
        }
    }

    /// Creates one node with no attributes yet; false when the filesystem refuses it.
    fn create(&mut self, index: usize) -> io::Result<bool> {
        let node = &self.plan.nodes[index];
        let Some(dir) = self.dir_of(node) else {
            return Ok(false);
        };
        let name = node.name.as_slice();
        let (user, open) = (Mode::RUSR | Mode::WUSR, OFlags::CLOEXEC | OFlags::NOFOLLOW);
        let special = |kind, major, minor| mknodat(dir, name, kind, user, makedev(major, minor));
        let made = match &node.what {
            What::Dir => mkdirat(dir, name, Mode::RWXU),
            What::Symlink(target) => symlinkat(target.as_slice(), dir, name),
            What::Fifo => special(FileType::Fifo, 0, 0),
            What::Socket => special(FileType::Socket, 0, 0),
            What::Char(major, minor) => special(FileType::CharacterDevice, *major, *minor),
            What::Block(major, minor) => special(FileType::BlockDevice, *major, *minor),
            What::File { size, pieces } => openat(
                dir,
                name,
                open | OFlags::RDWR | OFlags::CREATE | OFlags::EXCL,
                user,
            )
            .and_then(|file| fill(file, *size, pieces)),
            What::HardLink(first) => self.link(*first, dir, name),
        };
        let made = unless_refused(made)?;
        if made && matches!(node.what, What::Dir) {
            let fd = openat(
                dir,
                name,
                open | OFlags::RDONLY | OFlags::DIRECTORY,
                Mode::empty(),
            )?;
            self.dirs[index] = Some(fd);
        }
        if made {
            self.note_node(index);
        }
        Ok(made)
    }

    fn link(&self, first: usize, dir: &OwnedFd, name: &[u8]) -> Result<(), Errno> {
        let node = &self.plan.nodes[first];
        match self.dir_of(node) {
            Some(from) if self.made[first] => {
                linkat(from, node.name.as_slice(), dir, name, AtFlags::empty())
            }
            _ => Err(Errno::OPNOTSUPP),
        }
    }

    /// Notes the features that a node has by its name, its place and its type.
    fn note_node(&mut self, index: usize) {
        let node = &self.plan.nodes[index];
        let by_name = [
            (node.name.contains(&b'\n'), Feature::NameNewline),
            (
                std::str::from_utf8(&node.name).is_err(),
                Feature::NameNotUtf8,
            ),
            (node.name.len() == 255, Feature::Name255),
            (self.plan.path(index).len() > 4096, Feature::PathOverMax),
        ];
        self.features.extend(
            by_name
                .iter()
                .filter(|(has, _)| *has)
                .map(|(_, feature)| *feature),
        );
        let by_type = match &node.what {
            What::File { size: 0, .. } => Feature::EmptyFile,
            What::HardLink(_) => Feature::HardLink,
            What::Symlink(_) => Feature::Symlink,
            What::Fifo => Feature::Fifo,
            What::Socket => Feature::Socket,
            What::Char(..) => Feature::CharDevice,
            What::Block(..) => Feature::BlockDevice,
            What::File { size, pieces } if *size > 1 << 20 && self.has_hole(node, pieces) => {
                Feature::Hole
            }
            What::File { .. } | What::Dir => return,
        };
        self.features.insert(by_type);
    }

    /// True when the file's planned hole is one that the filesystem reports.
    fn has_hole(&self, node: &Node, pieces: &[Piece]) -> bool {
        let dir = self.dir_of(node).expect("its directory was made");
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let Ok(file) = openat(dir, node.name.as_slice(), flags, Mode::empty()) else {
            return false;
        };
        let data = rustix::fs::seek(&file, rustix::fs::SeekFrom::Data(0));
        pieces
            .first()
            .is_some_and(|piece| data.is_ok_and(|at| at > 0 && at <= piece.offset))
    }

    /// Gives a node its owner, mode, extended attributes and times, as far as the filesystem has them.
    fn dress(&mut self, index: usize) -> io::Result<()> {
        let node = &self.plan.nodes[index];
        if !self.made[index] || matches!(node.what, What::HardLink(_)) {
            return Ok(());
        }
        let Some(dir) = self.dir_of(node) else {
            return Ok(());
        };
        let (name, mut features) = (node.name.as_slice(), Features::new());
        let (user, group) = (Uid::from_raw(node.owner.0), Gid::from_raw(node.owner.1));
        if unless_refused(chownat(
            dir,
            name,
            Some(user),
            Some(group),
            AtFlags::SYMLINK_NOFOLLOW,
        ))? && node.owner.0 != 0
        {
            features.insert(Feature::Owner);
        }
        if !matches!(node.what, What::Symlink(_))
            && unless_refused(chmodat(
                dir,
                name,
                Mode::from_raw_mode(node.mode),
                AtFlags::empty(),
            ))?
        {
            features.extend(mode_features(node));
        }
        // Through /proc, because there is no setxattrat before Linux 6.13, and these paths may be too long.
        let mut path = format!("/proc/self/fd/{}/", dir.as_raw_fd()).into_bytes();
        path.extend(name);
        for (attr, value) in &node.xattrs {
            let set = lsetxattr(path.as_slice(), *attr, value, XattrFlags::empty());
            let set = if set == Err(Errno::NOSPC) {
                Ok(false)
            } else {
                unless_refused(set)
            };
            if set? {
                features.extend(xattr_feature(attr));
            }
        }
        let stamp = |time: Time| Timespec {
            tv_sec: time.sec,
            tv_nsec: time.nsec.into(),
        };
        let times = Timestamps {
            last_access: stamp(node.accessed),
            last_modification: stamp(node.modified),
        };
        utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)?;
        let now = statx(dir, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::MTIME)?.stx_mtime;
        if (now.tv_sec, now.tv_nsec) == (node.modified.sec, node.modified.nsec) {
            features.extend(time_features(node.modified));
        }
        self.features.extend(features);
        Ok(())
    }
}

fn mode_features(node: &Node) -> Option<Feature> {
    match (node.mode, &node.what) {
        (0, _) => Some(Feature::ModeNone),
        (0o4755, _) => Some(Feature::Setuid),
        (0o1777, What::Dir) => Some(Feature::Sticky),
        (0o555, What::Dir) => Some(Feature::ReadOnlyDir),
        _ => None,
    }
}

fn xattr_feature(name: &str) -> Option<Feature> {
    match name {
        acl::ACCESS => Some(Feature::AclAccess),
        acl::DEFAULT => Some(Feature::AclDefault),
        "security.capability" => Some(Feature::XattrCapability),
        _ if name.starts_with("trusted.") => Some(Feature::XattrTrusted),
        _ if name.starts_with("user.") => Some(Feature::XattrUser),
        _ => None,
    }
}

fn time_features(time: Time) -> impl Iterator<Item = Feature> {
    let found = [
        (!time.nsec.is_multiple_of(1000), Feature::TimeNanoseconds),
        (time.sec < 0, Feature::TimeBefore1970),
        (time.sec > 4_294_967_295, Feature::TimeFarFuture),
    ];
    found
        .into_iter()
        .filter(|(has, _)| *has)
        .map(|(_, feature)| feature)
}

/// Writes a file's pieces and gives it its size.
fn fill(file: OwnedFd, size: u64, pieces: &[Piece]) -> Result<(), Errno> {
    let file = std::fs::File::from(file);
    let write = || -> io::Result<()> {
        file.set_len(size)?;
        for piece in pieces {
            let mut bytes = vec![0; piece.len];
            if let Some(seed) = piece.noise {
                fastrand::Rng::with_seed(seed).fill(&mut bytes);
            }
            file.write_all_at(&bytes, piece.offset)?;
        }
        Ok(())
    };
    write().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))
}
