//! Copying around the cache with several requests in flight: overlapped reads and writes.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::ops::Range;
use std::os::windows::io::{AsHandle, FromRawHandle, OwnedHandle};
use std::ptr::NonNull;

use windows_sys::Win32::Foundation::{
    ERROR_HANDLE_EOF, ERROR_IO_PENDING, ERROR_WRITE_FAULT, HANDLE, WAIT_FAILED, WAIT_OBJECT_0,
};
use windows_sys::Win32::Storage::FileSystem::{ReadFile, WriteFile};
use windows_sys::Win32::System::IO::OVERLAPPED;
use windows_sys::Win32::System::Threading::{CreateEventW, INFINITE, WaitForMultipleObjects};

use super::request::wait;
use super::{Result, last_error, length, raw, succeed};

/// Requests in flight.
const SLOTS: usize = 8;
/// The size of each, bytes: a multiple of every sector.
const SLOT_BYTES: usize = 1 << 20;
/// Buffers are aligned to this, bytes: no disk has larger sectors.
const ALIGNMENT: usize = 4096;

/// Memory that belongs to the system while a request is in flight.
struct Buffer(NonNull<u8>);

impl Buffer {
    const LAYOUT: Layout = match Layout::from_size_align(SLOT_BYTES, ALIGNMENT) {
        Ok(layout) => layout,
        Err(_) => panic!("a power of two, and no overflow"),
    };

    fn new() -> Buffer {
        // SAFETY: the layout has a size.
        let memory = unsafe { alloc_zeroed(Buffer::LAYOUT) };
        Buffer(NonNull::new(memory).unwrap_or_else(|| handle_alloc_error(Buffer::LAYOUT)))
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // SAFETY: it came from `alloc_zeroed` with this layout, and is freed once. Nothing is in
        // flight any more: `Slot` is never dropped before (see `Slots::drop`).
        unsafe { dealloc(self.0.as_ptr(), Buffer::LAYOUT) };
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    Nothing,
    Reading,
    Writing,
}

/// One request, its memory and its event.
struct Slot {
    doing: Doing,
    offset: u64,
    len: usize,
    buffer: Buffer,
    overlapped: Box<OVERLAPPED>,
    event: OwnedHandle,
}

impl Slot {
    fn new() -> Result<Slot> {
        // SAFETY: no attributes, no name; a manual event, as overlapped requests want it.
        let event = unsafe { CreateEventW(std::ptr::null(), 1, 0, std::ptr::null()) };
        if event.is_null() {
            return Err(last_error());
        }
        Ok(Slot {
            doing: Doing::Nothing,
            offset: 0,
            len: 0,
            buffer: Buffer::new(),
            overlapped: Box::default(),
            // SAFETY: the call has succeeded, and the handle has no other owner.
            event: unsafe { OwnedHandle::from_raw_handle(event) },
        })
    }

    /// Begins a request for `len` bytes at the slot's offset.
    fn begin(&mut self, file: HANDLE, doing: Doing) -> Result<()> {
        *self.overlapped = OVERLAPPED::default();
        self.overlapped.hEvent = raw(&self.event);
        let position = self.offset.to_le_bytes();
        let half = |at: usize| {
            u32::from_le_bytes([
                position[at],
                position[at + 1],
                position[at + 2],
                position[at + 3],
            ])
        };
        // SAFETY: a union of plain numbers and a pointer, of which the numbers are meant.
        let offset = unsafe { &mut self.overlapped.Anonymous.Anonymous };
        (offset.Offset, offset.OffsetHigh) = (half(0), half(4));
        let (memory, len) = (self.buffer.0.as_ptr(), length(self.len));
        let overlapped = &raw mut *self.overlapped;
        // SAFETY: the handle is borrowed by the caller until everything in flight has ended; the
        // buffer is as long as is said, and it, like the structure in its box, stays where it is.
        let begun = succeed(unsafe {
            match doing {
                Doing::Reading => ReadFile(file, memory, len, std::ptr::null_mut(), overlapped),
                _ => WriteFile(file, memory, len, std::ptr::null_mut(), overlapped),
            }
        });
        match begun {
            Err(code) if code.cast_unsigned() != ERROR_IO_PENDING => Err(code),
            _ => {
                self.doing = doing;
                Ok(())
            }
        }
    }

    /// Waits for the request; how many bytes it moved.
    fn end(&mut self, file: HANDLE) -> Result<usize> {
        // SAFETY: the structure is that of the request on this file, which is in flight or done.
        let ended = unsafe { wait(file, &raw const *self.overlapped) };
        self.doing = Doing::Nothing;
        match ended {
            Ok(moved) => Ok(moved),
            Err(code) if code.cast_unsigned() == ERROR_HANDLE_EOF => Ok(0),
            Err(code) => Err(code),
        }
    }
}

/// All requests of one copy.
struct Slots {
    all: Vec<Slot>,
    src: HANDLE,
    dst: HANDLE,
}

impl Drop for Slots {
    fn drop(&mut self) {
        // The system writes into the buffers until the last request has ended.
        for slot in &mut self.all {
            let file = if slot.doing == Doing::Reading {
                self.src
            } else {
                self.dst
            };
            if slot.doing != Doing::Nothing {
                // Its outcome is of no interest: another's failure is reported.
                let _ = slot.end(file);
            }
        }
    }
}

/// Copies a range between two files, several requests of 1 MiB in flight at a time. Both must be open without
/// buffering (FILE_NO_INTERMEDIATE_BUFFERING) and for overlapped requests; the range must be aligned to the sectors
/// of both. The destination's length is set before.
///
/// Returns how many bytes were copied, without a gap from the start, even if it failed; fewer than requested without
/// an error mean that the source has ended.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/windows/win32/fileio/file-buffering)
pub fn copy_unbuffered(
    src: impl AsHandle,
    dst: impl AsHandle,
    range: Range<u64>,
) -> (u64, Result<()>) {
    let mut copy = Copy {
        slots: Slots {
            all: Vec::new(),
            src: raw(&src),
            dst: raw(&dst),
        },
        next: range.start,
        end: range.end,
        done: Vec::new(),
    };
    let result = copy.run();
    // What is still in flight may end well: it counts no more.
    drop(copy.slots);
    (in_place(range.start, &copy.done) - range.start, result)
}

struct Copy {
    slots: Slots,
    /// What is read next.
    next: u64,
    end: u64,
    /// What was written, in no order.
    done: Vec<Range<u64>>,
}

/// How far the ranges reach from `start` without a gap.
fn in_place(start: u64, done: &[Range<u64>]) -> u64 {
    let mut done = done.to_vec();
    done.sort_by_key(|range| range.start);
    done.iter().fold(
        start,
        |at, range| if range.start == at { range.end } else { at },
    )
}

impl Copy {
    fn run(&mut self) -> Result<()> {
        let wanted = self
            .end
            .saturating_sub(self.next)
            .div_ceil(SLOT_BYTES as u64);
        for _ in 0..wanted.min(SLOTS as u64) {
            self.slots.all.push(Slot::new()?);
        }
        for n in 0..self.slots.all.len() {
            self.read_next(n)?;
        }
        while let Some(n) = self.wait()? {
            self.went_on(n)?;
        }
        Ok(())
    }

    fn read_next(&mut self, n: usize) -> Result<()> {
        let left = self.end.saturating_sub(self.next);
        if left == 0 {
            return Ok(());
        }
        let src = self.slots.src;
        let slot = &mut self.slots.all[n];
        slot.offset = self.next;
        slot.len = usize::try_from(left).unwrap_or(SLOT_BYTES).min(SLOT_BYTES);
        self.next += slot.len as u64;
        slot.begin(src, Doing::Reading)
    }

    /// The slot of a request that has ended; `None` if nothing is in flight.
    fn wait(&self) -> Result<Option<usize>> {
        let flying: Vec<usize> = (0..self.slots.all.len())
            .filter(|&n| self.slots.all[n].doing != Doing::Nothing)
            .collect();
        if flying.is_empty() {
            return Ok(None);
        }
        let events: Vec<HANDLE> = flying
            .iter()
            .map(|&n| raw(&self.slots.all[n].event))
            .collect();
        // SAFETY: the events live as long as their slots; there are as many as is said.
        let ended =
            unsafe { WaitForMultipleObjects(length(events.len()), events.as_ptr(), 0, INFINITE) };
        if ended == WAIT_FAILED {
            return Err(last_error());
        }
        Ok(flying.get((ended - WAIT_OBJECT_0) as usize).copied())
    }

    fn went_on(&mut self, n: usize) -> Result<()> {
        let (src, dst) = (self.slots.src, self.slots.dst);
        let slot = &mut self.slots.all[n];
        if slot.doing == Doing::Reading {
            let read = slot.end(src)?;
            if read < slot.len {
                self.end = self.end.min(slot.offset); // it has ended before its size
                return Ok(());
            }
            return slot.begin(dst, Doing::Writing);
        }
        let written = slot.end(dst)?;
        if written != slot.len {
            return Err(ERROR_WRITE_FAULT.cast_signed());
        }
        let range = slot.offset..slot.offset + written as u64;
        self.done.push(range);
        self.read_next(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_ends_what_is_in_place() {
        assert_eq!(in_place(5, &[]), 5);
        assert_eq!(in_place(5, &[8..9, 5..8]), 9);
        assert_eq!(in_place(5, &[9..10, 5..8]), 8);
    }
}
