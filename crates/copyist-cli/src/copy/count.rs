//! Counts the files and bytes to copy, for the progress display, in its own thread.
//! The copy never waits for it, and it stops when the copy is over.
//!
//! The totals are an estimate: what the options will skip is counted, and so is each hard link.

use std::fs::{self, Metadata, ReadDir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use copyist::options::Follow;
use copyist::{Operand, Options};

use crate::output::progress::Counters;
use crate::words::sync::add_bytes;

/// Files below this depth are not counted: each level holds a descriptor, and the copy needs them.
const DEEPEST: usize = 32;

struct Walk {
    counters: Arc<Counters>,
    recursive: bool,
    /// Links given as sources are followed if they lead to open files.
    reads_links: bool,
    /// Something was left out, so the totals stay marked as incomplete.
    incomplete: bool,
}

/// Starts to count; not with `one_file_system`, since only the copy finds the mount points.
pub(crate) fn start(
    operands: &[Operand],
    options: &Options,
    counters: &Arc<Counters>,
) -> io::Result<()> {
    if options.one_file_system {
        return Ok(());
    }
    let follow = options.follow;
    let sources: Vec<PathBuf> = operands.iter().map(|operand| operand.src.clone()).collect();
    let mut walk = Walk {
        counters: Arc::clone(counters),
        recursive: options.recursive,
        // Links to directories are not followed here: they can form a loop.
        incomplete: options.recursive && follow == Follow::Always,
        reads_links: options.read_open_files,
    };
    thread::Builder::new()
        .name("count".to_owned())
        .spawn(move || {
            for source in sources {
                let metadata = if follow == Follow::Never {
                    fs::symlink_metadata(&source)
                } else {
                    fs::metadata(&source)
                };
                // The copy itself reports errors.
                if let Ok(metadata) = metadata {
                    walk.incomplete |= walk.reads_links && metadata.is_symlink();
                    walk.source(&source, &metadata);
                }
            }
            if !walk.incomplete {
                walk.counters.counted.store(true, Ordering::Release);
            }
        })?;
    Ok(())
}

impl Walk {
    fn source(&mut self, source: &Path, metadata: &Metadata) {
        if !metadata.is_dir() || !self.recursive {
            return self.add(metadata);
        }
        let mut open: Vec<ReadDir> = fs::read_dir(source).into_iter().collect();
        while let Some(directory) = open.last_mut() {
            if self.counters.over.load(Ordering::Acquire) {
                self.incomplete = true;
                return;
            }
            let Some(entry) = directory.next() else {
                open.pop();
                continue;
            };
            let Ok(entry) = entry else { continue };
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                if open.len() < DEEPEST {
                    open.extend(fs::read_dir(entry.path()));
                } else {
                    self.incomplete = true;
                }
            } else if let Ok(metadata) = entry.metadata() {
                self.add(&metadata);
            }
        }
    }

    fn add(&self, metadata: &Metadata) {
        if metadata.is_file() {
            self.counters.total_files.fetch_add(1, Ordering::Relaxed);
            add_bytes(&self.counters.total_bytes, metadata.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Arc;
    use std::sync::atomic::Ordering;
    use std::time::{Duration, Instant};

    use copyist::{Operand, Options};

    use super::start;
    use crate::output::progress::Counters;

    #[test]
    fn files_and_their_bytes_are_counted() {
        let dir = std::env::temp_dir().join(format!("copyist-count-{}", std::process::id()));
        fs::create_dir_all(dir.join("a/b")).expect("directories");
        fs::write(dir.join("a/one"), [0; 1000]).expect("a file");
        fs::write(dir.join("a/b/two"), [0; 24]).expect("a file");
        let operands = [Operand::new(dir.join("a"), dir.join("c"))];
        let mut options = Options::default();
        options.recursive = true;
        let counters = Arc::new(Counters::default());
        start(&operands, &options, &counters).expect("a thread");
        let began = Instant::now();
        while !counters.counted.load(Ordering::Acquire) {
            assert!(began.elapsed() < Duration::from_secs(10), "it never ends");
            std::thread::yield_now();
        }
        assert_eq!(counters.total_files.load(Ordering::Relaxed), 2);
        assert_eq!(counters.total_bytes.load(Ordering::Relaxed), 1024);
        fs::remove_dir_all(dir).expect("removed");
    }
}
