//! Plain small files: most of all files, and of their copies little more than the kernel's share is
//! left to be saved.
//!
//! By which method they are copied is known of a pair of volumes ([`crate::think::plan::small_file_method`]), so its
//! first calls can be made before anything is decided of the file. Where they don't make the whole copy,
//! the plan goes on from what they have answered, as if it had made them.

use super::copier::FileCopier;
use super::source::Source;
use super::target::{Opened, ResumeState};
use crate::run::buffers::BUFFER_BYTES;
use crate::run::step::since;
use crate::run::transfer::Started;
use crate::run::volumes::VolumePair;
use crate::system::{Move, Platform};
use crate::think::plan::SMALL_BYTES;
use crate::words::method::Method;
use crate::words::observer::Event;
use crate::words::report::{Attempt, Ended, Report};

impl<P: Platform> FileCopier<'_, P> {
    /// Makes the first calls of a plain small file, and reports them if they were all that it took.
    #[inline(always)] // as `open_source`
    pub(super) fn begin_small(
        &mut self,
        src: &Source<P>,
        (target, kept): (&Opened<P>, ResumeState<'_, P>),
        pair: &VolumePair,
        report: &mut Report,
    ) -> Started {
        let Some(method) = pair.small_file_method() else {
            return Started::Nothing;
        };
        let is_empty = kept.offset == 0 && kept.progress_sink.is_none() && !target.streams;
        if !is_empty || !self.is_plain(src) || self.context.cancel.is_cancelled() {
            return Started::Nothing;
        }
        let start = self.context.now();
        let started = self.probe_io(method, src, target);
        let bytes = src.stat.size;
        if started.makes(bytes) {
            self.context.observer.event(Event::Bytes(bytes));
            report.attempts.push(Attempt {
                method,
                offset: 0,
                bytes,
                holes: 0,
                ended: Ended::Done,
                why: None,
                elapsed: since(start),
            });
        }
        started
    }

    fn is_plain(&self, src: &Source<P>) -> bool {
        let file = self.file_facts(&src.stat);
        let is_small = (1..=SMALL_BYTES).contains(&file.size);
        is_small && file.is_regular && !file.is_compressed && !file.looks_sparse()
    }

    /// They ask for more than there should be, so that they show that there is no more. (A clone is of all.)
    #[inline(always)] // as `open_source`
    fn probe_io(&mut self, method: Method, src: &Source<P>, target: &Opened<P>) -> Started {
        let (src, dst) = (&src.handle, &target.handle);
        let how = match method {
            Method::Clone => Some(Move::CloneFile),
            Method::CopyRange => Some(Move::CopyRange),
            _ => None,
        };
        if let Some(how) = how {
            let asked = BUFFER_BYTES as u64;
            return Started::Moved(how, self.platform.move_data(how, src, dst, 0, asked));
        }
        let buffer = self.buffers.plain();
        match self.platform.read(src, Some(0), buffer) {
            Ok(read) if read > 0 => {
                let written = self.platform.write(dst, Some(0), &buffer[..read]);
                Started::Written { read, written }
            }
            read => Started::Read(read),
        }
    }
}
