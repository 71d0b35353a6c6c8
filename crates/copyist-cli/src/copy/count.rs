//! Counts the files and bytes to copy, for the progress display, in its own thread, where the checks before
//! the copy have not counted them. The copy never waits for it, and it stops when the copy is over.
//!
//! The totals are an estimate: what filters leave out is not counted, but what is up to date or there already
//! is, and so is each hard link.

use std::fs::{self, Metadata, ReadDir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use copyist::observer::FileKind;
use copyist::options::Follow;
use copyist::{Operand, Options};

use crate::copy::filter::Filter;
use crate::output::progress::Counters;
use crate::words::sync::add_bytes;

/// Files below this depth are not counted: each level holds a descriptor, and the copy needs them.
const DEEPEST: usize = 32;

struct Walk {
    counters: Arc<Counters>,
    filter: Option<Arc<Filter>>,
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
    filter: Option<&Arc<Filter>>,
) -> io::Result<()> {
    if options.one_file_system {
        return Ok(());
    }
    let follow = options.follow;
    let sources: Vec<PathBuf> = operands.iter().map(|operand| operand.src.clone()).collect();
    let mut walk = Walk {
        counters: Arc::clone(counters),
        filter: filter.map(Arc::clone),
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
        let kind = match metadata.is_dir() {
            true => FileKind::Directory,
            false => FileKind::Regular, // filters ask no more than whether it is a directory
        };
        if !self.wants(source, kind) {
            return;
        }
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
                let path = entry.path();
                if !self.wants(&path, FileKind::Directory) {
                    continue;
                }
                if open.len() < DEEPEST {
                    open.extend(fs::read_dir(path));
                } else {
                    self.incomplete = true;
                }
            } else if kind.is_file()
                && (self.filter.is_none() || self.wants(&entry.path(), FileKind::Regular))
                && let Ok(metadata) = entry.metadata()
            {
                self.add(&metadata);
            }
        }
    }

    fn wants(&self, path: &Path, kind: FileKind) -> bool {
        let filter = self.filter.as_ref();
        filter.is_none_or(|filter| filter.would_want(path, kind))
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
    use crate::copy::filter::Filter;
    use crate::output::progress::Counters;
    use crate::settings::FilterRule;
    use crate::words::quoting::Quoter;

    /// The files and bytes that are counted of a tree.
    fn counted(rules: &[FilterRule]) -> (u64, u64) {
        let name = format!("copyist-count-{}-{}", std::process::id(), rules.len());
        let dir = std::env::temp_dir().join(name);
        fs::create_dir_all(dir.join("a/b")).expect("directories");
        fs::write(dir.join("a/one"), [0; 1000]).expect("a file");
        fs::write(dir.join("a/b/two"), [0; 24]).expect("a file");
        let operands = [Operand::new(dir.join("a"), dir.join("c"))];
        let mut options = Options::default();
        options.recursive = true;
        let counters = Arc::new(Counters::default());
        let filter = Filter::new(rules, &operands, Quoter::new(false)).expect("good rules");
        let filter = filter.map(Arc::new);
        start(&operands, &options, &counters, filter.as_ref()).expect("a thread");
        let began = Instant::now();
        while !counters.counted.load(Ordering::Acquire) {
            assert!(began.elapsed() < Duration::from_secs(10), "it never ends");
            std::thread::yield_now();
        }
        fs::remove_dir_all(dir).expect("removed");
        let totals = [&counters.total_files, &counters.total_bytes];
        let [files, bytes] = totals.map(|it| it.load(Ordering::Relaxed));
        (files, bytes)
    }

    #[test]
    fn files_and_their_bytes_are_counted() {
        assert_eq!(counted(&[]), (2, 1024));
    }

    #[test]
    fn what_filters_leave_out_is_not_counted() {
        let exclude = |glob: &str| FilterRule::Exclude(glob.into());
        assert_eq!(counted(&[exclude("b/")]), (1, 1000));
        assert_eq!(counted(&[exclude("one"), exclude("x")]), (1, 24));
    }
}
