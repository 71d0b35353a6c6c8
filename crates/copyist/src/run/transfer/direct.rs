//! `Direct`: around the page cache, reading the next piece while the last one is written.
//!
//! Each side uses direct I/O for as long as it can: where a filesystem refuses it, and for the unaligned tail of a
//! file, that side alone goes through the cache.

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::behind::some;
use super::{During, Transfer};
use crate::run::buffers::{Aligned, DIRECT_BYTES, DIRECT_COUNT};
use crate::run::step::Stop;
use crate::system::{DirectAlignment, Platform, Sys};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::method::Os;

/// How many sides use direct I/O. The last one doesn't fall back on its own: the method would then be the same as
/// `ReadWrite`.
struct Taking(AtomicUsize);

/// One side of a direct transfer.
struct Side<'a, P: Platform> {
    platform: &'a P,
    file: &'a P::Handle,
    /// The alignment that its filesystem requires; `None` when it goes through the cache.
    alignment: Option<DirectAlignment>,
    taking: &'a Taking,
    /// Its filesystem has refused direct I/O.
    refuses: bool,
}

impl<'a, P: Platform> Side<'a, P> {
    fn new(
        platform: &'a P,
        file: &'a P::Handle,
        taking: &'a Taking,
    ) -> (Side<'a, P>, Option<Code>) {
        let (alignment, refused) = match platform.direct_on(file) {
            Ok(alignment) => (Some(alignment), None),
            Err(code) => (None, Some(code)),
        };
        if alignment.is_some() {
            taking.0.fetch_add(1, Ordering::Relaxed);
        }
        let side = Side {
            platform,
            file,
            alignment,
            taking,
            refuses: refused.is_some(),
        };
        (side, refused)
    }

    /// Makes a transfer. If the filesystem accepted the flag and refuses the transfer, makes it again through the
    /// cache, as long as the other side uses direct I/O.
    fn transfer(&mut self, mut call: impl FnMut() -> Sys<usize>) -> Sys<usize> {
        match call() {
            Err(code)
                if self.alignment.is_some()
                    && rules::is_direct_refusal(self.platform.os(), code)
                    && self.taking.0.fetch_sub(1, Ordering::Relaxed) > 1 =>
            {
                self.refuses = true;
                self.leave()?;
                call()
            }
            result => result,
        }
    }

    /// Turns direct I/O off for the rest of the file unless `offset` and `len` are aligned.
    fn check(&mut self, offset: u64, len: usize) -> Result<(), Code> {
        let Some(alignment) = self.alignment else {
            return Ok(());
        };
        let unit = alignment.offset as u64;
        if !offset.is_multiple_of(unit) || !(len as u64).is_multiple_of(unit) {
            self.leave()?;
        }
        Ok(())
    }

    fn leave(&mut self) -> Result<(), Code> {
        if self.alignment.take().is_some() {
            self.platform.direct_off(self.file)?;
        }
        Ok(())
    }
}

/// The report's remark about a copy that bypassed the cache on one side only.
fn note(src_refuses: bool, dst_refuses: bool) -> Option<&'static str> {
    match (src_refuses, dst_refuses) {
        (true, _) => Some("the source's filesystem refuses direct I/O: read through the cache"),
        (_, true) => {
            Some("the destination's filesystem refuses direct I/O: written through the cache")
        }
        (false, false) => None,
    }
}

/// A piece that was read.
struct Piece {
    buffer: Aligned,
    len: usize,
}

impl<P: Platform> Transfer<'_, P> {
    pub(super) fn direct(&mut self) -> Result<(), Stop> {
        // On Windows one call has several requests in flight; but only data that is read here can become a hole.
        if self.platform.os() == Os::Windows && !self.shape.holes.are_detected() {
            return self.unbuffered();
        }
        let taking = Taking(AtomicUsize::new(0));
        let (mut src, src_refused) = Side::new(self.platform, self.src, &taking);
        let (mut dst, dst_refused) = Side::new(self.platform, self.dst, &taking);
        if let (Some(code), Some(_)) = (src_refused, dst_refused) {
            return Err(code).during(Operation::Transfer);
        }
        let memory = [&src, &dst]
            .iter()
            .filter_map(|side| side.alignment)
            .map(|alignment| alignment.memory)
            .fold(512, usize::max);
        let mut buffers = self.buffers.take_direct(memory);
        let result = self
            .lay_out()
            .and_then(|()| self.direct_ranges(&mut src, &mut dst, &mut buffers));
        self.buffers.return_direct(buffers);
        if result.is_ok() {
            self.state.note = note(src.refuses, dst.refuses);
        }
        // The next method, if there is one, goes through the cache.
        let left = src.leave().and(dst.leave()).during(Operation::Transfer);
        result.and(left)
    }

    fn direct_ranges(
        &mut self,
        src: &mut Side<'_, P>,
        dst: &mut Side<'_, P>,
        buffers: &mut Vec<Aligned>,
    ) -> Result<(), Stop> {
        while let Some(end) = self.next_data()? {
            if self.direct_range(src, dst, buffers, end)? {
                break;
            }
        }
        self.finish()
    }

    /// Copies up to `end`; `true` at the end of the source.
    fn direct_range(
        &mut self,
        src: &mut Side<'_, P>,
        dst: &mut Side<'_, P>,
        buffers: &mut Vec<Aligned>,
        end: u64,
    ) -> Result<bool, Stop> {
        let (to_writer, from_reader) = sync_channel(DIRECT_COUNT);
        let (give_back, free) = sync_channel(DIRECT_COUNT);
        for buffer in buffers.drain(..) {
            // The channel has capacity for every buffer.
            let _ = give_back.send(buffer);
        }
        let start = self.state.offset;
        std::thread::scope(|scope| {
            let read = move || {
                let end = read_ahead(src, start..end, &free, &to_writer);
                (end, free)
            };
            // Without a thread there is no second request in flight: that is a real failure.
            let reader = std::thread::Builder::new()
                .spawn_scoped(scope, read)
                .map_err(|error| Stop::Code {
                    operation: Operation::Read,
                    code: Code(error.raw_os_error().unwrap_or_default()),
                })?;
            let written = self.write_behind(dst, &from_reader, &give_back);
            // When the channels are closed, a reader that waits for one of them ends.
            let unwritten: Vec<Piece> = drain(from_reader);
            drop(give_back);
            let (read, free) = match reader.join() {
                Ok(it) => it,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            buffers.extend(free);
            buffers.extend(unwritten.into_iter().map(|piece| piece.buffer));
            written?;
            read
        })
    }

    /// Writes the pieces in order until the reader has no more.
    fn write_behind(
        &mut self,
        dst: &mut Side<'_, P>,
        pieces: &Receiver<Piece>,
        give_back: &SyncSender<Aligned>,
    ) -> Result<(), Stop> {
        while let Ok(Piece { buffer, len }) = pieces.recv() {
            let result = self.write_piece(dst, &buffer.as_slice()[..len]);
            // The reader may have ended, and then needs no buffer.
            let _ = give_back.send(buffer);
            result?;
        }
        Ok(())
    }

    fn write_piece(&mut self, dst: &mut Side<'_, P>, data: &[u8]) -> Result<(), Stop> {
        let mut at = 0;
        while at < data.len() {
            let (run, zero) = self.shape.next_run(data, at);
            if zero {
                self.pass_hole(run.len() as u64)?;
                at = run.end;
            } else {
                at += self.write_run(dst, &data[run])?;
            }
        }
        Ok(())
    }

    /// One write; the aligned part first.
    fn write_run(&mut self, dst: &mut Side<'_, P>, data: &[u8]) -> Result<usize, Stop> {
        let unit = dst.alignment.map_or(1, |alignment| alignment.offset);
        let aligned = data.len() - data.len() % unit;
        let data = if aligned > 0 { &data[..aligned] } else { data };
        dst.check(self.state.offset, data.len())
            .during(Operation::Write)?;
        let offset = Some(self.state.offset);
        let (platform, file) = (self.platform, self.dst);
        let written = some(dst.transfer(|| platform.write(file, offset, data)))?;
        self.advance(written as u64)?;
        Ok(written)
    }
}

/// Receives everything that is still in a channel, and closes it for the other end.
fn drain<T>(channel: Receiver<T>) -> Vec<T> {
    channel.try_iter().collect()
}

/// Reads `range` into the free buffers; `true` if the source ended before it.
fn read_ahead<P: Platform>(
    src: &mut Side<'_, P>,
    range: Range<u64>,
    free: &Receiver<Aligned>,
    full: &SyncSender<Piece>,
) -> Result<bool, Stop> {
    let Range {
        start: mut offset,
        end,
    } = range;
    while offset < end {
        let Ok(mut buffer) = free.recv() else {
            return Ok(false); // the writer has stopped, and has the reason
        };
        let left = usize::try_from(end - offset)
            .unwrap_or(DIRECT_BYTES)
            .min(DIRECT_BYTES);
        let unit = src.alignment.map_or(1, |alignment| alignment.offset);
        // The last block is requested completely: a direct read of a part of it would be refused.
        let asked = left.next_multiple_of(unit).min(DIRECT_BYTES);
        src.check(offset, asked).during(Operation::Read)?;
        let (platform, file) = (src.platform, src.file);
        let into = &mut buffer.as_mut_slice()[..asked];
        let read = src
            .transfer(|| platform.read(file, Some(offset), into))
            .during(Operation::Read)?;
        if read == 0 {
            return Ok(true);
        }
        let len = read.min(left);
        offset += len as u64;
        if full.send(Piece { buffer, len }).is_err() {
            return Ok(false);
        }
    }
    Ok(false)
}
