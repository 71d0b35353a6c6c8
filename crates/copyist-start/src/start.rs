//! How a program starts with the GNU C library: by C's own `main`.
//!
//! Rust's `main` first looks for the bounds of the stack, for which that library reads
//! `/proc/self/maps`, and prepares to tell of an overflow. In a program that copies one small file
//! that is a tenth of its whole time (docs/measurements.md). The standard library works without it, as
//! it does in a C program that calls a library in Rust; what else Rust does before `main`
//! ([`crate::stdout_was_closed`] has the standard descriptors) is done here.

/// Makes a function without arguments, which answers an exit code, what the program runs. It needs
/// `#![no_main]` in the same cases: see the condition that it is compiled under.
///
/// An overflow of the stack ends the process by SIGSEGV instead of SIGABRT and a message. A panic exits
/// with 101, as usual.
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

/// Runs a program's main function in the state that Rust programs are run in.
pub fn run(main: fn() -> u8) -> core::ffi::c_int {
    // SAFETY: SIG_IGN is no function, so none runs at a wrong moment. Nothing else has set this signal yet.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    std::panic::catch_unwind(main).map_or(101, i32::from)
}

/// Gives a program C's `pow`, which the standard library calls, so that the library that has it need
/// not be loaded for it: that is a twentieth of the time of such a program.
#[macro_export]
macro_rules! c_pow {
    ($pow:path) => {
        /// C's `pow`.
        // SAFETY: it takes and answers what C's does. Only this program gets it: what it has loaded
        // has been linked to C's, or to none.
        #[unsafe(no_mangle)]
        extern "C" fn pow(base: f64, exponent: f64) -> f64 {
            $pow(base, exponent)
        }
    };
}
