//! The data of open files.

use std::ops::Range;

use super::by_path::{NotMade, Progress, WholeCopy};
use super::machine::{Machine, Sys};
use super::mounted::Mounted;
use crate::think::rules::not_supported;
use crate::words::facts::VolumeFacts;
use crate::words::options::Flush;
use crate::words::stat::Stat;

/// Calls by which the system itself moves data between open files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// Share all extents of the source (FICLONE). Answers the destination's size then.
    CloneFile,
    /// Share a range (FICLONERANGE), and return how much of it the destination's length covers then, where
    /// the call makes the file longer (not on Windows, where it is given its length before).
    CloneRange,
    /// copy_file_range, at most `len` bytes.
    CopyRange,
    /// sendfile, at most `len` bytes; the destination's file position must be at the offset,
    /// which [`Data::move_data`] sees to.
    Sendfile,
    /// Around the cache, several requests in flight (Windows).
    Unbuffered,
}

/// Alignment that direct I/O asks for, bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DirectAlignment {
    pub(crate) memory: usize,
    pub(crate) offset: usize,
}

/// Where a part of a file lies on its volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Where in the file, bytes.
    pub(crate) offset: u64,
    pub(crate) len: u64,
    /// Where on the volume, bytes; `None` for what lies in no place that could be shared.
    pub(crate) place: Option<u64>,
    /// Compressed: `place` is that of the whole, wherever in it the part begins.
    pub(crate) is_encoded: bool,
}

/// What a search for data or holes looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seek {
    Data,
    Hole,
}

/// Open files: their data, and what is known of the volume they are on.
pub(crate) trait Data: Machine {
    fn stat_open(&self, handle: &Self::Handle) -> Sys<Stat>;
    fn volume(&self, handle: &Self::Handle) -> Sys<VolumeFacts>;
    /// [`Data::volume`] of a file that [`Data::stat_open`] was called for already.
    fn volume_of(&self, handle: &Self::Handle, _: &Stat) -> Sys<VolumeFacts> {
        self.volume(handle)
    }
    /// At `offset`, or where the stream is with `None`. 0 is the end.
    fn read(&self, file: &Self::Handle, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize>;
    fn write(&self, file: &Self::Handle, offset: Option<u64>, data: &[u8]) -> Sys<usize>;
    /// [`Data::read`] and [`Data::write`] that leave nothing in the cache that was not there
    /// before. Where a system has no such calls, it has the plain ones.
    fn read_uncached(&self, file: &Self::Handle, offset: u64, buffer: &mut [u8]) -> Sys<usize> {
        self.read(file, Some(offset), buffer)
    }
    fn write_uncached(&self, file: &Self::Handle, offset: u64, data: &[u8]) -> Sys<usize> {
        self.write(file, Some(offset), data)
    }
    /// Starts to write a range of the file from the cache to the device; `wait` until that is done.
    /// Where a system has no such call, it writes when it likes.
    fn write_back(&self, _: &Self::Handle, _range: Range<u64>, _wait: bool) -> Sys<()> {
        Ok(())
    }
    /// Asks the system to drop what it has cached of a range of the file. It need not.
    fn drop_cached(&self, _: &Self::Handle, _range: Range<u64>) {}
    /// Moves up to `len` bytes at `offset` of both files; how many is answered.
    fn move_data(
        &self,
        how: Move,
        src: &Self::Handle,
        dst: &Self::Handle,
        offset: u64,
        len: u64,
    ) -> Sys<u64>;
    /// Makes a whole copy; answers its length, bytes. `progress` may never be called: a clone has
    /// no progress.
    fn copy_by_path(
        &self,
        copy: &WholeCopy<'_, Self>,
        progress: &mut Progress<'_>,
    ) -> Result<u64, NotMade>;
    /// The start of the next data or hole at or after `offset`; `None` past the last data.
    fn seek(&self, file: &Self::Handle, offset: u64, what: Seek) -> Sys<Option<u64>>;
    /// Reserves space without changing the size.
    fn allocate(&self, file: &Self::Handle, offset: u64, len: u64) -> Sys<()>;
    fn set_len(&self, file: &Self::Handle, len: u64) -> Sys<()>;
    /// Turns direct I/O on, and says what it asks for.
    fn direct_on(&self, file: &Self::Handle) -> Sys<DirectAlignment>;
    fn direct_off(&self, file: &Self::Handle) -> Sys<()>;
    /// Waits until what was written is safe from what `how` names.
    fn flush(&self, file: &Self::Handle, how: Flush) -> Sys<()>;
    /// Waits until everything that was written to the volume of an open file or directory is on
    /// the medium ([`Os::flushes_volumes`]).
    fn flush_volume(&self, handle: &Self::Handle) -> Sys<()> {
        let _ = handle;
        Err(not_supported(self.os()))
    }
    /// Locks a file against everybody else who locks it, until it is closed, however the process
    /// ends; `false` if somebody else has. It never waits.
    fn lock(&self, file: &Self::Handle) -> Sys<bool> {
        let _ = file;
        Err(not_supported(self.os()))
    }
    /// Hears the errors that a close would tell, and leaves the file open.
    fn check_close_errors(&self, file: &Self::Handle) -> Sys<()> {
        let _ = file; // where a close has nothing to tell that a flush has not
        Ok(())
    }
    /// Closes, and hears the errors that come only now.
    fn close(&self, file: Self::Handle) -> Sys<()>;
    /// Closes what was only read, so that there is nothing to hear.
    fn close_quietly(&self, file: Self::Handle) {
        drop(file);
    }
    fn describe(&self, _: &Self::Handle) -> Sys<Mounted> {
        Err(not_supported(self.os()))
    }
    /// Adds the next extents at or after `from` to `found`, in order, and answers whether there may
    /// be more. What has no place yet is written out first.
    fn extents(&self, _: &Self::Handle, _from: u64, _found: &mut Vec<Extent>) -> Sys<bool> {
        Err(not_supported(self.os()))
    }
    /// Asks the system to forget what it keeps of this file in memory.
    fn uncache(&self, _: &Self::Handle) -> Sys<()> {
        Err(not_supported(self.os()))
    }
    /// Whether the data at `offset` would be read from memory.
    fn is_cached(&self, _: &Self::Handle, _offset: u64) -> Sys<bool> {
        Err(not_supported(self.os()))
    }
}
