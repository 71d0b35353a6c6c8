//! Which of the standard descriptors this process was started with.
//!
//! One that is closed is taken by a socket that is connected to nothing before `main`: else the next file
//! to be opened gets its number, and what was meant for a person is written into a copy. Every read and
//! write of such a socket fails, and so does opening it by another name (`/dev/stdin`,
//! `/proc/self/fd/1`). Rust takes `/dev/null`, which reads as an empty file and takes whatever is
//! written: all would seem to go well. So a function looks before Rust does (and where Rust
//! doesn't, see [`crate::c_main`]).

use std::sync::atomic::{AtomicBool, Ordering};

static STDIN_WAS_CLOSED: AtomicBool = AtomicBool::new(false);
static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard input was closed when the process started (`cp -i a b <&-`).
///
/// On a system that is none of Unix's it is taken to be open.
pub fn stdin_was_closed() -> bool {
    STDIN_WAS_CLOSED.load(Ordering::Relaxed)
}

/// Whether standard output was closed when the process started (`cp --verbose a b >&-`).
///
/// On a system that is none of Unix's it is taken to be open.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// `fcntl(fd, F_GETFD)`: EBADF is the one way for it to fail. The number that socket(2) and open(2) give is
/// the lowest that is free, so that in this order it is the one that was found to be.
///
/// # References
///  - [POSIX](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html)
#[cfg(unix)]
extern "C" fn look() {
    for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
        // SAFETY: F_GETFD takes no argument and touches no memory; that the number may be that of no
        // open file is what is asked.
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
        // A sandbox may allow no sockets.
        // SAFETY: the path ends in a zero and lives as long as the program.
        let opened = unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_RDWR) };
        if opened < 0 {
            std::process::abort(); // as Rust does: nobody could be told
        }
    }
}

// SAFETY: what stands in this section is called once by the C runtime before `main`, as a function
// without arguments that matter. `look` needs nothing that is set up later.
#[cfg(unix)]
#[used]
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static LOOK: extern "C" fn() = look;
