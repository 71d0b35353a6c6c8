//! The library's main interface.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use super::watch::Watch;
use crate::file::single;
use crate::run::context::RunContext;
use crate::run::volumes::Learnt;
use crate::system::Machine;
use crate::system::dry::Dry;
use crate::system::native::Native;
use crate::tree::engine;
use crate::words::error::{Error, Result, TreeError};
use crate::words::method::Method;
use crate::words::observer::{CancelToken, Event, Observer, Progress};
use crate::words::operand::Operand;
use crate::words::options::{Follow, Make, Options, Preserve, Reflink};
use crate::words::report::{Report, Summary};

/// Copies one file as [`std::fs::copy`] does: its data, by the fastest available method, and its permission bits,
/// independent of the umask and also onto an existing destination. An existing destination is overwritten; a symbolic
/// link is followed.
///
/// It differs in three things: a file is not copied to itself (std empties it on Linux), a destination that was created
/// and could not be finished is removed, and holes are kept. As with std, a source that is a FIFO or a device may be
/// opened to see what it is; it is not waited for.
///
/// ```
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// let report = copyist::copy(&src, &dst)?;
/// assert_eq!(report.bytes(), 4);
/// assert_eq!(std::fs::read(&dst)?, b"data");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// An [`Error`] has the operation, the paths and the cause.
pub fn copy(src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Report> {
    // What it learns is kept for the next call: refusals, and some buffers.
    static COPIER: LazyLock<Copier> = LazyLock::new(Copier::new);
    COPIER.copy(src, dst)
}

/// A copier with options. It can be reused, and shared between threads.
///
/// What a call has learnt of volumes, such as the methods that they refuse, and its buffers serve the next call of the same
/// copier and of its clones. [`copy`] has such a copier for all calls of the process.
///
/// ```
/// use copyist::Copier;
/// use copyist::options::{Preserve, Reflink};
///
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::create_dir(&src)?;
/// # std::fs::write(src.join("file"), "data")?;
/// let summary = Copier::new()
///     .preserve(Preserve::ARCHIVE)
///     .reflink(Reflink::Never)
///     .copy_tree(&src, &dst)?;
/// assert_eq!(summary.files, 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Copier {
    pub(super) options: Options,
    watch: Watch,
    cancel: CancelToken,
    /// For as long as the options stay the same: see [`Copier::forget`].
    learnt: Arc<Learnt>,
}

impl Default for Copier {
    fn default() -> Copier {
        Copier::new()
    }
}

impl std::fmt::Debug for Copier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Copier")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Copier {
    /// A copier that keeps permission bits, as [`copy`] does, and is otherwise as [`Options::default`].
    pub fn new() -> Copier {
        Copier::with_options(Options {
            preserve: Preserve::PERMISSIONS,
            ..Options::default()
        })
    }

    /// A copier with these options. With [`Options::default`] it copies as `cp` does, which subtracts the umask from
    /// the permission bits of the files that it creates, and does not change those of existing files.
    ///
    /// ```
    /// use copyist::{Copier, Options};
    ///
    /// let as_cp = Copier::with_options(Options::default());
    /// assert_eq!(as_cp.options(), &Options::default());
    /// ```
    pub fn with_options(options: Options) -> Copier {
        Copier {
            options,
            watch: Watch::default(),
            cancel: CancelToken::new(),
            learnt: Arc::default(),
        }
    }

    /// Begins to learn anew: what was learnt and planned was so with other options.
    pub(super) fn forget(&mut self) {
        self.learnt = Arc::default();
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Sets the observer, which receives all events and answers questions.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Copier {
        self.watch.observer = Some(observer);
        self
    }

    /// Calls `report` with the progress of a call: after each part of a large file's data, and after each file. It is
    /// called from several threads, unless the copy is [`ordered`](Copier::ordered).
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    /// # std::fs::write(&src, "data")?;
    /// use copyist::Copier;
    ///
    /// Copier::new()
    ///     .on_progress(|progress| println!("{} bytes", progress.bytes()))
    ///     .copy(&src, &dst)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_progress(mut self, report: impl Fn(Progress) + Send + Sync + 'static) -> Copier {
        self.watch.on_progress = Some(Arc::new(report));
        self
    }

    /// Calls `report` with every event, from several threads unless the copy is [`ordered`](Copier::ordered). It is
    /// called in addition to the observer of [`Copier::observer`], which is called first.
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    /// # std::fs::create_dir(&src)?;
    /// # std::fs::write(src.join("file"), "data")?;
    /// use copyist::{Copier, Event};
    ///
    /// Copier::new()
    ///     .on_event(|event| {
    ///         if let Event::File { paths, report } = event {
    ///             println!("{}: {:?}", paths.dst().display(), report.method());
    ///         }
    ///     })
    ///     .copy_tree(&src, &dst)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn on_event(mut self, report: impl Fn(Event<'_>) + Send + Sync + 'static) -> Copier {
        self.watch.on_event = Some(Arc::new(report));
        self
    }

    /// Sets the token with which the copy can be cancelled.
    #[must_use]
    pub fn cancel_token(mut self, cancel: CancelToken) -> Copier {
        self.cancel = cancel;
        self
    }

    /// Copies one file to `dst`, which is the path of the copy itself. A symbolic link is followed.
    ///
    /// If the options say to skip the file ([`Update`](crate::options::Update)), the report is empty.
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    /// # std::fs::write(&src, "data")?;
    /// let copier = copyist::Copier::new();
    /// let report = copier.copy(&src, &dst)?;
    /// for attempt in report.attempts() {
    ///     println!("{}: {} bytes", attempt.method(), attempt.bytes());
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`copy`].
    pub fn copy(&self, src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Report> {
        let (src, dst) = (src.as_ref(), dst.as_ref());
        let platform = Native::new();
        let may_be_single = self.watch.is_empty() && single::suits(platform.os(), &self.options);
        if may_be_single && !self.cancel.is_cancelled() {
            let paths = (src.as_os_str(), dst.as_os_str());
            let copied = single::copy(&platform, &self.learnt, &self.options, paths);
            if let Some(report) = copied {
                return Ok(report);
            }
        }
        self.copy_one(self.options.clone(), src, dst)
    }

    /// Clones one file: `dst` shares the blocks of `src`. Where that is not possible it fails, and no byte is copied.
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    /// # std::fs::write(&src, "data")?;
    /// match copyist::Copier::new().clone_file(&src, &dst) {
    ///     Ok(report) => assert_eq!(report.cloned(), 4),
    ///     Err(error) => eprintln!("{error}"), // most filesystems can't
    /// }
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`copy`]; the code is the one with which the system refused to clone (on Linux `EOPNOTSUPP`, or `EXDEV`
    /// between filesystems). A destination that was created for it is removed.
    pub fn clone_file(&self, src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Report> {
        let options = Options {
            reflink: Reflink::Always,
            methods: Some([Method::Clone].into_iter().collect()),
            make: Make::Copy,
            attributes_only: false,
            ..self.options.clone()
        };
        self.copy_one(options, src.as_ref(), dst.as_ref())
    }

    fn copy_one(&self, mut options: Options, src: &Path, dst: &Path) -> Result<Report> {
        options.recursive = false;
        if options.follow == Follow::Never {
            options.follow = Follow::Operands;
        }
        let watching = self.watch.begin_one();
        let operands = [Operand::new(src, dst)];
        let context = RunContext::new(&watching, &self.cancel);
        match engine::run_with(&Native::new(), &options, context, &operands, &self.learnt) {
            (_, Some(error)) => Err(error),
            (_, None) => Ok(watching.into_report()),
        }
    }

    /// Copies `src`, with its content if it is a directory, to `dst`, which is the path of the copy itself.
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    /// # std::fs::create_dir(&src)?;
    /// # std::fs::write(src.join("file"), "data")?;
    /// match copyist::Copier::new().copy_tree(&src, &dst) {
    ///     Ok(summary) => println!("{} files", summary.files),
    ///     Err(failed) => {
    ///         let copied = failed.summary().files;
    ///         eprintln!("{copied} files, {} failures: {}", failed.failures(), failed.first());
    ///     }
    /// }
    /// assert!(dst.join("file").exists());
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If anything could not be copied; everything else has been copied then. An observer gets each failure as an
    /// event.
    pub fn copy_tree(
        &self,
        src: impl AsRef<Path>,
        dst: impl AsRef<Path>,
    ) -> std::result::Result<Summary, TreeError> {
        let mut options = self.options.clone();
        options.recursive = true;
        let operands = [Operand::new(src.as_ref(), dst.as_ref())];
        outcome(self.run(&options, &operands))
    }

    /// Copies several operands in one run, as one `cp` does: hard links between them are kept, and a file that one of
    /// them created is not overwritten by another. The result is the same as if they were copied one after the other.
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let dir = temp.path();
    /// # std::fs::write(dir.join("a"), "data")?;
    /// # std::fs::write(dir.join("b"), "data")?;
    /// use copyist::{Copier, Operand};
    ///
    /// let operands = ["a", "b"].map(|name| Operand::new(dir.join(name), dir.join(name).with_extension("copy")));
    /// let summary = Copier::new().copy_operands(&operands)?;
    /// assert_eq!((summary.files, summary.bytes), (2, 8));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Copier::copy_tree`].
    pub fn copy_operands(&self, operands: &[Operand]) -> std::result::Result<Summary, TreeError> {
        outcome(self.run(&self.options, operands))
    }

    /// Reports what [`Copier::copy_operands`] would do, without doing it: the same events, and for each file its plan
    /// ([`Report::planned`]). Bytes are not counted, since none are copied. Not predicted is what only a run can
    /// show: that a method is refused, and that other files leave fewer threads free.
    ///
    /// ```
    /// # let temp = tempfile::tempdir()?;
    /// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
    /// # std::fs::write(&src, "data")?;
    /// use copyist::{Copier, Operand};
    ///
    /// let summary = Copier::new().dry_run_operands(&[Operand::new(&src, &dst)])?;
    /// assert_eq!(summary.files, 1);
    /// assert!(!dst.exists());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Copier::copy_tree`].
    pub fn dry_run_operands(
        &self,
        operands: &[Operand],
    ) -> std::result::Result<Summary, TreeError> {
        let watching = self.watch.begin();
        let context = RunContext::new(&watching, &self.cancel);
        let dry = Dry::new(Native::new());
        outcome(engine::run(&dry, &self.options, context, operands))
    }

    fn run(&self, options: &Options, operands: &[Operand]) -> (Summary, Option<Error>) {
        let watching = self.watch.begin();
        let context = RunContext::new(&watching, &self.cancel);
        engine::run_with(&Native::new(), options, context, operands, &self.learnt)
    }
}

fn outcome((summary, error): (Summary, Option<Error>)) -> std::result::Result<Summary, TreeError> {
    match error {
        Some(first) => Err(TreeError::new(summary, first)),
        None => Ok(summary),
    }
}
