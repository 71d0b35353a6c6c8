//! Copies whose destination one call creates by name and fills (clonefile, copyfile, CopyFileExW). The plan is made
//! and run before the destination exists; for a method that needs an open file, it is opened then.
//!
//! An existing name is never unlinked for this: with [`Reflink::Always`] the copy is made beside the old file, under a
//! temporary name, and renamed when it is complete.

use crate::run::step::since;
use std::time::Instant;

use super::atomic::Old;
use super::attributes;
use super::attributes::{CreatedState, InheritedAttributes};
use super::change::{Shown, check_source, ended_early, has_changed, look_again};
use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::failure::explain;
use super::source::Source;
use super::target::{Destination, Existing, Opened};
use super::temp_file::Temporary;
use crate::run::exec;
use crate::run::step::Runs;
use crate::run::step::{Mark, Stop};
use crate::run::transfer;
use crate::run::transfer::{Shape, State, Transfer};
use crate::system::parent::parent;
use crate::system::{At, Open, Platform, Takes, Target, Whole, WholeCopy};
use crate::think::plan;
use crate::think::plan::{LARGE_BYTES, Plan};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Operation, Refusal};
use crate::words::facts::Facts;
use crate::words::method::Method;
use crate::words::method::Skip;
use crate::words::options::{OnChange, Reflink};
use crate::words::report::{Changed, Report};
use crate::words::stat::{FileKind, Stat};

/// A copy in progress: what the plan runs on.
struct Job<'j, 'a, 'd, P: Platform> {
    copier: &'j mut FileCopier<'a, P>,
    src: &'j Source<P>,
    dst: &'j Destination<'d, P>,
    facts: &'j Facts,
    plan: &'j Plan,
    shape: Shape,
    state: State,
    landed: Landed<P>,
    /// The reason why no destination exists for a method that needs one.
    failed: Option<FileError>,
}

/// The state of the destination.
enum Landed<P: Platform> {
    Nothing,
    /// The system created it.
    Whole(Whole),
    /// It was opened for writing.
    Open(Opened<P>),
}

impl<P: Platform> FileCopier<'_, P> {
    /// Whether a method may create the destination of this file by name.
    pub(super) fn may_be_made_whole(&self, src: &Stat, dst: &Destination<'_, P>) -> bool {
        let os = self.platform.os();
        if !Method::ALL
            .iter()
            .any(|&method| os.creates_destination(method))
        {
            return false;
        }
        src.kind == FileKind::Regular
            && src.size > 0
            && !self.options.attributes_only
            && match dst.existing {
                Existing::Nothing => !self.options.write_through_dangling,
                Existing::File => self.is_atomic() || self.options.reflink == Reflink::Always,
                Existing::LinkToFile(_) | Existing::Stream { .. } => false,
            }
    }

    /// [`FileCopier::copy`] for such a file.
    pub(super) fn copy_by_name(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let start = self.context.now();
        let dst = file.dst;
        let at_once = dst.existing == Existing::Nothing && !dst.replaces && !self.is_atomic();
        let result = if at_once {
            self.make_settled(file)
        } else {
            self.make_beside(file)
        };
        file.report.elapsed = since(start);
        result.and_then(|()| self.sync_parent_dir(dst.at, dst))
    }

    /// Makes the copy under a temporary name, and renames it when it is complete.
    fn make_beside(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let dst = file.dst;
        let old = if self.is_atomic() {
            self.look_at_replaced(&file.src.stat, dst.at, dst)?
        } else {
            Some(Old::Kept(self.look_at_old(&file.src.stat, dst)?))
        };
        let Some(old) = old else {
            return self.copy_in_place(file);
        };
        self.check_names(dst.at)?;
        let name = Temporary::new().beside(dst.at.name);
        let made = dst.beside(&name);
        let result = self.make_settled(&mut file.to(&made));
        let is_kept = |error: &FileError| self.options.keeps_bad() && error.is_bad_copy();
        if result.as_ref().is_err_and(|error| !is_kept(error)) {
            // A copy that is complete and could not be checked before the cancellation remains.
            self.remove_draft(made.at.dir, made.at.name);
            return result;
        }
        if let Old::Kept(stat) = &old {
            let at = Target::Named(made.at);
            let refused = self.keep_old((Target::Named(dst.at), stat), at, file.failures);
            if let Some(refused) = refused.filter(|_| self.is_atomic())
                && let Some(error) = self.unfit(refused, (dst.at, stat), at)
            {
                self.remove_draft(made.at.dir, made.at.name);
                return Err(error);
            }
        }
        let replaces = !matches!(old, Old::Nothing);
        self.rename(made.at, dst.at, replaces)
            .inspect_err(|_| self.remove_draft(made.at.dir, made.at.name))?;
        result
    }

    /// Makes the copy, and again if the source has changed (`--on-change=retry`).
    fn make_settled(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let mut retries = 0;
        loop {
            self.wait_for_ctime_tick(file.src)?;
            self.make_whole(file)?;
            let again = self.copies_again(file.report, &mut retries);
            if !matches!(again, Ok(false)) {
                self.remove_draft(file.dst.at.dir, file.dst.at.name);
            }
            if !again? {
                return Ok(());
            }
            look_again(self.platform, file.src)?;
            *file.report = Report::default();
        }
    }

    /// Opens the file to be replaced: it must be writable, and not the source.
    fn look_at_old(&self, src: &Stat, dst: &Destination<'_, P>) -> Result<Stat, FileError> {
        let failed = |code| FileError::system(Operation::OpenDestination, code);
        let writable = self
            .platform
            .open(dst.at, Open::Write { follow: false })
            .map_err(failed)?;
        let stat = self.platform.stat_open(&writable).map_err(failed)?;
        if stat.is_same_file(src) {
            return Err(FileError::refused(Refusal::SameFile));
        }
        // A device or FIFO can't be cloned to; other hard links to a file would keep the old content.
        if stat.kind != FileKind::Regular || stat.links > 1 {
            let skipped = vec![(Method::Clone, Skip::DestinationExists)];
            return Err(FileError::refused(Refusal::NoMethod(skipped)));
        }
        Ok(stat)
    }

    fn make_whole(&mut self, file: &mut OneFile<'_, P>) -> Result<(), FileError> {
        let (src, dst) = (&*file.src, file.dst);
        let pair = {
            let dir = self.parent_dir(dst)?;
            self.volume_pair(src, dir.as_ref().unwrap_or(dst.at.dir), file.known_pair)?
        };
        let facts = self.facts(&src.stat, &pair);
        let plan = plan::plan(&facts, self.options);
        let mut job = Job {
            copier: self,
            src,
            dst,
            facts: &facts,
            plan: &plan,
            shape: Shape::new(&facts, &plan),
            state: State::default(),
            landed: Landed::Nothing,
            failed: None,
        };
        let result = exec::run(&plan, &facts, &mut job, &*pair, file.report);
        let result = match result {
            Ok(()) => job.check_source(file.report),
            Err(failure) => {
                let unmade = job.failed.take();
                Err(unmade.unwrap_or_else(|| explain(failure, job.state.mark().offset)))
            }
        };
        let landed = std::mem::replace(&mut job.landed, Landed::Nothing);
        self.finish_whole(file, landed, result)
    }

    /// The directory of the destination, if its name is a path.
    fn parent_dir(&self, dst: &Destination<'_, P>) -> Result<Option<P::Handle>, FileError> {
        let name = parent(dst.at.name);
        if name == "." {
            return Ok(None);
        }
        let at = At {
            dir: dst.at.dir,
            name,
        };
        self.platform
            .open(at, Open::Path { follow: true })
            .map(Some)
            .map_err(|code| FileError::system(Operation::CreateFile, code))
    }

    /// Sets attributes, flushes and closes. A file that was created and can't be completed is removed.
    fn finish_whole(
        &mut self,
        file: &mut OneFile<'_, P>,
        landed: Landed<P>,
        result: Result<(), FileError>,
    ) -> Result<(), FileError> {
        let target = match landed {
            Landed::Nothing => return result,
            Landed::Open(target) => Ok(target),
            Landed::Whole(how) => self.open_made(file.src, file.dst, how),
        };
        let result = result.and_then(|()| {
            let src = &*file.src;
            let target = target?;
            if target.made.brought != InheritedAttributes::Nothing {
                attributes::reset_flags(self.platform, self.options, &target.handle)?;
            }
            self.copy_attributes(src, &target, file.failures);
            let result = self.flush(&target.handle, file.dst);
            self.prove(src, &target, file.report);
            let result =
                result.and_then(|()| self.prepare_read_back(src, &target, None, file.report));
            let closed = self.close(target);
            result.and_then(|read_back| closed.map(|()| read_back))
        });
        match result {
            Ok(None) => Ok(()),
            Ok(Some(read_back)) => self.read_back(file, &read_back),
            Err(error) => {
                // It must not look like a copy; the failure is reported.
                let _ = self.platform.remove(file.dst.at, false);
                Err(error)
            }
        }
    }

    /// Opens a file that the system created, to complete it.
    fn open_made(
        &self,
        src: &Source<P>,
        dst: &Destination<'_, P>,
        how: Whole,
    ) -> Result<Opened<P>, FileError> {
        let failed = |code| FileError::system(Operation::OpenDestination, code);
        // Attributes can be set through any descriptor. The owner may be allowed to write the file but not to read it.
        let handle = self
            .platform
            .open(dst.at, Open::Read { follow: false })
            .or_else(|code| {
                if rules::is_access_denied(self.platform.os(), code) {
                    self.platform.open(dst.at, Open::Write { follow: false })
                } else {
                    Err(code)
                }
            })
            .map_err(failed)?;
        let stat = self.platform.stat_open(&handle).map_err(failed)?;
        // A file of another process under this name has other links, or is not regular.
        if stat.kind != FileKind::Regular || stat.links > 1 || stat.is_same_file(&src.stat) {
            return Err(FileError::refused(Refusal::Replaced));
        }
        let made = self.create_mode(&src.stat).made(dst.may_have_acl);
        let brought = match how {
            Whole::Clone => InheritedAttributes::All,
            Whole::SystemCopy => InheritedAttributes::Some,
        };
        Ok(Opened {
            handle,
            made: CreatedState { brought, ..made },
            streams: false,
            old: None,
        })
    }
}

impl<P: Platform> Job<'_, '_, '_, P> {
    /// Lets the system create the destination.
    fn make(&mut self, how: Whole) -> Result<(), Stop> {
        // The call copies whole files: it can't continue what another method has begun.
        if self.state.mark().offset > 0 {
            return Err(transfer::stop(Code::NO_PROGRESS));
        }
        self.take_back()?;
        let platform = self.copier.platform;
        let copy = WholeCopy {
            how,
            src: Target::Open(&self.src.handle),
            dst: Target::Named(self.dst.at),
            takes: self.takes(),
            cancel: self.copier.context.cancel.flag(),
        };
        match transfer::copy_by_path(platform, self.copier.context, &copy) {
            Ok(len) if self.is_short(len)? => {
                self.remove()?;
                Err(transfer::stop(Code::NO_PROGRESS))
            }
            Ok(len) => {
                self.state.complete(len);
                self.landed = Landed::Whole(how);
                Ok(())
            }
            Err(failed) if rules::is_taken(platform.os(), failed.code) && !failed.is_left => {
                self.failed = Some(self.copier.explain_create(self.dst.at, failed.code));
                Err(Stop::NoDestination)
            }
            Err(failed) => {
                if failed.is_left {
                    self.remove()?;
                }
                Err(transfer::stop(failed.code))
            }
        }
    }

    /// Whether the source has data beyond `len`, the length that the system has returned for its copy.
    fn is_short(&self, len: u64) -> Result<bool, Stop> {
        if self.shape.size_is_sound && len >= self.shape.size {
            return Ok(false);
        }
        transfer::reads_more(self.copier.platform, &self.src.handle, len)
    }

    /// Removes an empty destination that a refused method had opened.
    fn take_back(&mut self) -> Result<(), Stop> {
        match std::mem::replace(&mut self.landed, Landed::Nothing) {
            Landed::Open(target) => {
                let closed = self.copier.close(target);
                self.remove()?;
                closed.map_err(|error| {
                    self.failed = Some(error);
                    Stop::NoDestination
                })
            }
            Landed::Nothing | Landed::Whole(_) => Ok(()),
        }
    }

    fn remove(&mut self) -> Result<(), Stop> {
        self.copier
            .platform
            .remove(self.dst.at, false)
            .map_err(|code| {
                self.failed = Some(FileError::system(Operation::Remove, code));
                Stop::NoDestination
            })
    }

    fn takes(&self) -> Takes {
        let options = self.copier.options;
        let make = self.copier.create_mode(&self.src.stat);
        Takes {
            owner: options.preserve.owner,
            acl: options.preserve.keeps_acl(),
            // Its extended attributes contain the compressed form of a file. Those that are not wanted are removed
            // afterwards.
            xattrs: options.preserve.xattrs.wanted()
                || attributes::is_compressed(self.copier.platform.os(), &self.src.stat),
            holes: self.shape.holes.use_map(),
            may_share: options.reflink != Reflink::Never,
            // Such a call creates the file with the source's permissions, before it has the owner.
            by_path: self.dst.is_operand && !options.preserve.owner,
            mode: make.mode,
            unbuffered: self.facts.src.size >= LARGE_BYTES,
            over_network: self.facts.is_over_network(),
        }
    }

    /// Copies the rest by a method that needs an open destination.
    fn transfer(&mut self, method: Method) -> Result<(), Stop> {
        if !matches!(self.landed, Landed::Open(_)) {
            match self.copier.open_destination(self.src, self.dst) {
                Ok(target) => {
                    let prepared = self.copier.prepare(self.src, &target);
                    self.landed = Landed::Open(target);
                    if let Err(error) = prepared {
                        self.failed = Some(error);
                        return Err(Stop::NoDestination);
                    }
                }
                Err(error) => {
                    self.failed = Some(error);
                    return Err(Stop::NoDestination);
                }
            }
        }
        let Landed::Open(target) = &self.landed else {
            return Err(Stop::NoDestination); // it was opened above
        };
        let files = (&self.src.handle, &target.handle);
        let FileCopier {
            platform,
            context,
            buffers,
            ..
        } = &mut *self.copier;
        let mut transfer = Transfer::new(*platform, files, self.shape, *context, buffers);
        transfer.state = std::mem::take(&mut self.state);
        let result = transfer.run(method);
        self.state = transfer.state;
        result
    }

    /// Examines the source again, if the copied data is not of one moment.
    fn check_source(&mut self, report: &mut Report) -> Result<(), FileError> {
        let (facts, plan) = (self.facts, self.plan);
        if let Landed::Open(target) = &self.landed {
            let files = (&self.src.handle, &target.handle);
            let copier = &mut *self.copier;
            let shape = Shape::new(facts, plan);
            let mut transfer = Transfer::new(
                copier.platform,
                files,
                shape,
                copier.context,
                copier.buffers,
            );
            transfer.state = std::mem::take(&mut self.state);
            let mut shown = Shown {
                transfer: &mut transfer,
                report,
            };
            return check_source(
                (copier.platform, copier.options),
                self.src,
                facts,
                &mut shown,
            );
        }
        let size = facts.src.size;
        let len = self.state.mark().offset;
        let on_change = self.copier.options.on_change;
        let of_one_moment = report.method() == Some(Method::Clone);
        if of_one_moment && len == size && on_change == OnChange::Report {
            return Ok(());
        }
        let now = self
            .copier
            .platform
            .stat_open(&self.src.handle)
            .map_err(|code| FileError::system(Operation::StatSource, code))?;
        if has_changed(self.copier.options, &self.src.stat, &now) {
            report.changed = Some(Changed {
                size_before: size,
                size_after: if len == size { now.size } else { len },
            });
        } else if len < size && self.shape.size_is_sound {
            return Err(ended_early(len));
        }
        Ok(())
    }
}

impl<P: Platform> Runs for Job<'_, '_, '_, P> {
    fn run(&mut self, method: Method) -> Result<(), Stop> {
        if self.copier.context.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let os = self.copier.platform.os();
        match method {
            Method::Clone if os.creates_destination(method) => self.make(Whole::Clone),
            Method::SystemCopy if os.creates_destination(method) => self.make(Whole::SystemCopy),
            _ => self.transfer(method),
        }
    }

    fn mark(&self) -> Mark {
        self.state.mark()
    }

    fn note(&self) -> Option<&'static str> {
        self.state.note
    }

    fn now(&self) -> Option<Instant> {
        self.copier.context.now()
    }

    fn since(&self, mark: Mark) -> Mark {
        self.state.since(mark)
    }
}
