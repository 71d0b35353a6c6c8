//! Parts of large files: the journal records the progress of a file, and the next run continues from there.

use crate::run::progress_sink::ProgressSink;
use crate::system::filesystem;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::{Journal, PAUSES, Part, exclusive};
use crate::file::temp_file::{Temporary, remove_closed};
use crate::run::buffers::{Aligned, PAGE_BYTES};
use crate::run::digest::SparseHasher;
use crate::run::holes;
use crate::system::{At, Open, Platform};
use crate::words::code::Code;
use crate::words::facts::FsKind;
use crate::words::options::Flush;
use crate::words::stat::{FileKind, Stat};

/// Smaller files are copied again from the beginning, bytes.
pub(crate) const PART_BYTES: u64 = 16 << 20;

/// The minimum progress of a file between two records, bytes.
const STEP_BYTES: u64 = 4 << 20;

/// The size of a read for the hash, bytes.
const HASH_BYTES: usize = 1 << 20;

/// Parts are continued from a multiple of this, bytes, from which every method can continue.
const RESUME_BYTES: u64 = 1 << 20;

/// Keeps the journal of one large file.
pub(crate) struct PartialJournal<'a, P: Platform> {
    journal: &'a Journal<'a, P>,
    part: Part,
    /// The hash of what the file has before the part's offset, where a hole costs nothing.
    hasher: SparseHasher,
    /// Whether the hole map of the file's volume is reliable; `None` until it is queried.
    uses_map: Option<bool>,
    /// The time of the last record, by the machine's clock.
    noted: Duration,
    cost: Duration,
    /// The journal has a part of this file.
    noted_any: bool,
}

impl<P: Platform> ProgressSink<P> for Mutex<PartialJournal<'_, P>> {
    fn passed(&self, file: &P::Handle, offset: u64) -> Result<(), Code> {
        let mut keeper = self.lock().unwrap_or_else(PoisonError::into_inner);
        keeper.passed(file, offset)
    }
}

/// A part that can be resumed.
pub(crate) struct Resumed<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) temporary: Temporary,
    /// Everything before this offset is in place.
    pub(crate) offset: u64,
}

impl<'a, P: Platform> PartialJournal<'a, P> {
    pub(crate) fn new(
        journal: &'a Journal<'a, P>,
        dst: &Path,
        src: &Stat,
    ) -> PartialJournal<'a, P> {
        PartialJournal {
            journal,
            part: Part {
                file: journal.name_of(dst),
                src: journal.of_source(src),
                temporary: 0,
                offset: 0,
                hash: [0; 32],
                dst: dst.as_os_str().to_os_string(),
            },
            hasher: SparseHasher::default(),
            uses_map: None,
            noted: journal.platform.clock(),
            cost: Duration::ZERO,
            noted_any: false,
        }
    }

    /// Records this temporary from now on.
    pub(crate) fn keeps(&mut self, temporary: Temporary) {
        self.part.temporary = temporary.0;
    }

    /// Whether the journal has a part of this file.
    pub(crate) fn has_noted(this: &Mutex<Self>) -> bool {
        this.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .noted_any
    }

    /// Everything before `offset` is in place: flushes and records it, if a record is due.
    fn passed(&mut self, file: &P::Handle, offset: u64) -> Result<(), Code> {
        if offset < self.part.offset + STEP_BYTES {
            return Ok(());
        }
        let start = self.journal.platform.clock();
        if start - self.noted < self.cost * PAUSES {
            return Ok(());
        }
        // The record is written after the flush, by the same thread.
        self.journal.platform.flush(file, Flush::Ordered)?;
        self.hash(file, offset);
        self.part.hash = self.hasher.clone().finish();
        let record = super::Record::Part(self.part.clone());
        // A failure to record progress is reported by the journal; the file itself is not affected.
        self.noted_any |= self.journal.write(&record).is_ok();
        self.noted = self.journal.platform.clock();
        self.cost = self.noted - start;
        Ok(())
    }

    /// Hashes what was written since the last call, except holes. What can't be read, or was not read before a
    /// cancellation, is not recorded.
    fn hash(&mut self, file: &P::Handle, end: u64) {
        let (platform, cancel) = (self.journal.platform, self.journal.cancel);
        let uses_map = *self
            .uses_map
            .get_or_insert_with(|| filesystem::is_on(platform, file, FsKind::hole_map_is_sound));
        let mut buffer = Aligned::new(HASH_BYTES, PAGE_BYTES);
        while self.part.offset < end {
            let start = self.part.offset;
            let data = match uses_map {
                true => holes::next_data(platform, file, start, end).unwrap_or(end..end),
                false => start..end,
            };
            self.hasher.zeros(data.start - start);
            self.part.offset = data.start;
            while self.part.offset < data.end {
                let left = usize::try_from(data.end - self.part.offset).unwrap_or(usize::MAX);
                let buffer = &mut buffer.as_mut_slice()[..left.min(HASH_BYTES)];
                match platform.read(file, Some(self.part.offset), buffer) {
                    Ok(read) if read > 0 && !cancel.is_cancelled() => {
                        self.hasher.update(&buffer[..read]);
                        self.part.offset += read as u64;
                    }
                    _ => return,
                }
            }
        }
    }

    /// Opens the part that an earlier run has copied, if it is still as the journal records it.
    pub(crate) fn resume(&mut self, at: At<'_, P>, dst: &Path) -> Option<Resumed<P>> {
        let platform = self.journal.platform;
        let part = self.journal.take_part(dst)?;
        let temporary = Temporary(part.temporary);
        let name = temporary.beside(at.name);
        let at = At {
            dir: at.dir,
            name: &name,
        };
        let file = platform.open(at, Open::Draft).ok()?;
        if exclusive::wait(platform, &file, self.journal.cancel) == Ok(false) {
            return None; // another process holds the lock, and uses it
        }
        let offset = self.check(&part, &file);
        let Some(offset) = offset else {
            platform.close_quietly(file);
            let _ = remove_closed(platform, at);
            return None;
        };
        Some(Resumed {
            handle: file,
            temporary,
            offset,
        })
    }

    /// The offset from which the part is continued.
    fn check(&mut self, part: &Part, file: &P::Handle) -> Option<u64> {
        let platform = self.journal.platform;
        let stat = platform.stat_open(file).ok()?;
        let usable = part.src == self.part.src
            && stat.kind == FileKind::Regular
            && stat.links <= 1
            && stat.size >= part.offset;
        if !usable {
            return None;
        }
        let offset = part.offset - part.offset % RESUME_BYTES;
        self.hash(file, offset);
        let whole = self.hasher.clone();
        self.hash(file, part.offset);
        let found = self.hasher.clone().finish();
        let is_sound = self.part.offset == part.offset && found == part.hash;
        (self.hasher, self.part.offset) = (whole, offset);
        self.noted_any = is_sound;
        if !is_sound {
            (self.hasher, self.part.offset) = (SparseHasher::default(), 0);
            return None;
        }
        platform.set_len(file, offset).ok()?;
        Some(offset)
    }
}
