//! The content of a simulated file: blocks that are there, and holes where none is.
//!
//! Blocks are shared by reference: that is what cloning does, so whether two files share an extent
//! can be asked, and a copy of a whole world costs little.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// The allocation unit of every simulated volume, bytes.
pub(super) const BLOCK: u64 = 4096;

type Block = Arc<[u8; BLOCK as usize]>;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Data {
    blocks: BTreeMap<u64, Block>,
    size: u64,
    /// The end of the last byte that was put there.
    data_end: u64,
    /// Blocks reserved by an allocation and never written: they read as zeros.
    reserved: std::collections::BTreeSet<u64>,
}

impl Data {
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Whatever is beyond was never written: at most it was given a length.
    pub(super) fn data_end(&self) -> u64 {
        self.data_end
    }

    /// The end of the last block with data that begins in `range`; 0 if none does.
    pub(super) fn last_block_end(&self, range: Range<u64>) -> u64 {
        let blocks = range.start.div_ceil(BLOCK)..range.end.div_ceil(BLOCK);
        let last = self.blocks.range(blocks).next_back();
        last.map_or(0, |(block, _)| (block + 1) * BLOCK)
    }

    pub(super) fn allocated_bytes(&self) -> u64 {
        (self.blocks.len() + self.reserved.len()) as u64 * BLOCK
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> usize {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let len = buffer.len().min(left);
        let mut done = 0;
        while done < len {
            let at = offset + done as u64;
            let (block, within) = (at / BLOCK, (at % BLOCK) as usize);
            let part = (BLOCK as usize - within).min(len - done);
            let into = &mut buffer[done..done + part];
            match self.blocks.get(&block) {
                Some(bytes) => into.copy_from_slice(&bytes[within..within + part]),
                None => into.fill(0),
            }
            done += part;
        }
        len
    }

    /// How many bytes more a write would occupy.
    pub(super) fn cost(&self, offset: u64, len: u64) -> u64 {
        blocks_of(offset, len)
            .filter(|block| !self.blocks.contains_key(block) && !self.reserved.contains(block))
            .count() as u64
            * BLOCK
    }

    pub(super) fn write(&mut self, offset: u64, data: &[u8]) {
        let mut done = 0;
        while done < data.len() {
            let at = offset + done as u64;
            let (block, within) = (at / BLOCK, (at % BLOCK) as usize);
            let part = (BLOCK as usize - within).min(data.len() - done);
            let bytes = self
                .blocks
                .entry(block)
                .or_insert_with(|| Arc::new([0; BLOCK as usize]));
            Arc::make_mut(bytes)[within..within + part].copy_from_slice(&data[done..done + part]);
            self.reserved.remove(&block);
            done += part;
        }
        self.data_end = self.data_end.max(offset + data.len() as u64);
        self.size = self.size.max(self.data_end);
    }

    pub(super) fn set_len(&mut self, len: u64) {
        if len < self.size {
            let keep = len.div_ceil(BLOCK);
            self.blocks.retain(|block, _| *block < keep);
            self.reserved.retain(|block| *block < keep);
            if let Some(last) = self.blocks.get_mut(&(len / BLOCK)) {
                Arc::make_mut(last)[(len % BLOCK) as usize..].fill(0);
            }
        }
        self.size = len;
        self.data_end = self.data_end.min(len);
    }

    pub(super) fn reserve(&mut self, offset: u64, len: u64) {
        let new: Vec<u64> = blocks_of(offset, len)
            .filter(|block| !self.blocks.contains_key(block))
            .collect();
        self.reserved.extend(new);
    }

    /// Shares a range of blocks with `src`, and its length up to the range's end.
    pub(super) fn share(&mut self, src: &Data, offset: u64, len: u64) {
        for block in blocks_of(offset, len) {
            self.reserved.remove(&block);
            match src.blocks.get(&block) {
                Some(bytes) => {
                    self.blocks.insert(block, Arc::clone(bytes));
                }
                None => {
                    self.blocks.remove(&block);
                }
            }
        }
        self.data_end = self.data_end.max((offset + len).min(src.size));
        self.size = self.size.max(self.data_end);
    }

    /// The bytes of the range that both files share; a hole that both have counts as shared.
    pub(super) fn shared_bytes(&self, src: &Data) -> u64 {
        let size = self.size.min(src.size);
        blocks_of(0, size)
            .filter(
                |block| match (self.blocks.get(block), src.blocks.get(block)) {
                    (Some(ours), Some(theirs)) => Arc::ptr_eq(ours, theirs),
                    (None, None) => !self.reserved.contains(block),
                    _ => false,
                },
            )
            .map(|block| BLOCK.min(size - block * BLOCK))
            .sum()
    }

    /// The next data or hole at or after `offset`; `None` past the last data.
    pub(super) fn seek(&self, offset: u64, data: bool) -> Option<u64> {
        if offset >= self.size {
            return None;
        }
        let there = |block: &u64| self.blocks.contains_key(block) || self.reserved.contains(block);
        let first = offset / BLOCK;
        if there(&first) == data {
            return Some(offset);
        }
        if data {
            let block = self.blocks.range(first..).next().map(|(block, _)| *block);
            let reserved = self.reserved.range(first..).next().copied();
            let next = block.into_iter().chain(reserved).min();
            next.map(|block| block * BLOCK).filter(|at| *at < self.size)
        } else {
            let hole = (first..).find(|block| !there(block)).unwrap_or(first);
            Some((hole * BLOCK).min(self.size))
        }
    }

    /// The same bytes, whatever lies in holes.
    pub(super) fn same_bytes(&self, other: &Data) -> bool {
        self.size == other.size && self.first_difference(other).is_none()
    }

    /// Where the bytes first differ, as far as both reach.
    pub(super) fn first_difference(&self, other: &Data) -> Option<u64> {
        let size = self.size.min(other.size);
        let blocks = self.blocks.keys().chain(other.blocks.keys());
        blocks
            .filter(|block| **block * BLOCK < size)
            .filter_map(|block| {
                let at = block * BLOCK;
                let len = BLOCK.min(size - at) as usize;
                let (ours, theirs) = (self.block(*block), other.block(*block));
                let differs = !std::ptr::eq(ours, theirs) && ours[..len] != theirs[..len];
                differs.then(|| {
                    let within = ours.iter().zip(theirs).position(|(a, b)| a != b);
                    at + within.unwrap_or(0) as u64
                })
            })
            .min()
    }

    fn block(&self, block: u64) -> &[u8] {
        static ZEROS: [u8; BLOCK as usize] = [0; BLOCK as usize];
        self.blocks
            .get(&block)
            .map_or(&ZEROS[..], |bytes| &bytes[..])
    }
}

fn blocks_of(offset: u64, len: u64) -> Range<u64> {
    offset / BLOCK..(offset + len).div_ceil(BLOCK)
}
