//! FreeBSD: errno values and what they mean to the one method that is used there.
//!
//! Source: read(2), write(2). The numbers are those of 4.4BSD, as on macOS.

use super::macos::EINTR;
use super::{Rule, Scope, Verdict};
use crate::words::method::Method::ReadWrite;

/// The rules, first match first.
#[rustfmt::skip] // one rule, one line: this is a table
pub(crate) static RULES: &[Rule] = &[
    Rule::new(ReadWrite, Some(EINTR), Verdict::Retry, Scope::File, "a signal arrived before anything was done"),
    Rule::new(ReadWrite, None, Verdict::Fatal, Scope::File, "there is no other way left: whatever it is, it is real"),
];
