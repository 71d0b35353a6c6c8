//! One file's data and attributes: from two names to a report.

use std::sync::Arc;

use crate::attributes::{self, Attributes, Failed, Made, MakeMode};
use crate::buffers::Buffers;
use crate::error::{Cause, Code, Operation, Refusal};
use crate::exec::{self, Failure};
use crate::facts::{Facts, FileFacts, FsKind};
use crate::hash::Hash;
use crate::method::{Method, Os};
use crate::options::{Force, Options};
use crate::plan::{self, Plan};
use crate::platform::{At, Attribute, FileId, FileKind, Open, Platform, Stat, Target};
use crate::prove;
use crate::report::Report;
use crate::rules;
use crate::spare::{Spare, Taken};
use crate::transfer::{self, Shape, Stop, Transfer, Watch};
use crate::volumes::VolumePair;

mod check;
mod dry;
mod failure;
mod verify;
mod whole;

pub(crate) use failure::FileError;

/// An open source.
pub(crate) struct Source<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) stat: Stat,
}

/// Opens a source to read its content. Never waits for the other end of a FIFO unless the FIFO's
/// content is what is wanted, and never returns a device that took a file's place meanwhile.
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

/// What has the destination's name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Nothing.
    Nothing,
    /// A file, to be written into.
    File,
    /// A symbolic link to this file, which is to be written into.
    LinkToFile(FileId),
    /// What takes data and keeps none of it (a FIFO, a device), or a symbolic link to it.
    Stream { follow: bool },
}

/// The name a file is copied to, and what is known of it.
pub(crate) struct Destination<'a, P: Platform> {
    pub(crate) at: At<'a, P>,
    pub(crate) existing: Existing,
    /// Its directory may give new files an access control list.
    pub(crate) may_have_acl: bool,
    /// The caller named it, from the current directory.
    pub(crate) is_operand: bool,
}

/// Answers what is known of the volumes of a source and a destination.
pub(crate) type FindPair<'a, P> = dyn FnMut(&<P as Platform>::Handle, &<P as Platform>::Handle) -> Result<Arc<VolumePair>, Failed>
    + 'a;

/// Copies files; what it needs for any of them.
pub(crate) struct FileCopier<'a, P: Platform> {
    pub(crate) platform: &'a P,
    pub(crate) options: &'a Options,
    pub(crate) watch: Watch<'a>,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) spare: &'a Spare,
}

/// An open destination.
struct Opened<P: Platform> {
    handle: P::Handle,
    made: Made,
    streams: bool,
}

impl<P: Platform> FileCopier<'_, P> {
    /// Copies `src` to `dst`. `pair` answers what is known of their volumes. Failures to keep an
    /// attribute go to `fail`, since the copy itself is good.
    pub(crate) fn copy(
        &mut self,
        src: Source<P>,
        dst: &Destination<'_, P>,
        pair: &mut FindPair<'_, P>,
        report: &mut Report,
        fail: &mut dyn FnMut(FileError),
    ) -> Result<(), FileError> {
        if self.may_be_made_whole(&src.stat, dst) {
            return self.copy_by_name(src, dst, pair, report, fail);
        }
        let start = self.watch.now();
        let target = self.open_destination(&src.stat, dst)?;
        if self.platform.is_dry() {
            return self.plan_only(&src, &target, pair, report);
        }
        let result = if self.options.attributes_only {
            Ok(())
        } else {
            pair(&src.handle, &target.handle)
                .map_err(FileError::from)
                .and_then(|pair| self.copy_data(&src, &target, &pair, report))
                .and_then(|hash| self.verify(&src, &target, dst, hash, report))
        };
        let result = result.and_then(|()| {
            self.copy_attributes(&src, &target, fail);
            self.flush(&target.handle)?;
            self.prove(&src, &target, report);
            Ok(())
        });
        let is_new = target.made.is_new;
        let result = result.and(self.close(target));
        report.elapsed = transfer::since(start);
        if let Err(error) = &result
            && (is_new || error.is_bad_copy())
            && !(self.options.keep_bad && error.is_bad_copy())
        {
            // What was made and could not be finished must not look like a copy. The failure is
            // reported already; that of removing it would say less.
            let _ = self.platform.remove(dst.at, false);
        }
        result
    }

    fn flush(&self, handle: &P::Handle) -> Result<(), FileError> {
        let Some(how) = self.options.flush else {
            return Ok(());
        };
        self.platform
            .flush(handle, how)
            .map_err(|code| FileError::system(Operation::Flush, code))
    }

    fn prove(&self, src: &Source<P>, target: &Opened<P>, report: &mut Report) {
        if self.options.prove && !target.streams {
            let shared = prove::shared(self.platform, &src.handle, &target.handle);
            report.shared = Some(shared);
        }
    }

    fn close(&self, target: Opened<P>) -> Result<(), FileError> {
        self.platform
            .close(target.handle)
            .map_err(|code| FileError::system(Operation::CloseDestination, code))
    }

    fn open_destination(
        &self,
        src: &Stat,
        dst: &Destination<'_, P>,
    ) -> Result<Opened<P>, FileError> {
        if dst.existing != Existing::Nothing {
            match self.open_existing(src, dst) {
                // It is gone again (a stale answer of NFS, say), so there is a file to be made.
                Err(error) if is_gone(self.platform.os(), &error) => {}
                Err(error) if self.options.force == Force::IfNeeded && is_of_system(&error) => {
                    self.platform
                        .remove(dst.at, false)
                        .map_err(|code| FileError::system(Operation::Remove, code))?;
                }
                opened => return opened,
            }
        }
        let plan = MakeMode::new(self.platform, self.options, &as_regular(src));
        let mode = plan.mode;
        let through = self.options.write_through_dangling;
        let how = if through {
            Open::CreateThrough { mode }
        } else {
            Open::Create { mode }
        };
        let handle = self
            .platform
            .open(dst.at, how)
            .map_err(|code| self.explain_create(dst.at, code))?;
        if let Some(mode) = plan.open_up {
            self.platform
                .set(Target::Open(&handle), Attribute::Mode(mode))
                .map_err(|code| FileError::system(Operation::SetMode, code))?;
        }
        Ok(Opened {
            handle,
            made: plan.made(dst.may_have_acl),
            streams: false,
        })
    }

    /// A name that is taken although nothing was found there is a symbolic link to nothing.
    fn explain_create(&self, at: At<'_, P>, code: Code) -> FileError {
        let taken = rules::is_taken(self.platform.os(), code);
        match self.platform.stat(at, false) {
            Ok(stat) if taken && stat.kind == FileKind::Symlink => {
                FileError::refused(Refusal::DanglingSymlink)
            }
            _ => FileError::system(Operation::CreateFile, code),
        }
    }

    /// Opens an existing destination and empties it, unless it is the source after all.
    fn open_existing(&self, src: &Stat, dst: &Destination<'_, P>) -> Result<Opened<P>, FileError> {
        let failed = |code| FileError::system(Operation::OpenDestination, code);
        let how = match dst.existing {
            Existing::Stream { follow } => Open::WriteStream { follow },
            Existing::LinkToFile(_) => Open::Write { follow: true },
            Existing::File | Existing::Nothing => Open::Write { follow: false },
        };
        let handle = self.platform.open(dst.at, how).map_err(failed)?;
        let stat = self.platform.stat_open(&handle).map_err(failed)?;
        // Nothing was written yet, so that whoever has put something else there has won nothing.
        let is_expected = match dst.existing {
            Existing::Stream { .. } => true,
            Existing::LinkToFile(id) => stat.kind == FileKind::Regular && stat.id == id,
            Existing::File | Existing::Nothing => stat.kind == FileKind::Regular,
        };
        if !is_expected {
            return Err(FileError::refused(Refusal::Replaced));
        }
        if stat.id == src.id {
            return Err(FileError::refused(Refusal::SameFile));
        }
        let streams = stat.kind != FileKind::Regular;
        // Also where there is nothing to cut off: it sets the times, and takes set-id bits away.
        if !streams && !self.options.attributes_only {
            self.platform
                .set_len(&handle, 0)
                .map_err(|code| FileError::system(Operation::Truncate, code))?;
        }
        let made = Made::before();
        Ok(Opened {
            handle,
            made,
            streams,
        })
    }

    fn copy_data(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        pair: &VolumePair,
        report: &mut Report,
    ) -> Result<Option<Hash>, FileError> {
        let mut facts = self.facts(&src.stat, pair);
        facts.dst_is_regular = !target.streams;
        facts.dst_is_free = false;
        // Only a file that is worth it takes them from the others.
        facts.threads = 2;
        let hashes = self.options.hash_wanted();
        let to_hash = hashes.is_some() && facts.src.size >= plan::HASH_BESIDE_BYTES;
        let several = facts.is_for_several() || to_hash;
        let taken = several.then(|| self.spare.take());
        facts.threads = taken.as_ref().map_or(1, Taken::threads);
        let plan = plan::plan(&facts, self.options);
        self.prepare(src, target)?;
        let shape = Shape {
            hash: hashes.map(|kind| (kind, plan.hash_beside)),
            ..shape(&facts, &plan)
        };
        let mut transfer = Transfer::new(
            self.platform,
            (&src.handle, &target.handle),
            shape,
            self.watch,
            self.buffers,
        );
        let result = exec::run(&plan, &facts, &mut transfer, pair, report);
        if let Err(failure) = result {
            transfer.abandon();
            return Err(explain(failure, transfer.offset()));
        }
        check::source(self.platform, src, &facts, &mut transfer, report)?;
        Ok(transfer.finish_hash())
    }

    /// What is known where the destination is still to be made.
    fn facts(&self, src: &Stat, pair: &VolumePair) -> Facts {
        Facts {
            os: self.platform.os(),
            kernel: self.platform.kernel(),
            src: FileFacts {
                size: src.size,
                allocated_bytes: src.allocated_bytes,
                is_regular: src.kind == FileKind::Regular,
                is_compressed: attributes::is_compressed(self.platform.os(), src),
            },
            src_volume: pair.src,
            dst_volume: pair.dst,
            dst_is_regular: true,
            dst_is_free: true,
            threads: 1,
            memory_bytes: (src.size >= plan::ASK_MEMORY_BYTES)
                .then(|| self.platform.available_memory())
                .flatten(),
            refused: pair.refused(),
            preferred: pair.preferred,
        }
    }

    /// What must be done while the destination is empty.
    fn prepare(&self, src: &Source<P>, target: &Opened<P>) -> Result<(), FileError> {
        if self.options.preserve.flags && target.made.is_new {
            let files = (&src.handle, &target.handle);
            attributes::copy_flags(self.platform, self.options, files, false)?;
        }
        Ok(())
    }

    fn copy_attributes(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        fail: &mut dyn FnMut(FileError),
    ) {
        if target.streams {
            return; // a device or a terminal keeps its own
        }
        Attributes {
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
            let files = (&src.handle, &target.handle);
            attributes::copy_flags(self.platform, self.options, files, true)
                .unwrap_or_else(|failed| fail(failed.into()));
        }
    }
}

/// What is made of content that was read is a regular file, whatever it was read from.
fn as_regular(src: &Stat) -> Stat {
    Stat {
        kind: FileKind::Regular,
        ..*src
    }
}

fn is_gone(os: Os, error: &FileError) -> bool {
    let opening = error.operation == Operation::OpenDestination;
    opening && matches!(error.cause, Cause::System(code) if rules::is_not_found(os, code))
}

fn is_of_system(error: &FileError) -> bool {
    matches!(error.cause, Cause::System(_)) && error.operation == Operation::OpenDestination
}

fn shape(facts: &Facts, plan: &Plan) -> Shape {
    Shape {
        size: facts.src.size,
        size_counts: size_counts(facts),
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

fn size_counts(facts: &Facts) -> bool {
    facts.src.is_regular && facts.src.size > 0 && facts.src_volume.kind != FsKind::Pseudo
}

fn explain(failure: Failure, offset: u64) -> FileError {
    match failure {
        Failure::Stopped { method, stop } => explain_stop(stop, Some(method), offset),
        Failure::NoMethod {
            last: Some((method, code)),
            ..
        } => FileError {
            operation: Operation::Transfer,
            cause: Cause::System(code),
            transfer: Some((method, offset)),
        },
        Failure::NoMethod {
            last: None,
            skipped,
        } => FileError::refused(Refusal::NoMethod(skipped)),
    }
}

fn explain_stop(stop: Stop, method: Option<Method>, offset: u64) -> FileError {
    let (operation, cause) = match stop {
        Stop::Code { operation, code } => (operation, Cause::System(code)),
        Stop::Cancelled => (Operation::Transfer, Cause::Refused(Refusal::Cancelled)),
        // Whoever could not open it says more.
        Stop::NoDestination => (Operation::OpenDestination, Cause::System(Code::NO_PROGRESS)),
    };
    FileError {
        operation,
        cause,
        transfer: method.map(|method| (method, offset)),
    }
}
