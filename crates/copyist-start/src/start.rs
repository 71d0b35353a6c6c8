//! How a program starts with the GNU C library: by C's own `main`.
//!
//! Rust's `main` first determines the bounds of the stack, for which glibc reads `/proc/self/maps`, and installs a
//! handler that reports an overflow. In a program that copies one small file that is a tenth of its whole time
//! (docs/measurements.md). The standard library works without it, as it does in a C program that calls a library in
//! Rust; what else Rust does before `main` ([`crate::stdout_was_closed`] covers the standard descriptors) is done
//! here.

/// Makes a function without arguments, which returns an exit code, the program's main function. It needs
/// `#![no_main]` in the same cases: see the condition that it is compiled under.
///
/// A stack overflow ends the process by SIGSEGV, not by SIGABRT and a message. After a panic the exit code is 101, as
/// usual.
#[macro_export]
macro_rules! c_main {
    ($main:path) => {
        /// C's `main`.
        // SAFETY: no other function has this name: `#![no_main]` leaves it to this one.
        #[unsafe(no_mangle)]
        extern "C" fn main() -> ::core::ffi::c_int {
            $crate::start::run($main)
        }
    };
}

/// Runs a program's main function with the signal dispositions of a Rust program.
pub fn run(main: fn() -> u8) -> core::ffi::c_int {
    // SAFETY: SIG_IGN is not a function, so no handler can run. Nothing else has set this signal yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    std::panic::catch_unwind(main).map_or(101, i32::from)
}

/// Defines C's `pow`, which the standard library calls, so that libm need not be loaded for it: that takes a
/// twentieth of the time of such a program.
#[macro_export]
macro_rules! c_pow {
    ($pow:path) => {
        /// C's `pow`.
        // SAFETY: it has the signature of C's function. Only this program uses it: the libraries that it has loaded
        // are linked to C's, or to none.
        #[unsafe(no_mangle)]
        extern "C" fn pow(base: f64, exponent: f64) -> f64 {
            $pow(base, exponent)
        }
    };
}
