//! How many bytes two files really share: their extents are queried and compared.
//!
//! A range counts as shared where both files have it at the same location of the same volume. An extent's "shared"
//! flag would not prove that: it may be shared with a third file only.

use crate::system::{Extent, Platform, Sys};
use crate::words::code::Code;
use crate::words::facts::FsKind;

/// The number of bytes that two open files share.
pub(crate) fn shared<P: Platform>(platform: &P, src: &P::Handle, dst: &P::Handle) -> Sys<u64> {
    if !is_one_volume(platform, src, dst)? {
        return Ok(0);
    }
    let size = platform.stat_open(dst)?.size;
    let (mut from, mut to) = (Cursor::new(platform, src), Cursor::new(platform, dst));
    let mut shared = 0;
    let (mut a, mut b) = (from.next()?, to.next()?);
    while let (Some(one), Some(other)) = (a, b) {
        shared += overlap(&one, &other, size);
        // The one that ends first can't overlap with a later extent of the other.
        if end(&one) <= end(&other) {
            a = from.next()?;
        } else {
            b = to.next()?;
        }
    }
    Ok(shared)
}

/// Subvolumes of one btrfs have device numbers of their own, but one device.
fn is_one_volume<P: Platform>(platform: &P, src: &P::Handle, dst: &P::Handle) -> Sys<bool> {
    let (from, to) = (platform.volume(src)?, platform.volume(dst)?);
    if from.id == to.id {
        return Ok(true);
    }
    let both = |kind| from.kind == kind && to.kind == kind;
    if !both(FsKind::Btrfs) {
        return Ok(false);
    }
    let device = |handle| platform.describe(handle).map(|it| it.device);
    Ok(device(src)?.is_some() && device(src)? == device(dst)?)
}

const fn end(extent: &Extent) -> u64 {
    extent.offset.saturating_add(extent.len)
}

/// The number of bytes before `size` that both extents have at the same location.
fn overlap(one: &Extent, other: &Extent, size: u64) -> u64 {
    let (Some(here), Some(there)) = (one.place, other.place) else {
        return 0;
    };
    if one.is_encoded != other.is_encoded {
        return 0;
    }
    // For a compressed extent only the location of the whole extent is reported.
    let same = if one.is_encoded {
        here == there
    } else {
        here.wrapping_sub(one.offset) == there.wrapping_sub(other.offset)
    };
    let from = one.offset.max(other.offset);
    let to = end(one).min(end(other)).min(size);
    if same { to.saturating_sub(from) } else { 0 }
}

/// Iterates over a file's extents, with one batch of them in memory.
struct Cursor<'a, P: Platform> {
    platform: &'a P,
    file: &'a P::Handle,
    batch: Vec<Extent>,
    at: usize,
    more: bool,
    offset: u64,
}

impl<'a, P: Platform> Cursor<'a, P> {
    fn new(platform: &'a P, file: &'a P::Handle) -> Cursor<'a, P> {
        Cursor {
            platform,
            file,
            batch: Vec::new(),
            at: 0,
            more: true,
            offset: 0,
        }
    }

    fn next(&mut self) -> Sys<Option<Extent>> {
        if self.at == self.batch.len() {
            if !self.more {
                return Ok(None);
            }
            self.batch.clear();
            self.at = 0;
            self.more = self
                .platform
                .extents(self.file, self.offset, &mut self.batch)?;
        }
        let Some(extent) = self.batch.get(self.at).copied() else {
            return Ok(None);
        };
        self.at += 1;
        // A map that goes backwards or does not advance would loop forever.
        if end(&extent) <= self.offset {
            return Err(Code::NO_PROGRESS);
        }
        self.offset = end(&extent);
        Ok(Some(extent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(offset: u64, len: u64, place: Option<u64>) -> Extent {
        Extent {
            offset,
            len,
            place,
            is_encoded: false,
        }
    }

    #[test]
    fn only_the_same_place_counts() {
        let one = extent(0, 100, Some(1000));
        assert_eq!(overlap(&one, &one, 100), 100);
        assert_eq!(overlap(&one, &one, 70), 70);
        assert_eq!(overlap(&one, &extent(50, 100, Some(1050)), 200), 50);
        assert_eq!(overlap(&one, &extent(50, 100, Some(1000)), 200), 0);
        assert_eq!(overlap(&one, &extent(0, 100, None), 200), 0);
        assert_eq!(overlap(&one, &extent(100, 100, Some(1100)), 200), 0);
    }

    #[test]
    fn a_compressed_part_is_where_the_whole_is() {
        let whole = Extent {
            is_encoded: true,
            ..extent(0, 128, Some(7))
        };
        let rest = Extent {
            offset: 64,
            len: 64,
            ..whole
        };
        assert_eq!(overlap(&whole, &rest, 128), 64);
        assert_eq!(overlap(&whole, &extent(0, 128, Some(7)), 128), 0);
    }
}
