//! Which of the standard descriptors this process was started with.
//!
//! One that is closed is given `/dev/null` before `main`: else the next file to be opened gets its
//! number, and what was meant for a person is written into a copy. Rust does the same, but then a
//! program can no longer tell, and would say that all went well when nobody got what it wrote. So a
//! function looks before Rust does (and where Rust doesn't, see [`crate::c_main`]).

use std::sync::atomic::{AtomicBool, Ordering};

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard output was closed when the process started (`cp --verbose a b >&-`).
///
/// On a system that is none of Unix's it is taken to be open.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// `fcntl(fd, F_GETFD)`: EBADF is the one way for it to fail. The number that open(2) gives is the lowest
/// that is free, so that in this order it is the one that was found to be.
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
        if standard == libc::STDOUT_FILENO {
            STDOUT_WAS_CLOSED.store(true, Ordering::Relaxed);
        }
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
