//! One file's data and attributes: from two names to a report.

use crate::run::step::since;
use std::ffi::OsStr;
use std::path::PathBuf;

use super::attributes;
use super::attributes::{Attributes, CreateMode, CreatedState, Failed};
use super::journal::Journal;
use crate::run::buffers::Buffers;
use crate::run::context::RunContext;
use crate::run::digest::Digest;
use crate::run::exec;
use crate::run::exec::Failure;
use crate::run::progress_sink::ProgressSink;
use crate::run::prove;
use crate::run::step::Stop;
use crate::run::thread_budget::ThreadBudget;
use crate::run::transfer::{Shape, Started, State, Transfer};
use crate::run::volumes::{FoundPair, VolumePair};
use crate::system::{At, Open, Platform, Target};
pub(crate) use crate::think::disposition::Existing;
use crate::think::plan;
use crate::think::plan::Plan;
use crate::words::code::Code;
use crate::words::error::{Cause, Operation, Refusal};
use crate::words::facts::{Facts, FileFacts, FsKind};
use crate::words::hash::Hash;
use crate::words::method::{Method, Os};
use crate::words::options::Options;
use crate::words::report::Report;
use crate::words::stat::{FileKind, Stat};

use super::atomic::TempFilePolicy;
use super::change::{Shown, check_source};
use super::failure::FileError;
use super::verify::OldState;

/// An open source.
pub(crate) struct Source<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) stat: Stat,
}

/// Opens a source to read its content. Never waits for the other end of a FIFO unless the FIFO's
/// content is what is wanted, and never returns a device that took a file's place meanwhile.
#[inline(always)] // whoever calls it goes on with other system calls: see `copyist_sys::linux`
pub(crate) fn open_source<P: Platform>(
    platform: &P,
    at: At<'_, P>,
    follow: bool,
    expected: Option<FileKind>,
) -> Result<Source<P>, FileError> {
    let how = match expected {
        None | Some(FileKind::Regular) => Open::Read { follow },
        Some(_) => Open::ReadStream { follow },
    };
    let failed = |code| FileError::system(Operation::OpenSource, code);
    let handle = platform.open(at, how).map_err(failed)?;
    let stat = platform
        .stat_open(&handle)
        .map_err(|code| FileError::system(Operation::StatSource, code))?;
    if stat.kind != expected.unwrap_or(FileKind::Regular) {
        return Err(FileError::refused(Refusal::Replaced));
    }
    Ok(Source { handle, stat })
}

/// The name a file is copied to, and what is known of it.
pub(crate) struct Destination<'a, P: Platform> {
    pub(crate) at: At<'a, P>,
    pub(crate) existing: Existing,
    /// What has the name, whatever it is, is replaced by a new file.
    pub(crate) replaces: bool,
    /// Its directory may give new files an access control list.
    pub(crate) may_have_acl: bool,
    /// The caller named it, from the current directory.
    pub(crate) is_operand: bool,
    /// Where it is, if that is to be written down.
    pub(crate) path: Option<PathBuf>,
}

impl<P: Platform> Destination<'_, P> {
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.existing, Existing::Stream { .. })
    }
}

impl<P: Platform> Destination<'_, P> {
    /// A new file of this name in the same directory, which is to replace it.
    pub(crate) fn beside<'n>(&'n self, name: &'n OsStr) -> Destination<'n, P> {
        Destination {
            at: At {
                dir: self.at.dir,
                name,
            },
            existing: Existing::Nothing,
            replaces: false,
            may_have_acl: self.may_have_acl,
            is_operand: self.is_operand,
            path: None,
        }
    }
}

/// Answers what is known of the volumes of a source and a destination.
pub(crate) type FindPair<'a, P> = dyn FnMut(&<P as Platform>::Handle, &<P as Platform>::Handle) -> Result<FoundPair<'a>, Failed>
    + 'a;

/// Copies files; what it needs for any of them.
pub(crate) struct FileCopier<'a, P: Platform> {
    pub(crate) platform: &'a P,
    pub(crate) options: &'a Options,
    pub(crate) context: RunContext<'a>,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) thread_budget: &'a ThreadBudget,
    /// How many workers besides this one have something to do.
    pub(crate) others_at_work: usize,
    pub(crate) temp_files: &'a TempFilePolicy,
    pub(crate) journal: Option<&'a Journal<'a, P>>,
}

/// What an earlier run has left of a file, and who is told how far it comes in this one.
pub(crate) struct ResumeState<'a, P: Platform> {
    pub(crate) progress_sink: Option<&'a dyn ProgressSink<P>>,
    pub(crate) offset: u64,
}

impl<P: Platform> Clone for ResumeState<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for ResumeState<'_, P> {}

impl<P: Platform> ResumeState<'_, P> {
    pub(crate) fn nothing() -> Self {
        ResumeState {
            progress_sink: None,
            offset: 0,
        }
    }
}

/// An open destination.
pub(crate) struct Opened<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) made: CreatedState,
    pub(crate) streams: bool,
    /// What it was before it was emptied.
    pub(super) old: Option<OldState>,
}

impl<P: Platform> FileCopier<'_, P> {
    /// Copies `src` to `dst`. `pair` answers what is known of their volumes. Failures to keep an
    /// attribute go to `fail`, since the copy itself is good.
    #[inline(always)] // as `open_source`
    pub(crate) fn copy(
        &mut self,
        src: &mut Source<P>,
        dst: &Destination<'_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<(), FileError> {
        if self.platform.is_dry() {
            return self.copy_dry(src, dst, pair, report);
        }
        if self.is_atomic() {
            return self.publish(src, dst, pair, report, fail);
        }
        if self.may_be_made_whole(&src.stat, dst) {
            return self.copy_by_name(src, dst, pair, report, fail);
        }
        self.copy_in_place(src, dst, pair, report, fail)
    }

    /// Copies into a file that has its name already, or gets it at once.
    #[inline(always)] // as `open_source`
    pub(crate) fn copy_in_place(
        &mut self,
        src: &mut Source<P>,
        dst: &Destination<'_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<(), FileError> {
        let start = self.context.now();
        let target = self.open_destination(src, dst)?;
        let filled = (&target, ResumeState::nothing());
        let result = match self.fill(src, filled, pair, report) {
            Ok(hash) => match self.finish_in_place(src, &target, dst, fail) {
                Ok(()) => {
                    self.prove(src, &target, report);
                    self.prepare_read_back(src, &target, hash, report)
                }
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let is_new = target.made.is_new;
        let closed = self.close(target);
        let closed = match (&result, closed) {
            (Ok(_), Ok(())) if is_new => self.sync_parent_dir(dst.at, dst),
            (_, closed) => closed,
        };
        let result = match (result, closed) {
            (Ok(None), Ok(())) => Ok(()),
            (Ok(Some(it)), Ok(())) => self.read_back(src, dst, &it, report, fail),
            (Err(error), _) | (_, Err(error)) => Err(self.give_up(dst, is_new, error)),
        };
        report.elapsed = since(start);
        result
    }

    /// What was made and could not be finished must not look like a copy.
    #[cold]
    #[inline(never)] // as `copy_atomic`
    fn give_up(&self, dst: &Destination<'_, P>, is_new: bool, error: FileError) -> FileError {
        if is_new {
            // The failure is reported already; that of removing it would say less.
            let _ = self.platform.remove(dst.at, false);
        }
        error
    }

    /// Attributes, and a flush.
    #[inline(always)] // as `open_source`
    fn finish_in_place(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        dst: &Destination<'_, P>,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<(), FileError> {
        self.copy_attributes(src, target, fail);
        self.flush(&target.handle, dst)
    }

    /// Data, if the options want any. Returns the hash that was made on the way.
    #[inline(always)] // as `open_source`
    pub(crate) fn fill(
        &mut self,
        src: &mut Source<P>,
        (target, kept): (&Opened<P>, ResumeState<'_, P>),
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
    ) -> Result<Option<Hash>, FileError> {
        if self.options.attributes_only {
            return Ok(None);
        }
        let pair = pair(&src.handle, &target.handle)?;
        self.copy_until_stable(src, (target, kept), &pair, report)
    }

    #[inline(always)] // as `open_source`
    pub(crate) fn prove(&self, src: &Source<P>, target: &Opened<P>, report: &mut Report) {
        if self.options.prove && !target.streams {
            let shared = prove::shared(self.platform, &src.handle, &target.handle);
            report.shared = Some(shared);
        }
    }

    #[inline(always)] // as `open_source`
    pub(crate) fn close(&self, target: Opened<P>) -> Result<(), FileError> {
        self.platform
            .close(target.handle)
            .map_err(|code| FileError::system(Operation::CloseDestination, code))
    }

    #[inline(always)] // as `open_source`
    pub(crate) fn copy_data(
        &mut self,
        src: &Source<P>,
        (target, kept): (&Opened<P>, ResumeState<'_, P>),
        pair: &VolumePair,
        report: &mut Report,
    ) -> Result<Option<Hash>, FileError> {
        self.prepare(src, target)?;
        let started = self.begin_small(src, (target, kept), pair, report);
        if started.makes(src.stat.size) {
            return Ok(None);
        }
        self.copy_as_planned(src, (target, kept), pair, started, report)
    }

    /// Plans the copy, and makes it; `started` is made of it already.
    #[inline(never)] // as `copy_atomic`
    fn copy_as_planned(
        &mut self,
        src: &Source<P>,
        (target, kept): (&Opened<P>, ResumeState<'_, P>),
        pair: &VolumePair,
        started: Started,
        report: &mut Report,
    ) -> Result<Option<Hash>, FileError> {
        let (facts, plan, _taken) = self.plan(&src.stat, target, pair);
        let hashes = self.digest(&src.stat);
        let shape = Shape {
            hash: hashes.map(|digest| (digest, plan.hash_beside)),
            ..shape(&facts, &plan)
        };
        let mut transfer = Transfer::new(
            self.platform,
            (&src.handle, &target.handle),
            shape,
            self.context,
            self.buffers,
        );
        transfer.progress_sink = kept.progress_sink;
        transfer.started = started;
        transfer.state = State::resumed(kept.offset);
        report.resumed = kept.offset;
        let result = exec::run(&plan, &facts, &mut transfer, pair, report);
        if let Err(failure) = result {
            let was_served =
                !matches!(failure, Failure::NoMethod { .. }) || kept.progress_sink.is_some();
            transfer.abandon(was_served);
            return Err(explain(failure, transfer.offset()));
        }
        let mut shown = Shown {
            transfer: &mut transfer,
            report,
        };
        check_source((self.platform, self.options), src, &facts, &mut shown)?;
        Ok(transfer.finish_hash())
    }

    /// What is known where the destination is still to be made.
    pub(crate) fn facts(&self, src: &Stat, pair: &VolumePair) -> Facts {
        let system = (self.platform.os(), self.platform.kernel());
        let mut facts = Facts {
            refused: pair.refused(),
            preferred: pair.preferred,
            ..Facts::new(system, self.file_facts(src), (pair.src, pair.dst))
        };
        let is_large = src.size >= plan::ASK_MEMORY_BYTES;
        if is_large && !plan::is_sure_to_clone(&facts, self.options) {
            facts.memory_bytes = self.platform.available_memory();
        }
        facts
    }

    /// What the content of this file is hashed for, if it is. Of a sparse file that is only to be verified
    /// the holes need no hash.
    pub(crate) fn digest(&self, src: &Stat) -> Option<Digest> {
        let kind = self.options.hash_wanted()?;
        let is_reported = self.options.reported_hash().is_some();
        Some(match is_reported || !self.file_facts(src).looks_sparse() {
            true => Digest::reported(kind),
            false => Digest::compared(kind),
        })
    }

    pub(crate) fn file_facts(&self, src: &Stat) -> FileFacts {
        FileFacts {
            size: src.size,
            allocated_bytes: src.allocated_bytes,
            is_regular: src.kind == FileKind::Regular,
            is_compressed: attributes::is_compressed(self.platform.os(), src),
        }
    }

    /// What is made of content that was read is a regular file, whatever it was read from.
    pub(crate) fn create_mode(&self, src: &Stat) -> CreateMode {
        CreateMode::new(self.platform, self.options, (FileKind::Regular, src.mode))
    }

    /// What must be done while the destination is empty.
    #[inline(always)] // as `open_source`
    pub(crate) fn prepare(&self, src: &Source<P>, target: &Opened<P>) -> Result<(), FileError> {
        // On Windows none has to.
        let some_must = self.platform.os() != Os::Windows;
        if some_must && self.options.preserve.flags && target.made.is_new {
            let files = (&src.handle, src.stat.flags, &target.handle);
            attributes::copy_flags(self.platform, self.options, files, false)?;
        }
        Ok(())
    }

    /// Returns the failure to set the permissions, if there was one.
    #[inline(always)] // as `open_source`
    pub(crate) fn copy_attributes(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        fail: &mut dyn FnMut(FileError),
    ) -> Option<Failed> {
        // A device or a terminal keeps its own.
        if target.streams || attributes::are_all_set(self.platform, self.options, target.made) {
            return None;
        }
        self.set_attributes(src, target, fail)
    }

    #[inline(never)] // as `copy_atomic`
    fn set_attributes(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        fail: &mut dyn FnMut(FileError),
    ) -> Option<Failed> {
        let of_mode = Attributes {
            platform: self.platform,
            options: self.options,
            src: Target::Open(&src.handle),
            src_stat: &as_regular(&src.stat),
            dst: Target::Open(&target.handle),
            made: target.made,
            buffers: self.buffers,
        }
        .apply(&mut |failed| fail(failed.into()));
        if attributes::keeps_flags(self.platform.os(), self.options) {
            let files = (&src.handle, src.stat.flags, &target.handle);
            attributes::copy_flags(self.platform, self.options, files, true)
                .unwrap_or_else(|failed| fail(failed.into()));
        }
        of_mode
    }
}

/// As the copy will be: see [`FileCopier::create_mode`].
fn as_regular(src: &Stat) -> Stat {
    Stat {
        kind: FileKind::Regular,
        ..*src
    }
}

pub(crate) fn shape(facts: &Facts, plan: &Plan) -> Shape {
    Shape {
        size: facts.src.size,
        size_counts: size_counts(facts),
        data_bytes: facts.src.size.min(facts.src.allocated_bytes),
        size_is_sound: facts.src_volume.kind.stat_size_is_sound(),
        src_streams: !facts.src.is_regular,
        dst_streams: !facts.dst_is_regular,
        holes: plan.holes,
        block_bytes: facts.dst_volume.block_bytes as usize,
        preallocate: plan.preallocate,
        threads: plan.threads,
        hash: None,
        drop_behind: plan.drop_behind,
    }
}

pub(crate) fn size_counts(facts: &Facts) -> bool {
    facts.src.is_regular && facts.src.size > 0 && facts.src_volume.kind != FsKind::Pseudo
}

pub(crate) fn explain(failure: Failure, offset: u64) -> FileError {
    match failure {
        Failure::Stopped { method, stop } => explain_stop(stop, Some(method), offset),
        Failure::NoMethod {
            last: Some((method, code)),
            ..
        } => FileError::system(Operation::Transfer, code).with_transfer(Some((method, offset))),
        Failure::NoMethod {
            last: None,
            skipped,
        } => FileError::refused(Refusal::NoMethod(skipped)),
    }
}

pub(crate) fn explain_stop(stop: Stop, method: Option<Method>, offset: u64) -> FileError {
    let (operation, cause) = match stop {
        Stop::Code { operation, code } => (operation, Cause::System(code)),
        Stop::Cancelled => (Operation::Transfer, Cause::Refused(Refusal::Cancelled)),
        // Whoever could not open it says more.
        Stop::NoDestination => (Operation::OpenDestination, Cause::System(Code::NO_PROGRESS)),
    };
    FileError::new(operation, cause).with_transfer(method.map(|method| (method, offset)))
}
