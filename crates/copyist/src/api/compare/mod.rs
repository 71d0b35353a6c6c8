//! Compares two trees: content and attributes, with several threads.
//!
//! One thread walks both trees, by open directories and without following links; the others compare the entries. A
//! large file is compared in parts, by all threads that are free.

mod attributes;
mod files;

use std::collections::{BTreeSet, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::run::buffers::{Aligned, PAGE_BYTES};
use crate::run::content;
use crate::run::panics::PanicGuard;
use crate::system::native::Native;
use crate::system::{At, Batch, Open, Platform, Sys, start_dir};
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
}

#[derive(Default)]
struct Counts {
    files: AtomicU64,
    dirs: AtomicU64,
    others: AtomicU64,
    bytes: AtomicU64,
    differences: AtomicU64,
    errors: AtomicU64,
}

/// Two open directories of one path.
struct Dirs<P: Platform> {
    path: PathBuf,
    src: P::Handle,
    dst: P::Handle,
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

/// Something to compare.
enum Job<P: Platform> {
    Entry(Arc<Dirs<P>>, OsString),
    Part(Arc<Files<P>>, u64),
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
    };
    let threads = match compare.threads {
        0 => Compare::usual_threads(compare.from_device),
        threads => threads,
    };
    let (jobs, next) = sync_channel(4 * threads);
    let next = Arc::new(Mutex::new(next));
    thread::scope(|scope| {
        for _ in 0..threads {
            let (session, guard, next) = (&session, &guard, Arc::clone(&next));
            scope.spawn(move || guard.catch((), || session.work(&next)));
        }
        // The channel is closed when the last of them is dropped, also by a panic.
        drop(next);
        guard.catch((), || session.walk(&jobs));
        drop(jobs);
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

    /// Walks both trees; entries that exist on both sides are queued for the other threads.
    fn walk(&self, jobs: &SyncSender<Job<P>>) {
        let Some(top) = self.top(jobs) else { return };
        let mut dirs = vec![top];
        while let Some(dir) = dirs.pop() {
            if self.cancel.is_cancelled() {
                return;
            }
            let names = [
                (&dir.src, Operation::ReadDirectory),
                (&dir.dst, Operation::OpenDestination),
            ]
            .map(|(side, operation)| {
                self.names(side)
                    .map_err(|code| self.fail(&dir.path, operation, code))
                    .ok()
            });
            let [Some(src), Some(dst)] = names else {
                continue;
            };
            for name in src.difference(&dst) {
                self.tell(&dir.path.join(name), &Difference::Missing);
            }
            for name in dst.difference(&src) {
                self.tell(&dir.path.join(name), &Difference::Extra);
            }
            let dir = Arc::new(dir);
            for name in src.intersection(&dst) {
                if self.cancel.is_cancelled() {
                    return;
                }
                dirs.extend(self.down(&dir, name, jobs));
            }
        }
    }

    /// The two operands, if they are directories.
    fn top(&self, jobs: &SyncSender<Job<P>>) -> Option<Dirs<P>> {
        let path = Path::new("");
        let start = |side| start_dir(self.platform, [side]);
        let (src, dst) = match (start(self.sides.0), start(self.sides.1)) {
            (Ok(src), Ok(dst)) => (src, dst),
            (Err(code), _) | (_, Err(code)) => {
                self.fail(path, Operation::OpenDirectory, code);
                return None;
            }
        };
        let here = Dirs {
            path: PathBuf::new(),
            src,
            dst,
        };
        let names = (self.sides.0.as_os_str(), self.sides.1.as_os_str());
        let stats = self.stats(&here, path, names, true)?;
        if stats.0.kind != FileKind::Directory || stats.1.kind != FileKind::Directory {
            self.entry(&here, path, names, stats, Some(jobs));
            return None;
        }
        self.attributes(&here, path, names, &stats);
        self.open_dirs(&here, path.to_path_buf(), names, true)
    }

    fn names(&self, dir: &P::Handle) -> Sys<BTreeSet<OsString>> {
        let (mut names, mut batch, mut buffer) = (BTreeSet::new(), Batch::default(), Vec::new());
        loop {
            self.platform.read_dir(dir, &mut buffer, &mut batch)?;
            if batch.is_empty() {
                return Ok(names);
            }
            names.extend(batch.iter().map(|(name, _)| name.to_os_string()));
        }
    }

    /// A directory is compared here and returned, to be walked; anything else is queued for the others.
    fn down(&self, dir: &Arc<Dirs<P>>, name: &OsStr, jobs: &SyncSender<Job<P>>) -> Option<Dirs<P>> {
        let at = At {
            dir: &dir.src,
            name,
        };
        let is_dir = self
            .platform
            .stat(at, false)
            .is_ok_and(|stat| stat.kind == FileKind::Directory);
        if !is_dir {
            // The receivers exist for as long as this thread sends.
            let _ = jobs.send(Job::Entry(Arc::clone(dir), name.to_os_string()));
            return None;
        }
        let path = dir.path.join(name);
        let stats = self.stats(dir, &path, (name, name), false)?;
        if stats.1.kind != FileKind::Directory {
            self.tell(&path, &Difference::Kind(stats.0.kind, stats.1.kind));
            return None;
        }
        self.attributes(dir, &path, (name, name), &stats);
        self.open_dirs(dir, path, (name, name), false)
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

    /// Compares the entries that the walk queues, until there are no more.
    fn work(&self, jobs: &Mutex<Receiver<Job<P>>>) {
        let mut buffers = [0, 1].map(|_| Aligned::new(CHUNK_BYTES, PAGE_BYTES));
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match job {
                Err(_) => return,
                Ok(_) if self.cancel.is_cancelled() => {}
                Ok(Job::Part(files, start)) => self.part(&files, start, &mut buffers),
                Ok(Job::Entry(dir, name)) => {
                    let (path, names) = (dir.path.join(&name), (&*name, &*name));
                    if let Some(stats) = self.stats(&dir, &path, names, false) {
                        let files = self.entry(&dir, &path, names, stats, None);
                        if let Some(files) = files {
                            self.whole(&files, &mut buffers);
                        }
                    }
                }
            }
        }
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

    /// Compares two entries except for their content. A file is returned, or its parts are queued in `jobs`.
    fn entry(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        names: (&OsStr, &OsStr),
        stats: (Stat, Stat),
        jobs: Option<&SyncSender<Job<P>>>,
    ) -> Option<Arc<Files<P>>> {
        let (src, dst) = &stats;
        if src.kind != dst.kind {
            self.tell(path, &Difference::Kind(src.kind, dst.kind));
            return None;
        }
        self.attributes(dir, path, names, &stats);
        if src.kind != FileKind::Regular {
            self.counts.others.fetch_add(1, Ordering::Relaxed);
            self.other(dir, path, names, &stats);
            return None;
        }
        self.counts.files.fetch_add(1, Ordering::Relaxed);
        // An operand may be a symbolic link.
        let how = Open::Read {
            follow: jobs.is_some(),
        };
        let (src, dst) = self.open(dir, path, names, how)?;
        let are_sound = self.both(&stats, [&src, &dst], FsKind::stat_size_is_sound);
        if are_sound && stats.0.size != stats.1.size {
            self.tell(path, &Difference::Size(stats.0.size, stats.1.size));
            return None;
        }
        let is_sparse = |stat: &Stat| stat.allocated_bytes < stat.size;
        let have_holes = are_sound
            && is_sparse(&stats.0)
            && is_sparse(&stats.1)
            && self.both(&stats, [&src, &dst], FsKind::hole_map_is_sound);
        let files = Arc::new(Files {
            path: path.to_path_buf(),
            src,
            dst,
            size: are_sound.then_some(stats.0.size),
            have_holes,
            first: AtomicU64::new(u64::MAX),
            left: AtomicUsize::new(1),
        });
        if self.compare.from_device {
            content::leave_cache(self.platform, &files.src);
            content::leave_cache(self.platform, &files.dst);
        }
        let Some(jobs) = jobs else {
            return Some(files);
        };
        self.each_part(&files, |start| {
            // The receivers exist for as long as this thread sends.
            let _ = jobs.send(Job::Part(Arc::clone(&files), start));
        });
        None
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
