//! The floor: the system calls that a copy of a tree can't do without, and nothing else.
//!
//! For each file: open the source, fstat, create the destination, copy, close both. Two threads take
//! directories, and batches of names of a large one, from one stack. It copies regular files and
//! directories; it keeps no hole, no time, no attribute, and says nothing.

use std::ffi::{CStr, CString, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir};
use rustix::io::{Errno, Result};

const THREADS: usize = 2;

/// Names that one job has: a directory with more is shared.
const BATCH: usize = 128;

const BUFFER_BYTES: usize = 512 << 10;
const PAGE_BYTES: usize = 4096;

#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    ReadWrite,
    /// FICLONE
    Clone,
}

/// Copies a tree to where nothing is yet.
pub(crate) fn copy(src: &OsStr, dst: &OsStr, how: How) -> std::result::Result<(), String> {
    let copy = || {
        let root = Pair::open(CWD, CWD, &c_string(src)?, &c_string(dst)?)?;
        let stack = Stack::default();
        stack.push(Job::Directory(Arc::new(root)));
        thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(|| Worker::new(&stack, how).work()));
            threads
                .into_iter()
                .try_for_each(|thread| thread.join().unwrap_or(Err(Errno::IO)))
        })
    };
    copy().map_err(|errno| format!("cannot copy {}: {errno}", src.display()))
}

fn c_string(path: &OsStr) -> Result<CString> {
    CString::new(path.as_encoded_bytes()).map_err(|_| Errno::INVAL)
}

/// A directory on both sides.
struct Pair {
    src: OwnedFd,
    dst: OwnedFd,
}

impl Pair {
    fn open(
        src_in: impl rustix::fd::AsFd,
        dst_in: impl rustix::fd::AsFd,
        src: &CStr,
        dst: &CStr,
    ) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        rustix::fs::mkdirat(&dst_in, dst, Mode::from(0o777))?;
        Ok(Self {
            src: rustix::fs::openat(src_in, src, flags, Mode::empty())?,
            dst: rustix::fs::openat(dst_in, dst, flags, Mode::empty())?,
        })
    }
}

enum Job {
    Directory(Arc<Pair>),
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
    how: How,
    buffer: Vec<u8>,
}

impl<'a> Worker<'a> {
    fn new(stack: &'a Stack, how: How) -> Self {
        let buffer = vec![0; BUFFER_BYTES + PAGE_BYTES];
        Self { stack, how, buffer }
    }

    fn work(mut self) -> Result<()> {
        while let Some(job) = self.stack.pop() {
            let outcome = match job {
                Job::Directory(pair) => self.directory(&pair),
                Job::Files(pair, names) => self.files(&pair, &names),
            };
            self.stack.done(outcome.is_ok());
            outcome?;
        }
        Ok(())
    }

    fn directory(&mut self, pair: &Arc<Pair>) -> Result<()> {
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
                    let below = Pair::open(&pair.src, &pair.dst, name, name)?;
                    self.stack.push(Job::Directory(Arc::new(below)));
                }
                FileType::RegularFile => {
                    if count == BATCH {
                        let full = std::mem::take(&mut names);
                        self.stack.push(Job::Files(pair.clone(), full));
                        count = 0;
                    }
                    names.extend_from_slice(name.to_bytes_with_nul());
                    count += 1;
                }
                _ => return Err(Errno::OPNOTSUPP),
            }
        }
        self.files(pair, &names)
    }

    fn files(&mut self, pair: &Pair, names: &[u8]) -> Result<()> {
        let mut rest = names;
        while let Ok(name) = CStr::from_bytes_until_nul(rest) {
            self.file(pair, name)?;
            rest = &rest[name.count_bytes() + 1..];
        }
        Ok(())
    }

    fn file(&mut self, pair: &Pair, name: &CStr) -> Result<()> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let src = rustix::fs::openat(&pair.src, name, flags, Mode::empty())?;
        let stat = rustix::fs::fstat(&src)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let mode = Mode::from_raw_mode(stat.st_mode & 0o777);
        let dst = rustix::fs::openat(&pair.dst, name, flags, mode)?;
        match self.how {
            How::Clone => rustix::fs::ioctl_ficlone(&dst, &src),
            How::ReadWrite => self.read_and_write(&src, &dst, stat.st_size.cast_unsigned()),
        }
    }

    /// Buffers that begin at a page are faster, see docs/measurements.md.
    fn read_and_write(&mut self, src: &OwnedFd, dst: &OwnedFd, bytes: u64) -> Result<()> {
        let start = self
            .buffer
            .as_ptr()
            .align_offset(PAGE_BYTES)
            .min(PAGE_BYTES);
        let buffer = &mut self.buffer[start..start + BUFFER_BYTES];
        let mut left = bytes;
        while left > 0 {
            let count = rustix::io::read(src, &mut *buffer)?;
            if count == 0 || rustix::io::write(dst, &buffer[..count])? != count {
                return Err(Errno::IO);
            }
            left = left.saturating_sub(count as u64);
        }
        Ok(())
    }
}
