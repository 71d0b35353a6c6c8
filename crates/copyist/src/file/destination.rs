//! Opens a destination for writing: a new file, or an existing one.

use super::attributes;
use super::attributes::CreatedState;
use super::copier::FileCopier;
use super::failure::FileError;
use super::source::Source;
use super::target::{Destination, Existing, OldState, Opened};
use crate::system::filesystem;
use crate::system::{At, Attribute, Open, Platform, Target};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Operation, Refusal};
use crate::words::facts::FsKind;
use crate::words::method::Os;
use crate::words::options::Force;
use crate::words::stat::{FileId, FileKind, Stat};

impl<P: Platform> FileCopier<'_, P> {
    pub(super) fn open_destination(
        &mut self,
        src: &Source<P>,
        dst: &Destination<'_, P>,
    ) -> Result<Opened<P>, FileError> {
        if dst.existing != Existing::Nothing {
            match self.open_existing(&src.stat, dst) {
                // It was removed meanwhile (or NFS returned outdated attributes), so a new file is made.
                Err(error) if is_gone(self.platform.os(), &error) => {}
                Err(error) if self.options.force == Force::IfNeeded && is_of_system(&error) => {
                    self.platform
                        .remove(dst.at, false)
                        .map_err(|code| FileError::system(Operation::Remove, code))?;
                }
                opened => return opened,
            }
        }
        let listed = attributes::list(
            self.platform,
            &self.options.preserve,
            Target::Open(&src.handle),
            self.buffers,
        );
        let plan = self
            .create_mode(&src.stat)
            .at_once(listed, dst.may_have_acl);
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
        if let Some(mode) = plan.chmod_after {
            self.platform
                .set(Target::Open(&handle), Attribute::Mode(mode))
                .map_err(|code| FileError::system(Operation::SetMode, code))?;
        }
        Ok(Opened {
            handle,
            made: CreatedState {
                listed,
                ..plan.made(dst.may_have_acl)
            },
            streams: false,
            old: None,
        })
    }

    /// A name that exists although stat found nothing is a dangling symbolic link.
    pub(super) fn explain_create(&self, at: At<'_, P>, code: Code) -> FileError {
        let taken = rules::is_taken(self.platform.os(), code);
        match self.platform.stat(at, false) {
            Ok(stat) if taken && stat.kind == FileKind::Symlink => {
                FileError::refused(Refusal::DanglingSymlink)
            }
            _ => FileError::system(Operation::CreateFile, code),
        }
    }

    /// Opens an existing destination and empties it, unless it is the source.
    fn open_existing(&self, src: &Stat, dst: &Destination<'_, P>) -> Result<Opened<P>, FileError> {
        let failed = |code| FileError::system(Operation::OpenDestination, code);
        let how = match dst.existing {
            Existing::Stream { follow } => Open::WriteStream { follow },
            Existing::LinkToFile(_) => Open::Write { follow: true },
            Existing::File | Existing::Nothing => Open::Write { follow: false },
        };
        let (handle, emptied) = match self.platform.open(dst.at, how) {
            Err(code) if rules::wants_emptied(self.platform.os(), code) => {
                let (handle, id) = self.open_emptied(src, dst).ok_or(failed(code))?;
                (handle, Some(id))
            }
            opened => (opened.map_err(failed)?, None),
        };
        let stat = self.platform.stat_open(&handle).map_err(failed)?;
        // Nothing was written before this check, so a file that another process has put there is unchanged.
        let is_expected = match dst.existing {
            Existing::Stream { .. } => true,
            Existing::LinkToFile(id) => stat.kind == FileKind::Regular && stat.id == id,
            Existing::File | Existing::Nothing => stat.kind == FileKind::Regular,
        };
        if !is_expected || emptied.is_some_and(|id| id != stat.id) {
            return Err(FileError::refused(Refusal::Replaced));
        }
        if stat.is_same_file(src) {
            return Err(FileError::refused(Refusal::SameFile));
        }
        let streams = stat.kind != FileKind::Regular;
        // Also if it is empty already: the call sets the times, and clears set-id bits.
        let mut handle = handle;
        if !streams && !self.options.attributes_only && emptied.is_none() {
            if let Some(emptied) = self.reopen_emptied((&handle, &stat), src, dst)? {
                self.platform
                    .close_quietly(std::mem::replace(&mut handle, emptied));
            } else {
                self.platform
                    .set_len(&handle, 0)
                    .map_err(|code| FileError::system(Operation::Truncate, code))?;
            }
        }
        let made = CreatedState::before();
        Ok(Opened {
            handle,
            made,
            streams,
            old: Some(OldState::from(&stat)),
        })
    }
}

impl<P: Platform> FileCopier<'_, P> {
    /// Opens a file again with truncation by the open call, where only that works: FUSE servers that keep no content
    /// of a file that is written (rclone without a cache) accept a truncation of an open file, ignore it, and refuse
    /// the first write. `None` where the file is to be truncated.
    fn reopen_emptied(
        &self,
        (handle, stat): (&P::Handle, &Stat),
        src: &Stat,
        dst: &Destination<'_, P>,
    ) -> Result<Option<P::Handle>, FileError> {
        let is_fuse = |kind| kind == FsKind::Fuse;
        if stat.size == 0 || !filesystem::is_on(self.platform, handle, is_fuse) {
            return Ok(None);
        }
        let Some((emptied, id)) = self.open_emptied(src, dst) else {
            return Ok(None);
        };
        let now = self.platform.stat_open(&emptied);
        if id == stat.id && now.is_ok_and(|now| now.id == id) {
            return Ok(Some(emptied));
        }
        Err(FileError::refused(Refusal::Replaced))
    }

    /// Opens a file that could not be opened as it is, with truncation by the open call. It can't be examined between
    /// opening and truncation, so it is examined immediately before; and symbolic links in a tree are not followed,
    /// since another user could change them in between.
    #[cold]
    fn open_emptied(&self, src: &Stat, dst: &Destination<'_, P>) -> Option<(P::Handle, FileId)> {
        let (follow, expected) = match dst.existing {
            Existing::File => (false, None),
            Existing::LinkToFile(id) if dst.is_operand => (true, Some(id)),
            _ => return None,
        };
        let stat = self.platform.stat(dst.at, follow).ok()?;
        let is_expected = stat.kind == FileKind::Regular && expected.is_none_or(|id| id == stat.id);
        if self.options.attributes_only || !is_expected || stat.is_same_file(src) {
            return None;
        }
        let how = Open::WriteEmptied { follow };
        Some((self.platform.open(dst.at, how).ok()?, stat.id))
    }
}

fn is_gone(os: Os, error: &FileError) -> bool {
    let opening = error.operation() == Operation::OpenDestination;
    opening && matches!(*error.cause(), Cause::System(code) if rules::is_not_found(os, code))
}

fn is_of_system(error: &FileError) -> bool {
    matches!(*error.cause(), Cause::System(_)) && error.operation() == Operation::OpenDestination
}
