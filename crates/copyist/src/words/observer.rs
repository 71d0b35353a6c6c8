//! Watching a copy, answering its questions, and stopping it.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::code::Code;
use super::error::Error;
use super::facts::NoLink;
use super::report::Report;
use super::stat::FileKind;

/// The path of an entry, put together only when somebody asks for it: copying a small file
/// allocates nothing.
pub trait PathSource {
    /// The path of the source, as the caller named it.
    fn src(&self) -> PathBuf;
    /// The path of the destination.
    fn dst(&self) -> PathBuf;
}

/// Something that happened.
#[non_exhaustive]
#[derive(Clone, Copy)]
pub enum Event<'a> {
    /// An entry is about to be made. With [`crate::Options::ordered`] these come in order.
    Begin {
        /// Where.
        paths: &'a dyn PathSource,
        /// Where the old version went, if there was one and backups are made.
        backup: Option<&'a PathBuf>,
        /// What will be made (a hard link to an earlier copy says what it links to).
        kind: FileKind,
        /// It is a directory on the way to an operand (`--parents`).
        is_parent: bool,
    },
    /// Data has been copied: so many bytes more, holes passed over included.
    Bytes(u64),
    /// An existing destination is about to be replaced, by whatever means the options say.
    Replaces {
        /// Where.
        paths: &'a dyn PathSource,
    },
    /// An existing destination was removed before being made anew.
    Removed {
        /// Where.
        paths: &'a dyn PathSource,
    },
    /// What had been moved to a backup has its name again: making the new one failed.
    MovedBack {
        /// Where.
        paths: &'a dyn PathSource,
        /// Where it was.
        backup: &'a PathBuf,
    },
    /// A regular file's data is complete (or, with `attributes_only`, the file is).
    File {
        /// Where.
        paths: &'a dyn PathSource,
        /// How.
        report: &'a Report,
    },
    /// Something else than a regular file is complete.
    Entry {
        /// Where.
        paths: &'a dyn PathSource,
        /// What was made.
        what: Made,
    },
    /// An existing destination was left alone, as the options ask.
    Skipped {
        /// Where.
        paths: &'a dyn PathSource,
    },
    /// The destination's filesystem could not be given a link. In place of a hard link to an earlier copy
    /// (`what` is [`Made::HardLink`]) the file was copied once more; a symbolic link is missing, and an
    /// [`Event::Error`] follows.
    NoLink {
        /// Where.
        paths: &'a dyn PathSource,
        /// What should have been made.
        what: Made,
        /// Why it could not be.
        why: NoLink,
    },
    /// A failure. The run goes on with the other entries.
    Error(&'a Error),
    /// Something to know that is no failure.
    Warning(&'a Warning),
}

/// What an [`Event::Entry`] is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the documentation
pub enum Made {
    Directory,
    HardLink,
    Symlink,
    Special,
}

/// Something to know that is no failure.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Warning {
    /// The source changed while it was copied; the copy is of this moment's mixture.
    Changed {
        /// The source.
        src: PathBuf,
        /// Its size when the copy began.
        size_before: u64,
        /// Its size when the copy ended.
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
    /// ([`crate::options::Atomic::BestEffort`]). It is the first one of the run.
    WroteInPlace {
        /// The destination.
        dst: PathBuf,
        /// Why it could not be replaced.
        code: Code,
    },
    /// A socket or another thing that has no content to copy was skipped.
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
    /// What would be replaced.
    pub fn paths(&self) -> &'a dyn PathSource {
        self.paths
    }

    /// The permission bits of a destination that can't be written to, so that it would have to
    /// be removed or its protection overridden.
    pub fn unwritable_mode(&self) -> Option<u32> {
        self.unwritable_mode
    }

    /// It would be removed and created again, not written into.
    pub fn removes(&self) -> bool {
        self.removes
    }
}

/// How far a call has come: see [`Copier::on_progress`](crate::Copier::on_progress).
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

/// Watches a run. Called from several threads at once, except with [`crate::Options::ordered`].
///
/// A panic in one of these functions stops the run as cancelling it does: what is half-made is removed, no
/// function is called any more, and when all threads have ended the panic goes on in the caller's.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: Event<'_>) {
        let _ = event;
    }

    /// Whether an entry is wanted (asked with [`crate::Options::filtered`] only). What is in a
    /// directory that is not wanted is not looked at.
    fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        let _ = (paths, kind);
        true
    }

    /// Whether the reports are to say how long each file and attempt took. Without it those times are 0,
    /// and a small file is spared four looks at the clock, a percent of its cost. Asked once, before a run.
    fn wants_times(&self) -> bool {
        true
    }

    /// Whether an existing destination may be replaced (asked with
    /// [`crate::Options::interactive`] only).
    fn may_replace(&self, question: Question<'_>) -> bool {
        let _ = question;
        false
    }
}

/// Watches nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {}

/// Stops a run: checked at every entry and at least every 64 MiB of data.
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
    /// Of a run's own token: the run stops, and others with the same flag don't.
    stopped: Option<Arc<AtomicBool>>,
}

impl CancelToken {
    /// A token that has not been cancelled.
    pub fn new() -> CancelToken {
        CancelToken::default()
    }

    /// A token that is cancelled when `flag` is another number than 0. A handler of signals that can do no more
    /// than store a number, such as signal-hook's `flag::register_usize`, cancels by it.
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

    /// Stops every run that has this token or a clone of it.
    pub fn cancel(&self) {
        self.flag.store(1, Ordering::Release);
    }

    /// Whether [`CancelToken::cancel`] was called.
    pub fn is_cancelled(&self) -> bool {
        self.flag.load(Ordering::Acquire) != 0 || self.is_stopped()
    }

    /// A token of one run, which can be stopped by itself.
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

    /// The flag, for a system's call that looks at it: a number other than 0 is [`CancelToken::cancel`].
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
