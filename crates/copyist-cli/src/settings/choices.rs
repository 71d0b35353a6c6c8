//! Reading the values of options.

use std::ffi::{OsStr, OsString};

use super::values::Stop;
use crate::args::argmatch::argmatch;
use crate::words::quoting::Quoter;

/// The value out of a list.
pub(super) fn choose<T: Copy + PartialEq>(
    quoter: Quoter,
    context: &str,
    value: &OsStr,
    choices: &[(&str, T)],
) -> Result<T, Stop> {
    argmatch(quoter, context, value, choices).map_err(Stop::Usage)
}

/// The parts of a list with commas. No name in any of our lists has other than ASCII characters,
/// so what is not UTF-8 is refused as one part.
pub(super) fn list(value: &OsStr) -> Vec<OsString> {
    match value.to_str() {
        Some(text) => text.split(',').map(OsString::from).collect(),
        None => vec![value.to_owned()],
    }
}
