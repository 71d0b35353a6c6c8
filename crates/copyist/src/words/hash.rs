//! Hashes of content, as values.

use std::fmt;
use std::str::FromStr;

/// A hash algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum HashKind {
    /// BLAKE3, 256 bits: cryptographic, and as fast as memory. The same as `b3sum` prints.
    #[default]
    Blake3,
    /// XXH3, 128 bits: faster still; detects accidental changes only. The same as `xxh128sum` prints.
    Xxh3,
    /// SHA-256, for use with other tools. The same as `sha256sum` prints.
    Sha256,
}

impl HashKind {
    /// Every algorithm.
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

/// A hash of some content. `Display` writes it in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hash {
    pub(crate) kind: HashKind,
    pub(crate) bytes: [u8; 32],
}

impl Hash {
    /// The algorithm.
    pub fn kind(&self) -> HashKind {
        self.kind
    }

    /// The bytes of the hash, in the order in which they are written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.kind.len_bytes()]
    }

    /// Parses what the `Display` of [`struct@Hash`] writes; `None` if `hex` is no hash of this kind.
    pub fn parse(kind: HashKind, hex: &str) -> Option<Hash> {
        let mut bytes = [0; 32];
        if hex.len() != 2 * kind.len_bytes() || !hex.is_ascii() {
            return None;
        }
        for (n, byte) in bytes[..kind.len_bytes()].iter_mut().enumerate() {
            let digits = &hex[2 * n..2 * n + 2];
            // The parser of integers would accept a sign too.
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

/// The name is not that of a hash algorithm.
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
