//! Atomic copies: a file gets its name when it is complete, so that nobody ever sees a part of it,
//! and one that it replaces keeps its content until then.
//!
//! ```text
//! name is free:     nameless file ---------------------- name ----> the name
//! name is taken:    nameless file -- lock, name --> temporary -- rename --> the name
//! no nameless ones: temporary, locked ------------------ rename --> the name
//! ```
//!
//! A temporary that its run could not remove (it was killed) is not locked any more: the next run
//! removes it ([`crate::tree`]).

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use super::verify::report_unchecked;
use super::verify_draft::Complete;
use super::{Destination, Existing, FileCopier, FileError, FindPair, Kept, Opened, Source};
use crate::attributes::{Attributes, Made, MakeMode, remove_capability};
use crate::error::{Operation, Refusal};
use crate::journal::{Keep, Keeper};
use crate::options::{Force, Options, Preserve, Want};
use crate::platform::{At, Attribute, FileKind, Open, Platform, Stat, Target};
use crate::report::Report;
use crate::rules;
use crate::temporary::Temporary;
use crate::transfer;

/// How often another temporary name is tried where somebody has taken the last one.
const NAMES: u32 = 8;

/// What a run has learnt about incomplete files.
#[derive(Debug, Default)]
pub(crate) struct Drafts {
    /// Nameless files can't be had here, or not be named.
    no_nameless: AtomicBool,
}

/// A file that is not complete.
struct Draft<P: Platform> {
    opened: Opened<P>,
    /// `None` while it has no name.
    temporary: Option<Temporary>,
    /// An earlier run has put everything before it in place.
    offset: u64,
}

/// What has the name that the file is to get.
pub(super) enum Old {
    /// Nothing: then nothing may be replaced.
    Nothing,
    /// Anything: it is replaced.
    Any,
    /// A file whose attributes stay where the source's are not wanted: as if it were written into.
    Kept(Stat),
}

/// Where the file is published.
struct Published<'a, 'd, P: Platform> {
    at: At<'a, P>,
    old: Old,
    dst: &'a Destination<'d, P>,
}

/// What became of an attempt to give a file its name.
enum Naming {
    Done,
    /// It can't be done with a nameless file.
    NotNameless,
}

impl<'a, P: Platform> FileCopier<'a, P> {
    /// Whether the file gets its name only when it is complete.
    pub(super) fn is_atomic(&self) -> bool {
        let options = self.options;
        options.atomic && !options.attributes_only && !options.write_through_dangling
    }

    /// [`FileCopier::copy`], where the destination is a file or nothing.
    #[inline(never)] // its variables would make the stack frame of each plain copy larger than the nearest cache is
    pub(super) fn copy_atomic(
        &mut self,
        src: &mut Source<P>,
        dst: &Destination<'_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<(), FileError> {
        let start = self.watch.now();
        let name = match dst.existing {
            Existing::LinkToFile(_) => self.resolve(dst.at)?,
            _ => dst.at.name.to_os_string(),
        };
        let at = At {
            dir: dst.at.dir,
            name: &name,
        };
        let Some(old) = self.look_at_replaced(&src.stat, at, dst)? else {
            return self.copy_in_place(src, dst, pair, report, fail);
        };
        let published = Published { at, old, dst };
        let mut result = Ok(Naming::NotNameless);
        while let Ok(Naming::NotNameless) = result {
            *report = Report::default();
            let (draft, keeper) = self.begin_draft(&src.stat, at, dst)?;
            let keeper = keeper.map(Mutex::new);
            let draft = (draft, keeper.as_ref());
            result = self.finish_draft(src, draft, &published, pair, report, fail);
        }
        report.elapsed = transfer::since(start);
        result.map(|_| ())
    }

    /// What is there to be replaced; `None` if it is to be written into after all.
    pub(super) fn look_at_replaced(
        &self,
        src: &Stat,
        at: At<'_, P>,
        dst: &Destination<'_, P>,
    ) -> Result<Option<Old>, FileError> {
        if matches!(dst.existing, Existing::Stream { .. }) {
            return Ok(None);
        }
        if dst.existing == Existing::Nothing {
            return Ok(Some(if dst.replaces { Old::Any } else { Old::Nothing }));
        }
        let os = self.platform.os();
        let stat = match self.platform.stat(at, false) {
            // It is gone again, so there is a file to be made.
            Err(code) if rules::is_not_found(os, code) => return Ok(Some(Old::Nothing)),
            stat => stat.map_err(|code| FileError::system(Operation::StatDestination, code))?,
        };
        if stat.kind != FileKind::Regular {
            return Ok(None); // a device or a FIFO takes the data
        }
        if matches!(dst.existing, Existing::LinkToFile(id) if id != stat.id) {
            return Err(FileError::refused(Refusal::Replaced));
        }
        if stat.id == src.id {
            return Err(FileError::refused(Refusal::SameFile));
        }
        // Its directory would let it be replaced; what may not be written to is protected.
        if self.platform.may_write(at) {
            return Ok(Some(Old::Kept(stat)));
        }
        match self.options.force {
            Force::No => Err(FileError::system(
                Operation::OpenDestination,
                rules::access_denied(os),
            )),
            Force::IfNeeded | Force::RemoveFirst => Ok(Some(Old::Any)),
        }
    }

    /// Opens a new file in the directory of `at`, or the part that an earlier run has left.
    fn begin_draft(
        &self,
        src: &Stat,
        at: At<'_, P>,
        dst: &Destination<'_, P>,
    ) -> Result<(Draft<P>, Option<Keeper<'a, P>>), FileError> {
        let plan = self.make_mode(src);
        let (Some(journal), Some(path)) = (self.journal, &dst.path) else {
            return Ok((self.open_draft(plan, at, dst.may_have_acl)?, None));
        };
        let mut keeper = Keeper::new(journal, path, src);
        let draft = match keeper.resume(at, path) {
            Some(resumed) => Draft {
                opened: Opened {
                    handle: resumed.handle,
                    made: plan.private().made(dst.may_have_acl),
                    streams: false,
                    old: None,
                },
                temporary: Some(resumed.temporary),
                offset: resumed.offset,
            },
            None => self.open_named(plan, at, dst.may_have_acl)?,
        };
        if let Some(temporary) = draft.temporary {
            keeper.keeps(temporary);
        }
        Ok((draft, Some(keeper)))
    }

    /// Opens a new file in the directory of `at`, without a name if it can be.
    fn open_draft(
        &self,
        plan: MakeMode,
        at: At<'_, P>,
        may_have_acl: bool,
    ) -> Result<Draft<P>, FileError> {
        let no_nameless = &self.drafts.no_nameless;
        if no_nameless.load(Ordering::Relaxed) {
            return self.open_named(plan, at, may_have_acl);
        }
        let how = Open::Nameless { mode: plan.mode };
        if let Ok(handle) = self.platform.open(place_of(at), how) {
            return self.as_draft(handle, None, plan, may_have_acl);
        }
        // Whatever it was refused with: what really is in the way, a name meets as well.
        let draft = self.open_named(plan, at, may_have_acl)?;
        no_nameless.store(true, Ordering::Relaxed);
        Ok(draft)
    }

    /// Opens a new file in the directory of `at` that has a temporary name.
    fn open_named(
        &self,
        plan: MakeMode,
        at: At<'_, P>,
        may_have_acl: bool,
    ) -> Result<Draft<P>, FileError> {
        let os = self.platform.os();
        let plan = plan.private();
        for _ in 0..NAMES {
            let made = Temporary::new();
            let name = made.beside(at.name);
            let temporary = At {
                dir: at.dir,
                name: &name,
            };
            let how = Open::CreateDraft { mode: plan.mode };
            match self.platform.open(temporary, how) {
                Err(code) if rules::is_taken(os, code) => {}
                opened => {
                    let handle = opened.map_err(|code| self.explain_create(at, code))?;
                    if self.holds(&handle) {
                        let draft = self.as_draft(handle, Some(made), plan, may_have_acl);
                        return draft.inspect_err(|_| self.remove_draft(at.dir, &name));
                    }
                    self.remove_draft(at.dir, &name);
                }
            }
        }
        Err(FileError::system(Operation::CreateFile, rules::taken(os)))
    }

    /// Locks a new temporary. One that another run has taken for a leftover, and removed before it
    /// was locked, is not held. Where nothing can be locked nothing is ever taken for one.
    fn holds(&self, handle: &P::Handle) -> bool {
        match self.platform.lock(handle) {
            Ok(false) => false,
            Ok(true) => self
                .platform
                .stat_open(handle)
                .is_ok_and(|stat| stat.links > 0),
            Err(_) => true,
        }
    }

    fn as_draft(
        &self,
        handle: P::Handle,
        temporary: Option<Temporary>,
        plan: MakeMode,
        may_have_acl: bool,
    ) -> Result<Draft<P>, FileError> {
        let opened = Opened {
            handle,
            made: plan.made(may_have_acl),
            streams: false,
            old: None,
        };
        if let Some(mode) = plan.open_up {
            self.platform
                .set(Target::Open(&opened.handle), Attribute::Mode(mode))
                .map_err(|code| FileError::system(Operation::SetMode, code))?;
        }
        Ok(Draft {
            opened,
            temporary,
            offset: 0,
        })
    }

    /// Fills the new file and gives it its name; one that can't be finished is removed.
    fn finish_draft(
        &mut self,
        src: &mut Source<P>,
        (draft, keeper): (Draft<P>, Option<&Mutex<Keeper<'a, P>>>),
        to: &Published<'_, '_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<Naming, FileError> {
        let (opened, offset) = (draft.opened, draft.offset);
        let name = draft.temporary.map(|it| it.beside(to.at.name));
        let kept = Kept {
            keeper: keeper.map(|it| it as &dyn Keep<P>),
            offset,
        };
        let filled = self
            .fill(src, (&opened, kept), pair, report, fail)
            .and_then(|hash| {
                if let Old::Kept(old) = &to.old {
                    let (src, dst) = (Target::Named(to.at), Target::Open(&opened.handle));
                    self.keep_old((src, old), dst, fail);
                }
                self.flush(&opened.handle, to.dst)?;
                self.prove(src, &opened, report);
                let read_back = self.prepare_read_back(src, &opened, hash, report)?;
                self.platform
                    .settle(&opened.handle)
                    .map_err(|code| FileError::system(Operation::CloseDestination, code))?;
                Ok(read_back)
            });
        let temporary = name.as_deref().map(|name| At {
            dir: to.at.dir,
            name,
        });
        let complete = match filled {
            Ok(it) => self.check_draft(src, (opened, temporary), it.as_deref(), report, fail),
            Err(error) => {
                // The failure before it is reported.
                let _ = self.close(opened);
                Err(error)
            }
        };
        let (result, checked) = match complete {
            Ok((complete, checked)) => (self.publish(complete, to), checked),
            Err(error) => (Err(error), Ok(())),
        };
        let published = matches!(result, Ok(Naming::Done));
        let is_bad = result.as_ref().is_err_and(FileError::is_bad_copy);
        let is_kept = !is_bad && keeper.is_some_and(Keeper::has_noted);
        if let (Some(temporary), false, false) = (temporary, published, is_kept) {
            self.remove_draft(temporary.dir, temporary.name);
        }
        if published {
            report_unchecked(checked, report, fail)?;
        }
        result
    }
    /// Gives a complete draft its name, and closes it.
    fn publish(
        &self,
        complete: Complete<'_, P>,
        to: &Published<'_, '_, P>,
    ) -> Result<Naming, FileError> {
        let (naming, handle) = match complete {
            Complete::Nameless(handle) => (self.publish_nameless(&handle, to)?, Some(handle)),
            Complete::Named(at, handle) => {
                let replaces = !matches!(to.old, Old::Nothing);
                match handle {
                    Some(_) => self.rename(at, to.at, replaces)?,
                    None => self.rename_late(at, to.at, replaces)?,
                }
                (Naming::Done, handle)
            }
        };
        let closed = handle.map_or(Ok(()), |it| self.platform.close(it));
        if matches!(naming, Naming::Done) {
            closed.map_err(|code| FileError::system(Operation::CloseDestination, code))?;
            self.flush_place(to.at, to.dst)?;
        }
        Ok(naming)
    }

    fn publish_nameless(
        &self,
        file: &P::Handle,
        to: &Published<'_, '_, P>,
    ) -> Result<Naming, FileError> {
        let os = self.platform.os();
        let replaces = !matches!(to.old, Old::Nothing);
        let failed = |code| FileError::system(Operation::Replace, code);
        let temporary = replaces.then(|| Temporary::new().beside(to.at.name));
        let at = At {
            dir: to.at.dir,
            name: temporary.as_deref().unwrap_or(to.at.name),
        };
        if replaces {
            // Where nothing can be locked nothing is ever taken for a leftover.
            let _ = self.platform.lock(file);
        }
        match self.platform.name(file, at) {
            Ok(()) => {}
            Err(code) if rules::is_taken(os, code) => return Err(self.explain_create(at, code)),
            // procfs is not there, or the filesystem will not: it takes a name from the start.
            Err(code)
                if rules::is_unsupported(os, code)
                    || rules::is_not_permitted(os, code)
                    || rules::is_not_found(os, code) =>
            {
                if self.drafts.no_nameless.swap(true, Ordering::Relaxed) {
                    return Err(failed(code));
                }
                return Ok(Naming::NotNameless);
            }
            Err(code) => return Err(failed(code)),
        }
        if replaces {
            self.platform.rename(at, to.at).map_err(|code| {
                self.remove_draft(at.dir, at.name);
                failed(code)
            })?;
        }
        Ok(Naming::Done)
    }

    pub(super) fn rename(
        &self,
        from: At<'_, P>,
        to: At<'_, P>,
        replaces: bool,
    ) -> Result<(), FileError> {
        let os = self.platform.os();
        let renamed = if replaces {
            self.platform.rename(from, to)
        } else {
            match self.platform.rename_new(from, to) {
                // Then it is looked whether the name is free, a moment before.
                Err(code) if rules::is_unsupported(os, code) => {
                    match self.platform.stat(to, false) {
                        Ok(_) => Err(rules::taken(os)),
                        Err(code) if rules::is_not_found(os, code) => {
                            self.platform.rename(from, to)
                        }
                        Err(code) => Err(code),
                    }
                }
                renamed => renamed,
            }
        };
        renamed.map_err(|code| {
            if rules::is_taken(os, code) {
                self.explain_create(to, code)
            } else {
                FileError::system(Operation::Replace, code)
            }
        })
    }

    /// The failure before it is reported; if this fails too, the next run removes it.
    pub(super) fn remove_draft(&self, dir: &P::Handle, name: &OsStr) {
        let _ = self.platform.remove(At { dir, name }, false);
    }

    /// Gives a new file what the old one keeps when it is written into: all that is not the
    /// source's, but for set-id bits and capabilities, which were about other content.
    pub(super) fn keep_old(
        &mut self,
        (old, stat): (Target<'_, P>, &Stat),
        dst: Target<'_, P>,
        fail: &mut dyn FnMut(FileError),
    ) {
        let wanted = self.options.preserve;
        let kept = Options {
            preserve: Preserve {
                mode: !wanted.mode,
                owner: !wanted.owner,
                xattrs: if wanted.xattrs.wanted() {
                    Want::No
                } else {
                    Want::Try
                },
                ..Preserve::default()
            },
            ..self.options.clone()
        };
        Attributes {
            platform: self.platform,
            options: &kept,
            src: old,
            src_stat: &Stat {
                mode: stat.mode & 0o1777,
                ..*stat
            },
            dst,
            made: Made::before(),
            buffers: self.buffers,
        }
        .apply(&mut |failed| fail(failed.into()));
        if kept.preserve.xattrs.wanted() {
            remove_capability(self.platform, dst).unwrap_or_else(|failed| fail(failed.into()));
        }
    }
}

/// The directory that a name is in.
pub(crate) fn place_of<P: Platform>(at: At<'_, P>) -> At<'_, P> {
    At {
        dir: at.dir,
        name: parent(at.name),
    }
}

/// The same, as a path from where the name is looked up.
pub(super) fn parent(name: &OsStr) -> &OsStr {
    let parent = Path::new(name).parent().map(Path::as_os_str);
    parent
        .filter(|it| !it.is_empty())
        .unwrap_or(OsStr::new("."))
}
