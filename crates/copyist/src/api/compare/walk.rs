//! The walk over both trees, by all threads: a directory, some of its names, and a part of a large file are jobs.

use std::cmp::Ordering;
use std::ffi::OsStr;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Buffers, Difference, Files, Session};
use crate::run::pool::Pool;
use crate::system::{At, Batch, Open, Platform, Sys, Target, start_dir};
use crate::words::error::Operation;
use crate::words::stat::FileKind;

/// How many names are one job.
const NAMES: usize = 64;

/// Two open directories of one path.
pub(super) struct Dirs<P: Platform> {
    pub(super) path: PathBuf,
    pub(super) src: P::Handle,
    pub(super) dst: P::Handle,
}

/// Two open directories, and the names that both have. A name has a type if both directory entries say the same.
pub(super) struct Listed<P: Platform> {
    dirs: Dirs<P>,
    names: Batch,
}

pub(super) enum Job<P: Platform> {
    /// The two operands.
    Operands,
    /// A name that is a directory on both sides.
    Enter(Arc<Listed<P>>, usize),
    Names(Arc<Listed<P>>, Range<usize>),
    /// A part of a large file, from this offset on.
    Part(Arc<Files<P>>, u64),
}

pub(super) type Jobs<P> = Pool<Job<P>>;

impl<P: Platform> Session<'_, P> {
    /// Compares the two operands themselves. Returns them if they are directories.
    fn operands(&self, jobs: &Jobs<P>, buffers: &mut Buffers) -> Option<Dirs<P>> {
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
            self.entry(&here, path, names, stats, (jobs, buffers));
            return None;
        }
        self.attributes_by_name(&here, path, names, &stats);
        self.open_dirs(&here, path.to_path_buf(), names, true)
    }

    /// Reports the names that only one of two directories has; the others become jobs.
    fn list(&self, dirs: Dirs<P>, jobs: &Jobs<P>) {
        let names = [
            (&dirs.src, Operation::ReadDirectory),
            (&dirs.dst, Operation::OpenDestination),
        ]
        .map(|(side, operation)| {
            self.names(side)
                .map_err(|code| self.fail(&dirs.path, operation, code))
                .ok()
        });
        let [Some(src), Some(dst)] = names else {
            return;
        };
        let names = self.merge(&dirs.path, &src, &dst);
        let listed = Arc::new(Listed { dirs, names });
        let count = listed.names.len();
        for first in (0..count).step_by(NAMES).rev() {
            let names = first..count.min(first + NAMES);
            jobs.add(Job::Names(Arc::clone(&listed), names));
        }
    }

    /// All names of a directory, sorted.
    fn names(&self, dir: &P::Handle) -> Sys<Batch> {
        let (mut all, mut batch, mut buffer) = (Batch::default(), Batch::default(), Vec::new());
        loop {
            self.platform.read_dir(dir, &mut buffer, &mut batch)?;
            if batch.is_empty() {
                all.sort_by_name(&mut batch);
                return Ok(batch);
            }
            all.append(&batch);
        }
    }

    /// The names that both sides have.
    fn merge(&self, dir: &Path, src: &Batch, dst: &Batch) -> Batch {
        let (mut both, mut n, mut m) = (Batch::default(), 0, 0);
        while n < src.len() || m < dst.len() {
            let order = match (n < src.len(), m < dst.len()) {
                (true, true) => src.get(n).0.cmp(dst.get(m).0),
                (true, false) => Ordering::Less,
                _ => Ordering::Greater,
            };
            match order {
                Ordering::Less => self.tell(&dir.join(src.get(n).0), &Difference::Missing),
                Ordering::Greater => self.tell(&dir.join(dst.get(m).0), &Difference::Extra),
                Ordering::Equal => {
                    let ((name, kind), (_, other)) = (src.get(n), dst.get(m));
                    both.push(name, kind.filter(|_| kind == other));
                }
            }
            n += usize::from(order != Ordering::Greater);
            m += usize::from(order != Ordering::Less);
        }
        both
    }

    /// Does a job.
    pub(super) fn job(&self, job: Job<P>, jobs: &Jobs<P>, buffers: &mut Buffers) {
        match job {
            Job::Operands => {
                if let Some(dirs) = self.operands(jobs, buffers) {
                    self.list(dirs, jobs);
                }
            }
            Job::Part(files, start) => self.part(&files, start, buffers),
            Job::Enter(listed, n) => self.enter(&listed, n, jobs, buffers),
            Job::Names(listed, names) => {
                for n in names {
                    if self.cancel.is_cancelled() {
                        return;
                    }
                    self.name(&listed, n, jobs, buffers);
                }
            }
        }
    }

    fn name(&self, listed: &Arc<Listed<P>>, n: usize, jobs: &Jobs<P>, buffers: &mut Buffers) {
        let (name, kind) = listed.names.get(n);
        match kind {
            Some(FileKind::Directory) => jobs.add(Job::Enter(Arc::clone(listed), n)),
            Some(FileKind::Regular) => {
                let path = listed.dirs.path.join(name);
                if !self.opened(&listed.dirs, &path, name, (jobs, buffers)) {
                    self.enter(listed, n, jobs, buffers);
                }
            }
            _ => self.enter(listed, n, jobs, buffers),
        }
    }

    /// Compares two files that their directories say are regular: what stat says of a name is read of the open file.
    /// Returns whether both are, and can be opened.
    fn opened(
        &self,
        dirs: &Dirs<P>,
        path: &Path,
        name: &OsStr,
        (jobs, buffers): (&Jobs<P>, &mut Buffers),
    ) -> bool {
        let open = |dir| {
            self.platform
                .open(At { dir, name }, Open::Read { follow: false })
        };
        let (Ok(src), Ok(dst)) = (open(&dirs.src), open(&dirs.dst)) else {
            return false;
        };
        let stats = (self.platform.stat_open(&src), self.platform.stat_open(&dst));
        let stats = match stats {
            (Ok(src), Ok(dst)) if src.kind == FileKind::Regular && dst.kind == src.kind => {
                (src, dst)
            }
            _ => return false,
        };
        let targets = (Target::Open(&src), Target::Open(&dst));
        self.attributes(dirs, path, name, &stats, targets);
        self.content(path, &stats, (src, dst), (jobs, buffers));
        true
    }

    /// Compares two entries of any type, and lists two directories.
    fn enter(&self, listed: &Arc<Listed<P>>, n: usize, jobs: &Jobs<P>, buffers: &mut Buffers) {
        let (dirs, name) = (&listed.dirs, listed.names.get(n).0);
        let path = dirs.path.join(name);
        let Some(stats) = self.stats(dirs, &path, (name, name), false) else {
            return;
        };
        if stats.0.kind != FileKind::Directory || stats.1.kind != FileKind::Directory {
            return self.entry(dirs, &path, (name, name), stats, (jobs, buffers));
        }
        self.attributes_by_name(dirs, &path, (name, name), &stats);
        if let Some(dirs) = self.open_dirs(dirs, path, (name, name), false) {
            self.list(dirs, jobs);
        }
    }
}
