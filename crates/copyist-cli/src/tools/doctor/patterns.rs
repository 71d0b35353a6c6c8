//! Files of known content: each byte is a function of its offset.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;

use copyist::probe::Probe;
use copyist::report::Known;

use crate::tools::work::Work;

/// A file. Bytes outside `data` are zeros that were never written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pattern {
    pub(super) name: &'static str,
    pub(super) len: u64,
    pub(super) data: Vec<Range<u64>>,
    /// It is flushed before it is copied; otherwise it may exist only in the page cache.
    pub(super) is_synced: bool,
    /// The destination exists and is longer.
    pub(super) replaces: bool,
}

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// The size of each write and comparison.
pub(super) const PIECE: usize = 256 << 10;

/// All patterns for a filesystem.
pub(super) fn all(probe: &Probe, left_out: &mut Vec<String>) -> Vec<Pattern> {
    let mut all = sizes(u64::from(probe.dst.block_bytes));
    all.extend(holes());
    let volume = &probe.dst;
    let limit = volume.file_limit.map(|limit| limit.bytes);
    // Where holes have to be read, 4 GiB of them take too long.
    if volume.holes.known == Known::Yes && volume.kind.hole_map_is_sound() {
        if limit.is_none_or(|limit| limit > 4 * GIB + MIB) {
            all.push(limits());
        } else {
            left_out.push("files of more than 4 GiB, which it can't store".to_owned());
        }
    } else {
        left_out.push(
            "a file of more than 4 GiB, around the limits of calls: its holes would be read"
                .to_owned(),
        );
    }
    let fits = |it: &Pattern| {
        volume
            .free_bytes
            .is_none_or(|free| it.allocates() < free / 3)
    };
    let large = all.iter().filter(|it| !fits(it));
    left_out.extend(large.map(|it| format!("{}, for which there is too little space", it.name)));
    all.retain(fits);
    all
}

/// Sizes near blocks, pages and buffers.
fn sizes(block: u64) -> Vec<Pattern> {
    let full = |name, len| Pattern {
        name,
        len,
        data: vec![0..len],
        is_synced: false,
        replaces: false,
    };
    let mut all = vec![
        full("an empty file", 0),
        full("one byte", 1),
        full("a sector less a byte", 511),
        full("a block less a byte", block - 1),
        full("a block", block),
        full("a block and a byte", block + 1),
        full("64 KiB", 64 * KIB),
        full("64 KiB and a byte", 64 * KIB + 1),
        full("256 KiB less a byte", 256 * KIB - 1),
        full("1 MiB and 17 bytes", MIB + 17),
        full("16 MiB and 13 bytes", 16 * MIB + 13),
    ];
    all.push(Pattern {
        is_synced: true,
        ..full("1 MiB and 17 bytes, flushed", MIB + 17)
    });
    all.push(Pattern {
        replaces: true,
        ..full("100,000 bytes over a longer file", 100_000)
    });
    all
}

/// Each is tested before and after a flush: the known bugs of filesystems in reporting holes occur
/// while data is not written back.
fn holes() -> Vec<Pattern> {
    let islands = (0..64).map(|n| n * 64 * KIB..n * 64 * KIB + 4 * KIB);
    let shapes: [(&str, &str, u64, Vec<Range<u64>>); 6] = [
        (
            "a hole first",
            "a hole first, flushed",
            MIB,
            vec![512 * KIB..MIB],
        ),
        (
            "a hole in the middle",
            "a hole in the middle, flushed",
            MIB,
            vec![0..256 * KIB, 768 * KIB..MIB],
        ),
        (
            "a hole last",
            "a hole last, flushed",
            MIB + 5,
            vec![0..64 * KIB],
        ),
        (
            "nothing but a hole",
            "nothing but a hole, flushed",
            MIB,
            Vec::new(),
        ),
        (
            "64 separate ranges of data",
            "64 separate ranges of data, flushed",
            4 * MIB,
            islands.collect(),
        ),
        (
            "unaligned data",
            "unaligned data, flushed",
            300_001,
            vec![4097..9000, 200_001..200_004],
        ),
    ];
    let both = shapes.into_iter().flat_map(|(dirty, synced, len, data)| {
        [(dirty, false), (synced, true)].map(|(name, is_synced)| Pattern {
            name,
            len,
            data: data.clone(),
            is_synced,
            replaces: false,
        })
    });
    both.collect()
}

/// Near 1 GiB (the most that one call is asked for), 2 GiB (the most that some calls return) and
/// 4 GiB (the limit of 32 bits).
fn limits() -> Pattern {
    let around = |at: u64| at - 4 * KIB..at + 4 * KIB;
    Pattern {
        name: "more than 4 GiB, mostly holes",
        len: 4 * GIB + 64 * KIB + 1,
        data: vec![
            0..4 * KIB,
            around(GIB),
            around(2 * GIB),
            around(4 * GIB),
            4 * GIB + 64 * KIB..4 * GIB + 64 * KIB + 1,
        ],
        is_synced: true,
        replaces: false,
    }
}

/// The byte at an offset. It is never 0, so that a hole in its place is found, and it differs from the
/// next byte and from those one block and one piece later.
pub(super) const fn byte(offset: u64) -> u8 {
    let mixed = (offset ^ (offset >> 12)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed >> 56) % 255) as u8 + 1
}

impl Pattern {
    pub(super) fn write(&self, path: &Path, work: &Work) -> io::Result<()> {
        let mut file = File::create(path)?;
        file.set_len(self.len)?;
        let mut piece = vec![0; PIECE];
        for range in &self.data {
            let mut at = range.start;
            file.seek(SeekFrom::Start(at))?;
            while at < range.end {
                work.check_time()?;
                let now = (range.end - at).min(PIECE as u64) as usize;
                self.fill(at, &mut piece[..now]);
                file.write_all(&piece[..now])?;
                at += now as u64;
            }
        }
        if self.is_synced {
            file.sync_all()?;
        }
        Ok(())
    }

    fn allocates(&self) -> u64 {
        self.data.iter().map(|range| range.end - range.start).sum()
    }

    /// Fills a piece with the content at `offset`.
    pub(super) fn fill(&self, offset: u64, piece: &mut [u8]) {
        piece.fill(0);
        let end = offset + piece.len() as u64;
        for range in &self.data {
            for at in range.start.max(offset)..range.end.min(end) {
                piece[(at - offset) as usize] = byte(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_is_where_it_is_said_to_be_and_zeros_elsewhere() {
        for pattern in sizes(4096).iter().chain(&holes()) {
            let mut piece = vec![7; pattern.len as usize];
            pattern.fill(0, &mut piece);
            for (at, &found) in piece.iter().enumerate() {
                let is_data = pattern.data.iter().any(|it| it.contains(&(at as u64)));
                assert_eq!(found != 0, is_data, "{} at {at}", pattern.name);
            }
            let mut end = vec![7; piece.len() / 2];
            pattern.fill((piece.len() - end.len()) as u64, &mut end);
            assert!(piece.ends_with(&end), "{}", pattern.name);
        }
    }

    #[test]
    fn what_is_elsewhere_is_something_else() {
        for distance in [1, 512, 4096, 65536, 1 << 20, 1 << 30] {
            let same = (0..1000).filter(|&at| byte(at) == byte(at + distance));
            assert!(same.count() < 100, "{distance}");
        }
    }
}
