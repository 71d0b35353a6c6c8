//! Small files in a directory that this run made: nothing can be in the way there, so that opening the
//! file tells all there is to know about it.
//!
//! All that they take is put into the loop over a directory's names, so that no function returns
//! between the system calls of a file and the next one's: the first return after a system call is
//! expensive (`copyist_sys::linux`, `direct`). So is the look at a file that is there already, which is
//! all that a second run does. What few files take is kept out of the loop: the fewer lines of code
//! a file needs, the more of the kernel's stay in the processor's nearest cache.

use super::dir::Entry;
use super::entry::AttemptOutcome;
use super::existing::{Onto, SourceStat};
use super::space_retry::LARGE_BYTES;
use super::walk::Worker;
use crate::file::failure::FileError;
use crate::file::source::{Source, open_source};
use crate::file::target::Existing;
use crate::system::Platform;
use crate::words::error::{Cause, Error, Refusal};
use crate::words::options::Make;
use crate::words::stat::FileKind;

/// As what they are made.
const NEW: (Existing, bool) = (Existing::Nothing, false);

impl<P: Platform> Worker<'_, '_, P> {
    /// Copies such a file; `None` for what has to be looked at first.
    #[inline(always)] // see above
    pub(super) fn try_plain(
        &mut self,
        entry: &Entry<'_, P>,
        kind: Option<FileKind>,
    ) -> Option<Result<(), Error>> {
        let plain = kind == Some(FileKind::Regular) && self.session.options.make == Make::Copy;
        if !plain || !entry.dir.made.is_empty() {
            return None;
        }
        let platform = self.session.platform;
        let mut source = match open_source(platform, entry.src_at(), false, None) {
            Ok(source) => source,
            Err(error) => return self.explain_unopened(entry, error).map(Err),
        };
        if source.stat.size >= LARGE_BYTES || self.keeps_links(entry, &source.stat) {
            return Some(self.copy_opened(entry, source));
        }
        self.begin(entry, None, FileKind::Regular);
        let ended = self.session.space_retry.ended();
        let mut tried = AttemptOutcome::default();
        if let Err(error) = self.copy_file(entry, &mut source, NEW, &mut tried) {
            return Some(self.copy_once_more(entry, source, (tried, error), ended));
        }
        self.summary.add_report(&tried.report);
        platform.close_quietly(source.handle);
        Some(Ok(()))
    }

    /// `None` if it is no longer what its directory said, or never was (fakeroot), or if there are
    /// descriptors for it now.
    #[cold]
    #[inline(never)]
    fn explain_unopened(&self, entry: &Entry<'_, P>, error: FileError) -> Option<Error> {
        let was_replaced = matches!(error.cause(), Cause::Refused(Refusal::Replaced));
        if was_replaced || self.retry_after_emfile(entry, error.operation(), error.cause()) {
            return None;
        }
        Some(self.unseen(entry, false).unwrap_or_else(|| {
            // It was about to be copied, then.
            self.begin(entry, None, FileKind::Regular);
            self.session.file_error(entry, error)
        }))
    }

    /// Copies an opened file as any other.
    #[inline(never)]
    fn copy_opened(&mut self, entry: &Entry<'_, P>, source: Source<P>) -> Result<(), Error> {
        let free = Onto::Free { backup: None };
        self.with_links(entry, &looked_at(&source), free, &mut Some(source))
    }

    /// The first try has failed: perhaps it lacked something that is there now.
    #[cold]
    #[inline(never)]
    fn copy_once_more(
        &mut self,
        entry: &Entry<'_, P>,
        source: Source<P>,
        (tried, error): (AttemptOutcome, Error),
        ended: u64,
    ) -> Result<(), Error> {
        let src = looked_at(&source);
        let mut opened = Some(source);
        if !self.retry_after_emfile(entry, error.operation(), error.cause()) {
            let mut tries = self.session.space_retry.tries_since(ended);
            if !self.retry_after_enospc(entry, (&src.stat, NEW.0), &error, &mut tries) {
                self.finish_entry(entry, tried);
                return Err(error);
            }
            opened = None; // it may have changed since
        }
        self.copy_content(entry, &src, NEW, &mut opened)
    }
}

fn looked_at<P: Platform>(source: &Source<P>) -> SourceStat {
    SourceStat {
        stat: source.stat,
        follow: false,
    }
}
