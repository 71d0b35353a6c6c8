//! Removes incomplete files of runs that crashed: their names show what they are, and they are not locked, unlike
//! those of a running copy.

use std::ffi::OsStr;

use super::dir::Entry;
use super::session::Session;
use crate::file::temp_file::{Temporary, remove_closed};
use crate::system::parent::parent_dir;
use crate::system::{At, Batch, Open, Platform};
use crate::words::method::{Method, Os};
use crate::words::stat::{FileKind, Stat, Timestamp};

/// Where one call creates and fills a copy, that copy can't be locked: there a file is a leftover if it was not
/// modified for this many seconds.
const OLD_SECONDS: i64 = 3600;

impl<P: Platform> Session<'_, P> {
    /// Removes the leftovers in the directory of an operand, once for each directory.
    pub(super) fn remove_leftovers_beside(&self, entry: &Entry<'_, P>) {
        if !self.options.atomic.wanted() || self.platform.is_dry() || !entry.is_operand() {
            return;
        }
        let at = parent_dir(entry.dst_at());
        let platform = self.platform;
        if let Ok(dir) = platform.open(at, Open::Directory { follow: true })
            && let Ok(stat) = platform.stat_open(&dir)
            && self.is_first_time_in(stat.id)
        {
            self.remove_leftovers_in(&dir);
        }
    }

    /// Removes the leftovers in a directory that existed before.
    pub(super) fn remove_leftovers(&self, dir: &P::Handle) {
        if !self.options.atomic.wanted() || self.platform.is_dry() {
            return;
        }
        let name = OsStr::new(".");
        let how = Open::Directory { follow: false };
        // A handle of its own, with its own position.
        if let Ok(dir) = self.platform.open(At { dir, name }, how) {
            self.remove_leftovers_in(&dir);
        }
    }

    /// A leftover that can't be read or removed does no harm to the copy.
    fn remove_leftovers_in(&self, dir: &P::Handle) {
        let (mut buffer, mut batch) = (Vec::new(), Batch::default());
        while self.platform.read_dir(dir, &mut buffer, &mut batch).is_ok() && !batch.is_empty() {
            for (name, _) in batch.iter() {
                let left = Temporary::parse(name);
                if left.is_some_and(|it| !self.is_wanted(it)) {
                    self.remove_if_left(At { dir, name });
                }
            }
        }
    }

    /// Whether it is a part that this run resumes.
    fn is_wanted(&self, temporary: Temporary) -> bool {
        let journal = self.journal.as_ref();
        journal.is_some_and(|it| it.wants(temporary))
    }

    fn remove_if_left(&self, at: At<'_, P>) {
        let platform = self.platform;
        let Ok(file) = platform.open(at, Open::Read { follow: false }) else {
            return;
        };
        // The lock is held until the name is removed, so that no other run resumes it.
        if let Ok(stat) = platform.stat_open(&file)
            && stat.kind == FileKind::Regular
            && is_old_enough(platform.os(), &stat)
            && platform.lock(&file) == Ok(true)
            && platform.stat(at, false).is_ok_and(|it| it.id == stat.id)
            && platform.remove(at, false).is_err()
        {
            // Some mounts can't remove the name of an open file.
            platform.close_quietly(file);
            let _ = remove_closed(platform, at);
        }
    }
}

fn is_old_enough(os: Os, stat: &Stat) -> bool {
    let lockable = !os.creates_destination(Method::SystemCopy);
    lockable || Timestamp::now().seconds - stat.changed.seconds > OLD_SECONDS
}
