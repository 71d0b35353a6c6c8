//! The bytes of a journal.
//!
//! ```text
//! header:  "copyist journal\n"  version u32  key [32]  copy [32]  check u64
//! record:  len u32  kind u8  payload [len]  check u64
//! ```
//!
//! Numbers are little-endian. Each check is the first 8 bytes of a BLAKE3 hash, with the journal's own key, of the check
//! before it and the bytes that it follows: so a record is valid only if all records before it are. Records are only
//! appended; an incomplete record, left by a crash, ends the journal.

use std::ffi::OsString;

use copyist_sys::os_string_from_bytes;

/// The first bytes of a journal.
pub(super) const MAGIC: &[u8; 16] = b"copyist journal\n";

/// The version, which changes with the format.
pub(super) const VERSION: u32 = 1;

/// The length of the header, bytes.
pub(super) const HEADER_BYTES: usize = 16 + 4 + 32 + 32 + 8;

/// The maximum length of a record: a longer one is damaged.
const MOST_BYTES: usize = 1 << 24;

/// The content of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Record {
    /// These files are complete and on stable storage: a fingerprint of each, and of its source.
    Done(Vec<u64>),
    /// This directory existed before the copy.
    Existed(u64),
    /// The temporary contains this part of a file, on stable storage.
    Part(Part),
}

/// A file that is partly copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    /// The destination's fingerprint.
    pub(crate) file: u64,
    /// The fingerprint of the source at that time.
    pub(crate) src: u64,
    /// The number in the temporary's name.
    pub(crate) temporary: u64,
    /// All bytes before this offset are in place.
    pub(crate) offset: u64,
    /// The BLAKE3 hash of those bytes.
    pub(crate) hash: [u8; 32],
    /// The destination's path, which leads to the temporary.
    pub(crate) dst: OsString,
}

/// The header of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) key: [u8; 32],
    /// A fingerprint of the operands and options.
    pub(super) copy: [u8; 32],
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(VERSION.to_le_bytes());
        bytes.extend(self.key);
        bytes.extend(self.copy);
        bytes.extend(check(&self.key, 0, &bytes).to_le_bytes());
        bytes
    }

    /// `None` if it is not a complete header of this version.
    pub(super) fn decode(bytes: &[u8]) -> Option<Header> {
        let (head, sum) = bytes.get(..HEADER_BYTES)?.split_at(HEADER_BYTES - 8);
        let (magic, rest) = head.split_at(16);
        let (version, rest) = rest.split_at(4);
        let header = Header {
            key: rest[..32].try_into().ok()?,
            copy: rest[32..].try_into().ok()?,
        };
        let sound = magic == MAGIC
            && version == VERSION.to_le_bytes()
            && sum == check(&header.key, 0, head).to_le_bytes();
        sound.then_some(header)
    }
}

/// The state of the chain, from which the next check is computed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chain {
    key: [u8; 32],
    last: u64,
}

impl Chain {
    pub(super) fn new(key: [u8; 32]) -> Chain {
        Chain { key, last: 0 }
    }

    /// Writes a record.
    pub(super) fn encode(&mut self, record: &Record) -> Vec<u8> {
        let (kind, payload) = match record {
            Record::Done(files) => (1, files.iter().flat_map(|it| it.to_le_bytes()).collect()),
            Record::Existed(dir) => (2, dir.to_le_bytes().to_vec()),
            Record::Part(part) => (3, part.encode()),
        };
        // No path is this long, and lists of files are split before.
        let len = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        let mut bytes = len.to_le_bytes().to_vec();
        bytes.push(kind);
        bytes.extend(payload);
        self.last = check(&self.key, self.last, &bytes);
        bytes.extend(self.last.to_le_bytes());
        bytes
    }

    /// Reads the first record in `bytes`, and its length; `None` if it is incomplete or damaged.
    pub(super) fn decode(&mut self, bytes: &[u8]) -> Option<(Record, usize)> {
        let len = u32::from_le_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
        if len > MOST_BYTES {
            return None;
        }
        let end = 5 + len;
        let sum = check(&self.key, self.last, bytes.get(..end)?);
        if bytes.get(end..end + 8)? != sum.to_le_bytes() {
            return None;
        }
        let payload = &bytes[5..end];
        let record = match bytes[4] {
            1 if len.is_multiple_of(8) => Record::Done(payload.chunks(8).map(number).collect()),
            2 if len == 8 => Record::Existed(number(payload)),
            3 => Record::Part(Part::decode(payload)?),
            _ => return None,
        };
        self.last = sum;
        Some((record, end + 8))
    }
}

impl Part {
    const FIXED_BYTES: usize = 4 * 8 + 32;

    fn encode(&self) -> Vec<u8> {
        let numbers = [self.file, self.src, self.temporary, self.offset];
        let mut bytes: Vec<u8> = numbers.iter().flat_map(|it| it.to_le_bytes()).collect();
        bytes.extend(self.hash);
        bytes.extend(self.dst.as_encoded_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Part> {
        let (fixed, dst) = bytes.split_at_checked(Part::FIXED_BYTES)?;
        Some(Part {
            file: number(&fixed[..8]),
            src: number(&fixed[8..16]),
            temporary: number(&fixed[16..24]),
            offset: number(&fixed[24..32]),
            hash: fixed[32..].try_into().ok()?,
            dst: os_string_from_bytes(dst.to_vec())?,
        })
    }
}

fn number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    eight.copy_from_slice(bytes); // all callers pass eight
    u64::from_le_bytes(eight)
}

/// The check: eight bytes computed from others, with a key.
pub(super) fn check(key: &[u8; 32], before: u64, bytes: &[u8]) -> u64 {
    let mut hasher = blake3::Hasher::new_keyed(key);
    hasher.update(&before.to_le_bytes()).update(bytes);
    number(&hasher.finalize().as_bytes()[..8])
}

/// Any bytes can be read without a panic, and what is understood would be written as those bytes; of damaged records,
/// those before the damage are read, and none after it.
#[cfg(fuzzing)]
pub(crate) fn fuzz(data: &[u8]) {
    if let Some(header) = Header::decode(data) {
        assert_eq!(header.encode(), data[..HEADER_BYTES]);
    }
    let Some((head, rest)) = data.split_at_checked(8) else {
        return;
    };
    let (key, cut, bit) = ([head[0]; 32], number(head), head[7] % 8);
    read(key, rest); // it returns
    let records: Vec<Record> = rest.chunks(61).map(record).collect();
    let (mut chain, mut bytes, mut ends) = (Chain::new(key), Vec::new(), Vec::new());
    for record in &records {
        bytes.extend(chain.encode(record));
        ends.push(bytes.len());
    }
    assert_eq!(read(key, &bytes), records);
    let Some(damaged) = usize::try_from(cut)
        .ok()
        .and_then(|cut| cut.checked_rem(bytes.len()))
    else {
        return;
    };
    let whole = ends.iter().take_while(|end| **end <= damaged).count();
    assert_eq!(read(key, &bytes[..damaged]), records[..whole], "cut off");
    bytes[damaged] ^= 1 << bit;
    assert_eq!(read(key, &bytes), records[..whole], "damaged");
}

/// An arbitrary record.
#[cfg(fuzzing)]
fn record(bytes: &[u8]) -> Record {
    let number_at = |n: usize| {
        let mut eight = [0; 8];
        let there = bytes.get(n..).unwrap_or_default();
        let len = there.len().min(8);
        eight[..len].copy_from_slice(&there[..len]);
        u64::from_le_bytes(eight)
    };
    match bytes.first().map_or(0, |kind| kind % 3) {
        0 => Record::Done((1..bytes.len()).step_by(8).map(number_at).collect()),
        1 => Record::Existed(number_at(1)),
        _ => Record::Part(Part {
            file: number_at(1),
            src: number_at(9),
            temporary: number_at(17),
            offset: number_at(25),
            hash: [bytes.get(33).copied().unwrap_or(0); 32],
            dst: os_string_from_bytes(bytes.get(34..).unwrap_or_default().to_vec())
                .unwrap_or_default(),
        }),
    }
}

/// The records up to the first invalid one.
#[cfg(any(test, fuzzing))]
fn read(key: [u8; 32], bytes: &[u8]) -> Vec<Record> {
    let mut chain = Chain::new(key);
    let (mut at, mut found) = (0, Vec::new());
    while let Some((record, len)) = chain.decode(&bytes[at..]) {
        found.push(record);
        at += len;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> Vec<Record> {
        vec![
            Record::Done(vec![1, u64::MAX]),
            Record::Existed(7),
            Record::Part(Part {
                file: 1,
                src: 2,
                temporary: 3,
                offset: 1 << 40,
                hash: [9; 32],
                dst: "to/\u{e9}".into(),
            }),
            Record::Done(Vec::new()),
        ]
    }

    fn read(bytes: &[u8]) -> Vec<Record> {
        super::read([5; 32], bytes)
    }

    #[test]
    fn what_was_written_is_read_up_to_the_first_damage() {
        let mut chain = Chain::new([5; 32]);
        let parts: Vec<_> = records().iter().map(|it| chain.encode(it)).collect();
        let bytes = parts.concat();
        assert_eq!(read(&bytes), records());
        let mut ends = vec![0];
        ends.extend(parts.iter().scan(0, |at, part| {
            *at += part.len();
            Some(*at)
        }));
        let whole_before = |at: usize| ends.iter().filter(|end| **end <= at).count() - 1;
        for at in 0..bytes.len() {
            assert_eq!(read(&bytes[..at]).len(), whole_before(at), "cut at {at}");
            for bit in [1, 128] {
                let mut damaged = bytes.clone();
                damaged[at] ^= bit;
                assert_eq!(read(&damaged).len(), whole_before(at), "damaged at {at}");
            }
        }
    }

    #[test]
    fn records_of_another_journal_or_order_are_none() {
        let mut chain = Chain::new([5; 32]);
        let parts: Vec<_> = records().iter().map(|it| chain.encode(it)).collect();
        assert_eq!(read(&[parts[1].clone(), parts[0].clone()].concat()), []);
        let skipped = [parts[0].clone(), parts[2].clone()].concat();
        assert_eq!(read(&skipped).len(), 1);
        let mut other = Chain::new([6; 32]);
        assert_eq!(read(&other.encode(&Record::Existed(1))), []);
    }

    #[test]
    fn a_header_is_whole_and_of_this_version() {
        let header = Header {
            key: [1; 32],
            copy: [2; 32],
        };
        let bytes = header.encode();
        assert_eq!(bytes.len(), HEADER_BYTES);
        assert_eq!(Header::decode(&bytes), Some(header));
        for at in 0..bytes.len() {
            assert_eq!(Header::decode(&bytes[..at]), None);
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            assert_eq!(Header::decode(&damaged), None, "{at}");
        }
    }
}
