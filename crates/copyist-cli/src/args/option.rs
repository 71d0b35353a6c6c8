//! The options, and the headings that the help lists them under.

/// What an option means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opt {
    /// An option of GNU cp.
    Cp(Cp),
    /// An option of copyist's own, of both commands.
    Own(Own),
    /// An option of `copy` only.
    Copy(Copy),
}

/// An option of GNU cp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cp {
    Archive,
    AttributesOnly,
    Backup,
    Context,
    CopyContents,
    Debug,
    Dereference,
    DereferenceOperands,
    Force,
    Help,
    Interactive,
    KeepDirectorySymlink,
    Link,
    Links,
    NoClobber,
    NoDereference,
    NoPreserve,
    NoTargetDirectory,
    OneFileSystem,
    Parents,
    Preserve,
    Recursive,
    Reflink,
    RemoveDestination,
    Sparse,
    StripTrailingSlashes,
    Suffix,
    SymbolicLink,
    TargetDirectory,
    Update,
    Verbose,
    Version,
}

/// An option of copyist's own, which `cp` and `copy` both take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Own {
    Atomic,
    Cache,
    Explain,
    Fsync,
    Hash,
    Jobs,
    Journal,
    KeepBad,
    Manifest,
    Method,
    OnChange,
    Progress,
    Prove,
    Report,
    Resume,
    Verify,
    Sandbox,
}

/// An option that only `copy` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copy {
    DryRun,
    Exclude,
    ExcludeFrom,
    IgnoreFile,
    Include,
    Json,
    NoPreflight,
    Quiet,
}

pub(super) const WHAT: &str = "What to copy";
pub(super) const EXISTING: &str = "What to do with an existing destination";
pub(super) const KEEP: &str = "What to keep";
pub(super) const HOW: &str = "How to copy";
pub(super) const WHERE: &str = "Where to";
pub(super) const SAFE: &str = "How to be safe";
pub(super) const REPORT: &str = "What to report";
