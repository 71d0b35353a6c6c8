//! What some systems have for SIGINT besides it.

/// Signals that are to be understood as SIGINT: on Windows SIGBREAK, by which its C library tells of
/// Ctrl-Break and of a console window that is closed.
///
/// # References
///  - [Microsoft](https://learn.microsoft.com/en-us/cpp/c-runtime-library/reference/signal)
pub const ALSO_INTERRUPTS: &[i32] = if cfg!(windows) { &[21] } else { &[] };
