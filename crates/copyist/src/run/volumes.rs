//! Facts about pairs of volumes, queried once per pair, and what a run learns about them.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::exec::RefusalCache;
use crate::run::measured;
use crate::system::{Platform, Sys};
use crate::think::plan;
use crate::think::rules::Scope;
use crate::words::bench_results::Preferred;
use crate::words::facts::VolumeFacts;
use crate::words::method::{Method, MethodSet};
use crate::words::options::Options;

/// A source volume and a destination volume.
#[derive(Debug)]
pub(crate) struct VolumePair {
    pub(crate) src: VolumeFacts,
    pub(crate) dst: VolumeFacts,
    /// The earlier measurement between them.
    pub(crate) preferred: Option<Preferred>,
    small_file_method: Option<Method>,
    refused: AtomicU8,
    everywhere: Arc<AtomicU8>,
}

impl VolumePair {
    /// The methods that were refused between these volumes, or in the whole process.
    pub(crate) fn refused(&self) -> MethodSet {
        let here = self.refused.load(Ordering::Relaxed);
        let everywhere = self.everywhere.load(Ordering::Relaxed);
        MethodSet::from_bits(here | everywhere)
    }

    /// The method for plain small files: see [`plan::small_file_method`].
    pub(crate) fn small_file_method(&self) -> Option<Method> {
        self.small_file_method
            .filter(|&method| !self.refused().contains(method))
    }
}

/// A pair that the caller holds, or that was looked up.
pub(crate) enum FoundPair<'a> {
    /// Without a reference count, whose cost shows when many small files are copied.
    Known(&'a VolumePair),
    Asked(Arc<VolumePair>),
}

impl Deref for FoundPair<'_> {
    type Target = VolumePair;

    fn deref(&self) -> &VolumePair {
        match self {
            FoundPair::Known(pair) => pair,
            FoundPair::Asked(pair) => pair,
        }
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

/// All pairs of a run.
#[derive(Debug, Default)]
pub(crate) struct VolumePairs {
    pairs: Mutex<HashMap<(u64, u64), Arc<VolumePair>>>,
    everywhere: Arc<AtomicU8>,
}

impl VolumePairs {
    /// The pair of these volumes; `ask` queries the facts of a new one.
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
        let Asked {
            src: src_facts,
            dst: dst_facts,
            preferred,
            small_file_method,
        } = ask()?;
        let pair = Arc::new(VolumePair {
            src: src_facts,
            dst: dst_facts,
            preferred,
            small_file_method,
            refused: AtomicU8::new(0),
            everywhere: Arc::clone(&self.everywhere),
        });
        pairs.insert((src, dst), Arc::clone(&pair));
        Ok(pair)
    }
}

impl VolumePairs {
    /// The pair of the volumes of two open files.
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
    small_file_method: Option<Method>,
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
    let system = (platform.os(), platform.kernel());
    Ok(Asked {
        src: volumes.0,
        dst: volumes.1,
        preferred,
        small_file_method: plan::small_file_method(system, volumes, preferred, options),
    })
}
