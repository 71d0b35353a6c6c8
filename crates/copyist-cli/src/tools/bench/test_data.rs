//! The directories and files of a benchmark.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use copyist::probe::Probe;
use indicatif::BinaryBytes;

use crate::args::BenchArgs;
use crate::tools::guard::Guard;
use crate::tools::work::Work;
use crate::words::errors::io_text;
use crate::words::quoting::Quoter;

/// The size of each write and comparison, in bytes.
const PIECE: usize = 1 << 20;

/// The files that are copied, in directories of the benchmark, which a [`Guard`] removes.
pub(super) struct TestData<'w> {
    pub(super) probe: Probe,
    /// Free bytes on the destination's volume before anything was created.
    pub(super) free_before: Option<u64>,
    sources: Vec<PathBuf>,
    file_bytes: u64,
    own: [PathBuf; 2],
    guard: Guard,
    work: &'w Work,
}

impl<'w> TestData<'w> {
    /// Creates the data. If `src` is a file, that file is copied.
    pub(super) fn make(
        (src, dst): (&Path, &Path),
        arguments: &BenchArgs,
        work: &'w Work,
    ) -> Result<TestData<'w>, String> {
        let given = src.is_file().then(|| src.to_path_buf());
        let src = match &given {
            Some(file) => file.parent().filter(|it| !it.as_os_str().is_empty()),
            None => Some(src),
        };
        let src = src.unwrap_or(Path::new("."));
        let probe = Probe::pair_until(src, dst, work.cancel()).map_err(|error| {
            let path = error.source_path().unwrap_or(dst);
            cannot("examine", path, error.io_error())
        })?;
        let (files, file_bytes) = match &given {
            Some(file) => (1, len(file)?),
            None => (arguments.files, arguments.size / u64::from(arguments.files)),
        };
        if file_bytes == 0 {
            return Err("--size is less than a byte for each file".to_owned());
        }
        enough_space(&probe, file_bytes * u64::from(files), given.is_none())?;
        let prefix = format!(".copyist-bench-{}-", std::process::id());
        let guard = Guard::over(&[src, dst], &prefix)
            .map_err(|error| format!("cannot start: {}", io_text(&error)))?;
        let own = [src.join(prefix.clone() + "src"), dst.join(prefix + "dst")];
        for dir in &own {
            fs::create_dir(dir).map_err(|error| cannot("create", dir, &error))?;
        }
        let sources = match given {
            Some(file) => vec![file],
            None => (0..files).map(|n| own[0].join(n.to_string())).collect(),
        };
        let data = TestData {
            free_before: probe.dst.free_bytes,
            probe,
            sources,
            file_bytes,
            own,
            guard,
            work,
        };
        data.fill()?;
        Ok(data)
    }

    pub(super) fn files(&self) -> u32 {
        self.sources.len() as u32 // there are no more than the arguments allow
    }

    pub(super) fn size(&self) -> u64 {
        self.file_bytes * self.sources.len() as u64
    }

    pub(super) fn sources(&self) -> &[PathBuf] {
        &self.sources
    }

    /// The name of a copy of the nth source.
    pub(super) fn copy(&self, n: usize) -> PathBuf {
        self.own[1].join(n.to_string())
    }

    /// Writes the sources, unless they are the user's, and flushes them: otherwise their
    /// write-back would be measured with the first contender.
    fn fill(&self) -> Result<(), String> {
        let mut random = Random(0x2545_f491_4f6c_dd1d);
        let mut piece = vec![0; PIECE];
        for path in &self.sources {
            if !path.starts_with(&self.own[0]) {
                continue;
            }
            let mut write = || -> io::Result<()> {
                let mut file = File::create(path)?;
                let mut left = self.file_bytes;
                while left > 0 {
                    self.work.check_time()?;
                    random.fill(&mut piece);
                    let now = left.min(PIECE as u64);
                    file.write_all(&piece[..now as usize])?;
                    left -= now;
                }
                file.sync_all()
            };
            match write() {
                // Nothing will be measured.
                Err(_) if self.work.cancel().is_cancelled() => return Ok(()),
                written => written.map_err(|error| cannot("write", path, &error))?,
            }
        }
        Ok(())
    }

    /// Compares the copies with their sources; the error says where one differs.
    pub(super) fn check(&self) -> Result<(), String> {
        for (n, source) in self.sources.iter().enumerate() {
            let copy = self.copy(n);
            let differs = differs((source, &copy), self.work)
                .map_err(|error| cannot("read", &copy, &error))?;
            if let Some(offset) = differs {
                return Err(format!("the copy differs from its source at byte {offset}"));
            }
        }
        Ok(())
    }

    /// Removes the copies that exist.
    pub(super) fn clear(&self) -> Result<(), String> {
        for n in 0..self.sources.len() {
            let copy = self.copy(n);
            match fs::remove_file(&copy) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(cannot("remove", &copy, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes everything. Fails if something is left.
    pub(super) fn clean_up(self) -> Result<(), String> {
        let remove =
            |dir: &PathBuf| fs::remove_dir_all(dir).map_err(|error| cannot("remove", dir, &error));
        let removed: Vec<_> = self.own.iter().map(remove).collect();
        if self.guard.clean_up() {
            return Ok(());
        }
        removed.into_iter().collect()
    }
}

fn len(file: &Path) -> Result<u64, String> {
    let found = fs::metadata(file).map_err(|error| cannot("read", file, &error))?;
    Ok(found.len())
}

fn cannot(what: &str, path: &Path, error: &io::Error) -> String {
    let path = Quoter::from_environment().always(path);
    format!("cannot {what} {path}: {}", io_text(error))
}

/// Checks before the first write that one set of sources and one of copies fit, with some reserve.
fn enough_space(probe: &Probe, bytes: u64, makes_source: bool) -> Result<(), String> {
    let some = bytes + bytes / 20 + (1 << 20);
    let source = if makes_source { some } else { 0 };
    let (on_src, on_dst) = if probe.is_one_volume {
        (0, source + some)
    } else {
        (source, some)
    };
    for (volume, needed) in [(&probe.src, on_src), (&probe.dst, on_dst)] {
        if let Some(free) = volume.free_bytes.filter(|free| *free < needed) {
            let path = Quoter::from_environment().always(&volume.path);
            return Err(format!(
                "{path} has {} free, and {} are needed; use a smaller --size",
                BinaryBytes(free),
                BinaryBytes(needed)
            ));
        }
    }
    Ok(())
}

/// The offset of the first difference of two files, if any.
fn differs((one, other): (&Path, &Path), work: &Work) -> io::Result<Option<u64>> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut a, mut b) = (vec![0; PIECE], vec![0; PIECE]);
    let mut offset = 0;
    loop {
        work.check_time()?;
        let (here, there) = (fill(&mut one, &mut a)?, fill(&mut other, &mut b)?);
        if a[..here] != b[..there] {
            let same = a[..here].iter().zip(&b[..there]);
            let same = same.take_while(|(a, b)| a == b).count();
            return Ok(Some(offset + same as u64));
        }
        if here == 0 {
            return Ok(None);
        }
        offset += here as u64;
    }
}

fn fill(file: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

/// xorshift64*: data that no filesystem can compress or deduplicate. It needs no other property.
struct Random(u64);

impl Random {
    fn fill(&mut self, piece: &mut [u8]) {
        for word in piece.chunks_exact_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            word.copy_from_slice(&self.0.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::work::tests::over_after;

    #[test]
    fn the_first_difference_is_found() {
        let dir = std::env::temp_dir().join(format!("copyist-test-data-{}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory");
        let file = |name: &str, data: &[u8]| {
            let path = dir.join(name);
            fs::write(&path, data).expect("a file");
            path
        };
        let mut data = vec![0; PIECE + 10];
        Random(1).fill(&mut data[..PIECE]);
        let one = file("one", &data);
        let work = over_after(100);
        let differs = |other: &Path| differs((&one, other), &work).expect("read");
        assert_eq!(differs(&file("same", &data)), None);
        let short = file("short", &data[..PIECE + 3]);
        assert_eq!(differs(&short), Some(PIECE as u64 + 3));
        data[PIECE + 5] ^= 1;
        let other = file("other", &data);
        assert_eq!(differs(&other), Some(PIECE as u64 + 5));
        fs::remove_dir_all(dir).expect("removed");
    }
}
