//! Is it a copy? A program that is fast and wrong is named, not ranked.

use std::fs::{self, File, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};

use rustix::fs::SeekFrom;
use rustix::io::Errno;

use crate::command;
use crate::error::{Context, Error, Result};

/// More than there are processors: on a slow mount each waits.
const THREADS: usize = 8;

const ABSENT: &str = "not there";

const BUFFER_BYTES: usize = 1 << 20;

/// What is expected of a copy besides names and content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Mode, owner, group and time of modification are the same.
    pub(super) attributes: bool,
    /// It takes no more than twice the disk space of the source.
    pub(super) holes: bool,
    pub(super) sharing: Sharing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    Either,
    All,
    None,
}

/// What is copied, listed once: it is compared with many copies.
#[derive(Debug)]
pub(super) struct Source {
    root: PathBuf,
    /// Of all below the root, and of itself: "".
    names: Vec<PathBuf>,
}

impl Source {
    pub(super) fn list(root: &Path) -> Result<Self> {
        let mut names = vec![PathBuf::new()];
        walk(root, |name| names.push(name))?;
        Ok(Self {
            root: root.to_owned(),
            names,
        })
    }

    /// What is wrong with the copy, if anything is.
    pub(super) fn fault(&self, dst: &Path, wanted: Wanted) -> Result<Option<String>> {
        let counting = || {
            let mut count = 1;
            walk(dst, |_| count += 1).map(|()| count)
        };
        let (count, differs) = thread::scope(|scope| {
            let counting = scope.spawn(counting);
            let differs = self.differing(dst, wanted);
            (join(counting), differs)
        });
        if let Some(fault) = told(&differs?) {
            return Ok(Some(fault));
        }
        // All names of the source are there, so that more of them are others.
        if count? != self.names.len() {
            return Ok(Some("there is more than in the source".into()));
        }
        let shared = match wanted.sharing {
            Sharing::Either => return Ok(None),
            Sharing::All | Sharing::None => shared(dst)?,
        };
        Ok(match (wanted.sharing, shared) {
            (Sharing::None, (1.., _)) => {
                Some("it shares extents with the source, against its orders".into())
            }
            (Sharing::All, (_, 1..)) => Some("not all of it is cloned".into()),
            _ => None,
        })
    }

    /// The names that are not the same on both sides, sorted, and what differs.
    fn differing(&self, dst: &Path, wanted: Wanted) -> Result<Vec<(&Path, &'static str)>> {
        let next = AtomicUsize::new(0);
        let work = || {
            let mut found = Vec::new();
            let mut buffers = [vec![0; BUFFER_BYTES], vec![0; BUFFER_BYTES]];
            while let Some(name) = self.names.get(next.fetch_add(1, Ordering::Relaxed)) {
                let (src, dst) = (below(&self.root, name), below(dst, name));
                if let Some(what) = difference(&src, &dst, wanted, &mut buffers)? {
                    found.push((name.as_path(), what));
                }
            }
            Ok(found)
        };
        let mut found = thread::scope(|scope| {
            let threads = [(); THREADS].map(|()| scope.spawn(work));
            let found: Result<Vec<_>> = threads.into_iter().map(join).collect();
            found.map(|found| found.concat())
        })?;
        found.sort_unstable();
        Ok(found)
    }
}

fn join<T>(thread: ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    let ended = thread.join();
    ended.unwrap_or_else(|_| Err(Error::new("a check panicked")))
}

/// What differs, in words; of many the first.
fn told(differs: &[(&Path, &str)]) -> Option<String> {
    let (name, what) = differs.first()?;
    let count = differs.len();
    let name = name.display();
    Some(if name.to_string().is_empty() {
        format!("the copy: {what}")
    } else if count == 1 {
        format!("{name}: {what}")
    } else {
        format!("{count} entries, {name} among them: {what}")
    })
}

/// Joining an empty name would make a file's path one of a directory.
fn below(root: &Path, name: &Path) -> PathBuf {
    if name.as_os_str().is_empty() {
        root.to_owned()
    } else {
        root.join(name)
    }
}

/// All names below `root`; none if it is a file, or not there.
fn walk(root: &Path, mut each: impl FnMut(PathBuf)) -> Result<()> {
    let mut directories = Vec::new();
    if root.is_dir() {
        directories.push(PathBuf::new());
    }
    while let Some(directory) = directories.pop() {
        let path = root.join(&directory);
        for entry in fs::read_dir(&path).at("list", &path)? {
            let entry = entry.at("list", &path)?;
            let name = directory.join(entry.file_name());
            if entry.file_type().at("stat", &path)?.is_dir() {
                directories.push(name.clone());
            }
            each(name);
        }
    }
    Ok(())
}

fn difference(
    src: &Path,
    dst: &Path,
    wanted: Wanted,
    buffers: &mut [Vec<u8>; 2],
) -> Result<Option<&'static str>> {
    let from = fs::symlink_metadata(src).at("stat", src)?;
    let to = match fs::symlink_metadata(dst) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(ABSENT)),
        to => to.at("stat", dst)?,
    };
    if from.file_type() != to.file_type() {
        return Ok(Some("another type"));
    }
    if from.is_file() {
        if from.len() != to.len() {
            return Ok(Some("another size"));
        }
        let open = |path: &Path| File::open(path).at("open", path);
        if !has_same_content(&open(src)?, &open(dst)?, from.len(), buffers).at("compare", dst)? {
            return Ok(Some("other content"));
        }
        if wanted.holes && to.blocks() > 2 * from.blocks() {
            return Ok(Some("holes that were filled"));
        }
    }
    Ok(wanted.attributes.then(|| attribute(&from, &to)).flatten())
}

fn attribute(from: &Metadata, to: &Metadata) -> Option<&'static str> {
    let time = |stat: &Metadata| (stat.mtime(), stat.mtime_nsec());
    [
        ("another mode", from.mode() == to.mode()),
        (
            "another owner",
            (from.uid(), from.gid()) == (to.uid(), to.gid()),
        ),
        ("another time", time(from) == time(to)),
    ]
    .into_iter()
    .find_map(|(what, is_same)| (!is_same).then_some(what))
}

/// Reads only where at least one side has data: the kernel would make pages for what it reads of holes.
/// The filesystems of the lab that are measured report their holes correctly.
fn has_same_content(
    src: &File,
    dst: &File,
    bytes: u64,
    [one, two]: &mut [Vec<u8>; 2],
) -> std::io::Result<bool> {
    let mut offset = 0;
    while offset < bytes {
        offset = next_data(src, offset, bytes)?.min(next_data(dst, offset, bytes)?);
        let length = (bytes - offset).min(BUFFER_BYTES as u64) as usize;
        src.read_exact_at(&mut one[..length], offset)?;
        dst.read_exact_at(&mut two[..length], offset)?;
        if one[..length] != two[..length] {
            return Ok(false);
        }
        offset += length as u64;
    }
    Ok(true)
}

/// Small files are read whole.
fn next_data(file: &File, offset: u64, bytes: u64) -> std::io::Result<u64> {
    if bytes <= BUFFER_BYTES as u64 {
        return Ok(offset);
    }
    match rustix::fs::seek(file, SeekFrom::Data(offset)) {
        Ok(data) => Ok(data),
        Err(Errno::NXIO) => Ok(bytes),
        // A filesystem that knows no holes.
        Err(Errno::INVAL) => Ok(offset),
        Err(errno) => Err(errno.into()),
    }
}

/// The number of shared and of unshared extents of a file, as filefrag(8) reports them.
fn shared(path: &Path) -> Result<(usize, usize)> {
    let mut filefrag = command::system("filefrag");
    let output = filefrag
        .arg("-v")
        .arg(path)
        .output()
        .at("run filefrag on", path)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("filefrag failed: {}", said.trim())));
    }
    Ok(count_shared(&String::from_utf8_lossy(&output.stdout)))
}

/// Lines of extents begin with a number and a colon.
fn count_shared(told: &str) -> (usize, usize) {
    let is_extent = |line: &&str| {
        let number = line.trim_start().split(':').next().unwrap_or_default();
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (shared, own): (Vec<_>, Vec<_>) = told
        .lines()
        .filter(is_extent)
        .partition(|line| line.contains("shared"));
    (shared.len(), own.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Wanted = Wanted {
        attributes: false,
        holes: false,
        sharing: Sharing::Either,
    };

    /// A source, a copy, and what `spoil` makes of the copy.
    fn fault_after(wanted: Wanted, spoil: impl FnOnce(&Path)) -> Option<String> {
        let room = tempfile::tempdir().expect("a directory");
        let sides = [room.path().join("a"), room.path().join("b")];
        for side in &sides {
            fs::create_dir_all(side.join("d")).expect("directories");
            for (name, bytes) in [("d/large", 3 << 20), ("small", 10)] {
                let path = side.join(name);
                fs::write(&path, vec![7; bytes]).expect("a file");
                let file = File::options().write(true).open(&path).expect("the file");
                let time = std::time::SystemTime::UNIX_EPOCH;
                file.set_modified(time).expect("its time is set");
            }
        }
        spoil(&sides[1]);
        // Directories were made at two times.
        let source = Source::list(&sides[0]).expect("a list");
        source.fault(&sides[1], wanted).expect("a judgement")
    }

    #[test]
    fn a_copy_is_no_fault() {
        assert_eq!(fault_after(PLAIN, |_| {}), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let spoiled = |spoil: fn(&Path)| fault_after(PLAIN, spoil).expect("a fault");
        let gone = spoiled(|copy| fs::remove_file(copy.join("small")).expect("a removal"));
        assert_eq!(gone, "small: not there");
        let gone = spoiled(|copy| fs::remove_dir_all(copy).expect("a removal"));
        assert_eq!(gone, "the copy: not there");
        let more = spoiled(|copy| fs::write(copy.join("more"), "").expect("a write"));
        assert_eq!(more, "there is more than in the source");
        let shorter = spoiled(|copy| fs::write(copy.join("small"), "1").expect("a write"));
        assert_eq!(shorter, "small: another size");
        let changed = spoiled(|copy| {
            let path = copy.join("d/large");
            let file = File::options().write(true).open(path).expect("the file");
            file.write_all_at(b"x", 2 << 20).expect("a write");
        });
        assert_eq!(changed, "d/large: other content");
    }

    #[test]
    fn attributes_count_where_they_were_asked_for() {
        let wanted = Wanted {
            attributes: true,
            ..PLAIN
        };
        let spoil = |copy: &Path| {
            let file = File::open(copy.join("small")).expect("the file");
            let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
            file.set_permissions(permissions).expect("its mode is set");
        };
        assert_eq!(fault_after(PLAIN, spoil), None);
        let fault = fault_after(wanted, spoil).expect("a fault");
        assert!(fault.contains("mode") || fault.contains("time"), "{fault}");
    }

    #[test]
    fn holes_count_where_they_were_asked_for() {
        let room = tempfile::tempdir().expect("a directory");
        let (src, dst) = (room.path().join("src"), room.path().join("dst"));
        let file = File::create(&src).expect("a file");
        file.set_len(8 << 20).expect("a size");
        file.write_all_at(&[1; 4096], 4 << 20).expect("a write");
        fs::write(&dst, fs::read(&src).expect("its content")).expect("a write");
        let wanted = Wanted {
            holes: true,
            ..PLAIN
        };
        let source = Source::list(&src).expect("a list");
        assert_eq!(source.fault(&dst, PLAIN).expect("a judgement"), None);
        let fault = source
            .fault(&dst, wanted)
            .expect("a judgement")
            .expect("a fault");
        assert_eq!(fault, "the copy: holes that were filled");
    }

    #[test]
    fn shared_extents_are_counted() {
        let told = "Filesystem type is: 58465342
File size of a is 2097152 (512 blocks of 4096 bytes)
 ext:     logical_offset:        physical_offset: length:   expected: flags:
   0:        0..     255:        280..       535:    256:             shared
   1:      256..     511:        536..       791:    256:             last,eof
a: 1 extent found
";
        assert_eq!(count_shared(told), (1, 1));
    }
}
