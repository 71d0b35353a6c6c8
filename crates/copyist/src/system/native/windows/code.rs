//! Error codes of Windows' calls.

use crate::words::code::Code;

pub(super) fn code(error: i32) -> Code {
    Code(error)
}
