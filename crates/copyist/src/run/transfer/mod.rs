//! How each method moves bytes: loops over the calls of [`crate::system`], without decisions.
//!
//! Every loop moves bytes or ends. A transfer records its position, so that the next method continues where the last
//! one stopped.

use crate::run::clone_flags;
use crate::run::context::RunContext;
use crate::run::progress_sink::ProgressSink;
use crate::run::step::Mark;
use crate::run::step::Stop;
use std::ops::Range;
use std::time::Instant;

use super::buffers::Buffers;
use super::content;
use super::digest::Digest;
use super::holes;
use super::step::Runs;
use crate::system::{Move, Platform, Sys};
use crate::think::plan::{Holes, Plan};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::facts::Facts;
use crate::words::hash::Hash;
use crate::words::method::Method;
use crate::words::observer::Event;

mod behind;
mod by_path;
mod clone;
mod direct;
mod pace;
mod parallel;
mod read_write;

use crate::run::hashing::InFlight;
use behind::{Behind, Uncached};
pub(crate) use by_path::{copy_by_path, stop};
use pace::Pace;

/// The most that one call may move, bytes: cancellation is checked between calls. Well below the 2 GiB at which some
/// systems truncate a count.
const CALL_BYTES: u64 = 64 << 20;

/// Adds the operation to the error of a call.
trait During<T> {
    fn during(self, operation: Operation) -> Result<T, Stop>;
}

impl<T> During<T> for Sys<T> {
    fn during(self, operation: Operation) -> Result<T, Stop> {
        self.map_err(|code| Stop::Code { operation, code })
    }
}

/// What is to be moved, as far as it is known before the transfer begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    /// The source's size, bytes.
    pub(crate) size: u64,
    /// The size is that of the content. Otherwise (an empty file, procfs, a stream) only a read of 0 bytes is the
    /// end.
    pub(crate) size_counts: bool,
    /// How much of it is allocated, bytes, which determines the time of a clone.
    pub(crate) data_bytes: u64,
    /// No read can return data after the size ([`crate::words::facts::FsKind::stat_size_is_sound`]).
    pub(crate) size_is_sound: bool,
    /// The source can't be read at an offset.
    pub(crate) src_streams: bool,
    /// The destination can't be written at an offset.
    pub(crate) dst_streams: bool,
    pub(crate) holes: Holes,
    /// The destination's block size, bytes: the unit in which holes are made.
    pub(crate) block_bytes: usize,
    /// Reserve space first.
    pub(crate) preallocate: bool,
    /// How many threads read and write.
    pub(crate) threads: usize,
    /// Hash what passes through memory; with `true` in a separate thread.
    pub(crate) hash: Option<(Digest, bool)>,
    /// Leave the page cache as it was.
    pub(crate) drop_behind: bool,
}

impl Shape {
    /// For a file with these facts, copied by this plan.
    pub(crate) fn new(facts: &Facts, plan: &Plan) -> Shape {
        Shape {
            size: facts.src.size,
            size_counts: facts.size_counts(),
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

    /// The next run of `data` from `at` on, and whether it is zeros that become a hole.
    fn next_run(&self, data: &[u8], at: usize) -> (Range<usize>, bool) {
        if self.holes.are_detected() {
            holes::next_run(data, at, self.block_bytes)
        } else {
            (at..data.len(), false)
        }
    }
}

/// The transfer of one file's data.
pub(crate) struct Transfer<'a, P: Platform> {
    pub(crate) platform: &'a P,
    pub(crate) src: &'a P::Handle,
    pub(crate) dst: &'a P::Handle,
    pub(crate) shape: Shape,
    pub(crate) context: RunContext<'a>,
    pub(crate) buffers: &'a mut Buffers,
    pub(crate) state: State,
    /// The hash of what has passed through memory.
    in_flight: Option<InFlight>,
    uncached: Uncached,
    behind: Behind,
    /// Whether the current method evicts what it leaves in the page cache.
    drops: bool,
    /// Receives the transfer's progress.
    pub(crate) progress_sink: Option<&'a dyn ProgressSink<P>>,
}

/// The progress of a transfer.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Everything before this offset is complete.
    offset: u64,
    /// The end of the last data put into the destination.
    data_end: u64,
    /// The destination's current length.
    len: u64,
    bytes: u64,
    holes: u64,
    /// What has been read into the plain buffer and not been written yet. A stream can't be read again, so an
    /// interrupted write must not lose it.
    pending: Range<usize>,
    /// A remark about the method that has ended.
    pub(crate) note: Option<&'static str>,
}

impl State {
    /// An earlier run has copied everything before `offset`.
    pub(crate) fn resumed(offset: u64) -> State {
        State {
            offset,
            data_end: offset,
            len: offset,
            ..State::default()
        }
    }

    /// A copy of the whole file is complete.
    pub(crate) fn complete(&mut self, len: u64) {
        self.bytes += len - self.offset;
        (self.offset, self.data_end, self.len) = (len, len, len);
    }

    /// The position at which an attempt begins.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            offset: self.offset,
            bytes: self.bytes,
            holes: self.holes,
        }
    }

    /// What was moved since `mark` (the result's `offset` is the mark's).
    pub(crate) fn since(&self, mark: Mark) -> Mark {
        Mark {
            offset: mark.offset,
            bytes: self.bytes - mark.bytes,
            holes: self.holes - mark.holes,
        }
    }
}

/// Whether a read returns data at this offset.
pub(crate) fn reads_more<P: Platform>(
    platform: &P,
    src: &P::Handle,
    offset: u64,
) -> Result<bool, Stop> {
    content::read(platform, src, offset, &mut [0])
        .map(|read| read > 0)
        .during(Operation::Read)
}

impl<P: Platform> Runs for Transfer<'_, P> {
    fn run(&mut self, method: Method) -> Result<(), Stop> {
        self.check_cancelled()?;
        // A clone leaves nothing in the cache.
        self.drops = self.shape.drop_behind && method != Method::Clone;
        match self.run_method(method) {
            Err(stop) if self.has_failed_behind_hole(method, stop) => {
                self.go_back_over_hole();
                if method != Method::ReadWrite {
                    return Err(stop); // the next method passes the hole again, and counts it
                }
                self.shape.holes = Holes::Ignore;
                // Its hash includes the hole: the caller reads the copy to hash it.
                self.in_flight = None;
                self.run_method(method)?;
            }
            result => result?,
        }
        if !self.source_goes_on()? {
            return Ok(());
        }
        if self.state.offset >= self.shape.size {
            // From here on stat's size is not used: only a read of 0 bytes is the end.
            self.shape.size_counts = false;
        }
        match method {
            // A clone covers a whole file with a size, and this one covered a part.
            Method::Clone => Err(Code::NO_PROGRESS).during(Operation::Transfer),
            _ => self.run_method(method),
        }
    }

    fn mark(&self) -> Mark {
        self.state.mark()
    }

    fn since(&self, mark: Mark) -> Mark {
        self.state.since(mark)
    }

    fn note(&self) -> Option<&'static str> {
        self.state.note
    }

    fn now(&self) -> Option<Instant> {
        self.context.now()
    }
}

impl<'a, P: Platform> Transfer<'a, P> {
    pub(crate) fn new(
        platform: &'a P,
        (src, dst): (&'a P::Handle, &'a P::Handle),
        shape: Shape,
        context: RunContext<'a>,
        buffers: &'a mut Buffers,
    ) -> Transfer<'a, P> {
        Transfer {
            platform,
            src,
            dst,
            shape,
            context,
            buffers,
            state: State::default(),
            in_flight: shape
                .hash
                .map(|(digest, beside)| InFlight::new(digest, beside)),
            uncached: Uncached::new(shape.drop_behind),
            behind: Behind::default(),
            drops: false,
            progress_sink: None,
        }
    }

    /// The hash of the copy, if it is wanted and all of it has passed through memory.
    pub(crate) fn finish_hash(&mut self) -> Option<Hash> {
        let len = self.state.offset;
        self.in_flight.take()?.finish(len)
    }

    /// The position of the transfer, bytes.
    pub(crate) fn offset(&self) -> u64 {
        self.state.offset
    }

    fn run_method(&mut self, method: Method) -> Result<(), Stop> {
        match method {
            Method::Clone => self.clone_extents(),
            Method::CopyRange => self.by_calls(Move::CopyRange),
            Method::SystemCopy => self.system_copy(),
            Method::Sendfile => self.by_calls(Move::Sendfile),
            Method::Direct => self.direct(),
            Method::ReadWrite => self.read_write(),
        }
    }

    /// Whether a read finds more data where the method has stopped. Only tried where stat's size does not prove the
    /// end, or was not reached (by a partial clone).
    fn source_goes_on(&mut self) -> Result<bool, Stop> {
        let Shape {
            size,
            size_counts,
            size_is_sound,
            ..
        } = self.shape;
        let is_proved = size_is_sound && self.state.offset >= size;
        if !size_counts || is_proved {
            return Ok(false);
        }
        self.reads_more()
    }

    fn reads_more(&self) -> Result<bool, Stop> {
        reads_more(self.platform, self.src, self.state.offset)
    }

    /// A call has moved nothing: it is the end of the source if a read returns 0 too.
    fn end_without_progress(&mut self) -> Result<(), Stop> {
        if self.shape.src_streams || self.reads_more()? {
            return Err(Code::NO_PROGRESS).during(Operation::Transfer);
        }
        self.finish()
    }

    /// The kernel moves each range of data.
    fn by_calls(&mut self, how: Move) -> Result<(), Stop> {
        self.lay_out()?;
        let call_bytes = if self.drops {
            behind::WINDOW_BYTES
        } else {
            CALL_BYTES
        };
        let mut pace = Pace::of_moves();
        while let Some(end) = self.next_data()? {
            while self.state.offset < end {
                let call_bytes = pace.call_bytes().min(call_bytes);
                // More than is left, so that the call that moves a small file's data also shows that there is no
                // more.
                let len = if self.shape.holes.use_map() {
                    call_bytes.min(end - self.state.offset)
                } else {
                    call_bytes
                };
                let start = Instant::now();
                let moved = self.call(how, len)?;
                pace.took(start.elapsed());
                if moved == 0 {
                    return self.end_without_progress();
                }
                self.advance(moved)?;
            }
        }
        self.finish()
    }

    /// As [`Transfer::by_calls`], bypassing the page cache.
    fn unbuffered(&mut self) -> Result<(), Stop> {
        self.lay_out()?;
        while let Some(end) = self.next_data()? {
            while self.state.offset < end {
                let asked = CALL_BYTES.min(end - self.state.offset);
                let moved = self.call(Move::Unbuffered, asked)?;
                if moved == 0 {
                    return self.end_without_progress();
                }
                self.advance(moved)?;
            }
        }
        self.finish()
    }

    fn call(&self, how: Move, len: u64) -> Result<u64, Stop> {
        self.platform
            .move_data(how, self.src, self.dst, self.state.offset, len)
            .during(Operation::Transfer)
    }

    /// Skips the hole at the current offset, if there is one, and returns the end of the data after it; `None` at the
    /// end of the file.
    fn next_data(&mut self) -> Result<Option<u64>, Stop> {
        let Shape {
            size,
            size_counts,
            holes,
            ..
        } = self.shape;
        if !size_counts {
            return Ok(Some(u64::MAX));
        }
        if self.state.offset >= size {
            return Ok(None);
        }
        if !holes.use_map() {
            return Ok(Some(size));
        }
        match holes::next_data(self.platform, self.src, self.state.offset, size) {
            Some(data) => {
                self.pass_hole(data.start - self.state.offset)?;
                Ok(Some(data.end))
            }
            None => {
                self.pass_hole(size - self.state.offset)?;
                Ok(None)
            }
        }
    }

    /// Whether a failed method should go back over the hole that it has just skipped: any but the last one, and the
    /// last one if its write may have been refused for not following the data before it. A mount that is written
    /// sequentially accepts no holes (rclone without a cache, Mountpoint for Amazon S3).
    fn has_failed_behind_hole(&self, method: Method, stop: Stop) -> bool {
        let Stop::Code { code, .. } = stop else {
            return false;
        };
        let is_wanted =
            method != Method::ReadWrite || rules::is_out_of_sequence(self.platform.os(), code);
        let can_go_back = !self.shape.src_streams && self.progress_sink.is_none();
        is_wanted && can_go_back && self.state.offset > self.state.data_end
    }

    /// Goes back to the start of the last hole, so that it is skipped again, or written as zeros. Every method starts
    /// with the hole, so it was this method that counted it.
    fn go_back_over_hole(&mut self) {
        self.state.holes -= self.state.offset - self.state.data_end;
        self.state.offset = self.state.data_end;
        self.state.pending = 0..0;
    }

    /// Counts data that was copied.
    fn advance(&mut self, bytes: u64) -> Result<(), Stop> {
        self.state.offset += bytes;
        self.state.data_end = self.state.offset;
        self.state.len = self.state.len.max(self.state.offset);
        self.state.bytes += bytes;
        self.progress(bytes)
    }

    /// Leaves a hole.
    fn pass_hole(&mut self, bytes: u64) -> Result<(), Stop> {
        self.state.offset += bytes;
        self.state.holes += bytes;
        if bytes == 0 {
            Ok(())
        } else {
            self.progress(bytes)
        }
    }

    fn progress(&mut self, bytes: u64) -> Result<(), Stop> {
        if self.drops {
            self.drop_behind()?;
        } else if bytes > 0 {
            self.behind = Behind::at(self.state.offset);
            self.context.observer.event(Event::Bytes(bytes));
        }
        if let Some(progress_sink) = self.progress_sink {
            let there = self.state.offset.min(self.state.len);
            progress_sink
                .passed(self.dst, there)
                .during(Operation::Flush)?;
        }
        self.check_cancelled()
    }

    fn check_cancelled(&self) -> Result<(), Stop> {
        if self.context.cancel.is_cancelled() {
            Err(Stop::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Prepares an empty destination for what will be written.
    fn lay_out(&mut self) -> Result<(), Stop> {
        if self.state.offset > 0 || !self.shape.size_counts {
            return Ok(());
        }
        if self.shape.holes != Holes::Ignore {
            clone_flags::allow_holes(self.platform, self.dst);
            // A growing file gets speculative preallocation (XFS), which would remain and fill the holes.
            return match self.set_len(self.shape.size) {
                // A mount that is written sequentially (rclone without a cache) does not accept a length before the
                // data, nor holes.
                Err(Stop::Code { code, .. })
                    if rules::is_not_possible(self.platform.os(), code) =>
                {
                    self.shape.holes = Holes::Ignore;
                    Ok(())
                }
                result => result,
            };
        }
        if self.shape.preallocate {
            self.preallocate()
        } else {
            Ok(())
        }
    }

    /// Reserves the destination's space, so that it is contiguous, and a full volume is reported before hours of
    /// copying. If the call is refused, the copy continues without a reservation.
    fn preallocate(&mut self) -> Result<(), Stop> {
        match self.platform.allocate(self.dst, 0, self.shape.size) {
            Err(code) if rules::is_data_failure(self.platform.os(), code) => {
                Err(code).during(Operation::Allocate)
            }
            _ => Ok(()),
        }
    }

    /// Sets the destination's length, where it ends in a hole or the source ended early.
    fn finish(&mut self) -> Result<(), Stop> {
        if self.drops {
            self.drop_rest()?;
        }
        if self.shape.dst_streams || (self.state.len == self.state.offset && !self.reserved_more())
        {
            return Ok(());
        }
        self.set_len(self.state.offset)
    }

    /// Whether more space was reserved than was written.
    fn reserved_more(&self) -> bool {
        self.shape.preallocate && self.state.offset < self.shape.size
    }

    /// The source turned out to end at `size`: a hole in the destination after that would be padding. Removes it and
    /// returns its length in bytes.
    pub(crate) fn cut_padding(&mut self, size: u64) -> Result<u64, Stop> {
        let end = size.max(self.state.data_end);
        let padding = self.state.offset.saturating_sub(end);
        if padding > 0 {
            self.set_len(end)?;
            self.state.offset = end;
            self.state.holes -= padding;
        }
        Ok(padding)
    }

    /// The copy failed. Data of an existing destination after the copied part must not look like content; and where
    /// no method could be used, nothing is kept, such as a part that was cloned.
    pub(crate) fn abandon(&mut self, was_served: bool) {
        let keep = if was_served { self.state.offset } else { 0 };
        if !self.shape.dst_streams && (self.state.len > keep || self.reserved_more()) {
            // The copy's own failure is reported, and is more informative than that of this cleanup.
            let _ = self.set_len(keep);
        }
    }

    fn set_len(&mut self, len: u64) -> Result<(), Stop> {
        self.platform
            .set_len(self.dst, len)
            .during(Operation::Truncate)?;
        self.state.len = len;
        Ok(())
    }
}
