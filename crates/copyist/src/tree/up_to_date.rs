//! Whether an existing destination has its source's time already (`-u`): as exactly as its volume keeps
//! times.

use crate::system::filesystem;
use std::sync::PoisonError;

use super::dir::Entry;
use super::walk::Worker;
use crate::file::temp_file::{Temporary, remove_closed};
use crate::system::parent::check_removable;
use crate::system::parent::parent_dir;
use crate::system::{At, Attribute, Open, Platform, Target};
use crate::think::times;
use crate::think::times::SAMPLE;
use crate::words::stat::Stat;

impl<P: Platform> Worker<'_, '_, P> {
    /// Whether a destination that seems to be older than its source is so only since its volume can't hold
    /// that time. That counts only where times are kept: else a copy has that of its making.
    pub(super) fn is_as_kept(&self, entry: &Entry<'_, P>, src: &Stat, dst: &Stat) -> bool {
        let keeps_times = self.session.options.preserve.times;
        if !keeps_times || !times::may_be(src.modified, dst.modified) {
            return false;
        }
        let kind = filesystem::kind_at(self.session.platform, entry.dst_at(), dst.id.volume);
        if times::is_modified_as(src.modified, dst, kind) {
            return true;
        }
        // What no unit explains needs none: it is older.
        let is_candidate = src.modified.seconds - dst.modified.seconds <= 2;
        let unit = || self.unit_of_volume(entry, dst.id.volume);
        is_candidate
            && unit().is_some_and(|unit| times::is_rounded(src.modified, dst.modified, unit))
    }

    /// In which unit a volume keeps times: it is tried once, in a file beside the destination. `None` where it
    /// can't be tried, and for nanoseconds.
    fn unit_of_volume(&self, entry: &Entry<'_, P>, volume: u64) -> Option<u64> {
        if self.session.platform.is_dry() {
            return None;
        }
        let units = &self.session.units;
        let mut units = units.lock().unwrap_or_else(PoisonError::into_inner);
        *units
            .entry(volume)
            .or_insert_with(|| self.try_unit(entry, volume))
    }

    fn try_unit(&self, entry: &Entry<'_, P>, volume: u64) -> Option<u64> {
        let platform = self.session.platform;
        let mode = 0o600;
        let nameless = platform.open(parent_dir(entry.dst_at()), Open::Nameless { mode });
        // Not every filesystem has nameless files, and some lose sight of one that is open when its name goes.
        let name = Temporary::new().beside(entry.dst_name);
        let at = At {
            dir: &entry.open.dst,
            name: &name,
        };
        let is_named = nameless.is_err();
        if is_named {
            check_removable(platform, parent_dir(entry.dst_at())).ok()?;
        }
        let file = nameless
            .or_else(|_| platform.open(at, Open::Create { mode }))
            .ok()?;
        let times = Attribute::Times {
            accessed: SAMPLE,
            modified: SAMPLE,
        };
        let set = platform.set(Target::Open(&file), times);
        let kept = set.and_then(|()| platform.stat_open(&file));
        // Nothing was written to it: its close has nothing to say.
        let _ = platform.close(file);
        if is_named {
            // What can't be removed is a leftover, which the next run removes.
            let _ = remove_closed(platform, at);
        }
        kept.ok()
            .filter(|it| it.id.volume == volume)
            .and_then(|it| times::unit_of(it.modified))
    }
}
