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

mod attributes;
mod buffers;
mod cache;
#[cfg(feature = "verify")]
mod compare;
mod content;
mod copier;
mod error;
mod exec;
mod facts;
mod file;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(feature = "hash")]
mod hash;
#[cfg(not(feature = "hash"))]
#[path = "hash/none.rs"]
mod hash;
mod holes;
#[cfg(feature = "journal")]
mod journal;
#[cfg(not(feature = "journal"))]
#[path = "journal/none.rs"]
mod journal;
mod learnt;
mod method;
mod options;
mod panics;
mod plan;
mod platform;
#[cfg(feature = "preflight")]
mod preflight;
#[cfg(feature = "probe")]
mod probe;
mod progress;
mod prove;
mod report;
mod rules;
#[cfg(feature = "sandbox")]
mod sandbox;
#[cfg(test)]
mod sim;
mod spare;
mod temporary;
mod times;
mod transfer;
mod tree;
mod volumes;

pub use cache::forget_cached;
#[cfg(feature = "verify")]
pub use compare::{Compare, Compared, Difference, Found};
#[cfg(feature = "hash")]
pub use content::hash_file;
pub use copier::{Copier, Operand, copy, raise_open_file_limit};
pub use error::{Cause, Code, Error, Operation, Refusal, Result};
pub use facts::{FsKind, Known, NoLink};
#[cfg(feature = "hash")]
pub use hash::{Hash, HashKind, UnknownHash};
pub use holes::data_ranges;
#[cfg(feature = "journal")]
pub use journal::is_journal_of;
pub use learnt::Learnt;
pub use method::{Method, MethodSet, Os, Tally, UnknownMethod};
pub use options::{
    Atomic, Backup, Cache, Flush, Follow, Force, Fsync, Make, NewMode, OnChange, Options, Preserve,
    Reflink, Sparse, Update, Want,
};
pub use plan::Skip;
pub use platform::FileKind;
#[cfg(feature = "preflight")]
pub use preflight::{BadName, Obstacle, preflight};
#[cfg(feature = "probe")]
pub use probe::{Answer, Choice, Choices, FileLimit, How, Probe, VolumeProbe};
pub use progress::{CancelToken, Event, Made, Observer, PathSource, Question, Silent, Warning};
pub use prove::shared_bytes;
pub use report::{Attempt, Attempts, Changed, Ended, Planned, Report, Summary};
#[cfg(feature = "probe")]
pub use rules::known::KnownBug;
#[cfg(feature = "sandbox")]
pub use sandbox::enter_sandbox;
