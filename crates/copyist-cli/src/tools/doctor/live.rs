//! Files that change while they are copied. How much of a change the copy has is unspecified, but each
//! of its bytes must have been in the file at that offset at some time.
//!
//! There is one exception, which no copier can avoid: while a file is truncated, `read` may return zeros
//! that never were in the file. The kernel reads the size before it copies from the page cache, and
//! zeroes the truncated part of a page without waiting for readers (`filemap_read` in mm/filemap.c,
//! `truncate_inode_partial_folio` in mm/truncate.c). A loop of plain `pread` calls saw it in half of
//! its runs on ext4 and in a tenth on btrfs; not on XFS, where truncation waits for readers. The copy
//! finds at its end that the size has changed, and the file is copied again or reported.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::judge::{Fault, each_piece};
use super::patterns::byte;
use crate::tools::work::Work;

/// How the file changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Its bytes are overwritten repeatedly with one of two values.
    Rewritten,
    /// Data is appended.
    Grows,
    /// It is truncated.
    Shrinks,
}

/// The initial size, in bytes.
const LEN: u64 = 16 << 20;

/// The largest size when it grows, and the smallest when it shrinks.
const MOST: u64 = 48 << 20;
const LEAST: u64 = 5 << 20;

/// The size of each write.
const STEP: usize = 64 << 10;

const TWO: [u8; 2] = [0x41, 0x42];

/// Sets a flag when it is dropped.
struct SetAtEnd<'a>(&'a AtomicBool);

impl Drop for SetAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

impl Change {
    /// The changes that a volume with so many free bytes has space for.
    pub(super) fn all(free_bytes: Option<u64>, left_out: &mut Vec<String>) -> &'static [Change] {
        if free_bytes.is_some_and(|free| free < 3 * MOST) {
            left_out.push(
                "files that change during the copy, for which there is too little space".into(),
            );
            return &[];
        }
        &[Change::Rewritten, Change::Grows, Change::Shrinks]
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Change::Rewritten => "a file that is overwritten during the copy",
            Change::Grows => "a file that grows during the copy",
            Change::Shrinks => "a file that shrinks during the copy",
        }
    }

    pub(super) fn prepare(self, path: &Path, work: &Work) -> io::Result<()> {
        let mut file = File::create(path)?;
        for at in (0..LEN).step_by(STEP) {
            work.check_time()?;
            file.write_all(&self.piece(at, 0))?;
        }
        file.sync_all()
    }

    /// The byte at an offset in the nth pass.
    fn piece(self, offset: u64, n: usize) -> Vec<u8> {
        match self {
            Change::Rewritten => vec![TWO[n % 2]; STEP],
            Change::Grows | Change::Shrinks => (offset..offset + STEP as u64).map(byte).collect(),
        }
    }

    /// Changes the file while `copy` runs.
    pub(super) fn during<T: Send>(
        self,
        path: &Path,
        copy: impl FnOnce() -> T + Send,
    ) -> io::Result<T> {
        let mut file = OpenOptions::new().write(true).open(path)?;
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let changing = scope.spawn(|| self.change(&mut file, &is_over));
            // Also if the copy panics, since the scope waits for the thread.
            let over = SetAtEnd(&is_over);
            let copied = copy();
            drop(over);
            let changed = changing.join();
            changed.unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")))?;
            Ok(copied)
        })
    }

    fn change(self, file: &mut File, is_over: &AtomicBool) -> io::Result<()> {
        let goes_on = || !is_over.load(Ordering::Acquire);
        match self {
            Change::Rewritten => {
                let mut n = 1;
                while goes_on() {
                    for at in (0..LEN).step_by(STEP).take_while(|_| goes_on()) {
                        file.seek(SeekFrom::Start(at))?;
                        file.write_all(&self.piece(at, n))?;
                    }
                    n += 1;
                }
                Ok(())
            }
            Change::Grows => {
                file.seek(SeekFrom::Start(LEN))?;
                for at in (LEN..MOST).step_by(STEP).take_while(|_| goes_on()) {
                    file.write_all(&self.piece(at, 0))?;
                }
                Ok(())
            }
            Change::Shrinks => {
                // In steps, so that some occur during the copy, however fast it is.
                for at in (LEAST..LEN).rev().step_by(STEP).take_while(|_| goes_on()) {
                    file.set_len(at)?;
                }
                Ok(())
            }
        }
    }

    /// Checks the length of a copy, and that each byte was in the file at some time.
    pub(super) fn judge(self, path: &Path, work: &Work) -> io::Result<Option<Fault>> {
        let found = std::fs::metadata(path)?.len();
        let (least, most) = match self {
            Change::Rewritten => (LEN, LEN),
            Change::Grows => (LEN, MOST),
            Change::Shrinks => (LEAST, LEN),
        };
        if !(least..=most).contains(&found) {
            let expected = format!("{least} to {most}");
            return Ok(Some(Fault::Length { found, expected }));
        }
        each_piece((path, work), |offset, piece| {
            let was_there = |n: usize| {
                let (at, found) = (offset + n as u64, piece[n]);
                match self {
                    Change::Rewritten => TWO.contains(&found),
                    Change::Grows => found == byte(at),
                    Change::Shrinks => found == byte(at) || (found == 0 && at >= LEAST),
                }
            };
            let n = (0..piece.len()).find(|&n| !was_there(n))?;
            let at = offset + n as u64;
            Some(Fault::Byte {
                at,
                found: piece[n],
                expected: match self {
                    Change::Rewritten => format!("{:02x} or {:02x}", TWO[0], TWO[1]),
                    Change::Grows | Change::Shrinks => format!("{:02x}", byte(at)),
                },
            })
        })
    }
}
