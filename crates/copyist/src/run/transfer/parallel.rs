//! `ReadWrite` by several threads: pieces of one large file, on volumes where that is faster.
//!
//! Pieces are handed out in order and counted in order: a piece counts as copied when all before it do. So a
//! transfer's offset has the same meaning as with one thread, whichever thread stops and wherever.
//!
//! If the copy is hashed, a thread keeps its piece until all before it are hashed.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::behind::Uncached;
use super::{Shape, Transfer};
use crate::run::buffers::{Aligned, BUFFER_BYTES, PAGE_BYTES};
use crate::run::holes;
use crate::run::step::Stop;
use crate::run::thread_budget;
use crate::system::Platform;

/// The size of a piece, bytes: between 256 KiB and 1 MiB it made no difference (docs/measurements.md).
const PIECE_BYTES: usize = 512 << 10;

/// A part of the file that was handed out.
struct Piece {
    /// The hole before its data.
    hole_bytes: u64,
    data: Range<u64>,
    moved: Option<Moved>,
}

/// The result of a piece.
struct Moved {
    /// Everything of the piece before this offset is complete.
    offset: u64,
    bytes: u64,
    /// Zeros that were left out as holes, bytes.
    holes: u64,
    /// The end of the last data that was written.
    data_end: u64,
    /// `true` at the end of the source.
    result: Result<bool, Stop>,
}

/// The pieces in order, and the transfer in which they are counted.
struct Line<'t, 'a, P: Platform> {
    transfer: &'t mut Transfer<'a, P>,
    /// Handed out and not counted yet.
    pieces: VecDeque<Piece>,
    /// The number of pieces that have been counted.
    counted: usize,
    /// The offset at which the next piece is looked for.
    cursor: u64,
    /// The end of the data range that contains the cursor.
    data_end: u64,
    /// A piece was not completed, so that no later one is wanted.
    broken: bool,
    /// The result of the first such piece.
    ended: Option<Result<bool, Stop>>,
}

/// Wakes the threads that wait for the piece of a thread that panics.
struct Leaving<'l, 't, 'a, P: Platform> {
    line: &'l Mutex<Line<'t, 'a, P>>,
    counted: &'l Condvar,
}

impl<P: Platform> Drop for Leaving<'_, '_, '_, P> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            lock(self.line).ended = Some(Ok(false)); // this result is not used: the panic is resumed
            self.counted.notify_all();
        }
    }
}

impl<P: Platform> Transfer<'_, P> {
    /// Copies what is left, with as many threads as the shape says.
    pub(super) fn read_write_parallel(&mut self) -> Result<(), Stop> {
        let (platform, src, dst) = (self.platform, self.src, self.dst);
        let (shape, uncached) = (self.shape, self.uncached);
        let offset = self.state.offset;
        let hashes = self.in_flight.is_some();
        // The hash exchanges buffers of one size.
        let piece_bytes = if hashes { BUFFER_BYTES } else { PIECE_BYTES };
        let counted = Condvar::new();
        let line = Mutex::new(Line {
            transfer: self,
            pieces: VecDeque::new(),
            counted: 0,
            cursor: offset,
            data_end: offset,
            broken: false,
            ended: None,
        });
        // A function, so that the lock is released before the piece is copied.
        let next = || lock(&line).give_out(piece_bytes as u64);
        let work = || {
            let _leaving = Leaving {
                line: &line,
                counted: &counted,
            };
            let mut buffer = Aligned::new(piece_bytes, PAGE_BYTES);
            let mut mover = Mover {
                platform,
                src,
                dst,
                shape,
                uncached,
            };
            while let Some((number, range)) = next() {
                let moved = mover.copy(range, buffer.as_mut_slice());
                let mut line = lock(&line);
                if hashes {
                    let waits =
                        |it: &mut Line<'_, '_, P>| it.ended.is_none() && it.counted < number;
                    line = counted
                        .wait_while(line, waits)
                        .unwrap_or_else(PoisonError::into_inner);
                    buffer = line.hash(&moved, buffer);
                }
                line.take_in(number, moved);
                drop(line);
                if hashes {
                    counted.notify_all();
                }
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..shape.threads {
                // Without another thread the copy is slower, and just as correct.
                let _ = thread_budget::start(std::thread::Builder::new(), scope, platform, work);
            }
            work();
        });
        let ended = line.into_inner().unwrap_or_else(PoisonError::into_inner);
        match ended.ended {
            Some(Err(stop)) => {
                // What later pieces have written after the offset is not part of the copy.
                self.finish()?;
                Err(stop)
            }
            Some(Ok(_)) | None => self.finish(),
        }
    }
}

fn lock<T>(line: &Mutex<T>) -> MutexGuard<'_, T> {
    // No change leaves the line inconsistent; a panic in a thread is resumed by the scope.
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<P: Platform> Line<'_, '_, P> {
    /// The number and the range of the next piece; `None` if there is nothing more to do.
    fn give_out(&mut self, piece_bytes: u64) -> Option<(usize, Range<u64>)> {
        let Shape { size, holes, .. } = self.transfer.shape;
        if self.broken || self.cursor >= size {
            return None;
        }
        let start = self.cursor;
        if start == self.data_end {
            let data = if holes.use_map() {
                holes::next_data(self.transfer.platform, self.transfer.src, start, size)
            } else {
                Some(start..size)
            };
            // A hole at the end of the file is a piece without data.
            let data = data.unwrap_or(size..size);
            (self.cursor, self.data_end) = (data.start, data.end);
        }
        let data = self.cursor..self.data_end.min(self.cursor + piece_bytes);
        let hole_bytes = data.start - start;
        self.cursor = data.end;
        self.pieces.push_back(Piece {
            hole_bytes,
            data: data.clone(),
            moved: None,
        });
        Some((self.counted + self.pieces.len() - 1, data))
    }

    /// The next piece to be counted came back in this buffer: hashes what was copied of it. Returns a buffer to
    /// continue with.
    fn hash(&mut self, moved: &Moved, buffer: Aligned) -> Aligned {
        let Transfer {
            in_flight, context, ..
        } = &mut *self.transfer;
        let (Some(hash), Some(piece), None) = (in_flight, self.pieces.front(), self.ended) else {
            return buffer;
        };
        let (start, hole_bytes) = (piece.data.start, piece.hole_bytes);
        // A cancellation is noticed when the piece is counted.
        let _ = hash.zeros(start - hole_bytes, hole_bytes, context.cancel);
        // The piece fits in the buffer.
        hash.piece(start, (moved.offset - start) as usize, buffer)
    }

    /// Counts a piece that was copied, and those that waited for it.
    fn take_in(&mut self, number: usize, moved: Moved) {
        let state = &mut self.transfer.state;
        state.len = state.len.max(moved.data_end);
        if self.ended.is_some() {
            return; // it lies after the end
        }
        if let Some(piece) = self.pieces.get_mut(number - self.counted) {
            self.broken |= moved.offset < piece.data.end;
            piece.moved = Some(moved);
        }
        while let Some(moved) = self.pieces.front_mut().and_then(|it| it.moved.take()) {
            let Some(Piece {
                hole_bytes, data, ..
            }) = self.pieces.pop_front()
            else {
                return;
            };
            self.counted += 1;
            let whole = moved.offset == data.end;
            let result = self.count(hole_bytes, &data, moved);
            if result.is_err() || !whole {
                self.broken = true;
                self.ended = Some(result);
                return;
            }
        }
    }

    fn count(&mut self, hole_bytes: u64, data: &Range<u64>, moved: Moved) -> Result<bool, Stop> {
        let state = &mut self.transfer.state;
        state.offset = moved.offset;
        state.bytes += moved.bytes;
        state.holes += hole_bytes + moved.holes;
        state.data_end = state.data_end.max(moved.data_end);
        let told = self
            .transfer
            .progress(hole_bytes + moved.offset - data.start);
        moved.result.and_then(|is_end| told.map(|()| is_end))
    }
}

/// Copies pieces.
struct Mover<'a, P: Platform> {
    platform: &'a P,
    src: &'a P::Handle,
    dst: &'a P::Handle,
    shape: Shape,
    uncached: Uncached,
}

impl<P: Platform> Mover<'_, P> {
    fn copy(&mut self, range: Range<u64>, buffer: &mut [u8]) -> Moved {
        let mut moved = Moved {
            offset: range.start,
            bytes: 0,
            holes: 0,
            data_end: 0,
            result: Ok(false),
        };
        moved.result = self.copy_into(&mut moved, range.end, buffer);
        moved
    }

    /// `true` at the end of the source.
    fn copy_into(&mut self, moved: &mut Moved, end: u64, buffer: &mut [u8]) -> Result<bool, Stop> {
        let len = usize::try_from(end - moved.offset).unwrap_or(usize::MAX);
        let mut buffer = &mut buffer[..len];
        while moved.offset < end {
            let offset = Some(moved.offset);
            let read = self
                .uncached
                .read(self.platform, self.src, offset, buffer)?;
            if read == 0 {
                return Ok(true);
            }
            self.write(moved, &buffer[..read])?;
            buffer = &mut buffer[read..];
        }
        Ok(false)
    }

    fn write(&mut self, moved: &mut Moved, data: &[u8]) -> Result<(), Stop> {
        let mut at = 0;
        while at < data.len() {
            let (run, zero) = self.shape.next_run(data, at);
            let done = if zero {
                moved.holes += run.len() as u64;
                run.len()
            } else {
                let (offset, data) = (Some(moved.offset), &data[run]);
                let written = self.uncached.write(self.platform, self.dst, offset, data)?;
                moved.bytes += written as u64;
                moved.data_end = moved.offset + written as u64;
                written
            };
            at += done;
            moved.offset += done as u64;
        }
        Ok(())
    }
}
