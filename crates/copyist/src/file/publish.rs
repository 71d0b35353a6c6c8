//! [`Atomic`]: a file is published when it is complete, or written in place where that is impossible.
//!
//! ```text
//! published ----------------------------------------------------> done
//!     | its name can't be given to another file
//!     +--- Required:   an error; what has the name is kept
//!     +--- BestEffort: what has the name is opened for writing --> emptied, and written into
//! ```

use std::sync::atomic::Ordering;

use super::attributes::Failed;
use super::copier::{FileCopier, OneFile};
use super::failure::FileError;
use super::source::Source;
use super::target::{Destination, Existing};
use super::temp_file::Needed;
use crate::system::parent::check_removable;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Platform, Target};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Operation};
use crate::words::options::Atomic;
use crate::words::report::Report;
use crate::words::stat::Stat;

impl<P: Platform> FileCopier<'_, P> {
    pub(super) fn write_in_place(
        &mut self,
        file: &mut OneFile<'_, P>,
        code: Code,
    ) -> Result<(), FileError> {
        *file.report = Report::default();
        if file.dst.replaces {
            self.remove_replaced(file.dst)?;
        }
        // A new file would belong to the caller, and only the owner may set the times of the old one.
        let os = self.platform.os();
        let is_owners = |error: &FileError| {
            let is_refused =
                matches!(*error.cause(), Cause::System(code) if rules::is_not_permitted(os, code));
            is_refused && error.operation() == Operation::SetTimes
        };
        let copied = self.copy_in_place(file);
        file.failures.retain(|error| !is_owners(error));
        copied?;
        file.report.in_place = Some(code);
        Ok(())
    }

    /// Copies a draft in place. Its source was a stream, which can't be read again.
    pub(super) fn write_from_draft(
        &mut self,
        file: &mut OneFile<'_, P>,
        (handle, code): (P::Handle, Code),
    ) -> Result<(), FileError> {
        let draft = self
            .platform
            .stat_open(&handle)
            .map_err(|code| FileError::system(Operation::StatSource, code))?;
        let stat = Stat {
            id: draft.id,
            kind: draft.kind,
            size: draft.size,
            allocated_bytes: draft.allocated_bytes,
            modified: draft.modified,
            changed: draft.changed,
            ..file.src.stat
        };
        let mut draft = Source { handle, stat };
        let written = self.write_in_place(&mut file.from(&mut draft), code);
        self.platform.close_quietly(draft.handle);
        // It is not retried.
        written.map_err(|error| match *error.cause() {
            Cause::System(code) if error.operation() == Operation::CreateFile => {
                FileError::system(Operation::OpenDestination, code)
            }
            _ => error,
        })
    }

    /// Removes what was to be replaced by a new file, and not written into.
    fn remove_replaced(&self, dst: &Destination<'_, P>) -> Result<(), FileError> {
        match self.platform.remove(dst.at, false) {
            Err(code) if !rules::is_not_found(self.platform.os(), code) => {
                Err(FileError::system(Operation::Remove, code))
            }
            _ => Ok(()),
        }
    }

    /// The reason to write a file in place after this failure to publish it; `None` if that is an error.
    pub(super) fn in_place_instead(&self, error: &FileError) -> Option<Code> {
        let os = self.platform.os();
        let publishing = matches!(
            error.operation(),
            Operation::Replace | Operation::CreateFile
        );
        match *error.cause() {
            Cause::System(code) if publishing && self.options.atomic == Atomic::BestEffort => {
                // A file that another process has created under the name meanwhile is not written into.
                let taken = error.operation() == Operation::CreateFile && rules::is_taken(os, code);
                (!taken && rules::is_irreplaceable(os, code)).then_some(code)
            }
            _ => None,
        }
    }

    /// The reason why no file can be replaced on this volume, if this run has found that: then no copy is made that
    /// would be discarded.
    pub(super) fn known_irreplaceable(&self, dst: &Destination<'_, P>) -> Option<Code> {
        let drafts = self.temp_files;
        if !drafts.some_refuse.load(Ordering::Relaxed)
            || self.options.atomic != Atomic::BestEffort
            || dst.existing == Existing::Nothing && !dst.replaces
        {
            return None;
        }
        let volume = self.volume_of_place(dst)?;
        let refused = drafts.refused();
        let of_mode = || refused.get(&(volume, Needed::Mode));
        let of_rename = refused.get(&(volume, Needed::Rename));
        of_rename
            .or_else(|| if dst.replaces { None } else { of_mode() })
            .copied()
    }

    /// The reason why a draft can't replace the old file: chmod was refused, and its permission bits differ from the
    /// old file's. A file that is written in place keeps its own.
    pub(super) fn unfit(
        &self,
        refused: Failed,
        (at, old): (At<'_, P>, &Stat),
        draft: Target<'_, P>,
    ) -> Option<FileError> {
        let now = match draft {
            Target::Open(handle) => self.platform.stat_open(handle),
            Target::Named(at) => self.platform.stat(at, false),
        };
        if now.is_ok_and(|now| now.mode & 0o777 == old.mode & 0o777) {
            return None;
        }
        self.note_refused(at, Needed::Mode, refused.code);
        Some(FileError::system(Operation::Replace, refused.code))
    }

    /// Refuses to create a name that could not be removed again, before it is created.
    pub(super) fn check_names(&self, at: At<'_, P>) -> Result<(), FileError> {
        check_removable(self.platform, parent_dir(at))
            .map_err(|code| FileError::system(Operation::Replace, code))
    }

    /// Gives a complete file its name by a rename.
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
                // Otherwise the name is examined immediately before.
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
            if !replaces && rules::is_taken(os, code) {
                self.explain_create(to, code)
            } else {
                if replaces {
                    self.note_irreplaceable(to, code);
                }
                FileError::system(Operation::Replace, code)
            }
        })
    }

    /// Whether a mount without rename has given a new file its second name.
    pub(super) fn links_instead(&self, from: At<'_, P>, to: At<'_, P>, error: &FileError) -> bool {
        let link = Node::HardLink {
            to: from,
            follow: false,
        };
        matches!(*error.cause(), Cause::System(code) if rules::is_unsupported(self.platform.os(), code))
            && self.platform.make(to, link).is_ok()
    }

    /// Records that a rename was refused, if that holds for all names of the volume.
    pub(super) fn note_irreplaceable(&self, at: At<'_, P>, code: Code) {
        if rules::is_unsupported(self.platform.os(), code) {
            self.note_refused(at, Needed::Rename, code);
        }
    }

    fn note_refused(&self, at: At<'_, P>, needed: Needed, code: Code) {
        if let Ok(place) = self.platform.stat(parent_dir(at), true) {
            let refused = (place.id.volume, needed);
            self.temp_files.refused().insert(refused, code);
            self.temp_files.some_refuse.store(true, Ordering::Relaxed);
        }
    }

    /// `None` for a symbolic link, which leads to another file.
    fn volume_of_place(&self, dst: &Destination<'_, P>) -> Option<u64> {
        if matches!(dst.existing, Existing::LinkToFile(_)) {
            return None;
        }
        let place = self.platform.stat(parent_dir(dst.at), true).ok()?;
        Some(place.id.volume)
    }
}
