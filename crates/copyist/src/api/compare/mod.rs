//! Compares two trees: content and attributes, with several threads.
//!
//! All threads walk both trees, by open directories and without following links, and compare the entries. A large file
//! is compared in parts, by all threads that are free.

mod attributes;
mod files;
mod walk;

use std::collections::HashMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use self::walk::{Dirs, Job, Jobs};
use crate::run::buffers::{Aligned, PAGE_BYTES};
use crate::run::content::FlushedVolumes;
use crate::run::panics::PanicGuard;
use crate::system::native::Native;
use crate::system::{At, Open, Platform};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation};
use crate::words::facts::FsKind;
use crate::words::observer::CancelToken;
use crate::words::stat::{FileKind, Stat};

/// How much is compared at a time, bytes.
const CHUNK_BYTES: usize = 1 << 20;

/// The part of a large file that one thread compares, bytes.
const PART_BYTES: u64 = 64 << 20;

/// Options of a comparison: what is compared besides names, types and content.
///
/// ```
/// use std::path::Path;
/// use copyist::verify::{Compare, Difference, Found};
/// use copyist::{CancelToken, Error};
///
/// struct Print;
///
/// impl Found for Print {
///     fn difference(&self, path: &Path, difference: &Difference) {
///         println!("{}: {difference:?}", path.display());
///     }
///
///     fn error(&self, error: &Error) {
///         eprintln!("{error}");
///     }
/// }
///
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// # std::fs::write(&dst, "date")?;
/// let compared = Compare::default()
///     .times(false)
///     .run(&src, &dst, &CancelToken::new(), &Print);
/// assert_eq!((compared.files, compared.differences, compared.errors), (1, 1, 0));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Compare {
    /// Permission bits.
    pub mode: bool,
    /// Owner and group.
    pub owner: bool,
    /// Modification times, as precisely as the destination's filesystem stores them.
    pub times: bool,
    /// Extended attributes, including ACLs. An ACL of a type that only one side's filesystem has (NFSv4) is not a
    /// difference if it is equivalent to the permission bits.
    pub xattrs: bool,
    /// Read files from their devices, as far as the system allows the page cache to be bypassed.
    pub from_device: bool,
    /// The number of threads that compare; 0: [`Compare::usual_threads`].
    pub threads: usize,
}

impl Default for Compare {
    fn default() -> Compare {
        Compare {
            mode: true,
            owner: true,
            times: true,
            xattrs: true,
            from_device: true,
            threads: 0,
        }
    }
}

/// The minimum number of threads that read from devices: each waits for one request at a time, and most devices serve
/// several at once (docs/measurements.md).
const DEVICE_READERS: usize = 8;

impl Compare {
    /// The default number of threads: one for each processor, and at least eight if they read from devices.
    #[must_use]
    pub fn usual_threads(from_device: bool) -> usize {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        if from_device {
            processors.max(DEVICE_READERS)
        } else {
            processors
        }
    }

    /// Sets whether permission bits are compared.
    #[must_use]
    pub fn mode(mut self, mode: bool) -> Compare {
        self.mode = mode;
        self
    }

    /// Sets whether owner and group are compared.
    #[must_use]
    pub fn owner(mut self, owner: bool) -> Compare {
        self.owner = owner;
        self
    }

    /// Sets whether modification times are compared.
    #[must_use]
    pub fn times(mut self, times: bool) -> Compare {
        self.times = times;
        self
    }

    /// Sets whether extended attributes are compared.
    #[must_use]
    pub fn xattrs(mut self, xattrs: bool) -> Compare {
        self.xattrs = xattrs;
        self
    }

    /// Sets whether files are read from their devices.
    #[must_use]
    pub fn from_device(mut self, from_device: bool) -> Compare {
        self.from_device = from_device;
        self
    }

    /// Sets the number of threads that compare; 0: [`Compare::usual_threads`].
    #[must_use]
    pub fn threads(mut self, threads: usize) -> Compare {
        self.threads = threads;
        self
    }
}

/// A difference between a copy and its source. Where there are two values, the first is the source's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Difference {
    /// The source has it, the destination does not.
    Missing,
    /// The destination has it, the source does not.
    Extra,
    /// The file type.
    Kind(FileKind, FileKind),
    /// The length in bytes.
    Size(u64, u64),
    /// The content, from this offset (in bytes) on.
    Content(u64),
    /// The content does not have the expected hash.
    Hash,
    /// The target of a symbolic link.
    Target,
    /// The device number.
    Device,
    /// Permission bits.
    Mode(u32, u32),
    /// Owner and group.
    Owner((u32, u32), (u32, u32)),
    /// The modification time: seconds since 1970 and nanoseconds.
    Modified((i64, u32), (i64, u32)),
    /// An extended attribute.
    Xattr(String),
}

/// The totals of a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Compared {
    /// Regular files.
    pub files: u64,
    /// Directories.
    pub dirs: u64,
    /// Links and special files.
    pub others: u64,
    /// Bytes of the source, or of the destination; a sum that would overflow is [`u64::MAX`].
    pub bytes: u64,
    /// Differences.
    pub differences: u64,
    /// Entries that could not be compared.
    pub errors: u64,
}

/// Receives the results, from several threads.
pub trait Found: Sync {
    /// The entries with this path below both sides differ (empty: the two operands themselves).
    fn difference(&self, path: &Path, difference: &Difference);
    /// Something could not be compared.
    fn error(&self, error: &Error);
}

impl Compare {
    /// Compares `src` and `dst` with their content. If an operand is a symbolic link, it is followed.
    ///
    /// # Panics
    ///
    /// If a function of `found` panics; all threads have ended then.
    pub fn run(
        &self,
        src: impl AsRef<Path>,
        dst: impl AsRef<Path>,
        cancel: &CancelToken,
        found: &dyn Found,
    ) -> Compared {
        let sides = (src.as_ref(), dst.as_ref());
        run(&Native::new(), self, sides, cancel, found)
    }
}

/// The state that all threads of a run share.
struct Session<'a, P: Platform> {
    platform: &'a P,
    compare: &'a Compare,
    sides: (&'a Path, &'a Path),
    cancel: &'a CancelToken,
    found: &'a dyn Found,
    counts: Counts,
    /// The filesystem of each volume that was found; `None` if it can't be queried.
    kinds: Mutex<HashMap<u64, Option<FsKind>>>,
    flushed: FlushedVolumes,
}

/// What a thread reads into, for each side.
type Buffers = [Aligned; 2];

#[derive(Default)]
struct Counts {
    files: AtomicU64,
    dirs: AtomicU64,
    others: AtomicU64,
    bytes: AtomicU64,
    differences: AtomicU64,
    errors: AtomicU64,
}

/// Two open files of one path.
struct Files<P: Platform> {
    path: PathBuf,
    src: P::Handle,
    dst: P::Handle,
    /// The length of both; `None` where stat does not prove it, so that they end where reads return 0.
    size: Option<u64>,
    /// The offset of the first difference; the largest value if there is none yet.
    first: AtomicU64,
    /// Both have holes, and their filesystems' maps of them are reliable.
    have_holes: bool,
    /// The number of parts not compared yet, plus one while parts are queued.
    left: AtomicUsize,
}

pub(crate) fn run<P: Platform>(
    platform: &P,
    compare: &Compare,
    sides: (&Path, &Path),
    cancel: &CancelToken,
    found: &dyn Found,
) -> Compared {
    let guard = PanicGuard::new(found, cancel);
    let session = Session {
        platform,
        compare,
        sides,
        cancel: guard.cancel(),
        found: &guard,
        counts: Counts::default(),
        kinds: Mutex::default(),
        flushed: FlushedVolumes::default(),
    };
    let threads = match compare.threads {
        0 => Compare::usual_threads(compare.from_device),
        threads => threads,
    };
    let jobs = Jobs::new(vec![Job::Operands], threads, 1);
    let buffers = || [0, 1].map(|_| Aligned::new(CHUNK_BYTES, PAGE_BYTES));
    jobs.run(platform, &buffers, &|buffers, job| {
        if !guard.cancel().is_cancelled() {
            guard.catch((), || session.job(job, &jobs, buffers));
        }
    });
    let compared = session.counts.sum();
    guard.resume();
    compared
}

impl Counts {
    fn sum(&self) -> Compared {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Compared {
            files: get(&self.files),
            dirs: get(&self.dirs),
            others: get(&self.others),
            bytes: get(&self.bytes),
            differences: get(&self.differences),
            errors: get(&self.errors),
        }
    }
}

impl<P: Platform> Session<'_, P> {
    fn tell(&self, path: &Path, difference: &Difference) {
        self.counts.differences.fetch_add(1, Ordering::Relaxed);
        self.found.difference(path, difference);
    }

    fn fail(&self, path: &Path, operation: Operation, code: Code) {
        self.counts.errors.fetch_add(1, Ordering::Relaxed);
        // Not `join`, which would append a slash to the name of a file.
        let below = |side: &Path| match path.as_os_str().is_empty() {
            true => side.to_path_buf(),
            false => side.join(path),
        };
        let error = Error::new(self.platform.os(), operation, Cause::System(code))
            .with_paths(Some(below(self.sides.0)), Some(below(self.sides.1)));
        self.found.error(&error);
    }

    fn open_dirs(
        &self,
        dir: &Dirs<P>,
        path: PathBuf,
        names: (&OsStr, &OsStr),
        follow: bool,
    ) -> Option<Dirs<P>> {
        self.counts.dirs.fetch_add(1, Ordering::Relaxed);
        let how = Open::Directory { follow };
        let (src, dst) = self.open(dir, &path, names, how)?;
        Some(Dirs { path, src, dst })
    }

    fn open(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        names: (&OsStr, &OsStr),
        how: Open,
    ) -> Option<(P::Handle, P::Handle)> {
        let open = |dir, name, operation| {
            let opened = self.platform.open(At { dir, name }, how);
            opened.map_err(|code| self.fail(path, operation, code)).ok()
        };
        let src = open(&dir.src, names.0, Operation::OpenSource)?;
        let dst = open(&dir.dst, names.1, Operation::Verify)?;
        Some((src, dst))
    }

    fn stats(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        names: (&OsStr, &OsStr),
        follow: bool,
    ) -> Option<(Stat, Stat)> {
        let stat = |dir, name, operation| {
            let stat = self.platform.stat(At { dir, name }, follow);
            stat.map_err(|code| self.fail(path, operation, code)).ok()
        };
        let src = stat(&dir.src, names.0, Operation::StatSource)?;
        let dst = stat(&dir.dst, names.1, Operation::StatDestination)?;
        Some((src, dst))
    }

    /// Whether `holds` is true for the filesystems of both files.
    fn both(
        &self,
        stats: &(Stat, Stat),
        files: [&P::Handle; 2],
        holds: fn(FsKind) -> bool,
    ) -> bool {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        [stats.0, stats.1].iter().zip(files).all(|(stat, file)| {
            let kind = kinds
                .entry(stat.id.volume)
                .or_insert_with(|| self.platform.volume(file).ok().map(|it| it.kind));
            kind.is_some_and(holds)
        })
    }

    /// Compares two entries, of which at least one is no directory.
    fn entry(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        names: (&OsStr, &OsStr),
        stats: (Stat, Stat),
        (jobs, buffers): (&Jobs<P>, &mut Buffers),
    ) {
        let (src, dst) = &stats;
        if src.kind != dst.kind {
            self.tell(path, &Difference::Kind(src.kind, dst.kind));
            return;
        }
        self.attributes_by_name(dir, path, names, &stats);
        if src.kind != FileKind::Regular {
            self.counts.others.fetch_add(1, Ordering::Relaxed);
            self.other(dir, path, names, &stats);
            return;
        }
        // An operand may be a symbolic link.
        let how = Open::Read {
            follow: path.as_os_str().is_empty(),
        };
        match self.open(dir, path, names, how) {
            Some(files) => self.content(path, &stats, files, (jobs, buffers)),
            None => self.count_file(),
        }
    }

    fn count_file(&self) {
        self.counts.files.fetch_add(1, Ordering::Relaxed);
    }

    /// Compares the content of two open files; parts of large ones become jobs.
    fn content(
        &self,
        path: &Path,
        stats: &(Stat, Stat),
        (src, dst): (P::Handle, P::Handle),
        (jobs, buffers): (&Jobs<P>, &mut Buffers),
    ) {
        self.count_file();
        let are_sound = self.both(stats, [&src, &dst], FsKind::stat_size_is_sound);
        if are_sound && stats.0.size != stats.1.size {
            self.tell(path, &Difference::Size(stats.0.size, stats.1.size));
            return;
        }
        let is_sparse = |stat: &Stat| stat.allocated_bytes < stat.size;
        let have_holes = are_sound
            && is_sparse(&stats.0)
            && is_sparse(&stats.1)
            && self.both(stats, [&src, &dst], FsKind::hole_map_is_sound);
        if self.compare.from_device {
            for (file, stat) in [(&src, &stats.0), (&dst, &stats.1)] {
                let volume = stat.id.volume;
                self.flushed.leave_cache(self.platform, file, volume);
            }
        }
        let files = Arc::new(Files {
            path: path.to_path_buf(),
            src,
            dst,
            size: are_sound.then_some(stats.0.size),
            have_holes,
            first: AtomicU64::new(u64::MAX),
            left: AtomicUsize::new(1),
        });
        let is_large = files.size.is_some_and(|size| size > PART_BYTES);
        self.each_part(&files, |start| {
            let is_queued = is_large && jobs.push(Job::Part(Arc::clone(&files), start)).is_none();
            if !is_queued {
                self.part(&files, start, buffers);
            }
        });
    }
}

#[cfg(feature = "verify")]
impl Found for PanicGuard<'_, dyn Found + '_> {
    fn difference(&self, path: &Path, difference: &Difference) {
        self.call((), |it| it.difference(path, difference));
    }

    fn error(&self, error: &Error) {
        self.call((), |it| it.error(error));
    }
}
