//! What stat(2) returns of a file, and which two files are one.

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
    /// Not known without asking (a directory entry whose filesystem doesn't say).
    Unknown,
}

/// A point in time: seconds since 1970 and nanoseconds, as files carry it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Timestamp {
    pub(crate) seconds: i64,
    pub(crate) nanos: u32,
}

impl Timestamp {
    /// The time of day.
    pub(crate) fn now() -> Timestamp {
        // A clock before 1970 makes it 1970.
        let since = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default();
        Timestamp {
            seconds: since.as_secs().cast_signed(),
            nanos: since.subsec_nanos(),
        }
    }
}

/// Names a file while its volume is mounted: (volume, inode). ReFS numbers its files with 128 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileId {
    pub(crate) volume: u64,
    pub(crate) inode: u128,
}

/// What stat tells.
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
    /// When anything about it was changed last: nobody can set that.
    pub(crate) changed: Timestamp,
    /// When it was made, where stat says so (not on Linux).
    pub(crate) created: Option<Timestamp>,
    /// The flags of chflags(1) or, on Windows, the file attributes, where stat says so (not on
    /// Linux).
    pub(crate) flags: Option<u32>,
}

/// Names that can neither be removed nor given to another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeptNames {
    None,
    /// The directory is append-only.
    All,
    /// The directory is another user's, and sticky: those of files that this user doesn't own.
    #[allow(dead_code)] // not every system has them
    OfOthers {
        uid: u32,
    },
}

impl KeptNames {
    /// Of a directory with these attributes, for a process of this user.
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
    /// Whether it tells files apart. A server that has no number to give (some FUSE servers) gives 0 to
    /// every file, and no filesystem means that number.
    pub(crate) const fn is_known(self) -> bool {
        self.inode != 0
    }
}

impl Stat {
    /// Whether both are of one file. Without a number that tells, whether they agree in everything that a
    /// read doesn't change: two files hardly changed at the same nanosecond.
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
