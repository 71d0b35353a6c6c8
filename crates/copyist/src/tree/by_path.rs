//! A directory that one call clones with everything in it (clonefile(2) of macOS).
//!
//! It is examined first: it may contain nothing of which such a clone would not keep what the options ask for, and
//! must be small, since the call can't be cancelled. The report is of what the clone then contains.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::dir::Entry;
use super::worker::Worker;
use crate::run::volumes::VolumePair;
use crate::system::{At, Batch, Open, Platform, Sys, Takes, Target, Whole, WholeCopy};
use crate::think::plan::{WHOLE_DEPTH, WHOLE_ENTRIES};
use crate::think::rules;
use crate::think::rules::{Situation, Verdict};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation};
use crate::words::facts::Known;
use crate::words::method::Method;
use crate::words::observer::{Event, Made, PathSource};
use crate::words::options::Preserve;
use crate::words::report::{Attempt, Ended, Report};
use crate::words::stat::{FileKind, Stat};

/// An entry of a cloned directory.
struct Found {
    src: PathBuf,
    dst: PathBuf,
}

impl PathSource for Found {
    fn src(&self) -> PathBuf {
        self.src.clone()
    }

    fn dst(&self) -> PathBuf {
        self.dst.clone()
    }
}

/// The reason why an entry keeps its directory from being cloned by one call; `None` if it does not.
fn keeps_from_whole(stat: &Stat, volume: u64, preserve: &Preserve) -> Option<&'static str> {
    let is_dir = stat.kind == FileKind::Directory;
    let can_be_cloned = is_dir || matches!(stat.kind, FileKind::Regular | FileKind::Symlink);
    if stat.id.volume != volume {
        Some("another volume is mounted there")
    } else if !can_be_cloned {
        Some("clonefile makes no devices, FIFOs and sockets")
    } else if !is_dir && preserve.links && stat.links > 1 {
        Some("clonefile makes files of their own of hard links")
    } else if !is_dir && stat.mode & 0o6000 != 0 {
        Some("clonefile drops set-id bits")
    } else if !preserve.flags && stat.flags.unwrap_or(0) & KEPT_FLAGS != 0 {
        Some("clonefile keeps flags, which are not wanted")
    } else {
        None
    }
}

/// Flags of chflags(1) that a copy gets only if the options ask for them: all that can be set.
const KEPT_FLAGS: u32 = 0xf | 0x8000 | 0x7_0000;

impl<P: Platform> Worker<'_, '_, P> {
    /// Clones a directory by one call if that is possible; with `false` it is to be walked.
    pub(super) fn clone_directory(
        &mut self,
        entry: &Entry<'_, P>,
        stat: &Stat,
    ) -> Result<bool, Error> {
        let session = self.session;
        let Some(pair) = self.pair_for_whole(entry, stat) else {
            return Ok(false);
        };
        // A directory that can't be examined is walked, and the walk reports why.
        if !self.is_clonable(entry, stat).unwrap_or(false) {
            return Ok(false);
        }
        if session.context.cancel.is_cancelled() {
            return Ok(true); // the run reports the cancellation at its end
        }
        let copy = WholeCopy {
            how: Whole::Clone,
            src: Target::Named(entry.src_at()),
            dst: Target::Named(entry.dst_at()),
            takes: Takes {
                owner: session.options.preserve.owner,
                acl: true,
                xattrs: true,
                holes: true,
                may_share: true,
                ..Takes::default()
            },
            cancel: session.context.cancel.flag(),
        };
        match session
            .platform
            .copy_by_path(&copy, &mut |_| std::ops::ControlFlow::Continue(()))
        {
            Ok(_) => {
                self.tell_of_clone(entry);
                Ok(true)
            }
            Err(failed) => self.whole_refused(entry, &pair, failed.code, failed.is_left),
        }
    }

    /// The volumes, if the directory might be cloned.
    fn pair_for_whole(&self, entry: &Entry<'_, P>, stat: &Stat) -> Option<Arc<VolumePair>> {
        let pair = entry.dir.pair.as_ref()?;
        let may = !self.session.no_whole.load(Ordering::Relaxed)
            && entry.dir.made.is_new
            && !entry.dir.gives_acl
            && pair.src.id == stat.id.volume
            && pair.dst.id == pair.src.id
            && pair.dst.clone == Known::Yes
            && !pair.refused().contains(Method::Clone);
        may.then(|| Arc::clone(pair))
    }

    /// Examines the directory through a handle of its own: the position of the walk's handle must not change.
    fn is_clonable(&mut self, entry: &Entry<'_, P>, stat: &Stat) -> Sys<bool> {
        let platform = self.session.platform;
        let dir = platform.open(entry.src_at(), Open::Directory { follow: false })?;
        let same = platform.stat_open(&dir)?.id == stat.id;
        Ok(same && self.suits(&dir, stat, 0, &mut { WHOLE_ENTRIES })?)
    }

    /// Whether a clone of the directory keeps what the options ask for of everything in it.
    fn suits(&mut self, dir: &P::Handle, stat: &Stat, depth: usize, left: &mut usize) -> Sys<bool> {
        let session = self.session;
        let preserve = &session.options.preserve;
        let keeps = |stat: &Stat, volume| keeps_from_whole(stat, volume, preserve).is_none();
        if depth > WHOLE_DEPTH || !keeps(stat, stat.id.volume) || session.is_root(stat.id) {
            return Ok(false);
        }
        let mut batch = Batch::default();
        loop {
            session
                .platform
                .read_dir(dir, &mut self.buffers.read_dir, &mut batch)?;
            if batch.is_empty() {
                return Ok(true);
            }
            let Some(rest) = left.checked_sub(batch.len()) else {
                return Ok(false);
            };
            *left = rest;
            for (name, _) in batch.iter() {
                let at = At { dir, name };
                let found = session.platform.stat(at, false)?;
                if !keeps(&found, stat.id.volume) {
                    return Ok(false);
                }
                if found.kind == FileKind::Directory {
                    let below = session
                        .platform
                        .open(at, Open::Directory { follow: false })?;
                    if !self.suits(&below, &found, depth + 1, left)? {
                        return Ok(false);
                    }
                }
            }
        }
    }

    /// A directory that the system refuses to clone is walked; other errors are reported.
    fn whole_refused(
        &self,
        entry: &Entry<'_, P>,
        pair: &VolumePair,
        code: Code,
        is_left: bool,
    ) -> Result<bool, Error> {
        let os = self.session.platform.os();
        let situation = Situation {
            os,
            method: Method::Clone,
            src_fs: pair.src.kind,
            dst_fs: pair.dst.kind,
            touched: false,
        };
        let verdict = rules::judge(situation, code).verdict;
        if is_left || verdict == Verdict::Fatal {
            let cause = Cause::System(code);
            return Err(self
                .session
                .error(entry, Operation::CreateDirectory, cause)
                .with_transfer(Method::Clone, 0));
        }
        if rules::is_unsupported(os, code) {
            self.session.no_whole.store(true, Ordering::Relaxed);
        }
        Ok(false)
    }

    /// Reports and counts everything in the clone.
    fn tell_of_clone(&mut self, entry: &Entry<'_, P>) {
        let root = Found {
            src: entry.src(),
            dst: entry.dst(),
        };
        let told = self
            .session
            .platform
            .open(entry.dst_at(), Open::Directory { follow: false })
            .and_then(|dir| {
                self.tell_of(&root, FileKind::Directory, 0);
                self.tell_below(&dir, &root)
            });
        if let Err(code) = told {
            let cause = Cause::System(code);
            let error = self.session.error(entry, Operation::ReadDirectory, cause);
            self.session.fail(error);
        }
    }

    fn tell_below(&mut self, dir: &P::Handle, place: &Found) -> Sys<()> {
        let platform = self.session.platform;
        let mut batch = Batch::default();
        loop {
            platform.read_dir(dir, &mut self.buffers.read_dir, &mut batch)?;
            if batch.is_empty() {
                return Ok(());
            }
            for (name, _) in batch.iter() {
                let below = |path: &Path| path.join(name);
                let found = Found {
                    src: below(&place.src),
                    dst: below(&place.dst),
                };
                let stat = platform.stat(At { dir, name }, false)?;
                self.tell_of(&found, stat.kind, stat.size);
                if stat.kind == FileKind::Directory {
                    let how = Open::Directory { follow: false };
                    let inner = platform.open(At { dir, name }, how)?;
                    self.tell_below(&inner, &found)?;
                }
            }
        }
    }

    fn tell_of(&mut self, found: &Found, kind: FileKind, size: u64) {
        let observer = self.session.context.observer;
        observer.event(Event::Begin {
            paths: found,
            backup: None,
            kind,
            is_parent: false,
        });
        let made = match kind {
            FileKind::Directory => {
                self.summary.dirs += 1;
                Made::Directory
            }
            FileKind::Symlink => {
                self.summary.symlinks += 1;
                Made::Symlink
            }
            _ => {
                let report = whole_report(size);
                self.summary.files += 1;
                self.summary.add_report(&report);
                if size > 0 {
                    observer.event(Event::Bytes(size));
                }
                observer.event(Event::File {
                    paths: found,
                    report: &report,
                });
                return;
            }
        };
        observer.event(Event::Entry {
            paths: found,
            what: made,
        });
    }
}

/// The report of a file in a cloned directory. The duration of the call can't be divided among the files, so none has
/// one.
fn whole_report(size: u64) -> Report {
    let mut report = Report::default();
    report.attempts.push(Attempt {
        method: Method::Clone,
        offset: 0,
        bytes: size,
        holes: 0,
        ended: Ended::Done,
        why: None,
        elapsed: Duration::ZERO,
    });
    report
}
