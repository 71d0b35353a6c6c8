//! Incomplete files of runs that crashed: found by their names, told from those of a running copy
//! by their locks, and removed.

use std::ffi::OsStr;

use super::dir::Entry;
use super::session::Session;
use crate::file::temp_file::{Temporary, remove_closed};
use crate::system::parent::parent_dir;
use crate::system::{At, Batch, Open, Platform};
use crate::words::method::{Method, Os};
use crate::words::stat::{FileKind, Stat, Timestamp};

/// Where the system makes whole copies they can't be locked while they are made: there a leftover
/// is only what has not been touched for so long, seconds.
const OLD_SECONDS: i64 = 3600;

impl<P: Platform> Session<'_, P> {
    /// Removes what crashed runs have left in the directory of an operand, once for each.
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

    /// Removes what crashed runs have left in a directory that was there before.
    pub(super) fn remove_leftovers(&self, dir: &P::Handle) {
        if !self.options.atomic.wanted() || self.platform.is_dry() {
            return;
        }
        let name = OsStr::new(".");
        let how = Open::Directory { follow: false };
        // A handle of its own: whoever else reads that directory has a place in it.
        if let Ok(dir) = self.platform.open(At { dir, name }, how) {
            self.remove_leftovers_in(&dir);
        }
    }

    /// What can't be read or removed is no reason not to copy: it lies there as it has lain.
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

    /// Whether it is a part that this run goes on with.
    fn is_wanted(&self, temporary: Temporary) -> bool {
        let journal = self.journal.as_ref();
        journal.is_some_and(|it| it.wants(temporary))
    }

    fn remove_if_left(&self, at: At<'_, P>) {
        let platform = self.platform;
        let Ok(file) = platform.open(at, Open::Read { follow: false }) else {
            return;
        };
        // The lock is held until the name is gone, so that nobody goes on with it meanwhile.
        if let Ok(stat) = platform.stat_open(&file)
            && stat.kind == FileKind::Regular
            && is_old_enough(platform.os(), &stat)
            && platform.lock(&file) == Ok(true)
            && platform.stat(at, false).is_ok_and(|it| it.id == stat.id)
            && platform.remove(at, false).is_err()
        {
            // Not every mount can remove the name of an open file.
            platform.close_quietly(file);
            let _ = remove_closed(platform, at);
        }
    }
}

fn is_old_enough(os: Os, stat: &Stat) -> bool {
    let lockable = !os.creates_destination(Method::SystemCopy);
    lockable || Timestamp::now().seconds - stat.changed.seconds > OLD_SECONDS
}
