//! The machine, and the process that copyist runs in.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::words::code::Code;
use crate::words::facts::Kernel;
use crate::words::method::Os;

/// The result of a system call.
pub(crate) type Sys<T> = Result<T, Code>;

/// The resources that a process has used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// The processor time that it has used.
    pub(crate) processor_time: Duration,
    /// The number of voluntary context switches, in which a thread waited for something; `None` where the system
    /// doesn't count them.
    pub(crate) waits: Option<u64>,
}

/// The machine and the process: their properties, limits and resource usage.
pub(crate) trait Machine: Send + Sync + Sized + 'static {
    /// An open file or directory.
    type Handle: Send + Sync;
    /// Whether calls only simulate changes: see [`dry`](super::dry).
    fn is_dry(&self) -> bool {
        false
    }
    fn os(&self) -> Os;
    fn kernel(&self) -> Kernel;
    /// The umask: read at the first call, without setting it where the system allows that.
    fn umask(&self) -> u32;
    /// Whether the process has the rights of a superuser.
    fn is_privileged(&self) -> bool;
    /// Whether the address space of the process is limited (RLIMIT_AS).
    fn memory_is_limited(&self) -> bool;
    /// The memory that is available without swapping, bytes; page cache counts as available. `None` where it is not
    /// queried.
    fn available_memory(&self) -> Option<u64> {
        None
    }
    /// The most files that the process may have open at a time; `None` if there is no such limit.
    fn open_file_limit(&self) -> Option<u64> {
        None
    }
    /// The resources that this process has used so far.
    fn used(&self) -> Used;
    /// A monotonic clock with an arbitrary start (CLOCK_MONOTONIC), for what is done at intervals.
    fn clock(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
    /// Whether the system has copy_file_range and lets this process call it.
    fn has_copy_range(&self) -> Sys<()>;
    /// The processor that this thread runs on, on systems that may leave a new thread on its creator's processor
    /// although others are idle.
    fn processor(&self) -> Option<usize> {
        None
    }
    /// Moves this thread to another processor, if it is on that one.
    fn leave_processor(&self, number: usize) {
        let _ = number;
    }
    /// The kernel's complete version string.
    fn release(&self) -> String {
        String::new()
    }
    /// The largest file that this process may create, bytes (RLIMIT_FSIZE).
    fn file_size_limit(&self) -> u64 {
        u64::MAX
    }
}
