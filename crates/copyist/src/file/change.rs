//! Sources that change while they are copied.

use std::time::Duration;

use super::copier::FileCopier;
use super::failure::{FileError, explain_stop};
use super::source::Source;
use crate::run::buffers::BUFFER_BYTES;
use crate::run::step::Stop;
use crate::run::transfer::Transfer;
use crate::system::Platform;
use crate::think::plan::SMALL_BYTES;
use crate::words::code::Code;
use crate::words::error::{Operation, Refusal};
use crate::words::facts::Facts;
use crate::words::method::Method;
use crate::words::options::{OnChange, Options};
use crate::words::report::{Changed, Report};
use crate::words::stat::{FileKind, Stat, Timestamp};

/// The number of times a changing source is copied again ([`OnChange::Retry`]).
pub(crate) const CHANGE_RETRIES: u32 = 3;

/// The time for which a change may not show after another one: file times are those of the kernel's tick, up to 10 ms
/// (before Linux 6.13, and on filesystems without finer timestamps).
const TICK: Duration = Duration::from_millis(20);

/// The same on a filesystem that stores whole seconds, or (FAT) every second one. Such times have no fraction; others
/// nearly always have one.
const COARSE_TICK: Duration = Duration::from_secs(2);

impl<P: Platform> FileCopier<'_, P> {
    /// Handles a source that has changed as the options say. Returns whether to copy it again.
    pub(super) fn copies_again(
        &self,
        report: &Report,
        retries: &mut u32,
    ) -> Result<bool, FileError> {
        if report.changed.is_none() {
            return Ok(false);
        }
        match self.options.on_change {
            OnChange::Report => Ok(false),
            OnChange::Fail => Err(FileError::refused(Refusal::Changed)),
            OnChange::Retry => {
                *retries += 1;
                Ok(*retries <= CHANGE_RETRIES)
            }
        }
    }

    /// A source that was modified just now could be modified again without a new timestamp. Where that matters, waits
    /// until a change would show.
    pub(super) fn wait_for_ctime_tick(&self, src: &mut Source<P>) -> Result<(), FileError> {
        match self.options.on_change {
            OnChange::Report => Ok(()),
            OnChange::Fail | OnChange::Retry => self.wait_if_fresh(src),
        }
    }

    fn wait_if_fresh(&self, src: &mut Source<P>) -> Result<(), FileError> {
        let tick = tick_of(src.stat.changed);
        if src.stat.kind == FileKind::Regular && is_fresh(src.stat.changed, Timestamp::now(), tick)
        {
            std::thread::sleep(tick);
            look_again(self.platform, src)?;
        }
        Ok(())
    }
}

/// Whether the source differs from what it was when its copy began.
pub(super) fn has_changed(options: &Options, before: &Stat, now: &Stat) -> bool {
    let strict = options.on_change != OnChange::Report;
    now.modified != before.modified
        || now.size != before.size
        || strict && now.changed != before.changed
}

/// Examines the source again. A change is reported, and what a hole at the old end would pad is truncated.
pub(super) fn check_source<P: Platform>(
    (platform, options): (&P, &Options),
    src: &Source<P>,
    facts: &Facts,
    shown: &mut Shown<'_, '_, P>,
) -> Result<(), FileError> {
    let Shown { transfer, report } = shown;
    let size = facts.src.size;
    // A single call that requests more than the size, and ends at the size, has seen the end; a clone is of one
    // moment.
    let at_once = match report.method() {
        _ if options.on_change != OnChange::Report => false,
        Some(Method::ReadWrite) => size < BUFFER_BYTES as u64 && report.attempts.len() == 1,
        Some(Method::CopyRange) => size <= SMALL_BYTES && report.attempts.len() == 1,
        Some(Method::Clone) => true,
        _ => false,
    };
    if !facts.size_counts() || (at_once && transfer.offset() == size) {
        return Ok(());
    }
    let now = platform
        .stat_open(&src.handle)
        .map_err(|code| FileError::system(Operation::StatSource, code))?;
    // Data that was read is content, whatever stat reports. A hole was skipped by the source's old size.
    if now.size < transfer.offset() && transfer.shape.holes.use_map() {
        let padding = transfer
            .cut_padding(now.size)
            .map_err(|stop| explain_stop(stop, None, transfer.offset()))?;
        uncount(report, padding);
    }
    if has_changed(options, &src.stat, &now) {
        let copied = transfer.offset();
        report.changed = Some(Changed {
            size_before: size,
            size_after: if copied < size { copied } else { now.size },
        });
        return Ok(());
    }
    // Where reads are limited by the size that stat reports, an end before that size has lost data.
    if transfer.offset() < size && transfer.shape.size_is_sound {
        return Err(ended_early(transfer.offset()));
    }
    Ok(())
}

/// The source ended before its size, and its times don't show a change.
pub(super) fn ended_early(offset: u64) -> FileError {
    let stop = Stop::Code {
        operation: Operation::Read,
        code: Code::NO_PROGRESS,
    };
    explain_stop(stop, None, offset)
}

/// A transfer, and its part of the report.
pub(super) struct Shown<'s, 'a, P: Platform> {
    pub(super) transfer: &'s mut Transfer<'a, P>,
    pub(super) report: &'s mut Report,
}

pub(super) fn look_again<P: Platform>(platform: &P, src: &mut Source<P>) -> Result<(), FileError> {
    src.stat = platform
        .stat_open(&src.handle)
        .map_err(|code| FileError::system(Operation::StatSource, code))?;
    Ok(())
}

fn tick_of(changed: Timestamp) -> Duration {
    if changed.nanos == 0 {
        COARSE_TICK
    } else {
        TICK
    }
}

fn is_fresh(changed: Timestamp, now: Timestamp, tick: Duration) -> bool {
    let nanos = |time: Timestamp| i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos);
    let age = nanos(now) - nanos(changed);
    (0..tick.as_nanos().cast_signed()).contains(&age)
}

/// Discounts holes at the end of the copy, which several attempts may have skipped.
fn uncount(report: &mut Report, padding: u64) {
    let mut left = padding;
    for attempt in report.attempts.iter_mut().rev() {
        let cut = left.min(attempt.holes);
        attempt.holes -= cut;
        left -= cut;
        attempt.offset -= left; // the rest was skipped before this attempt began
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fresh_is_younger_than_a_tick() {
        let at = |nanos| Timestamp { seconds: 10, nanos };
        assert!(is_fresh(at(5_000_000), at(5_000_000), TICK));
        assert!(is_fresh(at(5_000_000), at(24_999_999), TICK));
        assert!(!is_fresh(at(5_000_000), at(25_000_000), TICK));
        assert!(
            !is_fresh(at(5_000_001), at(5_000_000), TICK),
            "another machine's clock"
        );
        assert_eq!(tick_of(at(5_000_000)), TICK);
        assert_eq!(tick_of(at(0)), COARSE_TICK, "whole seconds");
    }
}
