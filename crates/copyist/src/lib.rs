//! Copies files the fastest way the machine can, says which way it took, and loses nothing.
//!
//! ```
//! # let dir = tempfile::tempdir()?;
//! # let (src, dst) = (dir.path().join("src"), dir.path().join("dst"));
//! # std::fs::write(&src, b"data")?;
//! let report = copyist::copy(&src, &dst)?;
//! println!("{} bytes, {} of them cloned", report.bytes(), report.cloned());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`copy`] copies one file; a [`Copier`] has options, an [`Observer`] and a [`CancelToken`], and copies trees too.
//! The types in their signatures are at the top level; the types of options, reports and errors, and other operations
//! on files, are in modules. A [`Report`] says what was done: which methods ran, how each ended, and how many bytes
//! were cloned, offloaded to the kernel, moved through memory, or holes.
//!
//! # How a method is chosen
//!
//! [`Options`] and facts make a plan: the ordered methods to try, and those skipped with the reason. When the plan is
//! run, each attempt ends as done, next or failed, by a table of rules for the system's error codes. The report
//! consists of these attempts. There is no other fallback.
//!
//! # Features
//!
//! Without any feature, the library copies, and needs no C compiler. The features are:
//!
//!  - `hash`: hashes of what is copied ([`Options::hash`]) and of files ([`hash::hash_file`])
//!  - `verify`: copies that are read back ([`Options::verify`]), trees that are compared ([`verify::Compare`]); has `hash`
//!  - `journal`: copies that can be resumed ([`Options::journal`]); has `hash`
//!  - `preflight`: problems found before a copy begins ([`preflight`](mod@preflight))
//!  - `probe`: what volumes can do ([`probe::Probe`])
//!  - `pure`: BLAKE3 in Rust alone, which is slower: no feature needs a C compiler then
//!  - `sandbox`: a process that can access only what it copies ([`process::enter_sandbox`])
//!  - `full`: all of them but `pure`
//!
//! # Effects on the process
//!
//! Nothing of the process is changed: not its umask, limits, signal dispositions, current directory, environment, or
//! the processors that its threads may use. The exceptions are [`process::raise_open_file_limit`] and
//! [`process::enter_sandbox`], whose purpose is to change it. Several threads may copy at once.
//!
//! The umask is read once in a call, when it is first needed, so that a program may change it between two calls.
//! Linux and FreeBSD report it. On macOS an empty file is created for a moment in the directory for temporary files,
//! and has it in its mode. Where that fails (on Linux, where there is no `/proc` *and* a seccomp filter refuses
//! `unshare`) the umask is set and restored, by one thread at a time: a file that another thread of the process
//! creates at that moment has no permissions for others.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(feature = "full"),
    allow(
        dead_code,
        unused_imports,
        reason = "what only a feature calls is there without it, too"
    )
)]

mod api;
mod file;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod run;
#[cfg(test)]
mod sim;
mod system;
mod think;
mod tree;
mod words;

pub use api::copier::{Copier, copy};
pub use words::error::{Error, Result, TreeError};
pub use words::method::Method;
pub use words::observer::{CancelToken, Event, Observer, Progress};
pub use words::operand::Operand;
pub use words::options::Options;
pub use words::report::{Report, Summary};

/// Options of a copy: the types of [`Options`] and of the setters of [`Copier`].
pub mod options {
    pub use crate::words::method::MethodSet;
    pub use crate::words::options::{
        Atomic, Backup, Cache, Flush, Follow, Force, Fsync, Make, NewMode, OnChange, Preserve,
        Reflink, Sparse, Update, Want,
    };
}

/// The parts of a [`Report`].
pub mod report {
    pub use crate::words::facts::{FsKind, Known};
    pub use crate::words::method::{Skip, Tally};
    pub use crate::words::report::{Attempt, Changed, Ended, Planned};
}

/// The parts of an [`Error`].
pub mod error {
    pub use crate::words::code::Code;
    pub use crate::words::error::{Cause, Operation, Refusal};
    pub use crate::words::method::{Os, UnknownMethod};
}

/// The parameters of an [`Observer`]'s functions.
pub mod observer {
    pub use crate::words::facts::NoLink;
    pub use crate::words::observer::{Made, PathSource, Question, Silent, Warning};
    pub use crate::words::stat::FileKind;
}

/// Tools for measuring copies: the data ranges of files, a cold cache, and stored results.
pub mod measure {
    pub use crate::api::tools::{data_ranges, evict_from_cache, shared_bytes};
    pub use crate::words::bench_results::BenchResult;
}

/// Changes that a program may make to its own process before it copies. Nothing else in this library changes the
/// process.
pub mod process {
    #[cfg(feature = "sandbox")]
    pub use crate::api::sandbox::enter_sandbox;
    pub use crate::api::tools::raise_open_file_limit;
}

/// Hashes of content.
#[cfg(feature = "hash")]
pub mod hash {
    pub use crate::api::tools::{DeviceHasher, hash_file};
    pub use crate::words::hash::{Hash, HashKind, UnknownHash};
}

/// Comparing a copy with its source.
#[cfg(feature = "verify")]
pub mod verify {
    pub use crate::api::compare::{Compare, Compared, Difference, Found};
}

/// The capabilities of volumes.
#[cfg(feature = "probe")]
pub mod probe {
    pub use crate::api::probe::{Answer, Choice, Choices, FileLimit, How, Probe, VolumeProbe};
    pub use crate::think::rules::known::KnownBug;
}

/// Copies that can be resumed: see [`Options::journal`].
#[cfg(feature = "journal")]
pub mod journal {
    pub use crate::file::journal::is_journal_of;
}

/// Problems that can be found before a copy begins.
#[cfg(feature = "preflight")]
pub mod preflight {
    pub use crate::api::preflight::{BadName, Counted, Examined, Obstacle, Watch, preflight};
}
