//! Reading the values of options.

use std::ffi::{OsStr, OsString};

use super::values::Stop;
use crate::args::argmatch::argmatch;
use crate::words::quoting::Quoter;

/// The value from a list.
pub(super) fn choose<T: Copy + PartialEq>(
    quoter: Quoter,
    context: &str,
    value: &OsStr,
    choices: &[(&str, T)],
) -> Result<T, Stop> {
    argmatch(quoter, context, value, choices).map_err(Stop::Usage)
}

/// The parts of a comma-separated list. What is not UTF-8 is one part, which no list contains.
pub(super) fn list(value: &OsStr) -> Vec<OsString> {
    match value.to_str() {
        Some(text) => text.split(',').map(OsString::from).collect(),
        None => vec![value.to_owned()],
    }
}
