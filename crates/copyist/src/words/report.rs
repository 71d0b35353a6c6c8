//! What happened: built only from attempts that ran.

use std::time::Duration;

use arrayvec::ArrayVec;

use super::code::Code;
use super::facts::{FsKind, Known};
use super::hash::Hash;
use super::method::Skip;
use super::method::{Method, Tally};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It moved everything that was left.
    Done,
    /// The method doesn't serve here; the next one continues where this one stopped.
    Next(Code),
    /// A real error, not to be papered over by another method.
    Failed(Code),
}

/// One method that really ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub(crate) method: Method,
    pub(crate) offset: u64,
    pub(crate) bytes: u64,
    pub(crate) holes: u64,
    pub(crate) ended: Ended,
    pub(crate) why: Option<&'static str>,
    pub(crate) elapsed: Duration,
}

impl Attempt {
    /// An attempt that began with the file, for tests of what a program makes of a report.
    pub fn new(method: Method, ended: Ended, bytes: u64, holes: u64) -> Attempt {
        Attempt {
            method,
            offset: 0,
            bytes,
            holes,
            ended,
            why: None,
            elapsed: Duration::ZERO,
        }
    }

    /// The method.
    pub fn method(&self) -> Method {
        self.method
    }

    /// Where in the file it began, bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The bytes of data that it moved.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The bytes of holes that it passed over (kept as holes).
    pub fn holes(&self) -> u64 {
        self.holes
    }

    /// How it ended.
    pub fn ended(&self) -> Ended {
        self.ended
    }

    /// What is known about the code that it ended with: kernel, filesystem or bug. After
    /// [`Ended::Done`] by [`Method::Direct`]: which side went through the cache all the same, if its
    /// filesystem refuses direct I/O.
    pub fn why(&self) -> Option<&'static str> {
        self.why
    }

    /// How long it took.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// All attempts on one file; each method runs at most once.
pub(crate) type Attempts = ArrayVec<Attempt, { Method::ALL.len() }>;

/// The source changed while it was copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    pub(crate) size_before: u64,
    pub(crate) size_after: u64,
}

impl Changed {
    /// Its size when the copy began, bytes.
    pub fn size_before(&self) -> u64 {
        self.size_before
    }

    /// Its size when the copy ended, bytes.
    pub fn size_after(&self) -> u64 {
        self.size_after
    }
}

/// What would be tried for one file, and what that is decided from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    pub(crate) size: u64,
    pub(crate) src_kind: FsKind,
    pub(crate) dst_kind: FsKind,
    pub(crate) same_volume: Known,
    pub(crate) is_regular: bool,
    pub(crate) looks_sparse: bool,
    pub(crate) threads: usize,
    pub(crate) preallocates: bool,
    pub(crate) methods: Vec<Method>,
    pub(crate) skipped: Vec<(Method, Skip)>,
}

impl Planned {
    /// The source's size, bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The source's filesystem.
    pub fn src_kind(&self) -> FsKind {
        self.src_kind
    }

    /// The destination's filesystem.
    pub fn dst_kind(&self) -> FsKind {
        self.dst_kind
    }

    /// Whether they are on one volume.
    pub fn same_volume(&self) -> Known {
        self.same_volume
    }

    /// Source and destination are regular files.
    pub fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// The source has holes, or a compression that nobody tells of.
    pub fn looks_sparse(&self) -> bool {
        self.looks_sparse
    }

    /// How many threads would read and write.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// The destination's space would be reserved first.
    pub fn preallocates(&self) -> bool {
        self.preallocates
    }

    /// The methods, in the order of trying.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The methods that would not be tried, and why.
    pub fn skipped(&self) -> &[(Method, Skip)] {
        &self.skipped
    }
}

/// What was done for one file's data.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Report {
    pub(crate) attempts: Attempts,
    pub(crate) elapsed: Duration,
    pub(crate) resumed: u64,
    pub(crate) in_place: Option<Code>,
    pub(crate) changed: Option<Changed>,
    pub(crate) shared: Option<Result<u64, Code>>,
    pub(crate) hash: Option<Hash>,
    pub(crate) verified: bool,
    pub(crate) planned: Option<Box<Planned>>,
}

impl Report {
    /// The methods that ran, in order.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The time from opening the source to closing the destination.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Bytes that an earlier run had copied, and that were found to be right.
    pub fn resumed(&self) -> u64 {
        self.resumed
    }

    /// Set where [`crate::options::Atomic::BestEffort`] was no use, and the file was written in place: why.
    pub fn in_place(&self) -> Option<Code> {
        self.in_place
    }

    /// Set when the source changed during the copy.
    pub fn changed(&self) -> Option<Changed> {
        self.changed
    }

    /// With [`crate::Options::prove`]: the bytes that the filesystem says it keeps once for source
    /// and destination, whatever the method claimed; or the code with which it didn't tell.
    pub fn shared(&self) -> Option<Result<u64, Code>> {
        self.shared
    }

    /// The hash of the copy's content, where [`crate::Options::hash`] or `verify` asks for it. `None`
    /// if the copy could not be read back for it.
    #[cfg(feature = "hash")]
    pub fn hash(&self) -> Option<Hash> {
        self.hash
    }

    /// The copy was read back, and has that hash.
    pub fn verified(&self) -> bool {
        self.verified
    }

    /// What would be tried, after a dry run ([`crate::Copier::dry_run_operands`]); nothing was then.
    pub fn planned(&self) -> Option<&Planned> {
        self.planned.as_deref()
    }

    /// Bytes shared by a clone call. No other method ever claims this.
    pub fn cloned(&self) -> u64 {
        self.tally(Tally::Cloned)
    }

    /// Bytes copied by the kernel or a server.
    pub fn offloaded(&self) -> u64 {
        self.tally(Tally::Offloaded)
    }

    /// Bytes copied through memory.
    pub fn moved(&self) -> u64 {
        self.tally(Tally::Moved)
    }

    /// Bytes that are holes in the destination, and were not copied.
    pub fn holes(&self) -> u64 {
        sum(self.attempts.iter().map(|attempt| attempt.holes))
    }

    /// The length of what was copied: cloned + offloaded + moved + holes.
    pub fn bytes(&self) -> u64 {
        let attempts = self.attempts.iter();
        sum(attempts.map(|attempt| attempt.bytes.saturating_add(attempt.holes)))
    }

    /// The method that finished the copy, if data had to be copied.
    pub fn method(&self) -> Option<Method> {
        let last = self.attempts.last()?;
        (last.ended == Ended::Done).then_some(last.method)
    }

    fn tally(&self, tally: Tally) -> u64 {
        let attempts = self.attempts.iter();
        let of_tally = attempts.filter(|attempt| attempt.method.tally() == tally);
        sum(of_tally.map(|attempt| attempt.bytes))
    }
}

/// A sum of bytes. Two sparse files can be longer together than a `u64` counts: then it is the largest.
fn sum(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}

/// What was done for a whole run. Sums of bytes that are too large are [`u64::MAX`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// Regular files copied.
    pub files: u64,
    /// Directories made or merged into.
    pub dirs: u64,
    /// Hard links made, instead of a copy.
    pub links: u64,
    /// Symbolic links made.
    pub symlinks: u64,
    /// FIFOs, sockets and devices made.
    pub specials: u64,
    /// Entries left alone because the options said so (`--update`, `--no-clobber`).
    pub skipped: u64,
    /// The sum of [`Report::bytes`].
    pub bytes: u64,
    /// The sum of [`Report::cloned`].
    pub cloned: u64,
    /// The sum of [`Report::offloaded`].
    pub offloaded: u64,
    /// The sum of [`Report::moved`].
    pub moved: u64,
    /// The sum of [`Report::holes`].
    pub holes: u64,
    /// The sum of [`Report::shared`]; `None` where the filesystem told of no file.
    pub shared: Option<u64>,
    /// Failures.
    pub errors: u64,
    /// The time that the run took.
    pub elapsed: Duration,
}

fn add(total: &mut u64, more: u64) {
    *total = total.saturating_add(more);
}

impl Summary {
    pub(crate) fn add(&mut self, other: &Summary) {
        self.files += other.files;
        self.dirs += other.dirs;
        self.links += other.links;
        self.symlinks += other.symlinks;
        self.specials += other.specials;
        self.skipped += other.skipped;
        add(&mut self.bytes, other.bytes);
        add(&mut self.cloned, other.cloned);
        add(&mut self.offloaded, other.offloaded);
        add(&mut self.moved, other.moved);
        add(&mut self.holes, other.holes);
        self.add_shared(other.shared);
        self.errors += other.errors;
    }

    pub(crate) fn add_report(&mut self, report: &Report) {
        for attempt in &report.attempts {
            add(&mut self.bytes, attempt.bytes.saturating_add(attempt.holes));
            add(&mut self.holes, attempt.holes);
            let tally = match attempt.method.tally() {
                Tally::Cloned => &mut self.cloned,
                Tally::Offloaded => &mut self.offloaded,
                Tally::Moved => &mut self.moved,
            };
            add(tally, attempt.bytes);
        }
        self.add_shared(report.shared.and_then(Result::ok));
    }

    fn add_shared(&mut self, more: Option<u64>) {
        if let Some(more) = more {
            self.shared = Some(self.shared.unwrap_or(0).saturating_add(more));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three sparse files of the largest length.
    #[test]
    fn sums_that_are_too_large_are_the_largest_number() {
        let most = i64::MAX.cast_unsigned();
        let attempt = |method, bytes, holes| Attempt {
            method,
            offset: 0,
            bytes,
            holes,
            ended: Ended::Done,
            why: None,
            elapsed: Duration::ZERO,
        };
        let mut report = Report {
            shared: Some(Ok(most)),
            ..Report::default()
        };
        let methods = [Method::Clone, Method::CopyRange, Method::ReadWrite];
        for method in methods {
            report.attempts.push(attempt(method, most, most));
        }
        assert_eq!((report.bytes(), report.holes()), (u64::MAX, u64::MAX));
        assert_eq!((report.cloned(), report.moved()), (most, most));
        let mut summary = Summary::default();
        let mut total = Summary::default();
        for _ in 0..3 {
            summary.add_report(&report);
            total.add(&summary);
        }
        for it in [summary, total] {
            let sums = [it.bytes, it.cloned, it.offloaded, it.moved, it.holes];
            assert_eq!(sums, [u64::MAX; 5]);
            assert_eq!(it.shared, Some(u64::MAX));
        }
    }
}
