//! The source, looked at again when it has been copied.

use super::{FileError, Source, explain_stop, size_counts};
use crate::buffers::BUFFER_BYTES;
use crate::error::Operation;
use crate::facts::Facts;
use crate::method::Method;
use crate::plan::SMALL_BYTES;
use crate::platform::Platform;
use crate::report::{Changed, Report};
use crate::transfer::Transfer;

/// Looks at the source again: one that has changed is reported, and what a hole at its old end
/// would pad is cut off.
pub(super) fn source<P: Platform>(
    platform: &P,
    src: &Source<P>,
    facts: &Facts,
    transfer: &mut Transfer<'_, P>,
    report: &mut Report,
) -> Result<(), FileError> {
    let size = facts.src.size;
    // One call that asks for more and ends where it should has seen the end; a clone is of one moment.
    let at_once = match report.method() {
        Some(Method::ReadWrite) => size < BUFFER_BYTES as u64 && report.attempts.len() == 1,
        Some(Method::CopyRange) => size <= SMALL_BYTES && report.attempts.len() == 1,
        Some(Method::Clone) => true,
        _ => false,
    };
    if !size_counts(facts) || (at_once && transfer.offset() == size) {
        return Ok(());
    }
    let now = platform
        .stat_open(&src.handle)
        .map_err(|code| FileError::system(Operation::StatSource, code))?;
    if now.size < transfer.offset() {
        let padding = transfer
            .cut_padding(now.size)
            .map_err(|stop| explain_stop(stop, None, transfer.offset()))?;
        uncount(report, padding);
    }
    // A read that says "the end" before the size that is still there has lost something, or the
    // size has never been true: nobody can tell, but nobody is left to believe that all is there.
    let size_after = now.size.min(transfer.offset());
    let size_after = if size_after < size {
        size_after
    } else {
        now.size
    };
    if size_after != size || now.modified != src.stat.modified {
        report.changed = Some(Changed {
            size_before: size,
            size_after,
        });
    }
    Ok(())
}

/// Takes holes at the end of the copy back, which several attempts may have passed over.
fn uncount(report: &mut Report, padding: u64) {
    let mut left = padding;
    for attempt in report.attempts.iter_mut().rev() {
        let cut = left.min(attempt.holes);
        attempt.holes -= cut;
        left -= cut;
        attempt.offset -= left; // the rest was passed over before this attempt began
    }
}
