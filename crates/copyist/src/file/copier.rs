//! The types for the way of one file: [`FileCopier`], [`OneFile`].

use std::sync::Arc;

use super::attributes;
use super::attributes::{Attributes, CreateMode, Failed};
use super::failure::FileError;
use super::journal::Journal;
use super::source::Source;
use super::target::{Destination, Opened};
use super::temp_file::TempFilePolicy;
use crate::run::buffers::Buffers;
use crate::run::context::RunContext;
use crate::run::digest::Digest;
use crate::run::prove;
use crate::run::thread_budget::ThreadBudget;
use crate::run::volumes::{VolumePair, VolumePairs};
use crate::system::{Platform, Target};
use crate::think::plan;
use crate::words::error::Operation;
use crate::words::facts::{Facts, FileFacts};
use crate::words::method::Os;
use crate::words::options::Options;
use crate::words::report::Report;
use crate::words::stat::{FileKind, Stat};

/// Copies files; contains what is common to all of them.
pub(crate) struct FileCopier<'a, P: Platform> {
    pub(crate) platform: &'a P,
    pub(crate) options: &'a Options,
    pub(crate) context: RunContext<'a>,
    pub(crate) pairs: &'a VolumePairs<'a>,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) thread_budget: &'a ThreadBudget,
    /// The number of other workers that run a job.
    pub(crate) others_at_work: usize,
    pub(crate) temp_files: &'a TempFilePolicy,
    pub(crate) journal: Option<&'a Journal<'a, P>>,
}

/// One file: its source, its destination, and what is found about both.
pub(crate) struct OneFile<'f, P: Platform> {
    pub(crate) src: &'f mut Source<P>,
    pub(crate) dst: &'f Destination<'f, P>,
    /// The facts of both volumes, if they are known already.
    pub(crate) known_pair: Option<&'f Arc<VolumePair>>,
    pub(crate) report: &'f mut Report,
    /// Attributes that could not be kept, or checks that failed, although the copy is good.
    pub(crate) failures: &'f mut Vec<FileError>,
}

impl<P: Platform> OneFile<'_, P> {
    /// The same source with another destination.
    pub(super) fn to<'g>(&'g mut self, dst: &'g Destination<'g, P>) -> OneFile<'g, P> {
        OneFile {
            src: &mut *self.src,
            dst,
            known_pair: self.known_pair,
            report: &mut *self.report,
            failures: &mut *self.failures,
        }
    }

    /// The same destination with another source.
    pub(super) fn from<'g>(&'g mut self, src: &'g mut Source<P>) -> OneFile<'g, P> {
        OneFile {
            src,
            dst: self.dst,
            known_pair: self.known_pair,
            report: &mut *self.report,
            failures: &mut *self.failures,
        }
    }
}

impl<'a, P: Platform> FileCopier<'a, P> {
    /// Whether the file gets its name only when it is complete.
    pub(super) fn is_atomic(&self) -> bool {
        let options = self.options;
        options.atomic.wanted() && !options.attributes_only && !options.write_through_dangling
    }

    /// The facts about the volumes of a source and an open destination.
    pub(super) fn volume_pair(
        &self,
        src: &Source<P>,
        dst: &P::Handle,
        known: Option<&Arc<VolumePair>>,
    ) -> Result<Arc<VolumePair>, FileError> {
        match known {
            Some(pair) => Ok(Arc::clone(pair)),
            None => self
                .pairs
                .of_files(
                    self.platform,
                    self.options,
                    (&src.handle, src.stat.id.volume),
                    dst,
                )
                .map_err(|code| FileError::system(Operation::Volume, code)),
        }
    }

    pub(crate) fn prove(&self, src: &Source<P>, target: &Opened<P>, report: &mut Report) {
        if self.options.prove && !target.streams {
            let shared = prove::shared(self.platform, &src.handle, &target.handle);
            report.shared = Some(shared);
        }
    }

    pub(crate) fn close(&self, target: Opened<P>) -> Result<(), FileError> {
        self.platform
            .close(target.handle)
            .map_err(|code| FileError::system(Operation::CloseDestination, code))
    }

    /// The facts where the destination does not exist yet.
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

    /// The hash of the content that is wanted. Holes need no hash in a sparse file that is only verified.
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

    /// A copy of content is a regular file, whatever the source is.
    pub(crate) fn create_mode(&self, src: &Stat) -> CreateMode {
        CreateMode::new(self.platform, self.options, (FileKind::Regular, src.mode))
    }

    /// What must be done while the destination is empty.
    pub(crate) fn prepare(&self, src: &Source<P>, target: &Opened<P>) -> Result<(), FileError> {
        // Windows needs nothing.
        let some_must = self.platform.os() != Os::Windows;
        if some_must && self.options.preserve.flags && target.made.is_new {
            let files = (&src.handle, src.stat.flags, &target.handle);
            attributes::copy_flags(self.platform, self.options, files, false)?;
        }
        Ok(())
    }

    /// Sets the attributes. Returns the failure to set the permissions, if there was one.
    pub(crate) fn copy_attributes(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        failures: &mut Vec<FileError>,
    ) -> Option<Failed> {
        // A device or a terminal keeps its own attributes.
        if target.streams || attributes::are_all_set(self.platform, self.options, target.made) {
            return None;
        }
        self.set_attributes(src, target, failures)
    }

    fn set_attributes(
        &mut self,
        src: &Source<P>,
        target: &Opened<P>,
        failures: &mut Vec<FileError>,
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
        .apply(&mut |failed| failures.push(failed.into()));
        if attributes::keeps_flags(self.platform.os(), self.options) {
            let files = (&src.handle, src.stat.flags, &target.handle);
            attributes::copy_flags(self.platform, self.options, files, true)
                .unwrap_or_else(|failed| failures.push(failed.into()));
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
