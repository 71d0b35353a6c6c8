//! Observing a copy, answering its questions, and cancelling it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::code::Code;
use super::error::Error;
use super::facts::NoLink;
use super::report::Report;
use super::stat::FileKind;

/// The paths of an entry, built only when they are called for: copying a small file allocates nothing.
pub trait PathSource {
    /// The path of the source, as the caller named it.
    fn src(&self) -> PathBuf;
    /// The path of the destination.
    fn dst(&self) -> PathBuf;
}

/// An event of a run.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// An entry is about to be created. With [`crate::Options::ordered`] these events come in order.
    Begin {
        /// The entry's paths.
        paths: &'a dyn PathSource,
        /// The name that the old version was moved to, if there was one and backups are made.
        backup: Option<&'a PathBuf>,
        /// The type of what will be created (for a hard link to an earlier copy, the type of that copy).
        kind: FileKind,
        /// It is a directory that leads to an operand (`--parents`).
        is_parent: bool,
    },
    /// Data was copied: the number of bytes since the last such event, holes that were passed over included.
    Bytes(u64),
    /// An existing destination is about to be replaced: written into, renamed over, or removed.
    Replaces {
        /// The entry's paths.
        paths: &'a dyn PathSource,
    },
    /// An existing destination was removed before it is created again.
    Removed {
        /// The entry's paths.
        paths: &'a dyn PathSource,
    },
    /// Creating the new file failed, and the backup was renamed back to the destination's name.
    MovedBack {
        /// The entry's paths.
        paths: &'a dyn PathSource,
        /// The name of the backup.
        backup: &'a PathBuf,
    },
    /// A regular file's data is complete (or, with `attributes_only`, the file is).
    File {
        /// The entry's paths.
        paths: &'a dyn PathSource,
        /// How it was copied.
        report: &'a Report,
    },
    /// An entry that is not a regular file is complete.
    Entry {
        /// The entry's paths.
        paths: &'a dyn PathSource,
        /// What was created.
        what: Made,
    },
    /// An existing destination was left as it is, as the options demand.
    Skipped {
        /// The entry's paths.
        paths: &'a dyn PathSource,
    },
    /// The destination's filesystem could not create a link. In place of a hard link to an earlier copy (`what` is
    /// [`Made::HardLink`]) the file was copied again. A symbolic link is missing, and an [`Event::Error`] follows.
    NoLink {
        /// The entry's paths.
        paths: &'a dyn PathSource,
        /// The link that should have been created.
        what: Made,
        /// Why it could not be created.
        why: NoLink,
    },
    /// A failure. The run continues with the other entries.
    Error(&'a Error),
    /// A condition worth reporting that is not a failure.
    Warning(&'a Warning),
}

/// The subject of an [`Event::Entry`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the documentation
pub enum Made {
    Directory,
    HardLink,
    Symlink,
    Special,
}

/// A condition worth reporting that is not a failure.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The source changed while it was copied; the copy may mix old and new content.
    Changed {
        /// The source.
        src: PathBuf,
        /// Its size when the copy began, in bytes.
        size_before: u64,
        /// Its size when the copy ended, in bytes.
        size_after: u64,
    },
    /// A source directory was given twice; it is copied once.
    GivenTwice {
        /// The source.
        src: PathBuf,
        /// It is a directory.
        is_dir: bool,
    },
    /// A file was written in place, since it could not be replaced in one step
    /// ([`crate::options::Atomic::BestEffort`]). Only the first such file of a run is reported.
    WroteInPlace {
        /// The destination.
        dst: PathBuf,
        /// Why it could not be replaced.
        code: Code,
    },
    /// A socket, or another type of file without content, was skipped.
    Skipped {
        /// The source.
        src: PathBuf,
    },
}

/// A question before a destination is replaced.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    pub(crate) paths: &'a dyn PathSource,
    pub(crate) unwritable_mode: Option<u32>,
    pub(crate) removes: bool,
}

impl<'a> Question<'a> {
    /// The paths of the entry that would be replaced.
    pub fn paths(&self) -> &'a dyn PathSource {
        self.paths
    }

    /// The permission bits of a destination that the process may not write to, so that it would have to be removed or
    /// its permissions overridden; `None` if it is writable.
    pub fn unwritable_mode(&self) -> Option<u32> {
        self.unwritable_mode
    }

    /// Whether the destination would be removed and created again (otherwise it is written into).
    pub fn removes(&self) -> bool {
        self.removes
    }
}

/// The progress of a call: see [`Copier::on_progress`](crate::Copier::on_progress).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    pub(crate) bytes: u64,
    pub(crate) files: u64,
}

impl Progress {
    /// The bytes copied so far, holes that were kept included.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The regular files that are complete.
    pub fn files(&self) -> u64 {
        self.files
    }
}

/// Observes a run. The functions are called from several threads at once, except with [`crate::Options::ordered`].
///
/// A panic in one of these functions stops the run as cancelling does: incomplete files are removed, and no function
/// is called any more. When all threads have ended, the panic is resumed in the caller's thread.
pub trait Observer: Send + Sync {
    /// Called for every event.
    fn event(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Whether to copy an entry; called with [`crate::Options::filtered`] only. A directory that is not wanted is not
    /// read.
    fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        let _ = (paths, kind);
        true
    }

    /// Whether the reports should have the time that each file and attempt took; called once, before a run. Without
    /// it those times are 0, and a small file needs four clock reads fewer, a percent of its cost.
    fn wants_times(&self) -> bool {
        true
    }

    /// Whether an existing destination may be replaced; called with [`crate::Options::interactive`] only.
    fn may_replace(&self, question: Question<'_>) -> bool {
        let _ = question;
        false
    }
}

/// An observer that ignores every event.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {}

/// Cancels a run. The token is checked at every entry, and at least every 64 MiB of data.
///
/// ```
/// use copyist::{CancelToken, Copier};
///
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// let cancel = CancelToken::new();
/// let copier = Copier::new().cancel_token(cancel.clone());
/// cancel.cancel(); // from another thread, or a handler of a signal
/// let error = copier.copy(&src, &dst).expect_err("it was cancelled");
/// assert!(error.is_cancelled());
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct CancelToken {
    flag: Arc<AtomicUsize>,
    /// Set in a run's own token: stops this run only, and no other run with the same flag.
    stopped: Option<Arc<AtomicBool>>,
}

impl CancelToken {
    /// A token that has not been cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// A token that is cancelled when `flag` is not 0. A signal handler that can only store a number, such as
    /// signal-hook's `flag::register_usize`, can cancel with it.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use std::sync::atomic::{AtomicUsize, Ordering};
    /// use copyist::CancelToken;
    ///
    /// let flag = Arc::new(AtomicUsize::new(0));
    /// let cancel = CancelToken::from_flag(Arc::clone(&flag));
    /// flag.store(15, Ordering::Release);
    /// assert!(cancel.is_cancelled());
    /// ```
    pub fn from_flag(flag: Arc<AtomicUsize>) -> CancelToken {
        CancelToken {
            flag,
            stopped: None,
        }
    }

    /// Cancels every run that has this token or a clone of it.
    pub fn cancel(&self) {
        self.flag.store(1, Ordering::Release);
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Acquire) != 0 || self.is_stopped()
    }

    /// A token of one run, which can be stopped separately.
    pub(crate) fn for_run(&self) -> CancelToken {
        CancelToken {
            flag: Arc::clone(&self.flag),
            stopped: Some(Arc::default()),
        }
    }

    /// Stops the run that this token was made for.
    pub(crate) fn stop(&self) {
        if let Some(stopped) = &self.stopped {
            stopped.store(true, Ordering::Release);
        }
    }

    /// Whether [`CancelToken::stop`] was called.
    pub(crate) fn is_stopped(&self) -> bool {
        let stopped = self.stopped.as_ref();
        stopped.is_some_and(|stopped| stopped.load(Ordering::Acquire))
    }

    /// The flag, for a system call that reads it: [`CancelToken::cancel`] sets it to a number other than 0.
    pub(crate) fn flag(&self) -> &AtomicUsize {
        &self.flag
    }
}

impl std::fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Event::Begin { .. } => "Begin",
            Event::Bytes(_) => "Bytes",
            Event::Replaces { .. } => "Replaces",
            Event::Removed { .. } => "Removed",
            Event::MovedBack { .. } => "MovedBack",
            Event::File { .. } => "File",
            Event::Entry { .. } => "Entry",
            Event::Skipped { .. } => "Skipped",
            Event::NoLink { .. } => "NoLink",
            Event::Error(_) => "Error",
            Event::Warning(_) => "Warning",
        })
    }
}

impl std::fmt::Debug for Question<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question")
            .field("dst", &self.paths.dst())
            .finish_non_exhaustive()
    }
}
