//! The unit in which a volume stores times, on which `-u` depends.

use std::sync::PoisonError;

use super::dir::Entry;
use super::worker::Worker;
use crate::file::temp_file::{Temporary, remove_closed};
use crate::system::parent::check_removable;
use crate::system::parent::parent_dir;
use crate::system::{At, Attribute, Open, Platform, Target};
use crate::think::times;
use crate::think::times::SAMPLE;

impl<P: Platform> Worker<'_, '_, P> {
    /// The unit in which a volume stores times, found with a file beside the destination. `None` if that is not
    /// possible, and for nanoseconds.
    pub(super) fn unit_of_volume(&self, entry: &Entry<'_, P>, volume: u64) -> Option<u64> {
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
        // Some filesystems have no nameless files, and some lose an open file whose name is removed.
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
        // Nothing was written, so the close reports nothing.
        let _ = platform.close(file);
        if is_named {
            // A file that can't be removed is a leftover, which the next run removes.
            let _ = remove_closed(platform, at);
        }
        kept.ok()
            .filter(|it| it.id.volume == volume)
            .and_then(|it| times::unit_of(it.modified))
    }
}
