//! Hashing content: all of it, or only the parts that are not zeros.

use crate::words::hash::Hash;
use crate::words::hash::HashKind;
use std::fmt;

use sha2::Digest as _;

use super::holes;

/// The purpose of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Digest {
    /// The hash is reported.
    Reported(HashKind),
    /// It is only compared with another one. Blocks of zeros are skipped and the offsets of the others are hashed, so
    /// that a hole costs nothing.
    Compared,
}

impl Digest {
    pub(crate) fn reported(kind: HashKind) -> Digest {
        Digest::Reported(kind)
    }

    /// For comparing, the hash that the options report is not needed.
    pub(crate) fn compared(_: HashKind) -> Digest {
        Digest::Compared
    }

    pub(crate) fn is_reported(self) -> bool {
        self != Digest::Compared
    }
}

/// The data of a hole.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A hash that is being computed.
pub(crate) enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Xxh3(Box<xxhash_rust::xxh3::Xxh3>),
    Sha256(sha2::Sha256),
    Sparse(Box<SparseHasher>),
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hasher::Blake3(_) => "Blake3",
            Hasher::Xxh3(_) => "Xxh3",
            Hasher::Sha256(_) => "Sha256",
            Hasher::Sparse(_) => "Sparse",
        })
    }
}

impl Hasher {
    pub(crate) fn new(digest: Digest) -> Hasher {
        match digest {
            Digest::Reported(HashKind::Blake3) => Hasher::Blake3(Box::default()),
            Digest::Reported(HashKind::Xxh3) => {
                Hasher::Xxh3(Box::new(xxhash_rust::xxh3::Xxh3::new()))
            }
            Digest::Reported(HashKind::Sha256) => Hasher::Sha256(sha2::Sha256::new()),
            Digest::Compared => Hasher::Sparse(Box::default()),
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Hasher::Blake3(hasher) => {
                hasher.update(data);
            }
            Hasher::Xxh3(hasher) => hasher.update(data),
            Hasher::Sha256(hasher) => hasher.update(data),
            Hasher::Sparse(hasher) => hasher.update(data),
        }
    }

    /// Adds a hole: `len` zeros.
    pub(crate) fn zeros(&mut self, len: u64) {
        if let Hasher::Sparse(hasher) = self {
            return hasher.zeros(len);
        }
        let mut left = len;
        while left > 0 {
            let some = left.min(ZEROS.len() as u64);
            self.update(&ZEROS[..some as usize]);
            left -= some;
        }
    }

    pub(crate) fn finish(self) -> Hash {
        let mut bytes = [0; 32];
        let kind = match self {
            Hasher::Blake3(hasher) => {
                bytes = *hasher.finalize().as_bytes();
                HashKind::Blake3
            }
            Hasher::Xxh3(hasher) => {
                // The order in which XXH128 is written ("canonical": most significant byte first).
                bytes[..16].copy_from_slice(&hasher.digest128().to_be_bytes());
                HashKind::Xxh3
            }
            Hasher::Sha256(hasher) => {
                bytes = hasher.finalize().into();
                HashKind::Sha256
            }
            Hasher::Sparse(hasher) => {
                bytes = hasher.finish();
                HashKind::Blake3
            }
        };
        Hash { kind, bytes }
    }
}

/// The unit in which [`SparseHasher`] skips zeros, bytes.
const SPARSE_BLOCK: usize = 4096;

/// A hash of the blocks that are not all zeros, of their offsets and of the length: the same for a file with holes
/// and for one with zeros in their place, whatever pieces the content is added in.
#[derive(Clone, Default)]
pub(crate) struct SparseHasher {
    content: blake3::Hasher,
    /// Hashes the offsets where hashed ranges begin and end.
    places: blake3::Hasher,
    /// The number of bytes added so far.
    len: u64,
    /// The end of the current range of hashed blocks.
    hashed_end: u64,
    /// The part of an incomplete block that was added.
    part: Vec<u8>,
}

impl SparseHasher {
    pub(crate) fn update(&mut self, mut data: &[u8]) {
        if !self.part.is_empty() {
            let missing = (SPARSE_BLOCK - self.part.len()).min(data.len());
            self.part.extend_from_slice(&data[..missing]);
            self.len += missing as u64;
            data = &data[missing..];
            if self.part.len() == SPARSE_BLOCK {
                self.end_part();
            }
        }
        let whole = data.len() - data.len() % SPARSE_BLOCK;
        let mut at = 0;
        while at < whole {
            let (run, is_zero) = holes::next_run(&data[..whole], at, SPARSE_BLOCK);
            if !is_zero {
                self.blocks(self.len, &data[run.clone()]);
            }
            self.len += run.len() as u64;
            at = run.end;
        }
        self.part.extend_from_slice(&data[whole..]);
        self.len += (data.len() - whole) as u64;
    }

    pub(crate) fn zeros(&mut self, len: u64) {
        let block = SPARSE_BLOCK as u64;
        // Splits into: the rest of an incomplete block, whole blocks, and a last incomplete one.
        let first = if self.part.is_empty() {
            0
        } else {
            len.min(block - self.part.len() as u64)
        };
        self.update(&ZEROS[..first as usize]);
        let rest = len - first;
        self.len += rest - rest % block;
        self.update(&ZEROS[..(rest % block) as usize]);
    }

    /// Hashes the block that was added in parts, unless it is all zeros.
    fn end_part(&mut self) {
        let part = std::mem::take(&mut self.part);
        if part.iter().any(|&byte| byte != 0) {
            self.blocks(self.len - part.len() as u64, &part);
        }
    }

    fn blocks(&mut self, start: u64, data: &[u8]) {
        if start != self.hashed_end {
            self.places.update(&self.hashed_end.to_le_bytes());
            self.places.update(&start.to_le_bytes());
        }
        self.content.update(data);
        self.hashed_end = start + data.len() as u64;
    }

    pub(crate) fn finish(mut self) -> [u8; 32] {
        self.end_part();
        self.places.update(&self.hashed_end.to_le_bytes());
        self.places.update(&self.len.to_le_bytes());
        self.content.update(self.places.finalize().as_bytes());
        *self.content.finalize().as_bytes()
    }
}

impl Hash {
    /// The hash of `data`.
    pub fn of(kind: HashKind, data: &[u8]) -> Hash {
        let mut hasher = Hasher::new(Digest::Reported(kind));
        hasher.update(data);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::{Digest, Hash, HashKind, Hasher};

    /// The comparing hash of content that is added in pieces of `piece` bytes, its zeros as holes or as data.
    fn compared(data: &[u8], piece: usize, has_holes: bool) -> Hash {
        let mut hasher = Hasher::new(Digest::Compared);
        for piece in data.chunks(piece) {
            if has_holes && piece.iter().all(|&byte| byte == 0) {
                hasher.zeros(piece.len() as u64);
            } else {
                hasher.update(piece);
            }
        }
        hasher.finish()
    }

    #[test]
    fn a_comparing_hash_is_of_the_content_however_it_comes() {
        let mut data = vec![0; 100_000];
        data[5_000..9_000].fill(7);
        data[40_960..45_056].fill(8);
        data[99_999] = 9;
        let one = compared(&data, 1 << 20, false);
        for piece in [1, 1000, 4096, 4097, 40_960] {
            for has_holes in [false, true] {
                assert_eq!(compared(&data, piece, has_holes), one, "{piece}");
            }
        }
        let differs = |change: fn(&mut Vec<u8>)| {
            let mut other = data.clone();
            change(&mut other);
            compared(&other, 4096, true) != one
        };
        assert!(differs(|it| it.push(0)), "longer by a hole");
        assert!(differs(|it| it.truncate(99_999)), "shorter");
        assert!(differs(|it| it[60_000] = 1), "a byte in a hole");
        assert!(differs(|it| it[8_999] = 0), "a zero in data");
        assert!(differs(|it| it.rotate_right(4096)), "a block further on");
        assert!(differs(|it| it.swap(5_000, 4_999)), "a byte elsewhere");
    }

    #[test]
    fn a_hole_costs_a_comparing_hash_nothing() {
        let mut hasher = Hasher::new(Digest::Compared);
        hasher.update(b"x");
        hasher.zeros(u64::MAX >> 1);
        let mut other = Hasher::new(Digest::Compared);
        other.update(b"x");
        other.zeros((u64::MAX >> 1) - 1);
        assert_ne!(hasher.finish(), other.finish());
    }

    /// The output of `printf abc | b3sum`, `xxh128sum` and `sha256sum`.
    const ABC: [(HashKind, &str); 3] = [
        (
            HashKind::Blake3,
            "6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        ),
        (HashKind::Xxh3, "06b05ab6733a618578af5f94892f3950"),
        (
            HashKind::Sha256,
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        ),
    ];

    #[test]
    fn they_are_those_of_the_tools() {
        for (kind, hex) in ABC {
            let hash = Hash::of(kind, b"abc");
            assert_eq!(hash.to_string(), hex, "{kind}");
            assert_eq!(Hash::parse(kind, hex), Some(hash));
            assert_eq!(kind.name().parse(), Ok(kind));
            assert_eq!(Hash::parse(kind, &hex[1..]), None);
            assert_eq!(Hash::parse(kind, &hex.replacen("6", "+", 1)), None);
        }
    }

    #[test]
    fn a_hole_is_hashed_as_its_zeros() {
        for kind in HashKind::ALL {
            let mut hasher = Hasher::new(Digest::Reported(kind));
            hasher.update(b"x");
            hasher.zeros(200_000);
            let data = [b"x".to_vec(), vec![0; 200_000]].concat();
            assert_eq!(hasher.finish(), Hash::of(kind, &data));
        }
    }
}
