//! The memory that data passes through: one set for each worker, allocated once.

/// Size of the plain buffer, bytes: what GNU cp measured as best on Linux (coreutils' ioblksize.h).
pub(crate) const BUFFER_BYTES: usize = 256 << 10;

/// The minimum alignment of buffers, bytes. The kernel copies to and from the start of a page up to 2.4 times as fast
/// as to an address 16 bytes further, where an allocator puts a large buffer (docs/measurements.md).
pub(crate) const PAGE_BYTES: usize = 4096;

/// Size of each buffer for direct I/O, bytes: large, since no cache merges the requests.
pub(crate) const DIRECT_BYTES: usize = 1 << 20;

/// The number of buffers that direct I/O needs to read and write at once.
pub(crate) const DIRECT_COUNT: usize = 4;

/// The buffers of one worker.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    plain: Option<Aligned>,
    direct: Vec<Aligned>,
    /// The buffer for the system's directory entries.
    pub(crate) read_dir: Vec<u8>,
    /// Names and values of extended attributes.
    pub(crate) xattr_names: Vec<u8>,
    pub(crate) xattr_value: Vec<u8>,
}

impl Buffers {
    /// The plain buffer.
    pub(crate) fn plain(&mut self) -> &mut [u8] {
        self.plain
            .get_or_insert_with(|| Aligned::new(BUFFER_BYTES, PAGE_BYTES))
            .as_mut_slice()
    }

    /// Without those for direct I/O, which are large.
    pub(crate) fn without_direct(mut self) -> Buffers {
        self.direct = Vec::new();
        self
    }

    /// Exchanges the plain buffer for another one, and returns it.
    pub(crate) fn swap_plain(&mut self, other: Aligned) -> Aligned {
        self.plain();
        self.plain.replace(other).unwrap_or_default()
    }

    /// Takes the buffers for direct I/O, aligned to `alignment`; return them with [`Buffers::return_direct`].
    pub(crate) fn take_direct(&mut self, alignment: usize) -> Vec<Aligned> {
        let mut taken = std::mem::take(&mut self.direct);
        if taken
            .first()
            .is_some_and(|buffer| buffer.alignment < alignment)
        {
            taken.clear();
        }
        while taken.len() < DIRECT_COUNT {
            taken.push(Aligned::new(DIRECT_BYTES, alignment));
        }
        taken
    }

    pub(crate) fn return_direct(&mut self, buffers: Vec<Aligned>) {
        self.direct = buffers;
    }
}

/// A buffer whose address is a multiple of an alignment.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    memory: Vec<u8>,
    start: usize,
    len: usize,
    alignment: usize,
}

impl Aligned {
    pub(crate) fn new(len: usize, alignment: usize) -> Aligned {
        let memory = vec![0; len + alignment];
        let start = memory.as_ptr().align_offset(alignment);
        Aligned {
            memory,
            start,
            len,
            alignment,
        }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn direct_buffers_are_aligned_and_reused() {
        let mut buffers = Buffers::default();
        let taken = buffers.take_direct(4096);
        let addresses: Vec<_> = taken
            .iter()
            .map(|buffer| buffer.as_slice().as_ptr())
            .collect();
        assert!(
            taken
                .iter()
                .all(|buffer| buffer.as_slice().len() == DIRECT_BYTES)
        );
        assert!(addresses.iter().all(|address| address.addr() % 4096 == 0));
        buffers.return_direct(taken);
        let again = buffers.take_direct(512);
        assert_eq!(addresses[0], again[0].as_slice().as_ptr());
        buffers.return_direct(again);
        let stricter = buffers.take_direct(65536);
        assert!(
            stricter
                .iter()
                .all(|buffer| buffer.as_slice().as_ptr().addr() % 65536 == 0)
        );
    }
}
