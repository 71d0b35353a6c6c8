//! Which of the standard descriptors this process was started with.
//!
//! Rust opens `/dev/null` in the place of a standard descriptor that is closed, before `main`: good,
//! because nothing else can get its number then, but a program can no longer tell, and would say
//! that all went well when nobody got what it wrote. So a function looks at it before Rust does.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether text is Unicode where the environment names no character set: on Windows, where the
/// standard library gives a console UTF-16.
pub const SPEAKS_UTF_8: bool = cfg!(windows);

static STDOUT_WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Whether standard output was closed when the process started (`cp --verbose a b >&-`).
///
/// On a system that is none of Unix's it is taken to be open.
pub fn stdout_was_closed() -> bool {
    STDOUT_WAS_CLOSED.load(Ordering::Relaxed)
}

/// `fcntl(1, F_GETFD)`: EBADF is the one way for it to fail.
///
/// # References
///  - [POSIX](https://pubs.opengroup.org/onlinepubs/9799919799/functions/fcntl.html)
#[cfg(unix)]
extern "C" fn look() {
    // SAFETY: F_GETFD takes no argument and touches no memory; that the number may be that of no
    // open file is what is asked.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    STDOUT_WAS_CLOSED.store(flags < 0, Ordering::Relaxed);
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
