//! What stat(2) returns of a file, and when two results are of one file.

use std::time::SystemTime;

/// The type of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are the documentation
pub enum FileKind {
    Regular,
    Directory,
    Symlink,
    Fifo,
    Socket,
    CharDevice,
    BlockDevice,
    /// Not known until stat is called (a directory entry whose filesystem doesn't report the type).
    Unknown,
}

/// A point in time, as filesystems store it: seconds since 1970 and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Timestamp {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Timestamp {
    /// The current time.
    pub(crate) fn now() -> Timestamp {
        // A clock before 1970 counts as 1970.
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp {
            seconds: since.as_secs().cast_signed(),
            nanos: since.subsec_nanos(),
        }
    }
}

/// Identifies a file while its volume is mounted: (volume, inode). ReFS has 128-bit file IDs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId {
    pub(crate) volume: u64,
    pub(crate) inode: u128,
}

/// The result of stat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) id: FileId,
    pub(crate) kind: FileKind,
    /// Permission, set-id and sticky bits (07777).
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    pub(crate) size: u64,
    pub(crate) allocated_bytes: u64,
    pub(crate) links: u64,
    pub(crate) device: u64,
    pub(crate) accessed: Timestamp,
    pub(crate) modified: Timestamp,
    /// The time of the last change of the inode (ctime), which no process can set.
    pub(crate) changed: Timestamp,
    /// The time of creation, where stat reports it (not on Linux).
    pub(crate) created: Option<Timestamp>,
    /// The flags of chflags(1) or, on Windows, the file attributes, where stat reports them (not on Linux).
    pub(crate) flags: Option<u32>,
}

/// Which names of a directory can neither be removed nor be given to another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeptNames {
    None,
    /// All: the directory is append-only.
    All,
    /// The names of files that this user doesn't own: the directory is another user's and sticky.
    #[allow(dead_code)] // not every system has them
    OfOthers {
        uid: u32,
    },
}

impl KeptNames {
    /// For a directory with these attributes and a process of this user.
    #[allow(dead_code)] // as above
    pub(crate) fn new(
        is_append_only: bool,
        (mode, owner): (u32, u32),
        uid: Option<u32>,
    ) -> KeptNames {
        match uid {
            _ if is_append_only => KeptNames::All,
            Some(uid) if mode & 0o1000 != 0 && owner != uid => KeptNames::OfOthers { uid },
            _ => KeptNames::None,
        }
    }

    /// Whether a name of this file is among them.
    pub(crate) fn has(self, file: &Stat) -> bool {
        match self {
            KeptNames::None => false,
            KeptNames::All => true,
            KeptNames::OfOthers { uid } => file.uid != uid,
        }
    }
}

impl FileId {
    /// Whether the number distinguishes files. A server without file numbers (some FUSE servers) returns 0 for every
    /// file, and no filesystem uses 0 for a file.
    pub(crate) const fn is_known(self) -> bool {
        self.inode != 0
    }
}

impl Stat {
    /// Whether both are of one file. Without a usable inode number: whether everything that a read doesn't change is
    /// equal, since two files hardly ever change in the same nanosecond.
    pub(crate) fn is_same_file(&self, other: &Stat) -> bool {
        let known = self.id.is_known();
        self.id == other.id
            && (known
                || *self
                    == Stat {
                        accessed: self.accessed,
                        ..*other
                    })
    }
}
