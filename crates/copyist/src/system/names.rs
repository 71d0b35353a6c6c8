//! Names in open directories.

use std::ffi::{OsStr, OsString};

use super::batch::Batch;
use super::machine::{Machine, Sys};
use crate::think::rules::not_supported;
use crate::words::stat::{FileKind, KeptNames, Stat};

/// A name in an open directory. An operand's name may be a whole path.
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

/// The file that an attribute call acts on; a named symbolic link is not followed.
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

/// How to open an existing file, or to create and open one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// For reading. Never waits, neither for the other end of a FIFO nor for a device.
    Read { follow: bool },
    /// For reading; waits for a FIFO's other end, since its content is to be copied.
    ReadStream { follow: bool },
    /// An existing file for writing, without truncating it. Never waits.
    Write { follow: bool },
    /// An existing file for writing, truncated by the open itself (O_TRUNC). On Windows like `Write`: no driver there
    /// is known to need this.
    WriteEmptied { follow: bool },
    /// Like `Write`, but waits for a FIFO's other end, which is to receive the data.
    WriteStream { follow: bool },
    /// A new regular file for writing; EEXIST if the name exists.
    Create { mode: u32 },
    /// The same, but a dangling symbolic link is followed, and its target is created.
    CreateThrough { mode: u32 },
    /// A new regular file for writing and reading, without a name, on the filesystem of the named directory:
    /// [`Names::name`] gives it a name. If it is closed before that, it is gone.
    #[allow(dead_code)] // not every system has them
    Nameless { mode: u32 },
    /// A new regular file for writing and reading; EEXIST if the name exists.
    CreateDraft { mode: u32 },
    /// An existing file for writing and reading; no symbolic link is followed.
    #[allow(dead_code)] // used for a journal only
    Draft,
    /// A directory, to be read and to look up names in.
    Directory { follow: bool },
    /// A directory, to look up names in only: read permission is not needed.
    Path { follow: bool },
}

/// What to create under a new name.
#[allow(dead_code)] // Windows has no modes and no special files
pub(crate) enum Node<'a, P: Machine> {
    Directory {
        mode: u32,
    },
    /// On Windows, a symbolic link to a directory is a type of its own, whether or not the target exists (`to_dir`).
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
    /// Another name of an existing file. A symbolic link is followed only with `follow`.
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
    /// The directory at which relative paths start.
    fn current_dir(&self) -> Sys<Self::Handle>;
    /// A directory from which absolute paths can be looked up, whatever the permissions of the current directory.
    fn root_dir(&self) -> Sys<Self::Handle> {
        Err(not_supported(self.os())) // on Windows, absolute paths need no directory
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
    /// Whether a symbolic link leads to an open file itself, and not to the path in its text: a magic link of procfs,
    /// such as `/proc/self/fd/1`. See symlink(7).
    fn is_magic_link(&self, at: At<'_, Self>) -> Sys<bool> {
        let _ = at; // only Linux has them
        Ok(false)
    }
    fn remove(&self, at: At<'_, Self>, is_dir: bool) -> Sys<()>;
    /// Whether the process has write permission for this name's file.
    fn may_write(&self, at: At<'_, Self>) -> bool;
    /// Which names of a directory the process can't remove or rename, although it can create names there. A directory
    /// that can't be examined counts as one without such names.
    fn kept_names(&self, _dir: At<'_, Self>) -> KeptNames {
        KeptNames::None
    }
    fn rename(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()>;
    /// The same, but the new name must not exist.
    fn rename_new(&self, from: At<'_, Self>, to: At<'_, Self>) -> Sys<()> {
        let _ = (from, to);
        Err(not_supported(self.os()))
    }
    /// Gives a file that was opened as [`Open::Nameless`] a name, which must not exist.
    fn name(&self, file: &Self::Handle, at: At<'_, Self>) -> Sys<()> {
        let _ = (file, at);
        Err(not_supported(self.os()))
    }
    /// Reads the next names through a buffer; an empty batch is the end of the directory.
    fn read_dir(&self, dir: &Self::Handle, buffer: &mut Vec<u8>, batch: &mut Batch) -> Sys<()>;
    /// A file for trials in a directory, for writing and reading; it is gone when it is closed. Where such a file is
    /// not available, a file with a name is created ([`crate::api::probe`]).
    fn scratch(&self, dir: &Self::Handle) -> Sys<Self::Handle> {
        let _ = dir;
        Err(not_supported(self.os()))
    }
}
