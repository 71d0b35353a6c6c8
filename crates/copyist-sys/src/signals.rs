//! Signals that some systems have in addition to SIGINT.

/// Signals to be treated as SIGINT: on Windows SIGBREAK, with which its C library reports Ctrl-Break and the closing
/// of a console window.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/signal)
pub const ALSO_INTERRUPTS: &[i32] = if cfg!(windows) { &[21] } else { &[] };
