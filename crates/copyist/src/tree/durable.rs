//! Makes a run durable beyond its files: the names in directories, and with [`Fsync::End`] whole volumes.

use super::volumes::Volume;
use crate::system::filesystem;
use crate::system::parent;
use std::ffi::OsStr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};

use super::dir::Entry;
use super::session::Session;
use crate::system::parent::parent_dir;
use crate::system::{At, Open, Platform};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation};
use crate::words::facts::{FsKind, VolumeFacts};
use crate::words::observer::PathSource;
use crate::words::options::Fsync;
use crate::words::stat::{FileId, Stat};

impl<P: Platform> Session<'_, P> {
    /// Flushes the name of an entry to stable storage, with [`Fsync::File`].
    pub(super) fn flush_name(&self, entry: &Entry<'_, P>) -> Result<(), Error> {
        if self.options.fsync != Fsync::File {
            return Ok(());
        }
        parent::sync_parent_dir(self.platform, entry.dst_at())
            .map_err(|code| self.error(entry, Operation::Flush, Cause::System(code)))
    }

    /// Flushes a directory that has all its names and attributes, with [`Fsync::File`].
    pub(super) fn flush_finished(&self, dir: &P::Handle) -> Result<(), Code> {
        if self.options.fsync != Fsync::File {
            return Ok(());
        }
        let name = OsStr::new(".");
        parent::flush_directory(self.platform, At { dir, name })
    }

    /// Remembers the volume of an operand's destination, to flush it at the end.
    pub(super) fn note_volume_beside(&self, entry: &Entry<'_, P>) -> Result<(), Error> {
        if !self.flushes_volumes() || !entry.is_operand() {
            return Ok(());
        }
        let at = parent_dir(entry.dst_at());
        let failed = |code| self.error(entry, Operation::OpenDestination, Cause::System(code));
        let dir = self
            .platform
            .open(at, Open::Directory { follow: true })
            .map_err(failed)?;
        let id = self.platform.stat_open(&dir).map_err(failed)?.id;
        self.note_volume(id.volume, entry, || Ok(dir))
    }

    /// Remembers the volume of a directory that was opened, to flush it at the end.
    pub(super) fn note_volume_of(
        &self,
        entry: &Entry<'_, P>,
        volume: u64,
        dir: &P::Handle,
    ) -> Result<(), Error> {
        if !self.flushes_volumes() {
            return Ok(());
        }
        self.note_volume(volume, entry, || {
            let name = OsStr::new(".");
            let how = Open::Directory { follow: false };
            self.platform.open(At { dir, name }, how)
        })
    }

    fn note_volume(
        &self,
        id: u64,
        entry: &Entry<'_, P>,
        open: impl FnOnce() -> Result<P::Handle, Code>,
    ) -> Result<(), Error> {
        let mut volumes = self
            .volumes
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if volumes.iter().any(|volume| volume.id == id) {
            return Ok(());
        }
        let handle = open()
            .map_err(|code| self.error(entry, Operation::OpenDestination, Cause::System(code)))?;
        volumes.push(Volume {
            id,
            handle: Arc::new(handle),
            dst: entry.dst(),
        });
        Ok(())
    }

    /// Whether whole volumes are flushed: at the end, or each time the journal is written.
    fn flushes_volumes(&self) -> bool {
        let journals = self.journal.is_some() && self.options.fsync != Fsync::File;
        self.options.fsync == Fsync::End || journals
    }

    /// Flushes all volumes that were copied to, with [`Fsync::End`].
    pub(super) fn flush_at_end(&self) {
        if self.options.fsync == Fsync::End {
            self.flush_volumes();
        }
    }

    /// Flushes all volumes that were copied to so far; returns whether all are. Failures are reported.
    fn flush_volumes(&self) -> bool {
        let volumes: Vec<_> = {
            let volumes = self
                .volumes
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let each = volumes.iter();
            each.map(|it| (Arc::clone(&it.handle), it.dst.clone()))
                .collect()
        };
        let mut all = true;
        for (handle, dst) in volumes {
            if let Err(code) = self.platform.flush_volume(&handle) {
                all = false;
                let error = Error::new(self.platform.os(), Operation::Flush, Cause::System(code));
                self.fail(error.with_paths(None, Some(dst)));
            }
        }
        all
    }

    /// Flushes what the journal will record as done.
    fn flush_for_journal(&self) -> bool {
        self.options.fsync == Fsync::File || self.flush_volumes()
    }

    /// Records a completed file in the journal.
    pub(super) fn note_done(&self, entry: &Entry<'_, P>, src: &Stat) {
        let Some(journal) = &self.journal else { return };
        // A file that can't be examined is not recorded as done.
        let Ok(copy) = self.platform.stat(entry.dst_at(), false) else {
            return;
        };
        let (src, copy) = self.as_journaled(entry, (src, &copy));
        journal
            .note(&entry.dst(), (&src, &copy), || self.flush_for_journal())
            .unwrap_or_else(|error| self.fail(error));
    }

    /// A source and its copy as the journal records them: without inode numbers where these don't persist.
    pub(super) fn as_journaled(
        &self,
        entry: &Entry<'_, P>,
        (src, copy): (&Stat, &Stat),
    ) -> (Stat, Stat) {
        let kind = |known: Option<&VolumeFacts>, at, volume| match known {
            Some(known) if known.id == volume => known.kind,
            _ => filesystem::kind_at(self.platform, at, volume),
        };
        let journaled = |stat: &Stat, kind: FsKind| {
            let mut stat = *stat;
            if !kind.keeps_numbers() {
                stat.id.inode = 0;
            }
            stat
        };
        let pair = entry.dir.pair.as_ref();
        let src_kind = kind(pair.map(|it| &it.src), entry.src_at(), src.id.volume);
        let copy_kind = kind(pair.map(|it| &it.dst), entry.dst_at(), copy.id.volume);
        (journaled(src, src_kind), journaled(copy, copy_kind))
    }

    /// Ends the journal. After a run without failures it is removed.
    pub(super) fn close_journal(&mut self) {
        let Some(journal) = self.journal.take() else {
            return;
        };
        let cancelled = self.context.cancel.is_cancelled();
        let closed = match self.errors.load(Ordering::Relaxed) {
            0 if !cancelled => journal.remove(),
            // A cancelled run does not wait.
            _ if cancelled => Ok(()),
            _ => journal.note_rest(|| self.flush_for_journal()),
        };
        closed.unwrap_or_else(|error| self.fail(error));
    }

    /// Whether this directory of an operand is met for the first time.
    pub(super) fn is_first_time_in(&self, dir: FileId) -> bool {
        let mut seen = self.tidied.lock().unwrap_or_else(PoisonError::into_inner);
        seen.insert(dir)
    }
}
