//! The floor: the system calls that a copy of a tree can't do without, and nothing else.
//!
//! For each file: open the source, fstat, create the destination, copy, close both. With attributes also:
//! list the extended ones of the source (which must have none), set the times, and the owner where it is
//! another; the permissions come with the file's making. To look at what is there already, it stats
//! the file on both sides, and no more. Two threads take directories, and batches of names of a large
//! one, from one stack. It copies regular files and directories; it keeps no hole, and says nothing. The calls
//! of a file are made in their place, without the C library (`copyist_sys::linux`): the first return after a
//! system call is expensive.

use std::ffi::{CStr, CString, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use copyist_sys::linux;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, Stat, Timespec, Timestamps};
use rustix::io::{Errno, Result};
use rustix::process::{Gid, Uid};

const THREADS: usize = 2;

/// Names that one job has: a directory with more is shared.
const BATCH: usize = 128;

const BUFFER_BYTES: usize = 512 << 10;
const PAGE_BYTES: usize = 4096;

/// What is done with a tree.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Task {
    /// Copy it to where nothing is yet.
    Copy { how: How, attributes: bool },
    /// Look at it and at a copy that is there.
    Look,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    ReadWrite,
    /// FICLONE
    Clone,
}

pub(crate) fn run(src: &OsStr, dst: &OsStr, task: Task) -> std::result::Result<(), String> {
    if task.keeps_attributes() {
        rustix::process::umask(Mode::empty());
    }
    let run = || {
        let root = Pair::open(CWD, CWD, (&c_string(src)?, &c_string(dst)?), task)?;
        let stack = Stack::default();
        stack.push(Job::Directory(root));
        thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(|| Worker::new(&stack, task).work()));
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or(Err(Errno::IO)))
        })
    };
    run().map_err(|errno| format!("cannot copy {}: {errno}", src.display()))
}

impl Task {
    fn keeps_attributes(self) -> bool {
        matches!(self, Self::Copy { attributes, .. } if attributes)
    }
}

fn c_string(path: &OsStr) -> Result<CString> {
    CString::new(path.as_encoded_bytes()).map_err(|_| Errno::INVAL)
}

/// A directory on both sides.
struct Pair {
    src: OwnedFd,
    dst: OwnedFd,
    /// What the destination is given in the end.
    times: Option<Timestamps>,
}

impl Pair {
    fn open(
        src_in: impl rustix::fd::AsFd,
        dst_in: impl rustix::fd::AsFd,
        (src, dst): (&CStr, &CStr),
        task: Task,
    ) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let src = rustix::fs::openat(src_in, src, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&src)?;
        if let Task::Copy { .. } = task {
            let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
            rustix::fs::mkdirat(&dst_in, dst, mode)?;
        }
        Ok(Self {
            src,
            dst: rustix::fs::openat(dst_in, dst, flags, Mode::empty())?,
            times: task.keeps_attributes().then(|| times(&stat)),
        })
    }
}

/// The last job that needs it is done.
impl Drop for Pair {
    fn drop(&mut self) {
        if let Some(times) = &self.times {
            // A copy without them is found to be wrong.
            let _ = rustix::fs::futimens(&self.dst, times);
        }
    }
}

fn times(stat: &Stat) -> Timestamps {
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: stat.st_atime_nsec,
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: stat.st_mtime_nsec,
        },
    }
}

enum Job {
    Directory(Pair),
    /// A directory in another one: opened when its turn comes, so that few are open.
    Below(Arc<Pair>, CString),
    /// Each name ends with its NUL.
    Files(Arc<Pair>, Vec<u8>),
}

/// What there is to do, last in first out.
#[derive(Default)]
struct Stack {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: Vec<Job>,
    /// Jobs that were pushed and are not done.
    open: usize,
    failed: bool,
}

impl Stack {
    fn push(&self, job: Job) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.jobs.push(job);
        state.open += 1;
        drop(state);
        self.changed.notify_one();
    }

    /// None when all is done, or something failed.
    fn pop(&self) -> Option<Job> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if state.failed || state.open == 0 {
                return None;
            }
            if let Some(job) = state.jobs.pop() {
                return Some(job);
            }
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn done(&self, is_ok: bool) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.open -= 1;
        state.failed |= !is_ok;
        if state.open == 0 || state.failed {
            self.changed.notify_all();
        }
    }
}

struct Worker<'a> {
    stack: &'a Stack,
    task: Task,
    /// Whose the files are that it makes.
    own: (Uid, Gid),
    buffer: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(stack: &'a Stack, task: Task) -> Self {
        Self {
            stack,
            task,
            own: (rustix::process::geteuid(), rustix::process::getegid()),
            buffer: vec![0; BUFFER_BYTES + PAGE_BYTES],
        }
    }

    fn work(mut self) -> Result<()> {
        while let Some(job) = self.stack.pop() {
            let outcome = match job {
                Job::Directory(pair) => self.directory(pair),
                Job::Below(pair, name) => {
                    Pair::open(&pair.src, &pair.dst, (&name, &name), self.task)
                        .and_then(|below| self.directory(below))
                }
                Job::Files(pair, names) => self.files(&pair, &names),
            };
            self.stack.done(outcome.is_ok());
            outcome?;
        }
        Ok(())
    }

    fn directory(&mut self, pair: Pair) -> Result<()> {
        let pair = Arc::new(pair);
        let mut space = [MaybeUninit::uninit(); 32 << 10];
        let mut entries = RawDir::new(&pair.src, &mut space);
        let mut names = Vec::new();
        let mut count = 0;
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name();
            match entry.file_type() {
                FileType::Directory if name == c"." || name == c".." => {}
                FileType::Directory => {
                    self.stack
                        .push(Job::Below(Arc::clone(&pair), name.to_owned()));
                }
                FileType::RegularFile => {
                    if count == BATCH {
                        let full = std::mem::take(&mut names);
                        self.stack.push(Job::Files(Arc::clone(&pair), full));
                        count = 0;
                    }
                    names.extend_from_slice(name.to_bytes_with_nul());
                    count += 1;
                }
                _ => return Err(Errno::OPNOTSUPP),
            }
        }
        self.files(&pair, &names)
    }

    fn files(&mut self, pair: &Pair, names: &[u8]) -> Result<()> {
        let mut rest = names;
        while let Ok(name) = CStr::from_bytes_until_nul(rest) {
            let os_name = OsStr::from_bytes(name.to_bytes());
            match self.task {
                Task::Copy { how, attributes } => self.file(pair, os_name, how, attributes)?,
                Task::Look => look(pair, os_name)?,
            }
            rest = &rest[name.count_bytes() + 1..];
        }
        Ok(())
    }

    #[inline(always)]
    fn file(&mut self, pair: &Pair, name: &OsStr, how: How, attributes: bool) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let src = linux::openat(&pair.src, name, flags, Mode::empty())?;
        let stat = linux::fstat(&src, Stat::clone)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
        let dst = linux::openat(&pair.dst, name, flags, mode)?;
        match how {
            How::Clone => linux::ioctl_ficlone(&dst, &src)?,
            How::ReadWrite => self.read_and_write(&src, &dst, stat.st_size.cast_unsigned())?,
        }
        if attributes {
            let has_some = linux::flistxattr(&src, &mut [0; 256])? > 0;
            let owner = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
            if has_some {
                return Err(Errno::OPNOTSUPP);
            }
            if owner != self.own {
                rustix::fs::fchown(&dst, Some(owner.0), Some(owner.1))?;
            }
            linux::futimens(&dst, &times(&stat))?;
        }
        linux::close(dst)?;
        linux::close(src)
    }

    /// Buffers that begin at a page are faster, see docs/measurements.md.
    #[inline(always)]
    fn read_and_write(&mut self, src: &OwnedFd, dst: &OwnedFd, bytes: u64) -> Result<()> {
        let start = self
            .buffer
            .as_ptr()
            .align_offset(PAGE_BYTES)
            .min(PAGE_BYTES);
        let buffer = &mut self.buffer[start..start + BUFFER_BYTES];
        let mut done = 0;
        while done < bytes {
            let count = linux::pread(src, buffer, done)?;
            if count == 0 || linux::pwrite(dst, &buffer[..count], done)? != count {
                return Err(Errno::IO);
            }
            done += count as u64;
        }
        Ok(())
    }
}

/// What a second run can't do without.
#[inline(always)]
fn look(pair: &Pair, name: &OsStr) -> Result<()> {
    let modified = |dir| linux::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW, |stat| stat.st_mtime);
    if modified(&pair.src)? > modified(&pair.dst)? {
        return Err(Errno::STALE);
    }
    Ok(())
}
