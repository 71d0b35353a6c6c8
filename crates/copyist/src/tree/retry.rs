//! Retries after a lack of space.

use super::dir::Entry;
use super::session::Session;
use super::space_retry::{LARGE_BYTES, Tries};
use super::worker::Worker;
use crate::file::target::Existing;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Open, Platform, Sys};
use crate::think::rules;
use crate::words::error::Error;
use crate::words::stat::{FileKind, Stat};

impl<P: Platform> Worker<'_, '_, P> {
    /// Creates something that takes little space.
    pub(super) fn make_node(&self, at: At<'_, P>, node: Node<'_, P>) -> Sys<()> {
        let Session {
            platform,
            space_retry,
            ..
        } = self.session;
        let mut tries = space_retry.tries();
        loop {
            match platform.make(at, node) {
                Err(code) if rules::is_out_of_room(platform.os(), code) && tries.again() => {}
                made => return made,
            }
        }
    }

    /// Whether a file that failed for lack of space may have enough now, and can be copied again.
    pub(super) fn retry_after_enospc(
        &self,
        entry: &Entry<'_, P>,
        (src, existing): (&Stat, Existing),
        error: &Error,
        tries: &mut Tries<'_>,
    ) -> bool {
        let Session {
            platform, options, ..
        } = self.session;
        let lacked = |code| rules::is_out_of_room(platform.os(), code);
        let begins_anew = match existing {
            Existing::Stream { .. } => false,
            // The file that a dangling link leads to was created, and its name is not known.
            Existing::Nothing => !options.write_through_dangling,
            Existing::File | Existing::LinkToFile(_) => true,
        };
        if src.kind != FileKind::Regular || !begins_anew || !error.code().is_some_and(lacked) {
            return false;
        }
        if src.size < LARGE_BYTES {
            return tries.again();
        }
        // A large file in the journal keeps its space until the copy is resumed.
        self.session.journal.is_none() && tries.again_alone() && self.fits(entry, src)
    }

    /// Whether the volume has as much space as a file needs, including the space of what has its name.
    fn fits(&self, entry: &Entry<'_, P>, src: &Stat) -> bool {
        let platform = self.session.platform;
        let place = parent_dir(entry.dst_at());
        let Ok(dir) = platform.open(place, Open::Directory { follow: true }) else {
            return false;
        };
        // On btrfs, space is free only after the removal is written out.
        let _ = platform.flush_volume(&dir);
        // If that is unknown, the next attempt shows it.
        let free = platform
            .describe(&dir)
            .map_or(Some(0), |it| it.space.free_bytes);
        let free = free.unwrap_or(u64::MAX);
        let old = platform.stat(entry.dst_at(), true);
        let old = old.map_or(0, |it| it.allocated_bytes);
        free.saturating_add(old) >= src.size.min(src.allocated_bytes)
    }
}
