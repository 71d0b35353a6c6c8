//! `Clone` between open files: FICLONE and FICLONERANGE of Linux, and FSCTL_DUPLICATE_EXTENTS_TO_FILE of Windows, for
//! which the destination must be set up first.

use crate::run::clone_flags;
use std::time::Instant;

use super::pace::Pace;
use super::{CALL_BYTES, Shape, Transfer};
use crate::run::step::Stop;
use crate::system::{Move, Platform};
use crate::think::rules;
use crate::words::method::Os;

/// The range of one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    /// The length that is passed to the call, bytes.
    len: u64,
    /// How many bytes of the file that covers.
    bytes: u64,
}

/// The next piece of data that ends at `end`, of at most `most` bytes. On Windows it ends at a cluster: the last one
/// is rounded up, beyond the end of the file.
fn piece(os: Os, offset: u64, end: u64, most: u64, cluster: u64) -> Piece {
    let bytes = most.min(end.saturating_sub(offset));
    let len = match os {
        Os::Windows => bytes.next_multiple_of(cluster.max(1)),
        _ => bytes,
    };
    Piece { len, bytes }
}

impl<P: Platform> Transfer<'_, P> {
    /// Shares the extents: all at once, or in pieces where there are many, since the time of a clone is proportional
    /// to the number of extents. Only what lies within the destination's new length counts as shared: the call may
    /// return success for a part (OpenZFS issue 15728).
    pub(super) fn clone_extents(&mut self) -> Result<(), Stop> {
        let Shape {
            size, data_bytes, ..
        } = self.shape;
        if self.platform.os() == Os::Windows {
            return self.clone_clusters();
        }
        if self.state.offset > 0 || data_bytes > CALL_BYTES {
            return self.clone_pieces();
        }
        let cloned = self.clone_call(Move::CloneFile, size)?;
        self.advance(cloned)
    }

    /// One clone; if it fails because the files differ in NOCOW, a second one after matching that flag. Checking the
    /// flag first would cost every small file two calls.
    fn clone_call(&mut self, how: Move, len: u64) -> Result<u64, Stop> {
        match self.call(how, len) {
            Err(Stop::Code { code, .. })
                if self.state.offset == 0
                    && rules::is_nocow_mismatch(self.platform.os(), code)
                    && clone_flags::match_for_clone(self.platform, self.src, self.dst)
                        .is_some() =>
            {
                self.call(how, len)
            }
            result => result,
        }
    }

    /// Shares the ranges of data. Holes are skipped: one of 2^63 bytes would take billions of calls.
    fn clone_pieces(&mut self) -> Result<(), Stop> {
        let os = self.platform.os();
        let mut pace = Pace::of_clones(os, self.shape.size);
        while let Some(end) = self.next_data()? {
            while self.state.offset < end {
                let (offset, cluster) = (self.state.offset, self.shape.block_bytes as u64);
                let piece = piece(os, offset, end, pace.call_bytes(), cluster);
                let start = Instant::now();
                let cloned = self.clone_call(Move::CloneRange, piece.len)?;
                pace.took(start.elapsed());
                let cloned = cloned.min(piece.bytes);
                self.advance(cloned)?;
                if cloned < piece.bytes {
                    return Ok(());
                }
            }
        }
        self.finish()
    }

    /// ReFS shares only between files that agree in the sparse and the integrity flag, and only within the
    /// destination's length. If it refuses, the destination is restored.
    fn clone_clusters(&mut self) -> Result<(), Stop> {
        let before = clone_flags::match_for_clone(self.platform, self.src, self.dst);
        let result = self
            .set_len(self.shape.size)
            .and_then(|()| self.clone_pieces());
        if result.is_err() {
            self.set_len(self.state.offset)?;
            if self.state.offset == 0 {
                clone_flags::restore(self.platform, self.dst, before);
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const GIB: u64 = 1 << 30;

    /// The pieces of a whole file, on a volume where cloning takes no time.
    fn pieces(os: Os, size: u64, cluster: u64) -> Vec<(u64, Piece)> {
        let mut pace = Pace::of_clones(os, size);
        let mut offset = 0;
        let mut pieces = Vec::new();
        while offset < size {
            let piece = piece(os, offset, size, pace.call_bytes(), cluster);
            pace.took(Duration::ZERO);
            pieces.push((offset, piece));
            offset += piece.bytes;
        }
        pieces
    }

    #[test]
    fn clusters_are_never_split() {
        for cluster in [4 << 10, 64 << 10] {
            for size in [
                1,
                cluster - 1,
                cluster,
                cluster + 1,
                CALL_BYTES - 1,
                CALL_BYTES,
                CALL_BYTES + 1,
                5 * GIB + 123,
            ] {
                let pieces = pieces(Os::Windows, size, cluster);
                for (offset, piece) in &pieces {
                    assert!(offset.is_multiple_of(cluster), "{size} {cluster} {offset}");
                    assert!(
                        piece.len.is_multiple_of(cluster),
                        "{size} {cluster} {piece:?}"
                    );
                    assert!(piece.len < 4 * GIB && piece.bytes <= piece.len);
                }
                let (last, piece) = pieces[pieces.len() - 1];
                assert_eq!(last + piece.len, size.next_multiple_of(cluster));
                assert_eq!(last + piece.bytes, size);
            }
        }
    }

    #[test]
    fn elsewhere_a_piece_ends_with_the_file() {
        let pieces = pieces(Os::Linux, CALL_BYTES + 5, 4096);
        assert_eq!(
            pieces,
            [
                (
                    0,
                    Piece {
                        len: CALL_BYTES,
                        bytes: CALL_BYTES
                    }
                ),
                (CALL_BYTES, Piece { len: 5, bytes: 5 })
            ]
        );
    }
}
