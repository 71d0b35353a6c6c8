//! Which standard descriptors were open when this process was started.
//!
//! Before `main`, a closed one is replaced by an unconnected socket: otherwise the next file to be opened would get
//! its number, and messages would be written into a copy. Every read and write of such a socket fails, and so does
//! opening it by another name (`/dev/stdin`, `/proc/self/fd/1`). Rust opens `/dev/null` instead, which reads as an
//! empty file and accepts every write, so that no error would be reported. So this runs before Rust's own check (or,
//! where Rust has none, see [`crate::c_main`]).

use std::sync::atomic::{AtomicBool, Ordering};

static STDIN_WAS_CLOSED: AtomicBool = AtomicBool::new(false);
static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard input was closed when the process started (`cp -i a b <&-`).
///
/// On systems other than Unix it counts as open.
pub fn stdin_was_closed() -> bool {
    STDIN_WAS_CLOSED.load(Ordering::Relaxed)
}

/// Whether standard output was closed when the process started (`cp --verbose a b >&-`).
///
/// On systems other than Unix it counts as open.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// `fcntl(fd, F_GETFD)`, which can fail with EBADF only. socket(2) and open(2) return the lowest free number, so in
/// this order they return the one that was found closed.
///
/// # References
///  - [POSIX](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html)
#[cfg(unix)]
extern "C" fn look() {
    for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: F_GETFD takes no argument and touches no memory; the number may be that of no open file, which is
        // what is checked.
        let is_closed = unsafe { libc::fcntl(standard, libc::F_GETFD) } < 0;
        if !is_closed {
            continue;
        }
        match standard {
            libc::STDIN_FILENO => STDIN_WAS_CLOSED.store(true, Ordering::Relaxed),
            libc::STDOUT_FILENO => STDOUT_WAS_CLOSED.store(true, Ordering::Relaxed),
            _ => {}
        }
        // SAFETY: the call takes three numbers.
        let socket = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM, 0) };
        if socket >= 0 {
            continue;
        }
        // A sandbox may forbid sockets.
        // SAFETY: the path ends in a zero and lives as long as the program.
        let opened = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        if opened < 0 {
            std::process::abort(); // as Rust does: no error could be reported
        }
    }
}

// SAFETY: the functions in this section are called once by the C runtime before `main`, without arguments that `look`
// uses. `look` needs nothing that is initialised later.
#[cfg(unix)]
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;
