//! Problems that can be found before the first byte is copied: a volume without enough space, names that collide on
//! the destination's volume, files and names that it can't store.
//!
//! The source is walked; nothing is read or created. What can't be examined is skipped: the copy will report it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use unicode_normalization::UnicodeNormalization as _;

use crate::file::follow::reads_open_file;
use crate::system::native::Native;
use crate::system::{At, Batch, Open, Platform, start_dir};
use crate::think::plan;
use crate::think::times;
use crate::words::facts::{Facts, FileFacts, FsKind, Known, VolumeFacts};
use crate::words::method::Method;
use crate::words::observer::CancelToken;
use crate::words::operand::Operand;
use crate::words::options::{Backup, Follow, Make, Options, Sparse, Update};
use crate::words::stat::{FileId, FileKind, Stat};

/// FAT stores a file's length in 32 bits.
const FAT_FILE_BYTES: u64 = u32::MAX as u64;

/// The characters that names on FAT and exFAT can't have (besides control characters).
const FAT_CHARACTERS: &str = "\"*/:<>?\\|";

/// The longest name on FAT and exFAT, UTF-16 code units.
const FAT_NAME_UNITS: usize = 255;

/// A problem that would make the copy fail.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The destination's volume has less space than is needed. Clones and holes need none, and a replaced file frees
    /// its own: with [`Options::atomic`] only when the new file is complete.
    Space {
        /// The destination on that volume.
        dst: PathBuf,
        /// The bytes that are needed.
        needed: u64,
        /// The bytes that are available to this user.
        free: u64,
    },
    /// Two sources have names that are equal on the destination's volume.
    Collision(PathBuf, PathBuf),
    /// The volume can't store a file of this size.
    TooLarge {
        /// The file.
        src: PathBuf,
        /// Its size, in bytes.
        size: u64,
        /// The largest file that the volume can store, in bytes.
        limit: u64,
    },
    /// The volume can't store this name.
    Name(PathBuf, BadName),
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadName {
    /// It is longer than names on the volume can be.
    TooLong,
    /// Names on the volume can't have this character.
    Character(char),
    /// It is not valid Unicode.
    NotText,
}

/// Looks for problems that would make [`crate::Copier::copy_operands`] fail. `wants` selects the entries, as
/// [`crate::Observer::wants`] does; `tell` is called with each problem.
///
/// ```
/// use copyist::preflight::preflight;
/// use copyist::{CancelToken, Operand, Options};
///
/// # let temp = tempfile::tempdir()?;
/// # let (src, dst) = (temp.path().join("src"), temp.path().join("dst"));
/// # std::fs::write(&src, "data")?;
/// let operands = [Operand::new(&src, &dst)];
/// let mut found = 0;
/// preflight(&operands, &Options::default(), &CancelToken::new(), &|_, _| true, &mut |obstacle| {
///     eprintln!("{obstacle:?}");
///     found += 1;
/// });
/// assert_eq!(found, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn preflight(
    operands: &[Operand],
    options: &Options,
    cancel: &CancelToken,
    wants: &dyn Fn(&Path, FileKind) -> bool,
    tell: &mut dyn FnMut(Obstacle),
) {
    look(&Native::new(), operands, options, cancel, wants, tell);
}

/// [`preflight`] on any system.
pub(crate) fn look<P: Platform>(
    platform: &P,
    operands: &[Operand],
    options: &Options,
    cancel: &CancelToken,
    wants: &dyn Fn(&Path, FileKind) -> bool,
    tell: &mut dyn FnMut(Obstacle),
) {
    if options.make != Make::Copy || options.attributes_only {
        return;
    }
    let paths = operands.iter().flat_map(|it| [&*it.src, &*it.dst]);
    let Ok(current) = start_dir(platform, paths) else {
        return;
    };
    let mut look = Look {
        platform,
        options,
        cancel,
        wants,
        tell,
        current,
        volumes: HashMap::new(),
        linked: HashSet::new(),
        top: HashMap::new(),
    };
    for operand in operands {
        look.operand(operand);
    }
    look.space();
}

/// The volumes of a part of the copy.
#[derive(Clone, Copy)]
struct Pair {
    src: VolumeFacts,
    dst: VolumeFacts,
}

/// Facts about a destination's volume.
struct Target {
    dst: PathBuf,
    space: Needed,
    free: Option<u64>,
    name_bytes: Option<u64>,
}

/// The space that files need on a volume, bytes: what the copies occupy, and what the replaced files free.
#[derive(Debug, Default)]
struct Needed {
    new: u64,
    freed: u64,
    /// The least that a file frees; `None` without files.
    least_freed: Option<u64>,
    /// The total by which copies are smaller than the files that they replace.
    shrinks: u64,
    /// The most that a file needs, plus the amount by which its copy is smaller.
    most: u64,
}

impl Needed {
    fn add(&mut self, new: u64, freed: u64) {
        let shrinks = freed.saturating_sub(new);
        self.new = self.new.saturating_add(new);
        self.freed = self.freed.saturating_add(freed);
        self.least_freed = Some(self.least_freed.map_or(freed, |least| least.min(freed)));
        self.shrinks = self.shrinks.saturating_add(shrinks);
        self.most = self.most.max(new.saturating_add(shrinks));
    }

    /// The space needed where an old file is truncated before the new content is written.
    fn in_place(&self) -> u64 {
        self.new.saturating_sub(self.freed)
    }

    /// The space needed where an old file exists until the new one is complete: at least this much, in whatever order
    /// they are copied. The last file still exists twice when all others are done; and the largest has to fit after
    /// all those that become smaller.
    fn replacing(&self) -> u64 {
        let last = self.new.saturating_add(self.least_freed.unwrap_or(0));
        let largest = self.most.saturating_sub(self.shrinks);
        last.saturating_sub(self.freed).max(largest)
    }
}

/// A directory to walk.
struct Dir {
    src: PathBuf,
    dst: PathBuf,
    /// The destination's directory exists.
    dst_exists: bool,
}

struct Look<'a, P: Platform> {
    platform: &'a P,
    options: &'a Options,
    cancel: &'a CancelToken,
    wants: &'a dyn Fn(&Path, FileKind) -> bool,
    tell: &'a mut dyn FnMut(Obstacle),
    current: P::Handle,
    volumes: HashMap<u64, Target>,
    /// Files with several names that were already counted.
    linked: HashSet<FileId>,
    /// The names that operands create, by their directory.
    top: HashMap<PathBuf, HashMap<String, PathBuf>>,
}

impl<P: Platform> Look<'_, P> {
    fn stat(&self, path: &Path, follow: bool) -> Option<Stat> {
        let at = At {
            dir: &self.current,
            name: path.as_os_str(),
        };
        self.platform.stat(at, follow).ok()
    }

    fn open(&self, path: &Path, follow: bool) -> Option<P::Handle> {
        let at = At {
            dir: &self.current,
            name: path.as_os_str(),
        };
        let opened = self.platform.open(at, Open::Directory { follow });
        opened.ok()
    }

    fn operand(&mut self, operand: &Operand) {
        let at = At {
            dir: &self.current,
            name: operand.src.as_os_str(),
        };
        let follow = self.options.follow != Follow::Never
            || reads_open_file(self.platform, self.options, at);
        let Some(stat) = self.stat(&operand.src, follow) else {
            return;
        };
        if !(self.wants)(&operand.src, stat.kind) {
            return;
        }
        let Some(pair) = self.pair(operand, &stat) else {
            return;
        };
        let parent = operand.dst.parent().unwrap_or(Path::new("")).to_path_buf();
        if let Some(name) = operand.dst.file_name() {
            let mut names = self.top.remove(&parent).unwrap_or_default();
            self.name(name, &operand.src, pair, &mut names);
            self.top.insert(parent, names);
        }
        let old = self.stat(&operand.dst, true);
        if stat.kind != FileKind::Directory {
            return self.file(&operand.src, &stat, old.as_ref(), pair);
        }
        if !self.options.recursive {
            return;
        }
        let mut dirs = vec![Dir {
            src: operand.src.clone(),
            dst: operand.dst.clone(),
            dst_exists: old.is_some(),
        }];
        while let Some(dir) = dirs.pop() {
            if self.cancel.is_cancelled() {
                return;
            }
            self.directory(&dir, &stat, pair, &mut dirs);
        }
    }

    /// The volumes of an operand; the destination's is that of the nearest directory that exists.
    fn pair(&mut self, operand: &Operand, src: &Stat) -> Option<Pair> {
        let src_dir = match src.kind {
            FileKind::Directory => operand.src.as_path(),
            _ => operand.src.parent().unwrap_or(Path::new("")),
        };
        let or_here = |path: &Path| match path.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => path.to_path_buf(),
        };
        let src = self.open(&or_here(src_dir), true)?;
        let there = |path: &Path| Some((or_here(path), self.open(&or_here(path), true)?));
        let (path, dst) = operand.dst.ancestors().find_map(there)?;
        let src = self.platform.volume(&src).ok()?;
        let mut facts = self.platform.volume(&dst).ok()?;
        if facts.folds_case == Known::Unknown && self.folds(&path, facts.id) {
            facts.folds_case = Known::Yes;
        }
        let platform = self.platform;
        self.volumes.entry(facts.id).or_insert_with(|| {
            let mounted = platform.describe(&dst).ok();
            Target {
                dst: operand.dst.clone(),
                space: Needed::default(),
                free: mounted.as_ref().and_then(|it| it.space.free_bytes),
                name_bytes: mounted.and_then(|it| it.name_bytes),
            }
        });
        Some(Pair { src, dst: facts })
    }

    /// Whether a directory is also found under its name in the other case: where the filesystem does not report
    /// whether it folds case (FUSE, network filesystems), this shows it without creating anything.
    fn folds(&self, dir: &Path, volume: u64) -> bool {
        let Some(name) = dir.file_name().and_then(OsStr::to_str) else {
            return false;
        };
        let swap = |c: char| match c.is_ascii_uppercase() {
            true => c.to_ascii_lowercase(),
            false => c.to_ascii_uppercase(),
        };
        let swapped: String = name.chars().map(swap).collect();
        let id = |path: &Path| {
            let id = self.stat(path, true).map(|stat| stat.id);
            id.filter(|id| id.is_known())
        };
        let parent = dir.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = id(parent.unwrap_or(Path::new(".")));
        // The name of a mount point is on the volume above it.
        parent.is_some_and(|parent| parent.volume == volume)
            && swapped != name
            && id(dir).is_some()
            && id(&dir.with_file_name(swapped)) == id(dir)
    }

    fn directory(&mut self, dir: &Dir, top: &Stat, pair: Pair, dirs: &mut Vec<Dir>) {
        let Some(src) = self.open(&dir.src, true) else {
            return;
        };
        let dst = dir.dst_exists.then(|| self.open(&dir.dst, true)).flatten();
        let (mut batch, mut buffer, mut names) = (Batch::default(), Vec::new(), HashMap::new());
        loop {
            let read = self.platform.read_dir(&src, &mut buffer, &mut batch);
            if read.is_err() || batch.is_empty() || self.cancel.is_cancelled() {
                return;
            }
            for (name, _) in batch.iter() {
                let Ok(stat) = self.platform.stat(At { dir: &src, name }, false) else {
                    continue;
                };
                let path = dir.src.join(name);
                if !(self.wants)(&path, stat.kind) {
                    continue;
                }
                self.name(name, &path, pair, &mut names);
                let old = dst.as_ref().and_then(|dir| {
                    let old = self.platform.stat(At { dir, name }, true);
                    old.ok()
                });
                let within = !self.options.one_file_system || stat.id.volume == top.id.volume;
                if stat.kind != FileKind::Directory {
                    self.file(&path, &stat, old.as_ref(), pair);
                } else if within {
                    dirs.push(Dir {
                        src: path,
                        dst: dir.dst.join(name),
                        dst_exists: old.is_some(),
                    });
                }
            }
        }
    }

    /// Checks whether the volume can store a name, beside the others that are copied there.
    fn name(&mut self, name: &OsStr, src: &Path, pair: Pair, names: &mut HashMap<String, PathBuf>) {
        let limit = self.volumes.get(&pair.dst.id).and_then(|it| it.name_bytes);
        if let Some(bad) = bad_name(name, pair.dst.kind, limit.unwrap_or(u64::MAX)) {
            (self.tell)(Obstacle::Name(src.to_path_buf(), bad));
        }
        if pair.dst.folds_case != Known::Yes {
            return;
        }
        // A volume that folds case usually treats the Unicode forms of one character as equal too; elsewhere this
        // does no harm.
        let folded: String = name.to_string_lossy().to_lowercase().nfd().collect();
        if let Some(other) = names
            .insert(folded, src.to_path_buf())
            .filter(|it| it != src)
        {
            (self.tell)(Obstacle::Collision(other, src.to_path_buf()));
        }
    }

    fn file(&mut self, path: &Path, stat: &Stat, old: Option<&Stat>, pair: Pair) {
        if stat.kind != FileKind::Regular {
            return;
        }
        if pair.dst.kind == FsKind::Fat && stat.size > FAT_FILE_BYTES {
            (self.tell)(Obstacle::TooLarge {
                src: path.to_path_buf(),
                size: stat.size,
                limit: FAT_FILE_BYTES,
            });
        }
        let is_left = old.is_some_and(|old| match self.options.update {
            Update::All => false,
            Update::Older => {
                let keeps = self.options.preserve.times;
                old.modified >= stat.modified
                    || keeps && times::is_modified_as(stat.modified, old, pair.dst.kind)
            }
            Update::None | Update::NoneFail => true,
        });
        let keeps_links = self.options.preserve.links && pair.dst.kind.links() != Known::No;
        let is_link = keeps_links && stat.links > 1 && stat.id.is_known();
        let is_counted = is_link && !self.linked.insert(stat.id);
        if is_left || is_counted {
            return;
        }
        let needed = self.needed(stat, old.is_none(), pair);
        if let Some(target) = self.volumes.get_mut(&pair.dst.id) {
            // With a backup, the old file is kept.
            let freed = old.filter(|old| {
                let is_backed_up = self.options.backup != Backup::None;
                old.kind == FileKind::Regular && old.links <= 1 && !is_backed_up
            });
            let freed = freed.map_or(0, |old| old.allocated_bytes);
            target.space.add(needed, freed);
        }
    }

    /// The space that a copy will occupy, as far as the plan shows.
    fn needed(&self, stat: &Stat, is_free: bool, pair: Pair) -> u64 {
        let system = (self.platform.os(), self.platform.kernel());
        let file = FileFacts::plain(stat.size, stat.allocated_bytes);
        let facts = Facts {
            dst_is_free: is_free,
            // Earlier measurements are left out: every method needs the same space.
            ..Facts::new(system, file, (pair.src, pair.dst))
        };
        let plan = plan::plan(&facts, self.options);
        let is_sure = pair.dst.clone == Known::Yes && facts.same_volume() == Known::Yes;
        if is_sure && plan.methods.first() == Some(&Method::Clone) {
            return 0;
        }
        let block = u64::from(pair.dst.block_bytes).max(1);
        let whole = stat.size.div_ceil(block).saturating_mul(block);
        match self.options.sparse {
            Sparse::Never => whole,
            Sparse::Auto | Sparse::Always => whole.min(stat.allocated_bytes.max(block)),
        }
    }

    fn space(&mut self) {
        let mut targets: Vec<Target> = self.volumes.drain().map(|(_, target)| target).collect();
        targets.sort_by(|a, b| a.dst.cmp(&b.dst));
        for target in targets {
            let needed = match self.options.atomic.wanted() {
                true => target.space.replacing(),
                false => target.space.in_place(),
            };
            let Some(free) = target.free.filter(|free| needed > *free) else {
                continue;
            };
            (self.tell)(Obstacle::Space {
                dst: target.dst,
                needed,
                free,
            });
        }
    }
}

/// Why the volume can't store a name; `None` if it can.
fn bad_name(name: &OsStr, kind: FsKind, limit: u64) -> Option<BadName> {
    if !matches!(kind, FsKind::Fat | FsKind::ExFat) {
        return (name.len() as u64 > limit).then_some(BadName::TooLong);
    }
    let Some(text) = name.to_str() else {
        return Some(BadName::NotText);
    };
    let bad = |c: &char| FAT_CHARACTERS.contains(*c) || c.is_ascii_control();
    if let Some(bad) = text.chars().find(bad) {
        return Some(BadName::Character(bad));
    }
    (text.encode_utf16().count() > FAT_NAME_UNITS).then_some(BadName::TooLong)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{BadName, Needed, bad_name};
    use crate::words::facts::FsKind;

    #[test]
    fn what_is_replaced_in_one_step_is_there_twice() {
        let needed = |files: &[(u64, u64)]| {
            let mut needed = Needed::default();
            for (new, freed) in files {
                needed.add(*new, *freed);
            }
            (needed.in_place(), needed.replacing())
        };
        assert_eq!(needed(&[]), (0, 0));
        assert_eq!(needed(&[(60, 60)]), (0, 60));
        assert_eq!(needed(&[(60, 0)]), (60, 60));
        assert_eq!(needed(&[(60, 90)]), (0, 60));
        assert_eq!(needed(&[(40, 40), (40, 40)]), (0, 40));
        assert_eq!(needed(&[(10, 10), (0, 0), (40, 40)]), (0, 40));
        assert_eq!(needed(&[(50, 10), (10, 10)]), (40, 50));
        assert_eq!(needed(&[(50, 40), (50, 40)]), (20, 60));
        assert_eq!(
            needed(&[(50, 50), (10, 90)]),
            (0, 10),
            "the smaller one first"
        );
        assert_eq!(needed(&[(u64::MAX, 0), (u64::MAX, 9)]).0, u64::MAX - 9);
    }

    #[test]
    fn names_that_a_volume_can_not_hold_are_known() {
        let check = |name: &str, kind| bad_name(OsStr::new(name), kind, 255);
        let long = "x".repeat(256);
        assert_eq!(check("a:b", FsKind::Ext), None);
        assert_eq!(check(&long, FsKind::Ext), Some(BadName::TooLong));
        assert_eq!(check("a:b", FsKind::Fat), Some(BadName::Character(':')));
        assert_eq!(
            check("a\u{1}", FsKind::ExFat),
            Some(BadName::Character('\u{1}'))
        );
        assert_eq!(check(&long, FsKind::ExFat), Some(BadName::TooLong));
        // 255 characters of two bytes each.
        assert_eq!(check(&"\u{e9}".repeat(255), FsKind::Fat), None);
        assert_eq!(
            check(&"\u{e9}".repeat(255), FsKind::Ext),
            Some(BadName::TooLong)
        );
    }
}
