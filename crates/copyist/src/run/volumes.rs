//! What is known and learnt of volume pairs. In a run, facts about a pair are asked once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::buffers::Buffers;
use super::exec::RefusalCache;
use crate::run::measured;
use crate::system::{Platform, Sys};
use crate::think::plan;
use crate::think::plan::SmallFiles;
use crate::think::rules::Scope;
use crate::words::bench_results::Preferred;
use crate::words::facts::VolumeFacts;
use crate::words::method::{Method, MethodSet};
use crate::words::options::{Options, Reflink};

/// A source volume and a destination volume.
#[derive(Debug)]
pub(crate) struct VolumePair {
    pub(crate) src: VolumeFacts,
    pub(crate) dst: VolumeFacts,
    /// The earlier measurement between them.
    pub(crate) preferred: Option<Preferred>,
    small_files: Option<SmallFiles>,
    /// What of the options that plan depends on and may differ between two calls of a copier.
    planned_for: (Reflink, Option<MethodSet>),
    refused: AtomicU8,
    everywhere: Arc<AtomicU8>,
}

impl VolumePair {
    /// Whether it is of these volumes, and was planned with these options.
    fn is(&self, volumes: &(VolumeFacts, VolumeFacts), options: &Options) -> bool {
        (&self.src, &self.dst) == (&volumes.0, &volumes.1)
            && self.planned_for == (options.reflink, options.methods)
    }

    /// The methods that were refused between these volumes, or in this process.
    pub(crate) fn refused(&self) -> MethodSet {
        let here = self.refused.load(Ordering::Relaxed);
        let everywhere = self.everywhere.load(Ordering::Relaxed);
        MethodSet::from_bits(here | everywhere)
    }

    /// How small files are copied: see [`plan::small_files`].
    pub(crate) fn small_files(&self) -> Option<SmallFiles> {
        self.small_files
    }
}

impl RefusalCache for VolumePair {
    fn learn(&self, method: Method, remember: Scope) {
        let refused = MethodSet::EMPTY.with(method).bits();
        match remember {
            Scope::File => {}
            Scope::VolumePair => {
                self.refused.fetch_or(refused, Ordering::Relaxed);
            }
            Scope::Process => {
                self.everywhere.fetch_or(refused, Ordering::Relaxed);
            }
        }
    }
}

/// How long a pair is kept: what a filesystem or a server has refused it may do after that.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// How many pairs are kept; the one that was learnt first is dropped.
const MOST_PAIRS: usize = 16;

/// How many workers' buffers are kept.
const MOST_BUFFERS: usize = 8;

/// What outlives a run: which methods were refused between two volumes, by which method small files are
/// copied, and buffers.
///
/// # What goes stale
///
/// The program may unmount a volume, and the next one may get its number (`st_dev` of tmpfs, btrfs, FUSE and NFS is the
/// lowest that is free). So no fact of a volume is kept in place of asking: whoever looks a pair up has asked for
/// the facts of both volumes (`fstatfs` of an open file), and gets what was learnt if they are equal, the kind of
/// filesystem among them. What is learnt then depends on nothing else, or does no harm: a method that was refused
/// on another volume with the same number, kind and block size is not tried for a minute, and one that was not
/// refused is tried. Nothing is kept open, which would keep a volume from being unmounted.
///
/// That a method is refused everywhere (`ENOSYS`, a filter of system calls) holds as long as the process.
#[derive(Debug, Default)]
pub(crate) struct Learnt {
    pairs: Mutex<Vec<KeptPair>>,
    everywhere: Arc<AtomicU8>,
    buffers: Mutex<Vec<Buffers>>,
    /// The destination of the last single file existed: probably that of the next one does.
    overwrites: AtomicBool,
}

#[derive(Debug)]
struct KeptPair {
    since: Instant,
    pair: Arc<VolumePair>,
}

impl Learnt {
    /// What is kept of a pair with these facts, and was planned the same way.
    pub(crate) fn find(
        &self,
        volumes: &(VolumeFacts, VolumeFacts),
        options: &Options,
        now: Instant,
    ) -> Option<Arc<VolumePair>> {
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = pairs.iter().find(|it| it.pair.is(volumes, options))?;
        let is_fresh = now.saturating_duration_since(kept.since) < KEPT_FOR;
        is_fresh.then(|| Arc::clone(&kept.pair))
    }

    /// Keeps a pair, or returns the one that is kept already.
    pub(crate) fn keep(&self, asked: Asked, options: &Options, now: Instant) -> Arc<VolumePair> {
        let volumes = (asked.src, asked.dst);
        if let Some(pair) = self.find(&volumes, options, now)
            && pair.preferred == asked.preferred
        {
            return pair;
        }
        let pair = Arc::new(VolumePair {
            src: asked.src,
            dst: asked.dst,
            preferred: asked.preferred,
            small_files: asked.small_files,
            planned_for: (options.reflink, options.methods),
            refused: AtomicU8::new(0),
            everywhere: Arc::clone(&self.everywhere),
        });
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.retain(|it| !it.pair.is(&volumes, options));
        if pairs.len() == MOST_PAIRS {
            pairs.remove(0);
        }
        let kept = Arc::clone(&pair);
        pairs.push(KeptPair { since: now, pair });
        kept
    }

    pub(crate) fn overwrites(&self) -> bool {
        self.overwrites.load(Ordering::Relaxed)
    }

    pub(crate) fn set_overwrites(&self, overwrites: bool) {
        // Most often it is so already: the threads that share it then have it in their caches.
        if self.overwrites() != overwrites {
            self.overwrites.store(overwrites, Ordering::Relaxed);
        }
    }

    /// Buffers that a worker has used, or new ones.
    pub(crate) fn take_buffers(&self) -> Buffers {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        buffers.pop().unwrap_or_default()
    }

    /// Keeps buffers for the next worker.
    pub(crate) fn return_buffers(&self, used: Buffers) {
        let mut buffers = self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        if buffers.len() < MOST_BUFFERS {
            buffers.push(used.without_direct());
        }
    }
}

/// All the pairs of a run.
#[derive(Debug)]
pub(crate) struct VolumePairs<'a> {
    pairs: Mutex<HashMap<(u64, u64), Arc<VolumePair>>>,
    learnt: &'a Learnt,
    options: &'a Options,
}

impl<'a> VolumePairs<'a> {
    pub(crate) fn new(learnt: &'a Learnt, options: &'a Options) -> VolumePairs<'a> {
        VolumePairs {
            pairs: Mutex::default(),
            learnt,
            options,
        }
    }

    /// The pair of these volumes; `ask` finds out about them if they are new.
    pub(crate) fn get<E>(
        &self,
        src: u64,
        dst: u64,
        ask: impl FnOnce() -> Result<Asked, E>,
    ) -> Result<Arc<VolumePair>, E> {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pair) = pairs.get(&(src, dst)) {
            return Ok(Arc::clone(pair));
        }
        let pair = self.learnt.keep(ask()?, self.options, Instant::now());
        pairs.insert((src, dst), Arc::clone(&pair));
        Ok(pair)
    }
}

impl VolumePairs<'_> {
    /// What is known of the volumes of two open files.
    pub(crate) fn of_files<P: Platform>(
        &self,
        platform: &P,
        options: &Options,
        (src, src_volume): (&P::Handle, u64),
        dst: &P::Handle,
    ) -> Sys<Arc<VolumePair>> {
        let dst_volume = platform.stat_open(dst)?.id.volume;
        self.get(src_volume, dst_volume, || ask(platform, options, src, dst))
    }
}

/// The facts about two volumes, before any attempt.
pub(crate) struct Asked {
    src: VolumeFacts,
    dst: VolumeFacts,
    preferred: Option<Preferred>,
    small_files: Option<SmallFiles>,
}

/// Queries the facts about the volumes of two open files, and looks up whether anything was measured between them.
pub(crate) fn ask<P: Platform>(
    platform: &P,
    options: &Options,
    src: &P::Handle,
    dst: &P::Handle,
) -> Sys<Asked> {
    let volumes = (platform.volume(src)?, platform.volume(dst)?);
    let preferred = measured::preferred(&options.bench_results, platform, src, dst);
    Ok(plan_for(platform, options, volumes, preferred))
}

/// What is known of two volumes with these facts.
pub(crate) fn plan_for<P: Platform>(
    platform: &P,
    options: &Options,
    volumes: (VolumeFacts, VolumeFacts),
    preferred: Option<Preferred>,
) -> Asked {
    let system = (platform.os(), platform.kernel());
    Asked {
        src: volumes.0,
        dst: volumes.1,
        preferred,
        small_files: plan::small_files(system, volumes, preferred, options),
    }
}
