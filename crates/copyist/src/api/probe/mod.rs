//! The capabilities of a volume, and of a pair of volumes: queried, and tried where only a trial can show them.
//!
//! Trials use nameless files of their own, so that no user's file is touched and nothing is left behind. Where a
//! system or a filesystem has no such files, a file has a name for a moment; all such names begin with
//! [`Probe::scratch_prefix`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::run::buffers::{Aligned, PAGE_BYTES};
use crate::run::measured;
use crate::system::native::Native;
use crate::system::{At, Open, Platform, Sys, start_dir};
use crate::think::rules::known::{KnownBug, known_bugs};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Result};
use crate::words::facts::{FsKind, Known, VolumeFacts};
use crate::words::method::Method;
use crate::words::observer::CancelToken;

mod auto;
mod methods;
mod scratch;
mod volume;

use scratch::{Scratch, check_names};

/// How a result was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By a trial, which worked or was refused.
    Tried,
    /// By a query to the system.
    Reported,
    /// From a table of what is known of this filesystem.
    Table,
}

/// Whether a feature is supported, and how that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// Whether it is supported.
    pub known: Known,
    /// How that was found.
    pub how: How,
    /// The code with which a trial was refused, or that prevented it.
    pub code: Option<Code>,
    /// The known explanation of that code.
    pub why: Option<&'static str>,
}

/// The largest size that a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileLimit {
    /// In bytes.
    pub bytes: u64,
    /// How that was found.
    pub how: How,
}

/// The capabilities of one volume.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VolumeProbe {
    /// The directory that was probed.
    pub path: PathBuf,
    /// The filesystem.
    pub kind: FsKind,
    /// The system's own name for it, such as `ext4`.
    pub type_name: Option<String>,
    /// The device or source that is mounted.
    pub device: Option<OsString>,
    /// The mount point.
    pub mounted_at: Option<PathBuf>,
    /// Identifies what is mounted there while it is mounted; `None` where the system doesn't report it.
    pub key: Option<String>,
    /// Whether it is mounted read-only.
    pub is_read_only: Option<bool>,
    /// Its block size, in bytes: clones share whole blocks.
    pub block_bytes: u32,
    /// The bytes that are available to this user.
    pub free_bytes: Option<u64>,
    /// Its total size, in bytes.
    pub total_bytes: Option<u64>,
    /// The longest name, in bytes.
    pub name_bytes: Option<u64>,
    /// The size of the largest file.
    pub file_limit: Option<FileLimit>,
    /// Names that differ only in case are equal.
    pub folds_case: Answer,
    /// Files can have holes, and the filesystem reports them (SEEK_DATA).
    pub holes: Answer,
    /// Space can be reserved (fallocate).
    pub preallocation: Answer,
    /// Files can have extended attributes in the user namespace.
    pub xattrs: Answer,
    /// Files can have POSIX access control lists.
    pub acls: Answer,
    /// Direct I/O, which bypasses the page cache.
    pub direct: Answer,
    /// The alignment that direct I/O requires, in bytes: of memory and of offsets.
    pub direct_alignment: Option<(usize, usize)>,
}

/// The method with which `auto` would begin a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choice {
    /// The method.
    pub method: Method,
    /// The number of threads that would work on the file.
    pub threads: usize,
    /// It was tried, or always works; otherwise it would be tried first, and may be refused.
    pub is_certain: bool,
}

/// The choices of `auto` between a pair of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Choices {
    /// For a file of 4 KiB.
    pub small: Option<Choice>,
    /// For a file of 1 GiB.
    pub large: Option<Choice>,
    /// For a file of 1 GiB that is mostly holes.
    pub sparse: Option<Choice>,
}

/// The capabilities of a pair of volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Probe {
    /// The source's volume.
    pub src: VolumeProbe,
    /// The destination's volume.
    pub dst: VolumeProbe,
    /// Both are on one volume.
    pub is_one_volume: bool,
    /// Each method of this system, in the order of trying.
    pub methods: Vec<(Method, Answer)>,
    /// The choices of `auto` at the start of a run.
    pub auto: Choices,
    /// The system and its version.
    pub system: String,
    bugs: Vec<KnownBug>,
}

impl Probe {
    /// Probes the volume of a directory, and copies within it.
    ///
    /// # Errors
    ///
    /// If `dir` can't be opened. A directory that can't be written to is no error: what only a trial can show is then
    /// [`Known::Unknown`].
    pub fn volume(dir: impl AsRef<Path>) -> Result<Probe> {
        Probe::pair(&dir, &dir)
    }

    /// Probes the volumes of two directories, and copies from the first to the second.
    ///
    /// ```
    /// use copyist::probe::Probe;
    ///
    /// # let temp = tempfile::tempdir()?;
    /// let probe = Probe::pair(temp.path(), temp.path())?;
    /// for (method, answer) in &probe.methods {
    ///     println!("{method}: {:?}", answer.known);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// See [`Probe::volume`].
    pub fn pair(src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Probe> {
        Probe::pair_until(src, dst, &CancelToken::new())
    }

    /// [`Probe::pair`], without further trials once `cancel` is cancelled: what was not tried is [`Known::Unknown`],
    /// or what is known without a trial, with the code [`Code::CANCELLED`].
    ///
    /// # Errors
    ///
    /// See [`Probe::volume`].
    pub fn pair_until(
        src: impl AsRef<Path>,
        dst: impl AsRef<Path>,
        cancel: &CancelToken,
    ) -> Result<Probe> {
        probe(&Native::new(), (src.as_ref(), dst.as_ref()), cancel)
    }

    /// The result for one method.
    pub fn method(&self, method: Method) -> Option<&Answer> {
        let found = self.methods.iter().find(|(it, _)| *it == method);
        found.map(|(_, answer)| answer)
    }

    /// The known defects of copying on these filesystems, with this kernel.
    pub fn known_bugs(&self) -> &[KnownBug] {
        &self.bugs
    }

    /// The prefix of all names that a probe of this process may create for a moment, where there are no nameless
    /// files. A file with this prefix that is found after the process has ended may be removed.
    pub fn scratch_prefix(process: u32) -> String {
        format!(".copyist-probe-{process}-")
    }
}

/// A name for a temporary file. Each name is used once: several such files are open at a time, and on CIFS the name
/// of an open file that was removed stays in use.
fn scratch_name(what: &str) -> OsString {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let prefix = Probe::scratch_prefix(std::process::id());
    format!("{prefix}{what}-{number}").into()
}

/// A directory for trials.
struct Place<P: Platform> {
    dir: P::Handle,
    facts: VolumeFacts,
    /// Once it is cancelled, nothing more is tried.
    cancel: CancelToken,
}

/// The length of the trial files, bytes: enough for a block of any filesystem in use.
const TRIAL_BYTES: usize = 256 << 10;

pub(crate) fn probe<P: Platform>(
    platform: &P,
    (src, dst): (&Path, &Path),
    cancel: &CancelToken,
) -> Result<Probe> {
    let (from, to) = (place(platform, src, cancel)?, place(platform, dst, cancel)?);
    let trial = methods::Trial::new(platform, &from, &to);
    let order = platform.os().order();
    let methods: Vec<_> = order
        .iter()
        .map(|&method| (method, trial.method(method)))
        .collect();
    let choose = |sizes| {
        let volumes = (from.facts, to.facts);
        auto::choose(platform, volumes, &methods, sizes)
    };
    Ok(Probe {
        auto: Choices {
            small: choose((auto::SMALL, auto::SMALL)),
            large: choose((auto::LARGE, auto::LARGE)),
            sparse: choose((auto::LARGE, auto::SMALL)),
        },
        is_one_volume: from.facts.id == to.facts.id,
        system: measured::system(platform),
        bugs: known_bugs(
            platform.os(),
            platform.kernel(),
            [from.facts.kind, to.facts.kind],
        ),
        src: volume::volume(platform, src, &from),
        dst: volume::volume(platform, dst, &to),
        methods,
    })
}

fn place<P: Platform>(platform: &P, path: &Path, cancel: &CancelToken) -> Result<Place<P>> {
    let failed = |operation| {
        move |code| {
            Error::new(platform.os(), operation, Cause::System(code))
                .with_paths(Some(path.to_path_buf()), None)
        }
    };
    let current = start_dir(platform, [path]).map_err(failed(Operation::OpenDirectory))?;
    let at = At {
        dir: &current,
        name: path.as_os_str(),
    };
    let dir = platform
        .open(at, Open::Directory { follow: true })
        .map_err(failed(Operation::OpenDirectory))?;
    let facts = platform.volume(&dir).map_err(failed(Operation::Volume))?;
    Ok(Place {
        dir,
        facts,
        cancel: cancel.clone(),
    })
}

fn write_all<P: Platform>(platform: &P, file: &P::Handle, data: &[u8]) -> Sys<()> {
    let mut at = 0;
    while at < data.len() {
        match platform.write(file, Some(at as u64), &data[at..])? {
            0 => return Err(Code::NO_PROGRESS),
            written => at += written,
        }
    }
    Ok(())
}

/// Turns direct I/O on, and makes a transfer: some filesystems accept the flag and refuse the transfer (CIFS).
fn try_direct<P: Platform>(
    platform: &P,
    file: &P::Handle,
    transfer: impl FnOnce(&mut [u8]) -> Sys<usize>,
) -> Sys<()> {
    let alignment = platform.direct_on(file)?;
    let mut buffer = Aligned::new(TRIAL_BYTES, alignment.memory.max(PAGE_BYTES));
    let moved = transfer(buffer.as_mut_slice());
    platform.direct_off(file)?;
    moved.map(|_| ())
}

fn try_direct_write<P: Platform>(platform: &P, file: &P::Handle) -> Sys<()> {
    try_direct(platform, file, |buffer| {
        platform.write(file, Some(0), buffer)
    })
}

impl Answer {
    fn known(known: Known, how: How) -> Answer {
        Answer {
            known,
            how,
            code: None,
            why: None,
        }
    }

    fn tried(result: Sys<()>) -> Answer {
        Answer {
            known: if result.is_ok() {
                Known::Yes
            } else {
                Known::No
            },
            how: How::Tried,
            code: result.err(),
            why: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::Machine as _;
    use crate::think::rules;

    #[test]
    fn a_probe_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let probe = Probe::volume(dir.path()).unwrap();
        assert_eq!(
            probe.method(Method::ReadWrite).map(|it| it.known),
            Some(Known::Yes)
        );
        assert_eq!(probe.methods.len(), Native::new().os().order().len());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_not_there_is_an_error_with_its_path() {
        let error = Probe::volume("/nowhere/at/all").unwrap_err();
        assert_eq!(error.source_path(), Some(Path::new("/nowhere/at/all")));
        let code = error.code().unwrap();
        assert!(rules::is_not_found(Native::new().os(), code), "{code:?}");
    }
}
