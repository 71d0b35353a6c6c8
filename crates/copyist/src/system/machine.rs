//! The machine that copyist runs on, and the process that it is.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::words::code::Code;
use crate::words::facts::Kernel;
use crate::words::method::Os;

/// The result of one call.
pub(crate) type Sys<T> = Result<T, Code>;

/// What a process has used of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    /// How long it has kept processors busy.
    pub(crate) processor_time: Duration,
    /// How often a thread of it gave up its processor to wait for something; `None` where the system doesn't
    /// count that.
    pub(crate) waits: Option<u64>,
}

/// The machine and the process: what they are, may do and have used.
pub(crate) trait Machine: Send + Sync + Sized + 'static {
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
    /// A clock that never goes back, from some moment on (CLOCK_MONOTONIC): what is done at intervals goes by it.
    fn clock(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
    /// Whether the system has copy_file_range and lets this process call it.
    fn has_copy_range(&self) -> Sys<()>;
    /// The processor that this thread is on, where a new thread may be left on that of its maker although others
    /// are free.
    fn processor(&self) -> Option<usize> {
        None
    }
    /// Lets this thread leave that processor, if it is on it.
    fn leave_processor(&self, number: usize) {
        let _ = number;
    }
    /// The kernel's whole version, as the system has it.
    fn release(&self) -> String {
        String::new()
    }
    /// The largest file that this process may make, bytes (RLIMIT_FSIZE).
    fn file_size_limit(&self) -> u64 {
        u64::MAX
    }
}
