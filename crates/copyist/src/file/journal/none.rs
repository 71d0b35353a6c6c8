//! Without the feature `journal`: no copy is resumed, so these types have no values.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::path::Path;
use std::sync::Mutex;

use crate::file::temp_file::Temporary;
use crate::run::progress_sink::ProgressSink;
use crate::system::{At, Platform};
use crate::words::code::Code;
use crate::words::error::Error;
use crate::words::stat::Stat;

/// As with a journal; nothing depends on it.
pub(crate) const PART_BYTES: u64 = 16 << 20;

/// An open journal.
pub(crate) struct Journal<'a, P: Platform> {
    never: Infallible,
    platform: PhantomData<&'a P>,
}

impl<P: Platform> Journal<'_, P> {
    pub(crate) fn is_done(&self, _: &Path, _: &Stat, _: &Stat) -> bool {
        match self.never {}
    }

    pub(crate) fn is_resumed(&self) -> bool {
        match self.never {}
    }

    pub(crate) fn made(&self, _: &Path) -> bool {
        match self.never {}
    }

    pub(crate) fn existed(&self, _: &Path) -> Result<(), Error> {
        match self.never {}
    }

    pub(crate) fn wants(&self, _: Temporary) -> bool {
        match self.never {}
    }

    pub(crate) fn note(
        &self,
        _: &Path,
        _: (&Stat, &Stat),
        _: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        match self.never {}
    }

    pub(crate) fn note_rest(&self, _: impl FnOnce() -> bool) -> Result<(), Error> {
        match self.never {}
    }

    pub(crate) fn remove(self) -> Result<(), Error> {
        match self.never {}
    }
}

/// Keeps the journal of one large file.
pub(crate) struct PartialJournal<'a, P: Platform> {
    never: Infallible,
    platform: PhantomData<&'a P>,
}

impl<P: Platform> ProgressSink<P> for Mutex<PartialJournal<'_, P>> {
    fn passed(&self, _: &P::Handle, _: u64) -> Result<(), Code> {
        Ok(())
    }
}

/// A part that can be resumed.
pub(crate) struct Resumed<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) temporary: Temporary,
    pub(crate) offset: u64,
}

impl<'a, P: Platform> PartialJournal<'a, P> {
    pub(crate) fn new(journal: &'a Journal<'a, P>, _: &Path, _: &Stat) -> PartialJournal<'a, P> {
        match journal.never {}
    }

    pub(crate) fn keeps(&mut self, _: Temporary) {
        match self.never {}
    }

    pub(crate) fn has_noted(_: &Mutex<Self>) -> bool {
        false
    }

    pub(crate) fn resume(&mut self, _: At<'_, P>, _: &Path) -> Option<Resumed<P>> {
        match self.never {}
    }
}
