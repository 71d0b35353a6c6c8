//! What a volume, and a pair of volumes, can do: asked, and tried where only trying can tell.
//!
//! Trials are made in nameless files of their own, so that nothing of the user's is touched and
//! nothing is left behind, whatever happens.

use std::ffi::OsStr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use crate::attributes::access_acl;
use crate::error::{Cause, Code, Error, Operation, Result};
use crate::facts::{FsKind, Kernel, Known, VolumeFacts};
use crate::method::{Method, Os};
use crate::platform::native::Native;
use crate::platform::{
    At, DirectAlignment, Move, Open, Platform, Seek, Sys, Takes, Target, Whole, WholeCopy,
};
use crate::rules::{self, Situation};

/// How an answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// It was done, and worked or was refused.
    Tried,
    /// The system says so.
    Reported,
    /// It is known of this filesystem.
    Table,
}

/// The answer to one question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Whether it is supported.
    pub known: Known,
    /// How that was found.
    pub how: How,
    /// The code that a trial was refused with.
    pub code: Option<Code>,
    /// What is known about that code.
    pub why: Option<&'static str>,
}

/// What one volume can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeProbe {
    /// The directory that was asked about.
    pub path: PathBuf,
    /// The filesystem.
    pub kind: FsKind,
    /// Its block, bytes.
    pub block_bytes: u32,
    /// Names that differ only in case are one.
    pub folds_case: Known,
    /// Files can have holes, and the filesystem tells where (SEEK_DATA).
    pub holes: Answer,
    /// Space can be reserved (fallocate).
    pub preallocation: Answer,
    /// Files can have extended attributes of the user's.
    pub xattrs: Answer,
    /// Files can have POSIX access control lists.
    pub acls: Answer,
    /// What direct I/O asks for, bytes: alignment of memory and of offsets.
    pub direct_alignment: Option<(usize, usize)>,
}

/// What a pair of volumes can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The source's volume.
    pub src: VolumeProbe,
    /// The destination's.
    pub dst: VolumeProbe,
    /// Each method of this system, in the order of trying.
    pub methods: Vec<(Method, Answer)>,
}

impl Probe {
    /// What the volume of a directory can do within itself.
    ///
    /// # Errors
    ///
    /// If `dir` can't be opened. That nothing may be written there is no error: what only a trial
    /// can tell is then [`Known::Unknown`].
    pub fn volume(dir: impl AsRef<Path>) -> Result<Probe> {
        Probe::pair(&dir, &dir)
    }

    /// What can be done from the volume of one directory to that of another.
    ///
    /// # Errors
    ///
    /// See [`Probe::volume`].
    pub fn pair(src: impl AsRef<Path>, dst: impl AsRef<Path>) -> Result<Probe> {
        probe(&Native::new(), src.as_ref(), dst.as_ref())
    }

    /// The answer for one method.
    pub fn method(&self, method: Method) -> Option<&Answer> {
        let found = self.methods.iter().find(|(it, _)| *it == method);
        found.map(|(_, answer)| answer)
    }
}

/// A directory to try things in.
struct Place<P: Platform> {
    dir: P::Handle,
    facts: VolumeFacts,
}

/// Length of the trial files, bytes: enough for a block of any filesystem in use.
const TRIAL_BYTES: usize = 256 << 10;

pub(crate) fn probe<P: Platform>(platform: &P, src: &Path, dst: &Path) -> Result<Probe> {
    let (from, to) = (place(platform, src)?, place(platform, dst)?);
    let pattern: Vec<u8> = (0..TRIAL_BYTES).map(|n| (n % 251) as u8).collect();
    let source = platform.scratch(&from.dir).and_then(|file| {
        write_all(platform, &file, &pattern)?;
        Ok(file)
    });
    let trial = Trial {
        platform,
        from: &from,
        to: &to,
        source,
        pattern,
    };
    let order = platform.os().order();
    let methods = order
        .iter()
        .map(|&method| (method, trial.method(method)))
        .collect();
    Ok(Probe {
        methods,
        src: volume(platform, src, &from),
        dst: volume(platform, dst, &to),
    })
}

fn place<P: Platform>(platform: &P, path: &Path) -> Result<Place<P>> {
    let failed = |operation| {
        move |code| {
            Error::new(platform.os(), operation, Cause::System(code))
                .with_paths(Some(path.to_path_buf()), None)
        }
    };
    let current = platform
        .current_dir()
        .map_err(failed(Operation::OpenDirectory))?;
    let at = At {
        dir: &current,
        name: path.as_os_str(),
    };
    let dir = platform
        .open(at, Open::Directory { follow: true })
        .map_err(failed(Operation::OpenDirectory))?;
    let facts = platform.volume(&dir).map_err(failed(Operation::Volume))?;
    Ok(Place { dir, facts })
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

/// Trials of the methods between two places.
struct Trial<'a, P: Platform> {
    platform: &'a P,
    from: &'a Place<P>,
    to: &'a Place<P>,
    /// The file to copy from, if one could be made.
    source: Sys<P::Handle>,
    pattern: Vec<u8>,
}

impl<P: Platform> Trial<'_, P> {
    fn method(&self, method: Method) -> Answer {
        if method == Method::ReadWrite {
            return Answer::known(Known::Yes, How::Table);
        }
        if let Some(answer) = self.without_trial(method) {
            return answer;
        }
        if self.platform.os().makes_whole(method) && self.source.is_ok() {
            return self.tried(method, self.try_whole(method));
        }
        let target = self.platform.scratch(&self.to.dir);
        match (&self.source, &target) {
            (Ok(src), Ok(dst)) => self.tried(method, self.try_method(method, src, dst)),
            // Nothing may be made there: what remains is what is known without.
            _ if method == Method::Clone => Answer::known(self.to.facts.clone, How::Table),
            _ => Answer::known(Known::Unknown, How::Table),
        }
    }

    /// What can be answered by asking, or is known to be wrong although it can be done.
    fn without_trial(&self, method: Method) -> Option<Answer> {
        if method != Method::CopyRange {
            return None;
        }
        if let Err(code) = self.platform.has_copy_range() {
            return Some(Answer {
                how: How::Reported,
                ..self.tried(method, Err(code))
            });
        }
        let kernel = self.platform.kernel();
        let across = self.from.facts.id != self.to.facts.id;
        (self.platform.os() == Os::Linux
            && across
            && (Kernel(5, 3)..Kernel(5, 19)).contains(&kernel))
        .then_some(Answer::known(Known::No, How::Table))
    }

    fn try_method(&self, method: Method, src: &P::Handle, dst: &P::Handle) -> Sys<()> {
        let how = match method {
            Method::Clone => Move::CloneFile,
            Method::CopyRange => Move::CopyRange,
            // Where there is one, it makes whole copies.
            Method::SystemCopy => return Err(rules::not_supported(self.platform.os())),
            Method::Sendfile => Move::Sendfile,
            Method::Direct => {
                // One side is enough: the other goes through the cache.
                let (src, dst) = (self.platform.direct_on(src), self.platform.direct_on(dst));
                return src.or(dst).map(|_| ());
            }
            Method::ReadWrite => return Ok(()),
        };
        let mut done = 0;
        while done < TRIAL_BYTES as u64 {
            match self
                .platform
                .move_data(how, src, dst, done, TRIAL_BYTES as u64 - done)?
            {
                0 => return Err(Code::NO_PROGRESS),
                moved => done += moved,
            }
        }
        self.compare(dst)
    }

    /// Tries a method that names its destination: for a moment there are two hidden files, since
    /// what has no name can't be cloned (clonefile: ENOENT).
    fn try_whole(&self, method: Method) -> Sys<()> {
        let name = |what| format!(".copyist-probe-{}-{what}", std::process::id());
        let (from, to) = (name("from"), name("to"));
        let src = At {
            dir: &self.from.dir,
            name: OsStr::new(&from),
        };
        let dst = At {
            dir: &self.to.dir,
            name: OsStr::new(&to),
        };
        let written = self.platform.open(src, Open::Create { mode: 0o600 })?;
        let result = write_all(self.platform, &written, &self.pattern)
            .and_then(|()| self.platform.open(src, Open::Read { follow: false }))
            .and_then(|file| self.try_whole_from(method, &file, dst));
        self.platform.remove(src, false)?;
        result
    }

    fn try_whole_from(&self, method: Method, src: &P::Handle, dst: At<'_, P>) -> Sys<()> {
        let copy = WholeCopy {
            how: if method == Method::Clone {
                Whole::Clone
            } else {
                Whole::SystemCopy
            },
            src: Target::Open(src),
            dst: Target::Named(dst),
            takes: Takes {
                owner: false,
                acl: false,
                xattrs: false,
                holes: false,
                may_share: false,
                by_path: false,
                mode: 0o600,
            },
        };
        let made = self
            .platform
            .copy_whole(&copy, &mut |_| ControlFlow::Continue(()));
        let is_there = made.map_or_else(|failed| failed.is_left, |_| true);
        if !is_there {
            return made.map(|_| ()).map_err(|failed| failed.code);
        }
        let opened = self.platform.open(dst, Open::Read { follow: false });
        self.platform.remove(dst, false)?;
        made.map_err(|failed| failed.code)?;
        self.compare(&opened?)
    }

    /// A method that answers success and copies something else is worse than none.
    fn compare(&self, dst: &P::Handle) -> Sys<()> {
        let mut read = vec![0; TRIAL_BYTES];
        let mut at = 0;
        while at < read.len() {
            match self.platform.read(dst, Some(at as u64), &mut read[at..])? {
                0 => return Err(Code::NO_PROGRESS),
                more => at += more,
            }
        }
        if read == self.pattern {
            Ok(())
        } else {
            Err(Code::NO_PROGRESS)
        }
    }

    fn tried(&self, method: Method, result: Sys<()>) -> Answer {
        let situation = Situation {
            os: self.platform.os(),
            method,
            src_fs: self.from.facts.kind,
            dst_fs: self.to.facts.kind,
            touched: false,
        };
        let why = |code| rules::judge(situation, code).why;
        Answer {
            why: result.err().map(why),
            ..Answer::tried(result)
        }
    }
}

/// What one place can do by itself.
fn volume<P: Platform>(platform: &P, path: &Path, place: &Place<P>) -> VolumeProbe {
    let scratch = platform.scratch(&place.dir);
    let ask = |question: &dyn Fn(&P::Handle) -> Sys<()>| match &scratch {
        Ok(file) => Answer::tried(question(file)),
        Err(_) => Answer::known(Known::Unknown, How::Table),
    };
    // On Linux a user's attributes begin so; elsewhere any name will do.
    let xattr = b"user.copyist.probe";
    VolumeProbe {
        path: path.to_path_buf(),
        kind: place.facts.kind,
        block_bytes: place.facts.block_bytes,
        folds_case: place.facts.folds_case,
        holes: ask(&|file| try_holes(platform, file)),
        preallocation: ask(&|file| platform.allocate(file, 0, TRIAL_BYTES as u64)),
        xattrs: ask(&|file| platform.set_xattr(Target::Open(file), xattr, b"1")),
        acls: ask(&|file| {
            platform
                .xattr(
                    Target::Open(file),
                    access_acl(platform.os()),
                    &mut Vec::new(),
                )
                .map(|_| ())
        }),
        direct_alignment: scratch
            .as_ref()
            .ok()
            .and_then(|file| platform.direct_on(file).ok())
            .map(|DirectAlignment { memory, offset }| (memory, offset)),
    }
}

/// Makes a file that begins with a hole, and looks for its data.
fn try_holes<P: Platform>(platform: &P, file: &P::Handle) -> Sys<()> {
    let data_at = TRIAL_BYTES as u64;
    platform.write(file, Some(data_at), b"data")?;
    match platform.seek(file, 0, Seek::Data)? {
        Some(found) if found > 0 && found <= data_at => Ok(()),
        // All is said to be data, which is right for a filesystem without holes.
        _ => Err(Code::NO_PROGRESS),
    }
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
        assert_eq!(error.code_name(), Some("ENOENT"));
    }
}
