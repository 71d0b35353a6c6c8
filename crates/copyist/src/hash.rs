//! Hashes of content.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;

/// Which hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum HashKind {
    /// BLAKE3, 256 bits: what nobody can forge, at the speed of memory. `b3sum` has it.
    #[default]
    Blake3,
    /// XXH3, 128 bits: faster still, against accidents only. `xxh128sum` has it.
    Xxh3,
    /// SHA-256: for whom asks for it. `sha256sum` has it.
    Sha256,
}

impl HashKind {
    /// All of them.
    pub const ALL: [HashKind; 3] = [HashKind::Blake3, HashKind::Xxh3, HashKind::Sha256];

    /// The name used in options and reports.
    pub const fn name(self) -> &'static str {
        match self {
            HashKind::Blake3 => "blake3",
            HashKind::Xxh3 => "xxh3",
            HashKind::Sha256 => "sha256",
        }
    }

    /// The length of the hash, bytes.
    pub const fn len_bytes(self) -> usize {
        match self {
            HashKind::Blake3 | HashKind::Sha256 => 32,
            HashKind::Xxh3 => 16,
        }
    }
}

impl fmt::Display for HashKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A hash of some content; displayed in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash {
    kind: HashKind,
    bytes: [u8; 32],
}

impl Hash {
    /// The hash of `data`.
    pub fn of(kind: HashKind, data: &[u8]) -> Hash {
        let mut hasher = Hasher::new(kind);
        hasher.update(data);
        hasher.finish()
    }

    /// Which hash it is.
    pub fn kind(&self) -> HashKind {
        self.kind
    }

    /// Its bytes, in the order in which they are written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.kind.len_bytes()]
    }

    /// Reads what [`struct@Hash`]'s display writes; `None` for what is no such hash.
    pub fn parse(kind: HashKind, hex: &str) -> Option<Hash> {
        let mut bytes = [0; 32];
        if hex.len() != 2 * kind.len_bytes() || !hex.is_ascii() {
            return None;
        }
        for (n, byte) in bytes[..kind.len_bytes()].iter_mut().enumerate() {
            let digits = &hex[2 * n..2 * n + 2];
            // A sign would be accepted too.
            let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            *byte = u8::from_str_radix(digits, 16).ok().filter(|_| are_digits)?;
        }
        Some(Hash { kind, bytes })
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{self}", self.kind)
    }
}

/// The name is not that of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownHash;

impl fmt::Display for UnknownHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such hash")
    }
}

impl std::error::Error for UnknownHash {}

impl FromStr for HashKind {
    type Err = UnknownHash;

    fn from_str(name: &str) -> Result<HashKind, UnknownHash> {
        let found = HashKind::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or(UnknownHash)
    }
}

/// What a hole is hashed by.
static ZEROS: [u8; 64 << 10] = [0; 64 << 10];

/// A hash on its way.
pub(crate) enum Hasher {
    Blake3(Box<blake3::Hasher>),
    Xxh3(Box<xxhash_rust::xxh3::Xxh3>),
    Sha256(sha2::Sha256),
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Hasher::Blake3(_) => "Blake3",
            Hasher::Xxh3(_) => "Xxh3",
            Hasher::Sha256(_) => "Sha256",
        })
    }
}

impl Hasher {
    pub(crate) fn new(kind: HashKind) -> Hasher {
        match kind {
            HashKind::Blake3 => Hasher::Blake3(Box::default()),
            HashKind::Xxh3 => Hasher::Xxh3(Box::new(xxhash_rust::xxh3::Xxh3::new())),
            HashKind::Sha256 => Hasher::Sha256(sha2::Sha256::new()),
        }
    }

    pub(crate) fn update(&mut self, data: &[u8]) {
        match self {
            Hasher::Blake3(hasher) => {
                hasher.update(data);
            }
            Hasher::Xxh3(hasher) => hasher.update(data),
            Hasher::Sha256(hasher) => hasher.update(data),
        }
    }

    /// A hole: so many zeros.
    pub(crate) fn zeros(&mut self, len: u64) {
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
                // The order in which XXH128 is written ("canonical": the highest byte first).
                bytes[..16].copy_from_slice(&hasher.digest128().to_be_bytes());
                HashKind::Xxh3
            }
            Hasher::Sha256(hasher) => {
                bytes = hasher.finalize().into();
                HashKind::Sha256
            }
        };
        Hash { kind, bytes }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hash, HashKind, Hasher};

    /// What `printf abc | b3sum`, `xxh128sum` and `sha256sum` say.
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
            let mut hasher = Hasher::new(kind);
            hasher.update(b"x");
            hasher.zeros(200_000);
            let data = [b"x".to_vec(), vec![0; 200_000]].concat();
            assert_eq!(hasher.finish(), Hash::of(kind, &data));
        }
    }
}
