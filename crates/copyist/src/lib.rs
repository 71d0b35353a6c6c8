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
//! [`copy`] copies one file; a [`Copier`] has options, an [`Observer`] and a [`CancelToken`], and
//! copies trees too. What it did is in the [`Report`]: which methods ran, how each ended, and how
//! many bytes were cloned, offloaded to the kernel, moved through memory, or holes.
//!
//! # How it thinks
//!
//! [`Options`] and facts make a plan: the ordered methods to try, and those skipped with the
//! reason. The plan is run: each attempt ends as done, next or failed, as a table of rules judges
//! the system's error codes. The attempts make the report. Nothing else falls back anywhere.

//!
//! # Features
//!
//! Without any, the library copies, and needs no C compiler. The rest:
//!
//!  - `hash`: hashes of what is copied ([`Options::hash`]) and of files ([`hash_file`])
//!  - `verify`: copies that are read back ([`Options::verify`]), trees that are compared ([`Compare`]); has `hash`
//!  - `journal`: copies that can be resumed ([`Options::journal`]); has `hash`
//!  - `preflight`: what stands in the way of a copy ([`preflight()`])
//!  - `probe`: what volumes can do ([`Probe`], [`VolumeProbe`])
//!  - `pure`: BLAKE3 in Rust alone, which is slower: no feature needs a C compiler then
//!  - `sandbox`: a process that can touch nothing but what it copies ([`enter_sandbox`])
//!  - `full`: all of them but `pure`
//!
//! # The process that it is in
//!
//! Nothing of the process is changed: not its umask, limits, signal dispositions, current directory,
//! environment, or the processors that its threads may use; [`raise_open_file_limit`] and [`enter_sandbox`],
//! which are there to change it, excepted. Several threads may copy at once.
//!
//! The umask is read once in a call, when it is first needed, so that a program may change it between two calls.
//! Linux and FreeBSD tell it. On macOS an empty file in the directory for temporary files shows it for a
//! moment. Where that fails (on Linux, where there is no `/proc` *and* a filter refuses `unshare`) it is set and
//! restored, by one thread at a time: a file that another thread of the process creates at that moment has no
//! permissions for others.

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

#[cfg(feature = "verify")]
pub use api::compare::{Compare, Compared, Difference, Found};
pub use api::copier::{Copier, copy};
#[cfg(feature = "preflight")]
pub use api::preflight::{BadName, Obstacle, preflight};
#[cfg(feature = "probe")]
pub use api::probe::{Answer, Choice, Choices, FileLimit, How, Probe, VolumeProbe};
#[cfg(feature = "sandbox")]
pub use api::sandbox::enter_sandbox;
pub use api::tools::data_ranges;
pub use api::tools::evict_from_cache;
#[cfg(feature = "hash")]
pub use api::tools::hash_file;
pub use api::tools::raise_open_file_limit;
pub use api::tools::shared_bytes;
#[cfg(feature = "journal")]
pub use file::journal::is_journal_of;
#[cfg(feature = "probe")]
pub use think::rules::known::KnownBug;
pub use words::bench_results::BenchResult;
pub use words::code::Code;
pub use words::error::{Cause, Error, Operation, Refusal, Result};
pub use words::facts::{FsKind, Known, NoLink};
#[cfg(feature = "hash")]
pub use words::hash::{Hash, HashKind, UnknownHash};
pub use words::method::Skip;
pub use words::method::{Method, MethodSet, Os, Tally, UnknownMethod};
pub use words::observer::{
    CancelToken, Event, Made, Observer, PathSource, Question, Silent, Warning,
};
pub use words::operand::Operand;
pub use words::options::{
    Atomic, Backup, Cache, Flush, Follow, Force, Fsync, Make, NewMode, OnChange, Options, Preserve,
    Reflink, Sparse, Update, Want,
};
pub use words::report::{Attempt, Attempts, Changed, Ended, Planned, Report, Summary};
pub use words::stat::FileKind;
