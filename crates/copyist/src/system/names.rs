//! Names in open directories.

use std::ffi::{OsStr, OsString};

use super::batch::Batch;
use super::machine::{Machine, Sys};
use crate::think::rules::not_supported;
use crate::words::stat::{FileKind, KeptNames, Stat};

/// A name in an open directory. The name of an operand may be a whole path.
pub(crate) struct At<'a, P: Machine> {
    pub(crate) dir: &'a P::Handle,
    pub(crate) name: &'a OsStr,
}

impl<P: Machine> Clone for At<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Machine> Copy for At<'_, P> {}

/// What an attribute call is about; a named symbolic link is not followed.
pub(crate) enum Target<'a, P: Machine> {
    Open(&'a P::Handle),
    Named(At<'a, P>),
}

impl<P: Machine> Clone for Target<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Machine> Copy for Target<'_, P> {}

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
    /// named: [`Names::name`] gives it one. It is gone when it is closed without.
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
pub(crate) enum Node<'a, P: Machine> {
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

impl<P: Machine> Clone for Node<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Machine> Copy for Node<'_, P> {}

/// Names in directories.
pub(crate) trait Names: Machine {
    /// The directory that relative paths start from.
    fn current_dir(&self) -> Sys<Self::Handle>;
    /// A directory that absolute paths can be looked up from, whatever may be done in the current one.
    fn root_dir(&self) -> Sys<Self::Handle> {
        Err(not_supported(self.os())) // Windows looks them up without
    }
    /// [`Names::stat`] of a path. The three calls that take a path look it up from the current directory
    /// without opening that first, where the system has such calls.
    fn stat_path(&self, path: &OsStr, follow: bool) -> Sys<Stat> {
        self.look_up(path, |at| self.stat(at, follow))
    }
    /// [`Names::open`] of a path.
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
        call(At {
            dir: &dir,
            name: path,
        })
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
    /// A file in a directory, for writing and reading, to try things with: it is gone when it is
    /// closed. Where that can't be had, a file that has a name is made ([`crate::api::probe`]).
    fn scratch(&self, dir: &Self::Handle) -> Sys<Self::Handle> {
        let _ = dir;
        Err(not_supported(self.os()))
    }
}
