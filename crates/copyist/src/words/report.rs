//! Reports of what was done: built only from attempts that ran.

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
    /// It moved all the data that was left.
    Done,
    /// The method can't be used here; the next one continues where this one stopped.
    Next(Code),
    /// A real error, which another method must not hide.
    Failed(Code),
}

/// A method that was tried.
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
    /// An attempt from the start of the file, for tests of code that reads reports.
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

    /// The position in the file at which it began, in bytes.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The number of bytes of data that it moved.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of bytes in holes that it skipped (they remain holes).
    pub fn holes(&self) -> u64 {
        self.holes
    }

    /// How it ended.
    pub fn ended(&self) -> Ended {
        self.ended
    }

    /// The known explanation of the code that it ended with: kernel, filesystem or bug. After [`Ended::Done`] by
    /// [`Method::Direct`]: the side that went through the page cache, if its filesystem refuses direct I/O.
    pub fn why(&self) -> Option<&'static str> {
        self.why
    }

    /// The time that it took; 0 unless the observer wants times.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }
}

/// All attempts on one file; each method is tried at most once.
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

/// The plan for one file, and the facts that it is based on.
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
    /// The source's size, in bytes.
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

    /// Whether both are on one volume.
    pub fn same_volume(&self) -> Known {
        self.same_volume
    }

    /// Whether source and destination are regular files.
    pub fn is_regular(&self) -> bool {
        self.is_regular
    }

    /// Whether the source has holes, or transparent compression that stat does not report.
    pub fn looks_sparse(&self) -> bool {
        self.looks_sparse
    }

    /// The number of threads that would read and write.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// Whether the destination's space would be reserved first.
    pub fn preallocates(&self) -> bool {
        self.preallocates
    }

    /// The methods, in the order in which they would be tried.
    pub fn methods(&self) -> &[Method] {
        &self.methods
    }

    /// The methods that would not be tried, each with the reason.
    pub fn skipped(&self) -> &[(Method, Skip)] {
        &self.skipped
    }
}

/// How one file's data was copied.
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
    /// The methods that were tried, in order.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// The time from opening the source to closing the destination.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// The number of bytes that an earlier run had copied and that were checked and kept.
    pub fn resumed(&self) -> u64 {
        self.resumed
    }

    /// The error code for which [`crate::options::Atomic::BestEffort`] wrote the file in place; `None` if it did not.
    pub fn in_place(&self) -> Option<Code> {
        self.in_place
    }

    /// Present if the source changed during the copy.
    pub fn changed(&self) -> Option<Changed> {
        self.changed
    }

    /// With [`crate::Options::prove`]: the number of bytes that the filesystem reports as shared between source and
    /// destination, independent of the method; or the error code of that query.
    pub fn shared(&self) -> Option<Result<u64, Code>> {
        self.shared
    }

    /// The hash of the copy's content, with [`crate::Options::hash`] or [`crate::Options::verify`]. `None` if the
    /// copy could not be read back to compute it.
    #[cfg(feature = "hash")]
    pub fn hash(&self) -> Option<Hash> {
        self.hash
    }

    /// Whether the copy was read back and has that hash.
    pub fn verified(&self) -> bool {
        self.verified
    }

    /// The plan, after a dry run ([`crate::Copier::dry_run_operands`]), which copies nothing.
    pub fn planned(&self) -> Option<&Planned> {
        self.planned.as_deref()
    }

    /// The number of bytes that a clone call shares with the source. No other method is counted here.
    pub fn cloned(&self) -> u64 {
        self.tally(Tally::Cloned)
    }

    /// The number of bytes copied by the kernel or a server.
    pub fn offloaded(&self) -> u64 {
        self.tally(Tally::Offloaded)
    }

    /// The number of bytes copied through this process's memory.
    pub fn moved(&self) -> u64 {
        self.tally(Tally::Moved)
    }

    /// The number of bytes that are holes in the destination and were not copied.
    pub fn holes(&self) -> u64 {
        sum(self.attempts.iter().map(|attempt| attempt.holes))
    }

    /// The length of what was copied: cloned + offloaded + moved + holes.
    pub fn bytes(&self) -> u64 {
        let attempts = self.attempts.iter();
        sum(attempts.map(|attempt| attempt.bytes.saturating_add(attempt.holes)))
    }

    /// The method that finished the copy; `None` if no data had to be copied.
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

/// A sum of bytes. Two sparse files together can be longer than `u64::MAX`: the sum is then `u64::MAX`.
fn sum(bytes: impl Iterator<Item = u64>) -> u64 {
    bytes.fold(0, u64::saturating_add)
}

/// The totals of a run. A sum of bytes that would overflow is [`u64::MAX`].
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Summary {
    /// Regular files copied.
    pub files: u64,
    /// Directories created, or existing ones that were merged into.
    pub dirs: u64,
    /// Hard links created instead of a copy.
    pub links: u64,
    /// Symbolic links created.
    pub symlinks: u64,
    /// FIFOs, sockets and devices created.
    pub specials: u64,
    /// Entries skipped as the options demand (`--update`, `--no-clobber`).
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
    /// The sum of [`Report::shared`]; `None` if the filesystem reported it for no file.
    pub shared: Option<u64>,
    /// Failures.
    pub errors: u64,
    /// The duration of the run.
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
