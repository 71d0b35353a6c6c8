//! Makes what is copied. No two pages of it are alike, so that no mix-up passes for a copy.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::error::{Context, Result};
use crate::signals;

const PAGE_BYTES: usize = 4096;
const POOL_PAGES: u64 = 256;

#[derive(Debug, Clone, Copy)]
pub(super) enum Data {
    Tree {
        /// 0: all files lie in the tree's own directory.
        directories: u64,
        files: u64,
        sizes: Sizes,
    },
    File {
        bytes: u64,
    },
    Sparse {
        bytes: u64,
        data_bytes: u64,
        pieces: u64,
    },
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Sizes {
    All(u64),
    /// One in ten has this size, the others are empty.
    OneInTen(u64),
    /// Most have a few KiB, few have a lot.
    LikeSources,
}

impl Data {
    /// The same kind of data, so many times smaller: to try this program, not to measure.
    pub(super) fn scaled(self, by: u64) -> Self {
        let part = |whole: u64| whole.div_ceil(by);
        match self {
            Self::Tree {
                directories,
                files,
                sizes,
            } => Self::Tree {
                directories: part(directories),
                files: part(files),
                sizes,
            },
            Self::File { bytes } => Self::File { bytes: part(bytes) },
            Self::Sparse {
                bytes,
                data_bytes,
                pieces,
            } => Self::Sparse {
                bytes: part(bytes),
                data_bytes: part(data_bytes),
                pieces: part(pieces),
            },
        }
    }

    /// What it takes on disk, about: a page and a half for each file's inode and name.
    pub(super) fn disk_bytes(self) -> u64 {
        match self {
            Self::Tree { files, sizes, .. } => (0..files)
                .map(|number| sizes.of(number).next_multiple_of(4096) + 1536)
                .sum(),
            Self::File { bytes } => bytes,
            Self::Sparse { data_bytes, .. } => 2 * data_bytes,
        }
    }

    /// Makes it at `at`, where nothing is yet.
    ///
    /// With `attributes`, its files differ in mode, owner and times, which the tree of a plain copy need not.
    pub(super) fn make(self, at: &Path, attributes: bool) -> Result<()> {
        let pool = pool();
        match self {
            Self::Tree {
                directories,
                files,
                sizes,
            } => tree(at, &pool, directories, files, sizes, attributes),
            Self::File { bytes } => {
                let mut file = File::create_new(at).at("create", at)?;
                fill(&mut file, &pool, 0, bytes).at("write", at)
            }
            Self::Sparse {
                bytes,
                data_bytes,
                pieces,
            } => sparse(at, &pool, bytes, data_bytes / pieces, pieces),
        }
    }
}

impl Sizes {
    /// The size of a file, by its number.
    fn of(self, number: u64) -> u64 {
        const LARGEST: u64 = 32 << 20;
        match self {
            Self::All(bytes) => bytes,
            Self::OneInTen(bytes) if number.is_multiple_of(10) => bytes,
            Self::OneInTen(_) => 0,
            // Four large ones for sure: 32, 16, 8 and 4 MiB.
            Self::LikeSources if number < 4 => LARGEST >> number,
            Self::LikeSources => {
                // The sum of twelve even numbers is near enough to a bell; its power, as with the
                // sizes of real sources, has a long tail.
                let parts = (0..12).map(|part| unit(number * 12 + part));
                let bell = parts.sum::<f64>() - 6.0;
                let bytes = 4500.0 * (1.5 * bell).exp();
                (bytes as u64).min(LARGEST)
            }
        }
    }
}

fn tree(
    at: &Path,
    pool: &[u8],
    directories: u64,
    files: u64,
    sizes: Sizes,
    attributes: bool,
) -> Result<()> {
    let nested = matches!(sizes, Sizes::LikeSources);
    fs::create_dir(at).at("create", at)?;
    let paths: Vec<PathBuf> = match directories {
        0 => vec![at.to_owned()],
        _ => (0..directories)
            .map(|number| at.join(directory(number, nested)))
            .collect(),
    };
    for path in &paths {
        // The parent comes first, but the tree itself is there already.
        fs::create_dir_all(path).at("create", path)?;
    }
    for number in 0..files {
        let within = &paths[(number % paths.len() as u64) as usize];
        let path = within.join(format!("file-{number}"));
        let mut file = File::create_new(&path).at("create", &path)?;
        fill(&mut file, pool, number, sizes.of(number)).at("write", &path)?;
        if attributes {
            mark(&file, &path, number)?;
        }
        if number.is_multiple_of(1000) {
            signals::check()?;
        }
    }
    if attributes {
        // From below, as a later child would set the time of its parent again.
        let all = std::iter::once(at).chain(paths.iter().map(PathBuf::as_path));
        for (number, path) in all.enumerate().collect::<Vec<_>>().into_iter().rev() {
            let directory = File::open(path).at("open", path)?;
            let old = old(number as u64);
            directory.set_modified(old).at("set the time of", path)?;
        }
    }
    Ok(())
}

/// Names of directories: side by side, or eight in each one.
fn directory(number: u64, nested: bool) -> PathBuf {
    let own = format!("dir-{number}");
    match number {
        0 => own.into(),
        _ if nested => directory((number - 1) / 8, nested).join(own),
        _ => own.into(),
    }
}

/// Gives a file a mode, an owner and a time of its own.
fn mark(file: &File, path: &Path, number: u64) -> Result<()> {
    if number.is_multiple_of(3) {
        chown(path, Some(1000), Some(1000)).at("change the owner of", path)?;
    }
    let mode = [0o644, 0o600, 0o755, 0o664][(number % 4) as usize];
    file.set_permissions(fs::Permissions::from_mode(mode))
        .at("change the mode of", path)?;
    file.set_modified(old(number)).at("set the time of", path)
}

/// A time in 2020, down to the nanosecond.
fn old(number: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH
        + Duration::from_secs(1_600_000_000 + number)
        + Duration::from_nanos(number * 7919 % 1_000_000_000)
}

fn sparse(at: &Path, pool: &[u8], bytes: u64, piece_bytes: u64, pieces: u64) -> Result<()> {
    let file = File::create_new(at).at("create", at)?;
    file.set_len(bytes).at("set the size of", at)?;
    let step = bytes / pieces;
    for number in 0..pieces {
        let mut piece = Vec::new();
        fill(&mut piece, pool, number, piece_bytes).at("make the data of", at)?;
        // Holes begin and end at pages.
        let offset = (number * step).next_multiple_of(PAGE_BYTES as u64);
        file.write_all_at(&piece, offset).at("write", at)?;
    }
    Ok(())
}

/// Random pages, to draw from.
fn pool() -> Vec<u8> {
    let words = POOL_PAGES * PAGE_BYTES as u64 / 8;
    (0..words)
        .flat_map(|number| mixed(number).to_le_bytes())
        .collect()
}

/// Writes that many bytes: pages of the pool, each with a stamp that no other page has.
fn fill(to: &mut impl Write, pool: &[u8], file: u64, bytes: u64) -> std::io::Result<()> {
    let mut left = bytes as usize;
    let mut page = 0;
    let mut buffer = Vec::with_capacity(left.min(1 << 20));
    while left > 0 {
        buffer.clear();
        while left > 0 && buffer.len() < 1 << 20 {
            let start = (mixed(file ^ page << 32) % POOL_PAGES) as usize * PAGE_BYTES;
            let stamp = [file.to_le_bytes(), page.to_le_bytes()].concat();
            let rest = &pool[start + stamp.len()..start + PAGE_BYTES];
            let end = buffer.len() + left.min(PAGE_BYTES);
            buffer.extend_from_slice(&stamp);
            buffer.extend_from_slice(rest);
            left -= left.min(PAGE_BYTES);
            buffer.truncate(end);
            page += 1;
        }
        to.write_all(&buffer)?;
    }
    Ok(())
}

/// A number that looks random, from one that does not (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ mixed >> 31
}

/// The same, from 0 to 1.
fn unit(number: u64) -> f64 {
    mixed(number) as f64 / u64::MAX as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_those_of_sources() {
        let mut sizes: Vec<u64> = (0..20_000).map(|n| Sizes::LikeSources.of(n)).collect();
        sizes.sort_unstable();
        assert_eq!(sizes.last(), Some(&(32 << 20)));
        assert!((4000..5000).contains(&sizes[10_000]), "{}", sizes[10_000]);
        assert!(
            (12_000..60_000).contains(&sizes[18_000]),
            "{}",
            sizes[18_000]
        );
    }

    #[test]
    fn no_two_pages_are_alike() {
        let pool = pool();
        let mut pages = std::collections::HashSet::new();
        for file in 0..20 {
            let mut bytes = Vec::new();
            fill(&mut bytes, &pool, file, 64 << 10).expect("a write to memory");
            for page in bytes.chunks(PAGE_BYTES) {
                assert!(pages.insert(page.to_owned()));
            }
        }
        assert_eq!(pages.len(), 320);
    }

    #[test]
    fn a_tree_has_what_it_is_to_have() {
        let room = tempfile::tempdir().expect("a directory");
        let data = Data::Tree {
            directories: 20,
            files: 50,
            sizes: Sizes::LikeSources,
        };
        data.make(&room.path().join("tree"), false).expect("a tree");
        let last = room.path().join("tree/dir-0/dir-2/dir-19/file-39");
        assert_eq!(
            fs::metadata(last).expect("a file").len(),
            Sizes::LikeSources.of(39)
        );
    }

    #[test]
    fn a_sparse_file_has_its_pieces_and_its_size() {
        let room = tempfile::tempdir().expect("a directory");
        let path = room.path().join("sparse");
        let data = Data::Sparse {
            bytes: 4 << 20,
            data_bytes: 64 << 10,
            pieces: 4,
        };
        data.make(&path, false).expect("a file");
        let bytes = fs::read(path).expect("its content");
        assert_eq!(bytes.len(), 4 << 20);
        let full = bytes
            .chunks(16 << 10)
            .filter(|piece| piece.iter().any(|b| *b != 0));
        assert_eq!(full.count(), 4);
    }
}
