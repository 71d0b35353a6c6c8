//! The library's front door.

use crate::tree::engine;
use crate::words::operand::Operand;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::run::context::RunContext;
use crate::system::dry::Dry;
use crate::system::native::Native;
use crate::words::error::{Error, Result};
use crate::words::method::Method;
use crate::words::observer::{CancelToken, Event, Observer, PathSource, Question, Silent};
use crate::words::options::{Atomic, Follow, Options, Preserve, Reflink, Sparse};
use crate::words::report::{Report, Summary};
use crate::words::stat::FileKind;

/// Copies one file with the default options: its data the fastest way there is, and its
/// permission bits less the umask. An existing destination is overwritten.
///
/// # Errors
///
/// An [`Error`](crate::Error) names the operation, the paths and the cause. A destination that was
/// created and could not be finished has been removed.
pub fn copy(src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Report> {
    Copier::new().copy(src, dst)
}

/// A copier with options. Reusable, and may be shared between threads.
///
/// ```no_run
/// use copyist::{Copier, Preserve, Reflink};
///
/// let summary = Copier::new()
///     .preserve(Preserve::ARCHIVE)
///     .reflink(Reflink::Never)
///     .copy_tree("/usr/share", "/backup/share")?;
/// println!("{} files", summary.files);
/// # Ok::<(), copyist::Error>(())
/// ```
#[derive(Clone)]
pub struct Copier {
    options: Options,
    observer: Arc<dyn Observer>,
    cancel: CancelToken,
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
    /// A copier with the default [`Options`].
    pub fn new() -> Copier {
        Copier::with_options(Options::default())
    }

    /// A copier with these options.
    pub fn with_options(options: Options) -> Copier {
        Copier {
            options,
            observer: Arc::new(Silent),
            cancel: CancelToken::new(),
        }
    }

    /// The options.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// Allows these methods only.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Copier {
        self.options.methods = Some(methods.into_iter().collect());
        self
    }

    /// Sets the cloning policy.
    #[must_use]
    pub fn reflink(mut self, reflink: Reflink) -> Copier {
        self.options.reflink = reflink;
        self
    }

    /// Sets the policy on holes.
    #[must_use]
    pub fn sparse(mut self, sparse: Sparse) -> Copier {
        self.options.sparse = sparse;
        self
    }

    /// Sets the attributes to keep.
    #[must_use]
    pub fn preserve(mut self, preserve: Preserve) -> Copier {
        self.options.preserve = preserve;
        self
    }

    /// Sets which symbolic links are followed.
    #[must_use]
    pub fn follow(mut self, follow: Follow) -> Copier {
        self.options.follow = follow;
        self
    }

    /// Sets whether files get their names only when they are complete.
    #[must_use]
    pub fn atomic(mut self, atomic: Atomic) -> Copier {
        self.options.atomic = atomic;
        self
    }

    /// Sets who watches.
    #[must_use]
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Copier {
        self.observer = observer;
        self
    }

    /// Sets what can stop the copy.
    #[must_use]
    pub fn cancel_token(mut self, cancel: CancelToken) -> Copier {
        self.cancel = cancel;
        self
    }

    /// Copies one file to `dst`, which is the new file's own path. A symbolic link is followed.
    ///
    /// A file that the options say to leave alone ([`Update`](crate::Update)) has an empty report.
    ///
    /// # Errors
    ///
    /// See [`copy`].
    pub fn copy(&self, src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Report> {
        let mut options = self.options.clone();
        options.recursive = false;
        if options.follow == Follow::Never {
            options.follow = Follow::Operands;
        }
        let keep = KeepReport {
            observer: &*self.observer,
            report: Mutex::default(),
        };
        let (_, error) = self.run(&options, &keep, &[operand(src, dst)]);
        match error {
            Some(error) => Err(error),
            None => Ok(keep
                .report
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner)),
        }
    }

    /// Copies `src`, and all that is in it if it is a directory, to `dst`, its copy's own path.
    ///
    /// # Errors
    ///
    /// The first failure, after everything else has been copied; the observer is told of each.
    pub fn copy_tree(&self, src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Summary> {
        let mut options = self.options.clone();
        options.recursive = true;
        match self.run(&options, &*self.observer, &[operand(src, dst)]) {
            (_, Some(error)) => Err(error),
            (summary, None) => Ok(summary),
        }
    }

    /// Copies several things in one run, as one `cp` does: hard links between them are kept, and
    /// what one of them made is not overwritten by another. The outcome is the same as if they
    /// were copied one after the other.
    ///
    /// Failures are counted in the summary; the observer is told of each.
    pub fn copy_operands(&self, operands: &[Operand]) -> Summary {
        self.run(&self.options, &*self.observer, operands).0
    }

    /// What [`Copier::copy_operands`] would do, without doing it: the same is told, and of each
    /// file what would be tried ([`Report::planned`]). Bytes are not counted, since none move. What only the run
    /// can show is not foreseen: that a method is refused, and that other files leave fewer threads free.
    pub fn dry_run_operands(&self, operands: &[Operand]) -> Summary {
        let context = RunContext::new(&*self.observer, &self.cancel);
        let dry = Dry::new(Native::new());
        engine::run(&dry, &self.options, context, operands).0
    }

    fn run(
        &self,
        options: &Options,
        observer: &dyn Observer,
        operands: &[Operand],
    ) -> (Summary, Option<Error>) {
        let context = RunContext::new(observer, &self.cancel);
        engine::run(&Native::new(), options, context, operands)
    }
}

fn operand(src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Operand {
    Operand {
        src: src.as_ref().to_path_buf(),
        dst: dst.as_ref().to_path_buf(),
        parents_below: None,
    }
}

/// Passes everything on, and keeps the one file's report.
struct KeepReport<'a> {
    observer: &'a dyn Observer,
    report: Mutex<Report>,
}

impl Observer for KeepReport<'_> {
    fn event(&self, event: Event<'_>) {
        if let Event::File { report, .. } = event {
            *self.report.lock().unwrap_or_else(PoisonError::into_inner) = report.clone();
        }
        self.observer.event(event);
    }

    fn wants(&self, paths: &dyn PathSource, kind: FileKind) -> bool {
        self.observer.wants(paths, kind)
    }

    fn may_replace(&self, question: Question<'_>) -> bool {
        self.observer.may_replace(question)
    }
}
