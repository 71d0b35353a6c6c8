//! The walk over the trees that need checks.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Examined, Look, Names, Tree};
use crate::run::pool::Pool;
use crate::run::thread_budget;
use crate::system::{At, Batch, Platform};
use crate::think::preflight as rules;
use crate::words::stat::{FileKind, Stat};

/// How many names are one job on a mount whose calls may take long.
const SLOW_NAMES: usize = 8;

/// How many directories must wait before another thread is started.
const ENOUGH_DIRS: usize = 8;

/// Descriptors that a thread needs: two directories, and those of the names that wait.
const THREAD_FILES: u64 = 4;

/// An open directory.
struct Dir<P: Platform> {
    tree: Arc<Tree>,
    src_path: PathBuf,
    dst_path: PathBuf,
    src: P::Handle,
    /// If it exists, and files that it has can free space.
    dst: Option<P::Handle>,
    names: Mutex<Names>,
}

enum Job<P: Platform> {
    Walk {
        tree: Arc<Tree>,
        src: PathBuf,
        dst: PathBuf,
        /// The destination may exist.
        may_exist: bool,
    },
    Names(Arc<Dir<P>>, Batch),
}

struct Walk<'a, 'b, P: Platform> {
    look: &'a Look<'b, P>,
    pool: Pool<Job<P>>,
    /// The names of a directory are split into small jobs.
    is_slow: bool,
    missed: AtomicBool,
}

impl<P: Platform> Look<'_, P> {
    /// Walks the trees. Returns whether every entry could be examined.
    pub(super) fn walk(&self, trees: Vec<Tree>) -> bool {
        let is_slow = trees.iter().any(|tree| {
            let kinds = [tree.pair.src.volume.kind, tree.pair.dst.volume.kind];
            kinds.into_iter().any(rules::may_be_slow)
        });
        let jobs: Vec<Job<P>> = trees.into_iter().map(first_job).collect();
        if jobs.is_empty() {
            return true;
        }
        let walk = Walk {
            look: self,
            pool: Pool::new(
                jobs,
                self.threads(is_slow),
                if is_slow { 0 } else { ENOUGH_DIRS },
            ),
            is_slow,
            missed: AtomicBool::new(false),
        };
        let guard = self.watch;
        walk.pool.run(self.platform, &|| (), &|(), job| {
            if !guard.cancel().is_cancelled() {
                guard.catch((), || walk.job(job));
            }
        });
        !walk.missed.into_inner()
    }

    fn threads(&self, is_slow: bool) -> usize {
        let most = match (self.options.jobs, is_slow) {
            (None, true) => rules::SLOW_THREADS,
            (jobs, _) => thread_budget::workers(jobs),
        };
        let files = self.platform.open_file_limit().unwrap_or(u64::MAX);
        let files = usize::try_from(files / THREAD_FILES).unwrap_or(usize::MAX);
        most.min(files).max(1)
    }
}

fn first_job<P: Platform>(tree: Tree) -> Job<P> {
    Job::Walk {
        src: tree.src.clone(),
        dst: tree.dst.clone(),
        may_exist: tree.dst_exists,
        tree: Arc::new(tree),
    }
}

impl<P: Platform> Walk<'_, '_, P> {
    fn job(&self, job: Job<P>) {
        match job {
            Job::Names(dir, batch) => self.names(&dir, &batch),
            Job::Walk {
                tree,
                src,
                dst,
                may_exist,
            } => {
                let is_top = src == tree.src;
                let Some(src_dir) = self.look.open(&src, is_top) else {
                    self.missed.store(true, Ordering::Relaxed);
                    return;
                };
                let opens = may_exist && tree.wants_space();
                let dst_dir = opens.then(|| self.look.open(&dst, true)).flatten();
                let dir = Arc::new(Dir {
                    tree,
                    src_path: src,
                    dst_path: dst,
                    src: src_dir,
                    dst: dst_dir,
                    names: Mutex::default(),
                });
                self.directory(&dir);
            }
        }
    }

    fn directory(&self, dir: &Arc<Dir<P>>) {
        let (mut batch, mut buffer) = (Batch::default(), Vec::new());
        loop {
            let read = self
                .look
                .platform
                .read_dir(&dir.src, &mut buffer, &mut batch);
            if read.is_err() {
                self.missed.store(true, Ordering::Relaxed);
                return;
            }
            if batch.is_empty() || self.look.watch.cancel().is_cancelled() {
                return;
            }
            if self.is_slow {
                self.share_out(dir, &batch);
            } else {
                self.names(dir, &batch);
            }
        }
    }

    fn share_out(&self, dir: &Arc<Dir<P>>, batch: &Batch) {
        let mut first = 0;
        while first < batch.len() {
            let mut part = Batch::default();
            for n in first..batch.len().min(first + SLOW_NAMES) {
                let (name, kind) = batch.get(n);
                part.push(name, kind);
            }
            first += part.len();
            let job = Job::Names(Arc::clone(dir), part);
            if let Some(job) = self.pool.push(job) {
                self.job(job);
            }
        }
    }

    fn names(&self, dir: &Dir<P>, batch: &Batch) {
        let mut examined = Examined::default();
        let mut path = dir.src_path.clone();
        for (name, kind) in batch.iter() {
            if self.look.watch.cancel().is_cancelled() {
                break;
            }
            path.push(name);
            let one = self.entry(dir, (name, kind), &path);
            path.pop();
            let Some(one) = one else {
                self.missed.store(true, Ordering::Relaxed);
                continue;
            };
            examined.entries += one.entries;
            examined.files += one.files;
            examined.bytes = examined.bytes.saturating_add(one.bytes);
        }
        self.look.count(examined);
    }

    /// Examines an entry. Its kind is that of the directory entry, else that of stat; `None` if stat fails.
    fn entry(
        &self,
        dir: &Dir<P>,
        (name, kind): (&OsStr, Option<FileKind>),
        path: &Path,
    ) -> Option<Examined> {
        let (look, tree) = (self.look, &dir.tree);
        let at = At {
            dir: &dir.src,
            name,
        };
        let ask = || look.platform.stat(at, false).ok();
        let (kind, stat) = match kind.filter(|kind| *kind != FileKind::Unknown) {
            Some(kind) => (kind, None),
            None => ask().map(|stat| (stat.kind, Some(stat)))?,
        };
        if !look.wants(path, kind) {
            return Some(Examined::default());
        }
        if tree.names {
            let mut names = dir.names.lock().unwrap_or_else(PoisonError::into_inner);
            look.name(name, path, &tree.pair, &mut names);
        }
        let mut examined = Examined {
            entries: 1,
            ..Examined::default()
        };
        match kind {
            FileKind::Directory => {
                let is_within = !look.options.one_file_system
                    || stat.or_else(ask)?.id.volume == tree.stat.id.volume;
                let job = Job::Walk {
                    tree: Arc::clone(tree),
                    src: path.to_path_buf(),
                    dst: dir.dst_path.join(name),
                    may_exist: dir.dst.is_some(),
                };
                is_within.then(|| self.pool.add(job));
            }
            FileKind::Regular => {
                examined.files = 1;
                if tree.wants_stat() {
                    let stat = stat.or_else(ask)?;
                    examined.bytes = stat.size;
                    self.file(dir, name, path, &stat);
                }
            }
            _ => {}
        }
        Some(examined)
    }

    fn file(&self, dir: &Dir<P>, name: &OsStr, path: &Path, stat: &Stat) {
        let (look, tree) = (self.look, &dir.tree);
        look.size(path, stat, &tree.pair);
        if !tree.wants_space() {
            return;
        }
        let old = dir.dst.as_ref().and_then(|dir| {
            let old = look.platform.stat(At { dir, name }, true);
            old.ok()
        });
        look.space(stat, old.as_ref(), &tree.pair);
    }
}
