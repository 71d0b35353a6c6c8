//! The waist: everything that the engine asks of a system, and nothing more.
//!
//! [`native`] is the system that copyist runs on; the tests have another one, `sim`, which
//! simulates Linux, macOS and Windows with their faults. Each call is one thing that a system does:
//! no policy, no fallback, no loop, and an error is a plain [`Code`].

use crate::words::options::Flush;
use crate::words::stat::FileKind;
use crate::words::stat::KeptNames;
use crate::words::stat::Stat;
use crate::words::stat::Timestamp;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::time::Duration;

use crate::think::rules::{kept_name, not_supported};
use crate::words::code::Code;
use crate::words::facts::{Kernel, VolumeFacts};
use crate::words::method::Os;

mod batch;
mod by_path;
pub(crate) mod dry;
pub(crate) mod filesystem;
mod mounted;
pub(crate) mod native;
pub(crate) mod parent;
pub(crate) mod sandbox;
mod start;

pub(crate) use batch::Batch;
pub(crate) use by_path::{NotMade, Progress, Takes, Whole, WholeCopy};
pub(crate) use mounted::{Mounted, Space, longest_name};
pub(crate) use start::start_dir;

/// The result of one call.
pub(crate) type Sys<T> = Result<T, Code>;

/// A name in an open directory. The name of an operand may be a whole path.
pub(crate) struct At<'a, P: Platform> {
    pub(crate) dir: &'a P::Handle,
    pub(crate) name: &'a OsStr,
}

impl<P: Platform> Clone for At<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for At<'_, P> {}

/// What an attribute call is about; a named symbolic link is not followed.
pub(crate) enum Target<'a, P: Platform> {
    Open(&'a P::Handle),
    Named(At<'a, P>),
}

impl<P: Platform> Clone for Target<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for Target<'_, P> {}

/// What a process has used of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// How long it has kept processors busy.
    pub(crate) processor_time: Duration,
    /// How often a thread of it gave up its processor to wait for something; `None` where the system doesn't
    /// count that.
    pub(crate) waits: Option<u64>,
}

/// Refuses to make a name in a directory that keeps all of its names, before it is made.
pub(crate) fn check_removable<P: Platform>(platform: &P, dir: At<'_, P>) -> Sys<()> {
    match platform.kept_names(dir) {
        KeptNames::All => Err(kept_name(platform.os())),
        KeptNames::None | KeptNames::OfOthers { .. } => Ok(()), // what is made is the user's own
    }
}

/// How to open what exists, or to make and open a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// For reading. Never waits: not for the other end of a FIFO, not for a device.
    Read { follow: bool },
    /// For reading, and wait for a FIFO's other end: it is its content that is wanted.
    ReadStream { follow: bool },
    /// An existing file for writing; its content stays. Never waits.
    Write { follow: bool },
    /// An existing file for writing, emptied by the call itself (O_TRUNC). On Windows as `Write`: no
    /// driver there is known to ask for more.
    WriteEmptied { follow: bool },
    /// As `Write`, and wait for a FIFO's other end: it is for that end that the data is meant.
    WriteStream { follow: bool },
    /// A new regular file for writing; EEXIST if anything has the name.
    Create { mode: u32 },
    /// The same, but a symbolic link to nothing is followed, and what it names is made.
    CreateThrough { mode: u32 },
    /// A new regular file for writing and reading, with no name yet, in the directory that is
    /// named: [`Platform::name`] gives it one. It is gone when it is closed without.
    #[allow(dead_code)] // not every system has them
    Nameless { mode: u32 },
    /// A new regular file for writing and reading; EEXIST if anything has the name.
    CreateDraft { mode: u32 },
    /// An existing file for writing and reading; no symbolic link is followed.
    #[allow(dead_code)] // a journal opens it
    Draft,
    /// A directory, to read and to name things in.
    Directory { follow: bool },
    /// A directory, to name things in only: it need not be readable.
    Path { follow: bool },
}

/// What to make under a new name.
#[allow(dead_code)] // Windows has no modes and no special files
pub(crate) enum Node<'a, P: Platform> {
    Directory {
        mode: u32,
    },
    /// On Windows one to a directory is made as such, whether or not that is there (`to_dir`).
    Symlink {
        target: &'a OsStr,
        to_dir: bool,
    },
    /// A FIFO, socket or device.
    Special {
        kind: FileKind,
        mode: u32,
        device: u64,
    },
    /// Another name of an existing file. A symbolic link is followed only if `follow` says so.
    HardLink {
        to: At<'a, P>,
        follow: bool,
    },
}

impl<P: Platform> Clone for Node<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for Node<'_, P> {}

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
    /// which [`Platform::move_data`] sees to.
    Sendfile,
    /// Around the cache, several requests in flight (Windows).
    Unbuffered,
}

/// One attribute to set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attribute {
    Mode(u32),
    /// `None` leaves it as it is.
    Owner {
        uid: Option<u32>,
        gid: Option<u32>,
    },
    Times {
        accessed: Timestamp,
        modified: Timestamp,
    },
    /// When it was made (not on Linux).
    Created(Timestamp),
    /// The flags of chattr(1), of chflags(1) on macOS and FreeBSD, and file attributes on Windows.
    Flags(u32),
}

/// On which side a copy of an extended attribute failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XattrFailed {
    Reading(Code),
    Writing(Code),
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

/// A system.
pub(crate) trait Platform: Send + Sync + Sized + 'static {
    /// An open file or directory.
    type Handle: Send + Sync;

    /// Nothing is changed on it: see [`dry`].
    fn is_dry(&self) -> bool {
        false
    }
    fn os(&self) -> Os;
    fn kernel(&self) -> Kernel;
    /// The permission bits that the process withholds from new files: read at the first call, without
    /// setting it where the system has a way.
    fn umask(&self) -> u32;
    /// Whether the process may do what only a superuser may.
    fn is_privileged(&self) -> bool;
    /// Whether the process may not have all the memory that there is (RLIMIT_AS).
    fn memory_is_limited(&self) -> bool;
    /// How much memory there is to be had without pushing programs out of it, bytes. Files that are
    /// cached are counted as free. `None` where nobody asks.
    fn available_memory(&self) -> Option<u64> {
        None
    }
    /// How many files the process may have open at a time; `None` if there is no such limit.
    fn open_file_limit(&self) -> Option<u64> {
        None
    }
    /// What this process has used of the machine so far.
    fn used(&self) -> Used;
    /// The directory that relative paths start from.
    fn current_dir(&self) -> Sys<Self::Handle>;
    /// A directory that absolute paths can be looked up from, whatever may be done in the current one.
    fn root_dir(&self) -> Sys<Self::Handle> {
        Err(not_supported(self.os())) // Windows looks them up without
    }

    // Names
    /// [`Platform::stat`] of a path. The three calls that take a path look it up from the current directory
    /// without opening that first, where the system has such calls.
    fn stat_path(&self, path: &OsStr, follow: bool) -> Sys<Stat> {
        self.look_up(path, |at| self.stat(at, follow))
    }
    /// [`Platform::open`] of a path.
    fn open_path(&self, path: &OsStr, how: Open) -> Sys<Self::Handle> {
        self.look_up(path, |at| self.open(at, how))
    }
    /// Removes a path that is no directory's.
    fn remove_path(&self, path: &OsStr) -> Sys<()> {
        self.look_up(path, |at| self.remove(at, false))
    }
    /// Looks a path up from the current directory.
    fn look_up<T>(&self, path: &OsStr, call: impl FnOnce(At<'_, Self>) -> Sys<T>) -> Sys<T> {
        let dir = self.current_dir()?;
        let done = call(At {
            dir: &dir,
            name: path,
        });
        self.close_quietly(dir);
        done
    }

    fn stat(&self, at: At<'_, Self>, follow: bool) -> Sys<Stat>;
    fn open(&self, at: At<'_, Self>, how: Open) -> Sys<Self::Handle>;
    fn make(&self, at: At<'_, Self>, node: Node<'_, Self>) -> Sys<()>;
    fn read_link(&self, at: At<'_, Self>) -> Sys<OsString>;
    /// Whether a symbolic link leads to an open file itself, and not to what its text names: a magic
    /// link of procfs, such as `/proc/self/fd/1`. See symlink(7).
    fn is_magic_link(&self, at: At<'_, Self>) -> Sys<bool> {
        let _ = at; // Linux alone has them
        Ok(false)
    }
    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()>;
    /// Whether the process may write to what has this name.
    fn may_write(&self, at: At<'_, Self>) -> bool;
    /// Which names of a directory the process may not take away again, although it may make names there.
    /// A directory that can't be looked at keeps none.
    fn kept_names(&self, _dir: At<'_, Self>) -> KeptNames {
        KeptNames::None
    }
    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()>;
    /// The same, but the new name must be free.
    fn rename_new(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        let _ = (from, to);
        Err(not_supported(self.os()))
    }
    /// Gives a file that was opened as [`Open::Nameless`] a name, which must be free.
    fn name(&self, file: &Self::Handle, at: At<'_, Self>) -> Sys<()> {
        let _ = (file, at);
        Err(not_supported(self.os()))
    }
    /// Reads the next names through a buffer; an empty batch is the end of the directory.
    fn read_dir(&self, dir: &Self::Handle, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()>;

    // Open files
    /// A file in a directory, for writing and reading, to try things with: it is gone when it is
    /// closed. Where that can't be had, a file that has a name is made ([`crate::api::probe`]).
    fn scratch(&self, dir: &Self::Handle) -> Sys<Self::Handle> {
        let _ = dir;
        Err(not_supported(self.os()))
    }
    /// Whether the system has copy_file_range and lets this process call it.
    fn has_copy_range(&self) -> Sys<()>;
    fn stat_open(&self, handle: &Self::Handle) -> Sys<Stat>;
    fn volume(&self, handle: &Self::Handle) -> Sys<VolumeFacts>;
    /// [`Platform::volume`] of a file that [`Platform::stat_open`] was called for already.
    fn volume_of(&self, handle: &Self::Handle, _: &Stat) -> Sys<VolumeFacts> {
        self.volume(handle)
    }
    /// At `offset`, or where the stream is with `None`. 0 is the end.
    /// [`Platform::stat_open`] and [`Platform::volume`] of one file.
    fn stat_and_volume(&self, handle: &Self::Handle) -> Sys<(Stat, VolumeFacts)> {
        let stat = self.stat_open(handle)?;
        Ok((stat, self.volume_of(handle, &stat)?))
    }

    fn read(&self, file: &Self::Handle, offset: Option<u64>, buffer: &mut [u8]) -> Sys<usize>;
    fn write(&self, file: &Self::Handle, offset: Option<u64>, data: &[u8]) -> Sys<usize>;
    /// [`Platform::read`] and [`Platform::write`] that leave nothing in the cache that was not there
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

    // Threads
    /// The processor that this thread is on, where a new thread may be left on that of its maker although others
    /// are free.
    fn processor(&self) -> Option<usize> {
        None
    }
    /// Lets this thread leave that processor, if it is on it.
    fn leave_processor(&self, number: usize) {
        let _ = number;
    }

    // Attributes
    fn set(&self, target: Target<'_, Self>, attribute: Attribute) -> Sys<()>;
    fn flags(&self, file: &Self::Handle) -> Sys<u32>;
    /// The names, each ended by a NUL, into `names` (cleared first).
    fn xattr_names(&self, target: Target<'_, Self>, names: &mut Vec<u8>) -> Sys<()>;
    /// The value into `value` (cleared first); `false` if there is none of that name.
    fn xattr(&self, target: Target<'_, Self>, name: &[u8], value: &mut Vec<u8>) -> Sys<bool>;
    fn set_xattr(&self, target: Target<'_, Self>, name: &[u8], value: &[u8]) -> Sys<()>;
    fn remove_xattr(&self, target: Target<'_, Self>, name: &[u8]) -> Sys<()>;
    /// Copies a value through `buffer`; `false` if the source has none of that name. Where one may be
    /// larger than memory (a stream of Windows) it goes piece by piece.
    fn copy_xattr(
        &self,
        src: Target<'_, Self>,
        dst: Target<'_, Self>,
        name: &[u8],
        buffer: &mut Vec<u8>,
    ) -> Result<bool, XattrFailed> {
        let is_there = self
            .xattr(src, name, buffer)
            .map_err(XattrFailed::Reading)?;
        if is_there {
            self.set_xattr(dst, name, buffer)
                .map_err(XattrFailed::Writing)?;
        }
        Ok(is_there)
    }

    // For those who look and measure; no copy needs them. A system without the call says so.
    /// The kernel's whole version, as the system has it.
    fn release(&self) -> String {
        String::new()
    }
    /// The largest file that this process may make, bytes (RLIMIT_FSIZE).
    fn file_size_limit(&self) -> u64 {
        u64::MAX
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
