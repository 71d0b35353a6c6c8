//! The journal of a copy that can be resumed: which parts of it are complete and on stable storage.
//!
//! Everything it contains is on stable storage already: files are recorded in groups, after their volume was flushed,
//! and a part of a large file after that file was flushed. So the journal holds after a kill as well as after a power
//! failure, and what is not in it counts as not done. The interval between records depends on their cost.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::temp_file::{Temporary, remove_closed};
use crate::system::parent::sync_parent_dir;
use crate::system::{At, Platform, start_dir};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer::CancelToken;
use crate::words::operand::Operand;
use crate::words::options::Flush;
use crate::words::options::Options;
use crate::words::stat::Stat;

mod exclusive;
mod format;
mod partial;

pub(crate) use format::Part;
#[cfg(fuzzing)]
pub(crate) use format::fuzz;
pub(crate) use partial::{PART_BYTES, PartialJournal};

use format::{Chain, HEADER_BYTES, Header, MAGIC, Record, check};

/// The minimum time between records. Tests use a shorter one.
const LEAST_PAUSE: Duration = Duration::from_millis(if cfg!(test) { 0 } else { 50 });

/// Recording takes at most this part of the time.
const PAUSES: u32 = 8;

/// The maximum number of files that wait for the next record.
const MOST_WAITING: usize = 1 << 16;

/// The size of a read, bytes.
const READ_BYTES: usize = 1 << 16;

/// An open journal.
pub(crate) struct Journal<'a, P: Platform> {
    platform: &'a P,
    path: PathBuf,
    current: P::Handle,
    file: P::Handle,
    cancel: &'a CancelToken,
    key: [u8; 32],
    /// An earlier run has begun this copy.
    resumed: bool,
    done: HashSet<u64>,
    existed: Mutex<HashSet<u64>>,
    parts: Mutex<HashMap<u64, Part>>,
    waiting: Mutex<Waiting>,
    end: Mutex<End>,
    /// A write has failed: the journal is left as it is.
    broken: AtomicBool,
}

/// Complete files that are not recorded yet.
struct Waiting {
    files: Vec<u64>,
    /// A thread is recording.
    busy: bool,
    noted: Duration,
    cost: Duration,
}

/// The offset of the next record.
struct End {
    offset: u64,
    chain: Chain,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The operands and options, as far as they must be the same to resume a copy.
fn fingerprint(operands: &[Operand], options: &Options) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    for operand in operands {
        for path in [
            Some(&operand.src),
            Some(&operand.dst),
            operand.parents_below.as_ref(),
        ] {
            let bytes = path.map_or(&b"\0"[..], |it| it.as_os_str().as_encoded_bytes());
            hasher
                .update(&(bytes.len() as u64).to_le_bytes())
                .update(bytes);
        }
    }
    let how = (
        (
            options.preserve,
            options.new_mode,
            (options.follow, options.read_open_files),
            options.sparse,
        ),
        (
            options.recursive,
            options.one_file_system,
            options.copy_contents,
        ),
        (options.make, options.attributes_only, options.reflink),
    );
    hasher.update(format!("{how:?}").as_bytes());
    *hasher.finalize().as_bytes()
}

/// Whether `path` is the journal of this copy.
///
/// `cp -r a b` copies to `b` first, and to `b/a` when it is repeated: this shows which copy is resumed.
pub fn is_journal_of(path: impl AsRef<Path>, operands: &[Operand], options: &Options) -> bool {
    let mut bytes = [0; HEADER_BYTES];
    let read = std::fs::File::open(path).and_then(|mut file| {
        use std::io::Read;
        file.read_exact(&mut bytes)
    });
    let header = read.ok().and_then(|()| Header::decode(&bytes));
    header.is_some_and(|it| it.copy == fingerprint(operands, options))
}

impl<'a, P: Platform> Journal<'a, P> {
    /// Opens the journal of a copy, or creates it.
    pub(crate) fn open(
        platform: &'a P,
        path: &Path,
        operands: &[Operand],
        options: &Options,
        cancel: &'a CancelToken,
    ) -> Result<Journal<'a, P>, Error> {
        let os = platform.os();
        let error = |cause| {
            let error = Error::new(os, Operation::Journal, cause);
            error.with_paths(None, Some(path.to_path_buf()))
        };
        let failed = |code| error(Cause::System(code));
        let refused = |refusal| error(Cause::Refused(refusal));
        let current = start_dir(platform, [path]).map_err(failed)?;
        let at = At {
            dir: &current,
            name: path.as_os_str(),
        };
        let file = exclusive::open(platform, at, cancel)
            .map_err(failed)?
            .ok_or_else(|| refused(Refusal::JournalInUse))?;
        let copy = fingerprint(operands, options);
        let bytes = read_all(platform, &file).map_err(failed)?;
        let torn = bytes.len() < HEADER_BYTES && MAGIC.starts_with(&bytes[..bytes.len().min(16)]);
        let header = match Header::decode(&bytes) {
            Some(header) if header.copy == copy => Some(header),
            Some(_) => return Err(refused(Refusal::JournalOfAnother)),
            None if torn => None,
            None => return Err(refused(Refusal::NotJournal)),
        };
        let resumed = header.is_some();
        let header = header.unwrap_or_else(|| Header { key: key(), copy });
        let mut journal = Journal {
            platform,
            path: path.to_path_buf(),
            file,
            cancel,
            key: header.key,
            resumed,
            done: HashSet::new(),
            existed: Mutex::default(),
            parts: Mutex::default(),
            waiting: Mutex::new(Waiting {
                files: Vec::new(),
                busy: false,
                noted: platform.clock(),
                cost: Duration::ZERO,
            }),
            end: Mutex::new(End {
                offset: HEADER_BYTES as u64,
                chain: Chain::new(header.key),
            }),
            broken: AtomicBool::new(false),
            current,
        };
        if resumed {
            journal.read_records(&bytes);
            let end = lock(&journal.end).offset;
            platform.set_len(&journal.file, end).map_err(failed)?;
        } else {
            journal.begin(&header).map_err(failed)?;
        }
        Ok(journal)
    }

    fn at(&self) -> At<'_, P> {
        At {
            dir: &self.current,
            name: self.path.as_os_str(),
        }
    }

    /// A new journal, and its name, are flushed before anything is copied.
    fn begin(&self, header: &Header) -> Result<(), Code> {
        self.platform.set_len(&self.file, 0)?;
        write_all(self.platform, &self.file, 0, &header.encode())?;
        self.platform.flush(&self.file, Flush::Durable)?;
        sync_parent_dir(self.platform, self.at())
    }

    fn read_records(&mut self, bytes: &[u8]) {
        let mut end = lock(&self.end);
        let (mut existed, mut parts) = (lock(&self.existed), lock(&self.parts));
        let mut at = HEADER_BYTES;
        while let Some((record, len)) = end.chain.decode(&bytes[at..]) {
            at += len;
            match record {
                Record::Done(files) => self.done.extend(files),
                Record::Existed(dir) => {
                    existed.insert(dir);
                }
                Record::Part(part) => {
                    parts.insert(part.file, part);
                }
            }
        }
        end.offset = at as u64;
    }

    fn name_of(&self, dst: &Path) -> u64 {
        check(&self.key, 1, dst.as_os_str().as_encoded_bytes())
    }

    /// The fingerprint of a source. Volumes may have another number after a restart.
    fn of_source(&self, src: &Stat) -> u64 {
        let facts = (src.id.inode, src.size, src.modified, src.changed);
        check(&self.key, 2, format!("{facts:?}").as_bytes())
    }

    /// The fingerprint of a complete file and its source.
    fn of_done(&self, dst: &Path, src: &Stat, copy: &Stat) -> u64 {
        let facts = (copy.id.inode, copy.size, copy.modified);
        let facts = format!("{:?}", (self.name_of(dst), self.of_source(src), facts));
        check(&self.key, 3, facts.as_bytes())
    }

    /// Whether an earlier run has completed this file, and neither side has changed since.
    pub(crate) fn is_done(&self, dst: &Path, src: &Stat, copy: &Stat) -> bool {
        self.resumed && self.done.contains(&self.of_done(dst, src, copy))
    }

    /// Whether an earlier run may have completed something.
    pub(crate) fn is_resumed(&self) -> bool {
        self.resumed
    }

    /// Whether an earlier run of this copy has created an existing directory.
    pub(crate) fn made(&self, dst: &Path) -> bool {
        self.resumed && !lock(&self.existed).contains(&self.name_of(dst))
    }

    /// Records a directory that existed before, before anything in it is changed.
    pub(crate) fn existed(&self, dst: &Path) -> Result<(), Error> {
        let name = self.name_of(dst);
        if !lock(&self.existed).insert(name) {
            return Ok(());
        }
        self.write(&Record::Existed(name))
    }

    /// Whether a temporary is a part of a file that is not complete yet.
    pub(crate) fn wants(&self, temporary: Temporary) -> bool {
        lock(&self.parts)
            .values()
            .any(|part| part.temporary == temporary.0)
    }

    /// The part of a file that an earlier run has copied.
    fn take_part(&self, dst: &Path) -> Option<Part> {
        lock(&self.parts).remove(&self.name_of(dst))
    }

    /// Records a complete file, when a record is due. `flush` flushes everything that was completed before its call.
    pub(crate) fn note(
        &self,
        dst: &Path,
        (src, copy): (&Stat, &Stat),
        flush: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let mut waiting = lock(&self.waiting);
        waiting.files.push(self.of_done(dst, src, copy));
        let pause = LEAST_PAUSE.max(waiting.cost * PAUSES);
        let due =
            self.platform.clock() - waiting.noted >= pause || waiting.files.len() >= MOST_WAITING;
        if !due || waiting.busy {
            return Ok(());
        }
        self.note_waiting(waiting, flush)
    }

    fn note_waiting(
        &self,
        mut waiting: MutexGuard<'_, Waiting>,
        flush: impl FnOnce() -> bool,
    ) -> Result<(), Error> {
        let files = std::mem::take(&mut waiting.files);
        waiting.busy = true;
        drop(waiting);
        let start = self.platform.clock();
        let result = if files.is_empty() || !flush() {
            Ok(())
        } else {
            self.write(&Record::Done(files))
        };
        let mut waiting = lock(&self.waiting);
        waiting.busy = false;
        waiting.noted = self.platform.clock();
        waiting.cost = waiting.noted - start;
        result
    }

    /// Records the files that wait: the run ends without having copied everything.
    pub(crate) fn note_rest(&self, flush: impl FnOnce() -> bool) -> Result<(), Error> {
        self.note_waiting(lock(&self.waiting), flush)
    }

    /// Removes the journal: everything is copied.
    pub(crate) fn remove(self) -> Result<(), Error> {
        for part in lock(&self.parts).values() {
            self.remove_part(part);
        }
        // Locked until its name is removed, so that no other run resumes it. Some mounts can't remove the name of an
        // open file.
        if self.platform.remove(self.at(), false).is_ok() {
            return Ok(());
        }
        let Journal {
            platform,
            path,
            current,
            file,
            ..
        } = self;
        platform.close_quietly(file);
        let at = At {
            dir: &current,
            name: path.as_os_str(),
        };
        remove_closed(platform, at).map_err(|code| error(platform, &path, code))
    }

    /// Removes the part of a file that is no longer to be copied; only this copy has recorded it.
    fn remove_part(&self, part: &Part) {
        // Only names of temporaries are removed.
        let name = Temporary(part.temporary).beside(&part.dst);
        let at = At {
            dir: &self.current,
            name: &name,
        };
        // It may have been removed already.
        let _ = self.platform.remove(at, false);
    }

    fn error(&self, code: Code) -> Error {
        error(self.platform, &self.path, code)
    }

    /// Appends a record, and flushes it. The first failure is reported, and ends the journal.
    fn write(&self, record: &Record) -> Result<(), Error> {
        let mut end = lock(&self.end);
        if self.broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        let bytes = end.chain.encode(record);
        let written = write_all(self.platform, &self.file, end.offset, &bytes)
            .and_then(|()| self.platform.flush(&self.file, Flush::Ordered));
        end.offset += bytes.len() as u64;
        written.map_err(|code| {
            self.broken.store(true, Ordering::Relaxed);
            self.error(code)
        })
    }
}

fn error<P: Platform>(platform: &P, path: &Path, code: Code) -> Error {
    let error = Error::new(platform.os(), Operation::Journal, Cause::System(code));
    error.with_paths(None, Some(path.to_path_buf()))
}

/// Random bytes: the hash tables of the standard library get their seeds from the system.
fn key() -> [u8; 32] {
    let mut key = [0; 32];
    for part in key.chunks_mut(8) {
        part.copy_from_slice(&RandomState::new().hash_one(0).to_le_bytes());
    }
    key
}

fn read_all<P: Platform>(platform: &P, file: &P::Handle) -> Result<Vec<u8>, Code> {
    let mut bytes = Vec::new();
    loop {
        let at = bytes.len();
        bytes.resize(at + READ_BYTES, 0);
        let read = platform.read(file, Some(at as u64), &mut bytes[at..])?;
        bytes.truncate(at + read);
        if read == 0 {
            return Ok(bytes);
        }
    }
}

fn write_all<P: Platform>(
    platform: &P,
    file: &P::Handle,
    offset: u64,
    bytes: &[u8],
) -> Result<(), Code> {
    let mut done = 0;
    while done < bytes.len() {
        let written = platform.write(file, Some(offset + done as u64), &bytes[done..])?;
        if written == 0 {
            return Err(Code::NO_PROGRESS);
        }
        done += written;
    }
    Ok(())
}
