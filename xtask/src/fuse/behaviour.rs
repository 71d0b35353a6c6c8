//! How the filesystem misbehaves: latency, lies, and faults at a chosen request.

use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use clap::ValueEnum;
use rustix::fs::Timespec;
use rustix::io::Errno;

/// The requests that can be delayed and failed, named as in the FUSE protocol.
///
/// `forget` and `release` are missing on purpose: nobody waits for their answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Op {
    Lookup,
    Getattr,
    Setattr,
    Readlink,
    Mknod,
    Mkdir,
    Unlink,
    Rmdir,
    Symlink,
    Rename,
    Link,
    Open,
    Create,
    Read,
    Write,
    Flush,
    Fsync,
    Opendir,
    Readdir,
    Statfs,
    Setxattr,
    Getxattr,
    Listxattr,
    Removexattr,
    Lseek,
    CopyFileRange,
}

/// What was asked for on the command line.
#[derive(Debug)]
pub(super) struct Behaviour {
    pub(super) latency: Duration,
    pub(super) lie_holes: bool,
    pub(super) corrupt_copies: bool,
    pub(super) fold_case: bool,
    /// Transfers move a part of what they are asked for.
    pub(super) short: bool,
    /// What was written can't be opened to be read until it was closed, and this many tries failed.
    pub(super) late: Option<u64>,
    /// The size that is reported of every regular file.
    pub(super) stat_size: Option<u64>,
    /// Times are kept in whole seconds.
    pub(super) whole_seconds: bool,
    pub(super) faults: Vec<Fault>,
}

impl Behaviour {
    /// How much of so many bytes a request moves: all, or a third and one more, so that no multiple
    /// of anything is met by chance.
    pub(super) fn moves(&self, bytes: usize) -> usize {
        if self.short {
            bytes.min(bytes / 3 + 1)
        } else {
            bytes
        }
    }

    /// What is kept of a time. UTIME_NOW and UTIME_OMIT are no times.
    pub(super) fn keeps(&self, time: Timespec) -> Timespec {
        let is_time = (0..1_000_000_000).contains(&time.tv_nsec);
        let tv_nsec = if self.whole_seconds && is_time {
            0
        } else {
            time.tv_nsec
        };
        Timespec { tv_nsec, ..time }
    }

    /// Every request passes here first: it waits for the latency, and then may fail on purpose.
    pub(super) fn enter(&self, op: Op) -> Result<(), Errno> {
        if !self.latency.is_zero() {
            thread::sleep(self.latency);
        }
        // All faults of this kind count the request, so that two of them can fail two requests.
        let due = self
            .faults
            .iter()
            .filter(|fault| fault.op == op)
            .filter(|fault| fault.is_due());
        match due.map(|fault| fault.errno).last() {
            Some(errno) => Err(errno),
            None => Ok(()),
        }
    }
}

/// Fails the `nth` request of a kind, or every one from the `nth` on.
#[derive(Debug)]
pub(super) struct Fault {
    op: Op,
    errno: Errno,
    nth: u64,
    and_later: bool,
    seen: AtomicU64,
}

impl Fault {
    fn is_due(&self) -> bool {
        let number = self.seen.fetch_add(1, Ordering::Relaxed) + 1;
        number == self.nth || (self.and_later && number > self.nth)
    }
}

/// clap keeps parsed values by cloning them; a clone has seen nothing yet.
impl Clone for Fault {
    fn clone(&self) -> Self {
        let Self {
            op,
            errno,
            nth,
            and_later,
            seen: _,
        } = *self;
        Self {
            op,
            errno,
            nth,
            and_later,
            seen: AtomicU64::new(0),
        }
    }
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(':').collect();
        let [op, errno, nth] = parts[..] else {
            return Err(format!("`{text}` is not OP:ERRNO:N"));
        };
        let op = Op::from_str(op, true).map_err(|_| format!("no request is called `{op}`"))?;
        let (nth, and_later) = match nth.strip_suffix('+') {
            Some(nth) => (nth, true),
            None => (nth, false),
        };
        let nth: u64 = nth
            .parse()
            .map_err(|_| format!("`{nth}` is not a number"))?;
        if nth == 0 {
            return Err("requests are counted from 1".into());
        }
        Ok(Self {
            op,
            errno: errno_named(errno)?,
            nth,
            and_later,
            seen: AtomicU64::new(0),
        })
    }
}

/// The codes worth injecting into a copy; any other one can be given as a number.
const ERRNOS: &[(&str, Errno)] = &[
    ("EACCES", Errno::ACCESS),
    ("EAGAIN", Errno::AGAIN),
    ("EBADF", Errno::BADF),
    ("EBUSY", Errno::BUSY),
    ("EDQUOT", Errno::DQUOT),
    ("EEXIST", Errno::EXIST),
    ("EFBIG", Errno::FBIG),
    ("EINTR", Errno::INTR),
    ("EINVAL", Errno::INVAL),
    ("EIO", Errno::IO),
    ("ENODATA", Errno::NODATA),
    ("ENOENT", Errno::NOENT),
    ("ENOMEM", Errno::NOMEM),
    ("ENOSPC", Errno::NOSPC),
    ("ENOSYS", Errno::NOSYS),
    ("ENXIO", Errno::NXIO),
    ("EOPNOTSUPP", Errno::OPNOTSUPP),
    ("EPERM", Errno::PERM),
    ("EROFS", Errno::ROFS),
    ("ESTALE", Errno::STALE),
    ("ETIMEDOUT", Errno::TIMEDOUT),
    ("ETXTBSY", Errno::TXTBSY),
    ("EXDEV", Errno::XDEV),
];

fn errno_named(name: &str) -> Result<Errno, String> {
    if let Some((_, errno)) = ERRNOS.iter().find(|(known, _)| *known == name) {
        return Ok(*errno);
    }
    match name.parse() {
        Ok(code @ 1..=4095) => Ok(Errno::from_raw_os_error(code)),
        _ => Err(format!(
            "`{name}` is not an error code that xtask knows; give its number"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(fault: &str, requests: usize) -> Vec<bool> {
        let faults = vec![fault.parse().expect("a fault")];
        let behaviour = Behaviour {
            latency: Duration::ZERO,
            lie_holes: false,
            corrupt_copies: false,
            fold_case: false,
            short: false,
            late: None,
            stat_size: None,
            whole_seconds: false,
            faults,
        };
        (0..requests)
            .map(|_| behaviour.enter(Op::Write).is_ok())
            .collect()
    }

    #[test]
    fn the_nth_request_fails_once() {
        assert_eq!(outcomes("write:EIO:2", 4), [true, false, true, true]);
    }

    #[test]
    fn a_plus_fails_all_that_follow() {
        assert_eq!(outcomes("write:ENOSPC:3+", 4), [true, true, false, false]);
    }

    #[test]
    fn other_requests_are_not_counted() {
        assert_eq!(outcomes("read:EIO:1+", 2), [true, true]);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "write",
            "write:EIO",
            "wrote:EIO:1",
            "write:EWHAT:1",
            "write:EIO:0",
            "write:5:x",
        ] {
            assert!(text.parse::<Fault>().is_err(), "{text} was accepted");
        }
        assert_eq!(
            "write:5:1".parse::<Fault>().expect("a number").errno,
            Errno::IO
        );
    }
}
