//! What stands in the way of a copy, found before its first byte: a volume without the space, names
//! that are one there, files and names that it can't hold.
//!
//! What the two volumes rule out is not looked for ([`crate::think::preflight`]), and a tree in which nothing
//! can be in the way is not walked. Nothing is read or made. What can't be looked at is passed over: the copy
//! reports it.

mod pool;
mod walk;

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use unicode_normalization::UnicodeNormalization as _;

use crate::file::follow::reads_open_file;
use crate::run::panics::PanicGuard;
use crate::system::native::Native;
use crate::system::{At, Open, Platform, start_dir};
use crate::think::plan;
use crate::think::preflight as rules;
use crate::think::preflight::{FAT_FILE_BYTES, Side, Space};
use crate::think::times;
use crate::words::facts::{Facts, FileFacts, FsKind, Known};
use crate::words::method::Method;
use crate::words::observer::CancelToken;
use crate::words::operand::Operand;
use crate::words::options::{Backup, Follow, Make, Options, Sparse, Update};
use crate::words::stat::{FileId, FileKind, Stat};

/// What FAT and exFAT have no place for in a name (besides control characters).
const FAT_CHARACTERS: &str = "\"*/:<>?\\|";

/// The longest name on FAT and exFAT, UTF-16 code units.
const FAT_NAME_UNITS: usize = 255;

/// One thing in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Obstacle {
    /// The destination's volume has less space than is needed (clones and holes need none, and what is
    /// replaced gives its own back: with [`Options::atomic`] when the new file is complete).
    Space {
        /// What goes there.
        dst: PathBuf,
        /// Bytes needed.
        needed: u64,
        /// Bytes that this user may still use.
        free: u64,
    },
    /// Two sources have names that are one name on the destination's volume.
    Collision(PathBuf, PathBuf),
    /// The volume can't hold a file of this size.
    TooLarge {
        /// The file.
        src: PathBuf,
        /// Its size, bytes.
        size: u64,
        /// The largest that the volume holds, bytes.
        limit: u64,
    },
    /// The volume can't hold this name.
    Name(PathBuf, BadName),
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadName {
    /// It is longer than the volume's names are.
    TooLong,
    /// The volume's names can't have this character.
    Character(char),
    /// It is no Unicode text.
    NotText,
}

/// Watches [`preflight`]. Called from several threads at once.
///
/// A panic in one of these functions ends the look, and goes on in the caller's thread.
pub trait Watch: Sync {
    /// Whether an entry is wanted, as [`crate::Observer::wants`] says. What is in a directory that is not
    /// wanted is not looked at.
    fn wants(&self, path: &Path, kind: FileKind) -> bool {
        let _ = (path, kind);
        true
    }

    /// So much more was looked at.
    fn looked(&self, more: Looked) {
        let _ = more;
    }

    /// Something is in the way.
    fn obstacle(&self, obstacle: Obstacle);
}

/// What was looked at. Entries that are not wanted are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Looked {
    /// Names.
    pub entries: u64,
    /// Regular files.
    pub files: u64,
    /// The sizes of the regular files whose size mattered; a sum that is too large is [`u64::MAX`].
    pub bytes: u64,
}

/// What [`preflight`] has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counted {
    /// All that was looked at.
    pub looked: Looked,
    /// That is every file of every source, and its size: nothing was ruled out, cancelled, or could not be
    /// looked at.
    pub is_complete: bool,
}

/// Looks for what stands in the way of [`crate::Copier::copy_operands`]. A tree in which nothing can be in the
/// way, by what is known of the two volumes, is not walked.
///
/// ```
/// use copyist::preflight::{Obstacle, Watch, preflight};
/// use copyist::{CancelToken, Operand, Options};
///
/// struct Print;
///
/// impl Watch for Print {
///     fn obstacle(&self, obstacle: Obstacle) {
///         println!("{obstacle:?}");
///     }
/// }
///
/// # let temp = tempfile::tempdir()?;
/// # std::fs::write(temp.path().join("src"), "data")?;
/// let operands = [Operand::new(temp.path().join("src"), temp.path().join("dst"))];
/// let counted = preflight(&operands, &Options::default(), &CancelToken::new(), &Print);
/// assert_eq!(counted.looked.files, 1);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
///
/// If `watch` does.
pub fn preflight(
    operands: &[Operand],
    options: &Options,
    cancel: &CancelToken,
    watch: &dyn Watch,
) -> Counted {
    look(&Native::new(), operands, options, cancel, watch)
}

/// [`preflight`] on any system.
pub(crate) fn look<P: Platform>(
    platform: &P,
    operands: &[Operand],
    options: &Options,
    cancel: &CancelToken,
    watch: &dyn Watch,
) -> Counted {
    if options.make != Make::Copy || options.attributes_only {
        return Counted::default();
    }
    let paths = operands.iter().flat_map(|it| [&*it.src, &*it.dst]);
    let Ok(current) = start_dir(platform, paths) else {
        return Counted::default();
    };
    let guard = PanicGuard::new(watch, cancel);
    let look = Look {
        platform,
        options,
        watch: &guard,
        current,
        found: Mutex::default(),
        counts: Counts::default(),
    };
    let mut trees = Vec::new();
    let mut is_complete = true;
    for operand in operands {
        match look.operand(operand) {
            Some(Source::File) => {}
            Some(Source::Tree(tree)) => trees.push(*tree),
            None => is_complete = false,
        }
    }
    look.rule_out_space(&mut trees);
    // What links lead to is not looked at.
    is_complete &= trees.is_empty() || options.follow != Follow::Always;
    is_complete &= trees.iter().all(Tree::wants_stat);
    trees.retain(|tree| tree.names || tree.wants_stat());
    is_complete &= look.walk(trees);
    look.report_space();
    let counted = Counted {
        looked: look.counts.looked(),
        is_complete: is_complete && !guard.cancel().is_cancelled(),
    };
    guard.resume();
    counted
}

/// Where a part of the copy goes.
#[derive(Clone, Copy)]
struct Pair {
    src: Side,
    dst: Side,
    mounts_below: Known,
}

/// What an operand's source is.
enum Source {
    /// It has been looked at.
    File,
    Tree(Box<Tree>),
}

/// A directory that is copied with all below it, and what has to be looked at there.
struct Tree {
    src: PathBuf,
    dst: PathBuf,
    dst_exists: bool,
    stat: Stat,
    pair: Pair,
    names: bool,
    sizes: bool,
    space: Space,
}

impl Tree {
    fn wants_space(&self) -> bool {
        self.space == Space::Unknown
    }

    fn goes_to(&self, volume: u64) -> bool {
        self.pair.dst.volume.id == volume
    }

    fn wants_stat(&self) -> bool {
        self.sizes || self.wants_space()
    }
}

/// What is known of a destination's volume.
struct Target {
    dst: PathBuf,
    space: Needed,
    free: Option<u64>,
}

/// The space that files need on a volume, bytes: what the copies occupy, and what the files that they
/// replace give back.
#[derive(Debug, Default)]
struct Needed {
    new: u64,
    freed: u64,
    /// The least that a file gives back; `None` without files.
    least_freed: Option<u64>,
    /// By how much copies are smaller than what they replace.
    shrinks: u64,
    /// The most that a file needs, with what its own copy is smaller.
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

    /// Where an old file is emptied before the new content comes.
    fn in_place(&self) -> u64 {
        self.new.saturating_sub(self.freed)
    }

    /// Where an old file is there until the new one is complete: at least so much, in whatever order they
    /// are copied. The last one is still there twice when everything is; and the largest has to fit,
    /// after all those that become smaller.
    fn replacing(&self) -> u64 {
        let last = self.new.saturating_add(self.least_freed.unwrap_or(0));
        let largest = self.most.saturating_sub(self.shrinks);
        last.saturating_sub(self.freed).max(largest)
    }
}

#[derive(Default)]
struct Counts {
    entries: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Counts {
    fn add(&self, more: Looked) {
        self.entries.fetch_add(more.entries, Ordering::Relaxed);
        self.files.fetch_add(more.files, Ordering::Relaxed);
        let add = |sum: u64| Some(sum.saturating_add(more.bytes));
        // It never declines.
        let _ = (self.bytes).fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn looked(&self) -> Looked {
        Looked {
            entries: self.entries.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// What the threads find.
#[derive(Default)]
struct Found {
    volumes: HashMap<u64, Target>,
    /// Files of several names that were counted.
    linked: HashSet<FileId>,
    /// The names that operands take, by their directory.
    top: HashMap<PathBuf, Names>,
}

/// Names of one directory, folded, and the sources that take them.
type Names = HashMap<String, PathBuf>;

struct Look<'a, P: Platform> {
    platform: &'a P,
    options: &'a Options,
    watch: &'a PanicGuard<'a, dyn Watch + 'a>,
    current: P::Handle,
    found: Mutex<Found>,
    counts: Counts,
}

impl<P: Platform> Look<'_, P> {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, obstacle: Obstacle) {
        self.watch.call((), |it| it.obstacle(obstacle));
    }

    fn wants(&self, path: &Path, kind: FileKind) -> bool {
        self.watch.call(false, |it| it.wants(path, kind))
    }

    fn count(&self, more: Looked) {
        self.counts.add(more);
        self.watch.call((), |it| it.looked(more));
    }

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

    /// Looks at an operand itself. What is not wanted, or not copied, is a file without content.
    fn operand(&self, operand: &Operand) -> Option<Source> {
        let at = At {
            dir: &self.current,
            name: operand.src.as_os_str(),
        };
        let follow = self.options.follow != Follow::Never
            || reads_open_file(self.platform, self.options, at);
        let stat = self.stat(&operand.src, follow)?;
        if !self.wants(&operand.src, stat.kind) {
            return Some(Source::File);
        }
        let pair = self.pair(operand, &stat)?;
        let parent = operand.dst.parent().unwrap_or(Path::new("")).to_path_buf();
        if let Some(name) = operand.dst.file_name() {
            let mut names = self.found().top.remove(&parent).unwrap_or_default();
            self.name(name, &operand.src, &pair, &mut names);
            self.found().top.insert(parent, names);
        }
        let old = self.stat(&operand.dst, true);
        if stat.kind == FileKind::Directory {
            if !self.options.recursive {
                return Some(Source::File);
            }
            let tree = self.tree(operand, stat, old.is_some(), pair);
            return Some(Source::Tree(Box::new(tree)));
        }
        let is_file = stat.kind == FileKind::Regular;
        if is_file {
            self.size(&operand.src, &stat, &pair);
            self.space(&stat, old.as_ref(), &pair);
        }
        self.count(Looked {
            entries: 1,
            files: u64::from(is_file),
            bytes: if is_file { stat.size } else { 0 },
        });
        Some(Source::File)
    }

    fn tree(&self, operand: &Operand, stat: Stat, dst_exists: bool, pair: Pair) -> Tree {
        let system = (self.platform.os(), self.platform.kernel());
        let sides = (&pair.src, &pair.dst);
        let looks = rules::looks(system, sides, pair.mounts_below, self.options);
        Tree {
            src: operand.src.clone(),
            dst: operand.dst.clone(),
            dst_exists,
            stat,
            pair,
            names: looks.names,
            sizes: looks.sizes,
            space: looks.space,
        }
    }

    /// Decides for each tree whether its files have to be looked at for the sake of space.
    fn rule_out_space(&self, trees: &mut [Tree]) {
        let are_apart = are_siblings(trees) && self.options.follow == Follow::Never;
        for (id, target) in &self.found().volumes {
            let mut sources = HashSet::new();
            let mut most = Some(target.space.new);
            for tree in trees.iter().filter(|it| it.goes_to(*id)) {
                let more = match tree.space {
                    Space::Nothing => Some(0),
                    // Together they have no more than is on the volume.
                    Space::AtMost(_) if are_apart && !sources.insert(tree.pair.src.volume.id) => {
                        Some(0)
                    }
                    Space::AtMost(most) => Some(most),
                    Space::Unknown => None,
                };
                most = most.zip(more).map(|(most, more)| most.saturating_add(more));
            }
            // Without a number there is nothing to compare with.
            let fits = target
                .free
                .is_none_or(|free| most.is_some_and(|most| most <= free));
            for tree in trees.iter_mut().filter(|it| it.goes_to(*id)) {
                tree.space = match tree.space {
                    Space::AtMost(_) | Space::Unknown if !fits => Space::Unknown,
                    _ => Space::Nothing,
                };
            }
        }
    }

    /// The volumes of an operand; the destination's is that of the next directory that is there.
    fn pair(&self, operand: &Operand, src: &Stat) -> Option<Pair> {
        let is_dir = src.kind == FileKind::Directory;
        let src_dir = match is_dir {
            true => operand.src.as_path(),
            false => operand.src.parent().unwrap_or(Path::new("")),
        };
        let or_here = |path: &Path| match path.as_os_str().is_empty() {
            true => PathBuf::from("."),
            false => path.to_path_buf(),
        };
        let src_dir = self.open(&or_here(src_dir), true)?;
        let there = |path: &Path| Some((or_here(path), self.open(&or_here(path), true)?));
        let (path, dst_dir) = operand.dst.ancestors().find_map(there)?;
        // A file's own size is known.
        let (src, _) = self.side(&src_dir, is_dir)?;
        let (mut dst, free) = self.side(&dst_dir, true)?;
        let folds = &mut dst.volume.folds_case;
        if *folds == Known::Unknown && self.folds(&path, dst.volume.id) {
            *folds = Known::Yes;
        }
        let mut found = self.found();
        found
            .volumes
            .entry(dst.volume.id)
            .or_insert_with(|| Target {
                dst: operand.dst.clone(),
                space: Needed::default(),
                free,
            });
        let mounts_below = match is_dir {
            true => self.platform.has_mounts_below(&src_dir),
            false => Known::No,
        };
        Some(Pair {
            src,
            dst,
            mounts_below,
        })
    }

    /// The volume of a directory, and how much of it is free.
    fn side(&self, dir: &P::Handle, describe: bool) -> Option<(Side, Option<u64>)> {
        let volume = self.platform.volume(dir).ok()?;
        let mounted = match describe {
            true => self.platform.describe(dir).ok(),
            false => None,
        };
        let space = mounted.as_ref().map(|it| it.space).unwrap_or_default();
        let used = space.total_bytes.zip(space.free_bytes);
        let side = Side {
            volume,
            name_bytes: mounted.and_then(|it| it.name_bytes),
            // What is kept for the superuser counts as used.
            used_bytes: used.map(|(total, free)| total.saturating_sub(free)),
        };
        Some((side, space.free_bytes))
    }

    /// Whether a directory is found under its name in the other case: where nobody tells of such a
    /// rule (FUSE, a server), that shows it, and nothing has to be made for it.
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
        // The name of a mount point is the other volume's.
        parent.is_some_and(|parent| parent.volume == volume)
            && swapped != name
            && id(dir).is_some()
            && id(&dir.with_file_name(swapped)) == id(dir)
    }

    /// Whether the volume can hold a name, beside the others that it gets.
    fn name(&self, name: &OsStr, src: &Path, pair: &Pair, names: &mut Names) {
        let limit = pair.dst.name_bytes.unwrap_or(u64::MAX);
        if let Some(bad) = bad_name(name, pair.dst.volume.kind, limit) {
            self.tell(Obstacle::Name(src.to_path_buf(), bad));
        }
        if pair.dst.volume.folds_case != Known::Yes {
            return;
        }
        // A volume that folds case takes forms of one character for one too, or does no harm here.
        let folded: String = name.to_string_lossy().to_lowercase().nfd().collect();
        let other = names.insert(folded, src.to_path_buf());
        if let Some(other) = other.filter(|it| it != src) {
            self.tell(Obstacle::Collision(other, src.to_path_buf()));
        }
    }

    /// Whether the volume can hold a file of this size.
    fn size(&self, path: &Path, stat: &Stat, pair: &Pair) {
        if rules::limits_size(pair.dst.volume.kind) && stat.size > FAT_FILE_BYTES {
            self.tell(Obstacle::TooLarge {
                src: path.to_path_buf(),
                size: stat.size,
                limit: FAT_FILE_BYTES,
            });
        }
    }

    /// Adds the space that a file needs.
    fn space(&self, stat: &Stat, old: Option<&Stat>, pair: &Pair) {
        let dst = &pair.dst.volume;
        let is_left = old.is_some_and(|old| match self.options.update {
            Update::All => false,
            Update::Older => {
                let keeps = self.options.preserve.times;
                old.modified >= stat.modified
                    || keeps && times::is_modified_as(stat.modified, old, dst.kind)
            }
            Update::None | Update::NoneFail => true,
        });
        if is_left {
            return;
        }
        let needed = self.needed(stat, old.is_none(), pair);
        let keeps_links = self.options.preserve.links && dst.kind.links() != Known::No;
        let is_link = keeps_links && stat.links > 1 && stat.id.is_known();
        let mut found = self.found();
        if is_link && !found.linked.insert(stat.id) {
            return;
        }
        if let Some(target) = found.volumes.get_mut(&dst.id) {
            // A backup keeps what is replaced.
            let freed = old.filter(|old| {
                let is_backed_up = self.options.backup != Backup::None;
                old.kind == FileKind::Regular && old.links <= 1 && !is_backed_up
            });
            let freed = freed.map_or(0, |old| old.allocated_bytes);
            target.space.add(needed, freed);
        }
    }

    /// The space that a copy will occupy, as far as the plan tells.
    fn needed(&self, stat: &Stat, is_free: bool, pair: &Pair) -> u64 {
        let (src, dst) = (pair.src.volume, pair.dst.volume);
        if dst.clone == Known::Yes && src.id == dst.id {
            let system = (self.platform.os(), self.platform.kernel());
            let file = FileFacts::plain(stat.size, stat.allocated_bytes);
            let facts = Facts {
                dst_is_free: is_free,
                // What was measured is left out: the space is the same by whatever method copies.
                ..Facts::new(system, file, (src, dst))
            };
            let plan = plan::plan(&facts, self.options);
            if plan.methods.first() == Some(&Method::Clone) {
                return 0;
            }
        }
        let block = u64::from(dst.block_bytes).max(1);
        let whole = stat.size.div_ceil(block).saturating_mul(block);
        match self.options.sparse {
            Sparse::Never => whole,
            Sparse::Auto | Sparse::Always => whole.min(stat.allocated_bytes.max(block)),
        }
    }

    fn report_space(&self) {
        let volumes = std::mem::take(&mut self.found().volumes);
        let mut targets: Vec<Target> = volumes.into_values().collect();
        targets.sort_by(|a, b| a.dst.cmp(&b.dst));
        for target in targets {
            let needed = match self.options.atomic.wanted() {
                true => target.space.replacing(),
                false => target.space.in_place(),
            };
            if let Some(free) = target.free.filter(|free| needed > *free) {
                self.tell(Obstacle::Space {
                    dst: target.dst,
                    needed,
                    free,
                });
            }
        }
    }
}

/// Whether no tree is in another one: they are different names in one directory.
fn are_siblings(trees: &[Tree]) -> bool {
    let mut names = HashSet::new();
    let parent = |tree: &Tree| tree.src.parent().map(Path::to_path_buf);
    let first = trees.first().and_then(parent);
    trees.len() == 1
        || trees.iter().all(|tree| {
            let name = tree.src.file_name(); // none is ".."
            name.is_some_and(|name| names.insert(name)) && parent(tree) == first
        })
}

/// What is wrong with a name there, if something is.
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
