//! One run: its options, what all workers share, and its failures.

use super::concurrency::{Concurrency, FIRST_WITH_FSYNC, MOST};
use super::descriptors::Descriptors;
use super::dir::{Dir, DirPair, Entry};
use super::job::Job;
use super::links::Links;
use super::paths::base_name;
use super::schedule::Schedule;
use super::space_retry::SpaceRetry;
use super::volumes::Volumes;
use crate::file::attributes::Failed;
use crate::file::failure::FileError;
use crate::file::journal::Journal;
use crate::file::temp_file::TempFilePolicy;
use crate::run::context::RunContext;
use crate::run::panics::PanicGuard;
use crate::run::thread_budget;
use crate::run::thread_budget::ThreadBudget;
use crate::run::volumes::{Learnt, VolumePairs};
use crate::system::{Platform, Used};
use crate::think::plan;
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::observer::{Event, Observer, PathSource, Warning};
use crate::words::operand::Operand;
use crate::words::options::{Atomic, Backup, Fsync, Options};
use crate::words::stat::{FileId, FileKind, Stat};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ffi::OsString;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// An operand: its file number, whether it is a directory, and its name.
type Given = (FileId, bool, OsString);

/// One run over several operands.
pub(crate) struct Session<'a, P: Platform> {
    pub(super) platform: &'a P,
    pub(super) options: &'a Options,
    pub(super) context: RunContext<'a>,
    pub(super) guard: &'a PanicGuard<'a, dyn Observer + 'a>,
    pub(super) pairs: VolumePairs<'a>,
    pub(super) learnt: &'a Learnt,
    pub(super) links: Links,
    pub(super) space_retry: SpaceRetry,
    pub(super) schedule: Schedule<Job<P>>,
    pub(super) thread_budget: ThreadBudget,
    pub(super) temp_files: TempFilePolicy,
    pub(super) volumes: Volumes<P>,
    pub(super) journal: Option<Journal<'a, P>>,
    /// The operands' directories in which leftovers have been removed.
    pub(super) tidied: Mutex<HashSet<FileId>>,
    pub(super) concurrency: Concurrency,
    /// The unit in which each volume stores times, by volume number.
    pub(super) units: Mutex<HashMap<u64, Option<u64>>>,
    /// The system has refused to clone whole directories here.
    pub(super) no_whole: AtomicBool,
    pub(super) descriptors: Descriptors,
    /// Why relative paths can't be resolved, if they can't.
    pub(super) no_current_dir: Option<Code>,
    /// The directory that operands' names are relative to.
    pub(super) current: Arc<Dir<P>>,
    /// The same, open.
    pub(super) here: Arc<DirPair<P>>,
    /// The directories that operands were copied to. One of them found as a source would be copied into itself without
    /// end.
    pub(super) roots: Mutex<BTreeSet<FileId>>,
    /// The operands copied so far, by name.
    pub(super) given: Mutex<HashSet<Given>>,
    /// The names that operands have created: a later operand may not overwrite them. `None` with one operand.
    pub(super) made: Option<Mutex<HashSet<(FileId, OsString)>>>,
    pub(super) errors: AtomicU64,
    /// A reported failure already says that the run was cancelled.
    pub(super) cancel_told: AtomicBool,
    /// The warning that files are written in place was given.
    pub(super) in_place_told: AtomicBool,
    pub(super) first_error: Mutex<Option<Error>>,
}

impl<'a, P: Platform> Session<'a, P> {
    pub(super) fn new(
        (platform, learnt): (&'a P, &'a Learnt),
        options: &'a Options,
        (context, guard): (RunContext<'a>, &'a PanicGuard<'a, dyn Observer + 'a>),
        operands: &[Operand],
    ) -> Result<Session<'a, P>, Failed> {
        let failed = |code| Failed {
            operation: Operation::OpenDirectory,
            code,
        };
        let (src, no_current_dir) = match platform.current_dir() {
            Err(code) if rules::is_access_denied(platform.os(), code) => {
                (platform.root_dir().map_err(|_| failed(code))?, Some(code))
            }
            current => (current.map_err(failed)?, None),
        };
        let dst = match no_current_dir {
            None => platform.current_dir(),
            Some(_) => platform.root_dir(),
        };
        let dst = dst.map_err(failed)?;
        let here = Arc::new(DirPair { src, dst });
        let workers = workers(options, operands);
        let is_fixed = !is_shared(options, operands) || is_fixed(platform, options);
        let most = if is_fixed { workers } else { MOST };
        // A fixed number needs no measurement.
        let used = if is_fixed {
            Used::default()
        } else {
            platform.used()
        };
        let descriptors = Descriptors::new(platform.open_file_limit(), most);
        let most = descriptors.most_workers();
        let first = match options.fsync {
            Fsync::File if !is_fixed => workers.max(FIRST_WITH_FSYNC),
            _ => workers,
        };
        let first = first.min(most);
        Ok(Session {
            platform,
            options,
            context,
            guard,
            pairs: VolumePairs::new(learnt, options),
            learnt,
            links: Links::default(),
            space_retry: SpaceRetry::default(),
            schedule: Schedule::new(first),
            thread_budget: ThreadBudget::new(options.jobs),
            temp_files: TempFilePolicy::default(),
            volumes: Volumes::default(),
            journal: None,
            tidied: Mutex::default(),
            units: Mutex::default(),
            concurrency: Concurrency::new(workers.min(most), (first, most), is_fixed, used),
            no_current_dir,
            no_whole: AtomicBool::new(
                platform.is_dry() || !plan::clones_directories(platform.os(), options),
            ),
            descriptors,
            current: Arc::new(Dir::current(Arc::clone(&here))),
            here,
            roots: Mutex::default(),
            given: Mutex::default(),
            made: (operands.len() > 1).then(Mutex::default),
            errors: AtomicU64::new(0),
            cancel_told: AtomicBool::new(false),
            in_place_told: AtomicBool::new(false),
            first_error: Mutex::default(),
        })
    }

    /// Counts and reports a failure. The run goes on.
    #[cold]
    pub(super) fn fail(&self, error: Error) {
        self.errors.fetch_add(1, Ordering::Relaxed);
        self.cancel_told
            .fetch_or(error.is_cancelled(), Ordering::Relaxed);
        self.context.observer.event(Event::Error(&error));
        let mut first = self
            .first_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        first.get_or_insert(error);
    }

    #[cold]
    pub(super) fn error(&self, entry: &Entry<'_, P>, operation: Operation, cause: Cause) -> Error {
        Error::new(self.platform.os(), operation, cause)
            .with_paths(Some(entry.src()), Some(entry.dst()))
    }

    #[cold]
    pub(super) fn refuse(&self, entry: &Entry<'_, P>, refusal: Refusal) -> Error {
        self.error(entry, Operation::Plan, Cause::Refused(refusal))
    }

    #[cold]
    pub(super) fn file_error(&self, entry: &Entry<'_, P>, error: FileError) -> Error {
        let (operation, cause, transfer) = error.into_parts();
        let error = self.error(entry, operation, cause);
        match transfer {
            Some((method, offset)) => error.with_transfer(method, offset),
            None => error,
        }
    }

    pub(super) fn is_root(&self, id: FileId) -> bool {
        self.roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&id)
    }

    pub(super) fn add_root(&self, id: FileId) {
        if !id.is_known() {
            return;
        }
        self.roots
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(id);
    }

    /// Whether this was an operand before; if so, warns that it is copied once. Files that get backups are copied each
    /// time. With `again`, the entry has not been copied yet: its number may be that of a file removed since (ext4
    /// reuses inode numbers at once).
    pub(super) fn was_given(&self, entry: &Entry<'_, P>, stat: &Stat, again: bool) -> bool {
        let is_dir = stat.kind == FileKind::Directory;
        let copied_each_time = !is_dir && self.options.backup != Backup::None;
        if !entry.is_operand() || copied_each_time || !stat.id.is_known() {
            return false;
        }
        let key = (stat.id, is_dir, base_name(entry.src_name));
        if self
            .given
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(key)
            || again
        {
            return false;
        }
        let warning = Warning::GivenTwice {
            src: entry.src(),
            is_dir,
        };
        self.context.observer.event(Event::Warning(&warning));
        true
    }

    /// Remembers a name that an operand has created.
    pub(super) fn remember_made(&self, entry: &Entry<'_, P>) {
        if let (Some(made), true) = (&self.made, entry.is_operand())
            && let Ok(stat) = self.platform.stat(entry.dst_at(), false)
        {
            let mut made = made.lock().unwrap_or_else(PoisonError::into_inner);
            made.insert(made_key(stat.id, entry.dst_name));
            made.insert((stat.id, entry.dst().into_os_string()));
        }
    }

    /// Whether an operand has created this. Names are compared, as in GNU cp; the name of an operand is its path (with
    /// `--parents`, `s/f` and `s/./f` create one file).
    pub(super) fn was_made(&self, id: FileId, entry: &Entry<'_, P>) -> bool {
        self.made.as_ref().is_some_and(|made| {
            let made = made.lock().unwrap_or_else(PoisonError::into_inner);
            if entry.is_operand() && id.is_known() {
                return made.contains(&(id, entry.dst().into_os_string()));
            }
            made.contains(&made_key(id, entry.dst_name))
        })
    }
}

/// The options, limited to what the system supports.
pub(super) fn effective<'a, P: Platform>(platform: &P, options: &'a Options) -> Cow<'a, Options> {
    let mut options = Cow::Borrowed(options);
    let journals = options.has_journal();
    if platform.is_dry() {
        let options = options.to_mut();
        #[cfg(feature = "journal")]
        {
            options.journal = None;
        }
        // One file at a time uses all threads: a dry run can't know how many would be free.
        options.ordered = true;
    }
    if (options.fsync == Fsync::End || journals) && !platform.os().flushes_volumes() {
        options.to_mut().fsync = Fsync::File;
    }
    if journals && !options.atomic.wanted() {
        options.to_mut().atomic = Atomic::BestEffort;
    }
    options
}

/// What identifies something that was created: its file number and name, or its whole path where files have no number.
fn made_key(id: FileId, name: &std::ffi::OsStr) -> (FileId, OsString) {
    let name = match id.is_known() {
        true => base_name(name),
        false => name.to_os_string(),
    };
    (id, name)
}

/// Whether several workers could have work.
fn is_shared(options: &Options, operands: &[Operand]) -> bool {
    operands.len() > 1 || options.recursive
}

/// The number of workers at the start.
fn workers(options: &Options, operands: &[Operand]) -> usize {
    if options.ordered || !is_shared(options, operands) {
        return 1;
    }
    thread_budget::workers(options.jobs)
}

/// Whether the number of workers is fixed. Each thread takes memory, and where the process's memory is limited, a
/// failed allocation ends the process.
fn is_fixed<P: Platform>(platform: &P, options: &Options) -> bool {
    options.ordered || options.jobs.is_some() || platform.memory_is_limited()
}
