//! The data of open files.

use std::ops::Range;

use super::by_path::{NotMade, Progress, WholeCopy};
use super::machine::{Machine, Sys};
use super::mounted::Mounted;
use crate::think::rules::not_supported;
use crate::words::facts::{Known, VolumeFacts};
use crate::words::options::Flush;
use crate::words::stat::Stat;

/// Calls with which the kernel moves data between open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Shares all extents of the source (FICLONE). Returns the destination's new size.
    CloneFile,
    /// Shares a range (FICLONERANGE), and returns how much of it lies within the destination's new length, where the
    /// call extends the file (not on Windows, where the length is set before).
    CloneRange,
    /// copy_file_range, at most `len` bytes.
    CopyRange,
    /// sendfile, at most `len` bytes; the destination's file position must be at the offset, which
    /// [`Data::move_data`] ensures.
    Sendfile,
    /// Bypasses the page cache, with several requests in flight (Windows).
    Unbuffered,
}

/// The alignment that direct I/O requires, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirectAlignment {
    pub(crate) memory: usize,
    pub(crate) offset: usize,
}

/// The location of a part of a file on its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// The offset in the file, bytes.
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// The offset on the volume, bytes; `None` for data without a location that could be shared.
    pub(crate) place: Option<u64>,
    /// Compressed: `place` is that of the whole extent, wherever in it the part begins.
    pub(crate) is_encoded: bool,
}

/// What a search for data or holes looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    Data,
    Hole,
}

/// The data of open files, and facts about the volume they are on.
pub(crate) trait Data: Machine {
    fn stat_open(&self, handle: &Self::Handle) -> Sys<Stat>;
    fn volume(&self, handle: &Self::Handle) -> Sys<VolumeFacts>;
    /// [`Data::volume`] of a file that [`Data::stat_open`] was called for already.
    fn volume_of(&self, handle: &Self::Handle, _: &Stat) -> Sys<VolumeFacts> {
        self.volume(handle)
    }
    /// [`Data::stat_open`] and [`Data::volume`] of one file.
    fn stat_and_volume(&self, handle: &Self::Handle) -> Sys<(Stat, VolumeFacts)> {
        let stat = self.stat_open(handle)?;
        Ok((stat, self.volume_of(handle, &stat)?))
    }
    /// At `offset`, or where the stream is with `None`. 0 is the end.
    fn read(&self, file: &Self::Handle, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize>;
    fn write(&self, file: &Self::Handle, offset: Option<u64>, data: &[u8]) -> Sys<usize>;
    /// [`Data::read`] and [`Data::write`] that leave nothing in the page cache that was not there before. Where a
    /// system has no such calls, the plain ones.
    fn read_uncached(&self, file: &Self::Handle, offset: u64, buffer: &mut [u8]) -> Sys<usize> {
        self.read(file, Some(offset), buffer)
    }
    fn write_uncached(&self, file: &Self::Handle, offset: u64, data: &[u8]) -> Sys<usize> {
        self.write(file, Some(offset), data)
    }
    /// Starts writing a range of the file from the page cache to the device; with `wait`, waits until that is done.
    /// Where a system has no such call, nothing is done, and the kernel writes the range by its own schedule.
    fn write_back(&self, _: &Self::Handle, _range: Range<u64>, _wait: bool) -> Sys<()> {
        Ok(())
    }
    /// Advises the kernel to evict a range of the file from the page cache. It may ignore that.
    fn drop_cached(&self, _: &Self::Handle, _range: Range<u64>) {}
    /// Moves up to `len` bytes at `offset` of both files; returns how many.
    fn move_data(
        &self,
        how: Move,
        src: &Self::Handle,
        dst: &Self::Handle,
        offset: u64,
        len: u64,
    ) -> Sys<u64>;
    /// Copies a whole file or directory; returns its length, bytes. `progress` may never be called: a clone has no
    /// progress.
    fn copy_by_path(
        &self,
        copy: &WholeCopy<'_, Self>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade>;
    /// The start of the next data or hole at or after `offset`; `None` after the last data.
    fn seek(&self, file: &Self::Handle, offset: u64, what: Seek) -> Sys<Option<u64>>;
    /// Reserves space without changing the size.
    fn allocate(&self, file: &Self::Handle, offset: u64, len: u64) -> Sys<()>;
    fn set_len(&self, file: &Self::Handle, len: u64) -> Sys<()>;
    /// Turns direct I/O on, and returns the alignment that it requires.
    fn direct_on(&self, file: &Self::Handle) -> Sys<DirectAlignment>;
    fn direct_off(&self, file: &Self::Handle) -> Sys<()>;
    /// Waits until written data is flushed as far as `how` says.
    fn flush(&self, file: &Self::Handle, how: Flush) -> Sys<()>;
    /// Waits until everything that was written to the volume of an open file or directory is on stable storage
    /// ([`Os::flushes_volumes`](crate::words::method::Os::flushes_volumes)).
    fn flush_volume(&self, handle: &Self::Handle) -> Sys<()> {
        let _ = handle;
        Err(not_supported(self.os()))
    }
    /// Locks a file against other processes that lock it, until it is closed or the process ends; `false` if another
    /// process holds the lock. It never waits.
    fn lock(&self, file: &Self::Handle) -> Sys<bool> {
        let _ = file;
        Err(not_supported(self.os()))
    }
    /// Returns the errors that a close would return, and leaves the file open.
    fn check_close_errors(&self, file: &Self::Handle) -> Sys<()> {
        let _ = file; // on systems where a close returns no other errors than a flush
        Ok(())
    }
    /// Closes the file, and returns the errors that are reported only now.
    fn close(&self, file: Self::Handle) -> Sys<()>;
    /// Closes a file that was only read, whose close reports no error.
    fn close_quietly(&self, file: Self::Handle) {
        drop(file);
    }
    fn describe(&self, _: &Self::Handle) -> Sys<Mounted> {
        Err(not_supported(self.os()))
    }
    /// Whether a mount point is below this directory.
    fn has_mounts_below(&self, _: &Self::Handle) -> Known {
        Known::Unknown // only Linux has a list of mount points that is cheap to read
    }
    /// Adds the next extents at or after `from` to `found`, in order, and returns whether there may be more. Data
    /// without a location yet (delayed allocation) is written out first.
    fn extents(&self, _: &Self::Handle, _from: u64, _found: &mut Vec<Extent>) -> Sys<bool> {
        Err(not_supported(self.os()))
    }
    /// Asks the kernel to evict this file from memory.
    fn uncache(&self, _: &Self::Handle) -> Sys<()> {
        Err(not_supported(self.os()))
    }
    /// Whether the data at `offset` is in memory, so that a read needs no device.
    fn is_cached(&self, _: &Self::Handle, _offset: u64) -> Sys<bool> {
        Err(not_supported(self.os()))
    }
}
