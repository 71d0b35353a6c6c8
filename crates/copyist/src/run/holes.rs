//! Which ranges of a file are data, by its filesystem's map, and which blocks are all zeros.

use std::ops::Range;

use crate::system::{Platform, Seek};

/// The next data at or after `offset`, within `end`; `None` if only a hole is left.
///
/// If the filesystem can't say, everything counts as data: a hole is an optimisation, and no byte is lost for one.
pub(crate) fn next_data<P: Platform>(
    platform: &P,
    src: &P::Handle,
    offset: u64,
    end: u64,
) -> Option<Range<u64>> {
    let Ok(found) = platform.seek(src, offset, Seek::Data) else {
        return Some(offset..end);
    };
    let start = found?.max(offset);
    if start >= end {
        return None;
    }
    let stop = match platform.seek(src, start, Seek::Hole) {
        Ok(Some(hole)) if hole > start => hole.min(end),
        _ => end,
    };
    Some(start..stop)
}

/// The next run of blocks in `data` that are all zeros (`true`) or not (`false`), from `from` on.
///
/// A partial block at the end counts as one: the file's length is set separately.
pub(crate) fn next_run(data: &[u8], from: usize, block: usize) -> (Range<usize>, bool) {
    let block_at = |at: usize| &data[at..data.len().min(at + block)];
    let zero = is_zero(block_at(from));
    let mut end = from + block_at(from).len();
    while end < data.len() && is_zero(block_at(end)) == zero {
        end += block_at(end).len();
    }
    (from..end, zero)
}

/// Whether every byte is 0.
fn is_zero(data: &[u8]) -> bool {
    // The first byte decides for almost every block of data; the compiler vectorises the rest.
    data.first().is_none_or(|&byte| byte == 0) && data.iter().fold(0, |all, &byte| all | byte) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(data: &[u8], block: usize) -> Vec<(Range<usize>, bool)> {
        let mut runs = Vec::new();
        let mut at = 0;
        while at < data.len() {
            let (run, zero) = next_run(data, at, block);
            at = run.end;
            runs.push((run, zero));
        }
        runs
    }

    #[test]
    fn runs_of_zeros_are_whole_blocks() {
        assert_eq!(runs(&[0; 8], 4), [(0..8, true)]);
        assert_eq!(
            runs(&[0, 0, 0, 1, 0, 0, 0, 0], 4),
            [(0..4, false), (4..8, true)]
        );
        assert_eq!(runs(&[0, 0, 0, 0, 0, 0], 4), [(0..6, true)]);
        assert_eq!(runs(&[0, 0, 0, 0, 0, 7], 4), [(0..4, true), (4..6, false)]);
        assert_eq!(runs(&[], 4), []);
    }
}
