//! The methods of moving bytes, and each system's order of trying them.

use std::fmt;
use std::str::FromStr;

/// An operating system, as a value: a decision for one system can be tested on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Os {
    /// Linux, any distribution.
    Linux,
    /// macOS 10.13 and later.
    Macos,
    /// Windows 10 and later.
    Windows,
    /// FreeBSD, with [`Method::ReadWrite`] only.
    Freebsd,
}

impl Os {
    /// The methods of this system, in the order in which `auto` tries them (fastest first).
    pub const fn order(self) -> &'static [Method] {
        use Method::{Clone, CopyRange, Direct, ReadWrite, Sendfile, SystemCopy};
        match self {
            Os::Linux => &[Clone, CopyRange, Sendfile, Direct, ReadWrite],
            Os::Macos | Os::Windows => &[Clone, SystemCopy, Direct, ReadWrite],
            Os::Freebsd => &[ReadWrite],
        }
    }

    /// Whether, on this system, one call of the method creates the destination together with its content, so that it
    /// needs a free name and not an open file.
    pub(crate) const fn creates_destination(self, method: Method) -> bool {
        match self {
            Os::Linux | Os::Freebsd => false,
            Os::Macos => matches!(method, Method::Clone | Method::SystemCopy),
            Os::Windows => matches!(method, Method::SystemCopy),
        }
    }

    /// Whether one call waits until everything that was written to a volume is on stable storage (syncfs).
    pub(crate) const fn flushes_volumes(self) -> bool {
        matches!(self, Os::Linux)
    }
}

/// One way to move the bytes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
#[non_exhaustive]
pub enum Method {
    /// Shares the extents: FICLONE, FICLONERANGE, clonefile, FSCTL_DUPLICATE_EXTENTS_TO_FILE.
    Clone,
    /// The kernel or the file server copies: copy_file_range.
    CopyRange,
    /// The system's own file copier: copyfile(3), CopyFileExW.
    SystemCopy,
    /// The kernel splices pages from the page cache: sendfile.
    Sendfile,
    /// Bypasses the page cache: O_DIRECT, F_NOCACHE, FILE_FLAG_NO_BUFFERING.
    Direct,
    /// Portable buffered reads and writes; always possible.
    ReadWrite,
}

/// The counter of a report that a method's bytes are added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tally {
    /// Shared, not copied: only a clone call may claim this.
    Cloned,
    /// Copied by the kernel or a server, without passing through this process.
    Offloaded,
    /// Copied through this process's memory.
    Moved,
}

impl Method {
    /// Every method, of every system.
    pub const ALL: [Method; 6] = [
        Method::Clone,
        Method::CopyRange,
        Method::SystemCopy,
        Method::Sendfile,
        Method::Direct,
        Method::ReadWrite,
    ];

    /// The name used on the command line and in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Method::Clone => "clone",
            Method::CopyRange => "copy-range",
            Method::SystemCopy => "system-copy",
            Method::Sendfile => "sendfile",
            Method::Direct => "direct",
            Method::ReadWrite => "read-write",
        }
    }

    /// The counter of a report that this method's bytes are added to.
    pub const fn tally(self) -> Tally {
        match self {
            Method::Clone => Tally::Cloned,
            Method::CopyRange | Method::SystemCopy | Method::Sendfile => Tally::Offloaded,
            Method::Direct | Method::ReadWrite => Tally::Moved,
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Method {
    type Err = UnknownMethod;

    fn from_str(name: &str) -> Result<Method, UnknownMethod> {
        Method::ALL
            .into_iter()
            .find(|method| method.name() == name)
            .ok_or(UnknownMethod)
    }
}

/// The name is not that of a [`Method`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownMethod;

impl fmt::Display for UnknownMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unknown method; the methods are")?;
        for method in Method::ALL {
            write!(f, " {method}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UnknownMethod {}

/// A set of methods.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct MethodSet(u8);

impl MethodSet {
    /// The empty set.
    pub const EMPTY: MethodSet = MethodSet(0);

    /// The set with `method` added.
    #[must_use]
    pub const fn with(self, method: Method) -> MethodSet {
        MethodSet(self.0 | 1 << method as u8)
    }

    /// Whether `method` is in the set.
    pub const fn contains(self, method: Method) -> bool {
        self.0 & 1 << method as u8 != 0
    }

    /// Whether the set has no method.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The union of both sets.
    #[must_use]
    pub const fn union(self, other: MethodSet) -> MethodSet {
        MethodSet(self.0 | other.0)
    }

    /// The methods in the set, in the order of [`Method::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Method> {
        Method::ALL
            .into_iter()
            .filter(move |method| self.contains(*method))
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> MethodSet {
        MethodSet(bits)
    }
}

impl FromIterator<Method> for MethodSet {
    fn from_iter<I: IntoIterator<Item = Method>>(methods: I) -> MethodSet {
        methods.into_iter().fold(MethodSet::EMPTY, MethodSet::with)
    }
}

impl fmt::Debug for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// Why a method is not in the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Skip {
    /// The caller allows certain methods only.
    NotChosen,
    /// `Reflink::Never`: this method shares extents, or may do so.
    ReflinkNever,
    /// `Reflink::Always`: this method doesn't share extents.
    ReflinkAlways,
    /// The method would keep holes that are to be filled, or would not detect zeros that are to become holes.
    HolesPolicy,
    /// Source or destination is not a regular file, or the source's size is not that of its content.
    Stream,
    /// The method creates the destination, and the destination exists.
    DestinationExists,
    /// Source and destination are on two volumes.
    OtherVolume,
    /// The filesystem does not support it.
    VolumeCannot,
    /// It was refused earlier in this process, for this pair of volumes or for all.
    RefusedBefore,
    /// This kernel's implementation of the call corrupts data.
    BuggyKernel,
    /// Another method is cheaper for a file of this size.
    TooSmall,
    /// Another method is faster here.
    Slower,
    /// The content is to be hashed, and this method does not pass it through memory.
    BypassesHash,
    /// It fills the page cache, and the options forbid that.
    FillsCache,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Skip::NotChosen => "not among the chosen methods",
            Skip::ReflinkNever => "it may share data, which was forbidden",
            Skip::ReflinkAlways => "it doesn't clone, which was asked for",
            Skip::HolesPolicy => "it can't make the holes that are wanted, or fill them",
            Skip::Stream => "source or destination is not a regular file, or is empty",
            Skip::DestinationExists => "it makes its destination itself, and this one exists",
            Skip::OtherVolume => "source and destination are on different volumes",
            Skip::VolumeCannot => "the filesystem can't",
            Skip::RefusedBefore => "refused before between these volumes",
            Skip::BuggyKernel => "this kernel loses data with it",
            Skip::TooSmall => "another method is cheaper for a small file",
            Skip::Slower => "another method is faster here",
            Skip::BypassesHash => {
                "the content is to be hashed, and would have to be read again for that"
            }
            Skip::FillsCache => "it fills the page cache, which was forbidden",
        })
    }
}
