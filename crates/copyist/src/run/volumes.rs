//! What is known and learnt of volume pairs while a run lasts. Facts about a pair are asked once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::exec::RefusalCache;
use crate::run::measured;
use crate::system::{Platform, Sys};
use crate::think::plan;
use crate::think::plan::SmallFiles;
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
    /// What was measured between them before.
    pub(crate) preferred: Option<Preferred>,
    small_files: Option<SmallFiles>,
    refused: AtomicU8,
    everywhere: Arc<AtomicU8>,
}

impl VolumePair {
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

/// All the pairs of a run.
#[derive(Debug, Default)]
pub(crate) struct VolumePairs {
    pairs: Mutex<HashMap<(u64, u64), Arc<VolumePair>>>,
    everywhere: Arc<AtomicU8>,
}

impl VolumePairs {
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
        let Asked {
            src: src_facts,
            dst: dst_facts,
            preferred,
            small_files,
        } = ask()?;
        let pair = Arc::new(VolumePair {
            src: src_facts,
            dst: dst_facts,
            preferred,
            small_files,
            refused: AtomicU8::new(0),
            everywhere: Arc::clone(&self.everywhere),
        });
        pairs.insert((src, dst), Arc::clone(&pair));
        Ok(pair)
    }
}

impl VolumePairs {
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

/// What is known of two volumes at first.
pub(crate) struct Asked {
    src: VolumeFacts,
    dst: VolumeFacts,
    preferred: Option<Preferred>,
    small_files: Option<SmallFiles>,
}

/// Asks the volumes of two open files what they are, and whether anything was measured between them.
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
        small_files: plan::small_files(system, volumes, preferred, options),
    })
}
