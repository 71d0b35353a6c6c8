//! Problems that can be found before the first byte is copied: a volume without enough space, names that collide on
//! the destination's volume, files and names that it can't store.
//!
//! `think::preflight` says which checks the two volumes make necessary; a tree that needs none is not walked. Nothing is
//! read or created. What can't be examined is skipped: the copy will report it.

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
use crate::system::{At, Batch, Open, Platform, start_dir};
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

/// Observes [`preflight`]. Its functions are called from several threads at once. A panic in one of them ends the
/// preflight, and is passed on to the caller.
pub trait Watch: Sync {
    /// Selects the entries, as [`crate::Observer::wants`] does. A directory that is not selected is not walked.
    fn wants(&self, path: &Path, kind: FileKind) -> bool {
        let _ = (path, kind);
        true
    }

    /// Called with the counts of the entries examined since the last call.
    fn examined(&self, more: Examined) {
        let _ = more;
    }

    /// Called with each problem.
    fn obstacle(&self, obstacle: Obstacle);
}

/// What was examined. Entries that [`Watch::wants`] rejects are not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Examined {
    /// Entries of all kinds.
    pub entries: u64,
    /// Regular files.
    pub files: u64,
    /// The sum of the sizes, bytes, of the regular files whose size was read; [`u64::MAX`] if it is larger.
    pub bytes: u64,
}

/// What [`preflight`] has counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counted {
    /// The sum of all.
    pub examined: Examined,
    /// Every file of every source was examined, with its size. Otherwise a check was unnecessary, the call was
    /// cancelled, or an entry could not be examined.
    pub is_complete: bool,
}

/// Checks for problems that would make [`crate::Copier::copy_operands`] fail. A tree is walked only if the facts of the
/// two volumes don't rule out every problem.
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
/// assert_eq!(counted.examined.files, 1);
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Panics
///
/// If a function of `watch` panics.
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
    // The targets of followed links are not examined.
    is_complete &= trees.is_empty() || options.follow != Follow::Always;
    is_complete &= trees.iter().all(Tree::wants_stat);
    trees.retain(|tree| tree.names || tree.wants_stat());
    is_complete &= look.walk(trees);
    look.report_space();
    let counted = Counted {
        examined: look.counts.examined(),
        is_complete: is_complete && !guard.cancel().is_cancelled(),
    };
    guard.resume();
    counted
}

/// The volumes of a part of the copy.
#[derive(Clone, Copy)]
struct Pair {
    src: Side,
    dst: Side,
    mounts_below: Known,
}

/// What an operand's source is.
enum Source {
    /// Already examined.
    File,
    Tree(Box<Tree>),
}

/// A directory that is copied with all below it, and the checks that it needs.
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

/// Facts about a destination's volume.
struct Target {
    dst: PathBuf,
    space: Needed,
    free: Option<u64>,
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

#[derive(Default)]
struct Counts {
    entries: AtomicU64,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Counts {
    fn add(&self, more: Examined) {
        self.entries.fetch_add(more.entries, Ordering::Relaxed);
        self.files.fetch_add(more.files, Ordering::Relaxed);
        let add = |sum: u64| Some(sum.saturating_add(more.bytes));
        // It never declines.
        let _ = (self.bytes).fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    fn examined(&self) -> Examined {
        Examined {
            entries: self.entries.load(Ordering::Relaxed),
            files: self.files.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// What the threads have found.
#[derive(Default)]
struct Found {
    volumes: HashMap<u64, Target>,
    /// Files with several names that were already counted.
    linked: HashSet<FileId>,
    /// The names that operands create, by their directory.
    top: HashMap<PathBuf, Names>,
}

/// The folded names of one directory, and the source of each.
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

    fn count(&self, more: Examined) {
        self.counts.add(more);
        self.watch.call((), |it| it.examined(more));
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

    /// Checks at an operand itself. What is not wanted, or not copied, is a file without content.
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
        self.count(Examined {
            entries: 1,
            files: u64::from(is_file),
            bytes: if is_file { stat.size } else { 0 },
        });
        Some(Source::File)
    }

    fn tree(&self, operand: &Operand, stat: Stat, dst_exists: bool, pair: Pair) -> Tree {
        let system = (self.platform.os(), self.platform.kernel());
        let sides = (&pair.src, &pair.dst);
        let checks = rules::checks(system, sides, pair.mounts_below, self.options);
        Tree {
            src: operand.src.clone(),
            dst: operand.dst.clone(),
            dst_exists,
            stat,
            pair,
            names: checks.names,
            sizes: checks.sizes,
            space: checks.space,
        }
    }

    /// Decides for each tree whether its files have to be examined at for the sake of space.
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
        // A file's size is read anyway.
        let (src, _) = self.side(&src_dir, is_dir)?;
        let (mut dst, free) = self.side(&dst_dir, true)?;
        let folds = &mut dst.volume.folds_case;
        if *folds == Known::Unknown && self.folds(&path, &dst_dir, dst.volume.id) {
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

    /// The volume of a directory, and its free space, bytes.
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
            // Blocks reserved for the superuser count as used.
            used_bytes: used.map(|(total, free)| total.saturating_sub(free)),
        };
        Some((side, space.free_bytes))
    }

    /// Whether the volume of a directory finds a name in the other case too: where the filesystem does not report
    /// whether it folds case (FUSE, network filesystems), an existing name shows it, and nothing has to be created.
    fn folds(&self, dir: &Path, handle: &P::Handle, volume: u64) -> bool {
        let parent = dir.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = self.stat(parent.unwrap_or(Path::new(".")), true);
        if parent.is_some_and(|it| it.id.volume == volume) {
            return self.has_other_case(dir) == Some(true);
        }
        // The name of a mount point is on the volume above it.
        let (mut batch, mut buffer) = (Batch::default(), Vec::new());
        let read = self.platform.read_dir(handle, &mut buffer, &mut batch);
        let mut names = batch.iter().map(|(name, _)| dir.join(name));
        read.is_ok() && names.find_map(|path| self.has_other_case(&path)) == Some(true)
    }

    /// Whether a file is also found under its name in the other case; `None` for a name that has none.
    fn has_other_case(&self, path: &Path) -> Option<bool> {
        let name = path.file_name().and_then(OsStr::to_str)?;
        let swap = |c: char| match c.is_ascii_uppercase() {
            true => c.to_ascii_lowercase(),
            false => c.to_ascii_uppercase(),
        };
        let swapped: String = name.chars().map(swap).collect();
        if swapped == name {
            return None;
        }
        let id = |path: &Path| {
            let id = self.stat(path, false).map(|stat| stat.id);
            id.filter(|id| id.is_known())
        };
        let found = id(path)?;
        Some(id(&path.with_file_name(swapped)) == Some(found))
    }

    /// Checks whether the volume can store a name, beside the others that are copied there.
    fn name(&self, name: &OsStr, src: &Path, pair: &Pair, names: &mut Names) {
        let limit = pair.dst.name_bytes.unwrap_or(u64::MAX);
        if let Some(bad) = bad_name(name, pair.dst.volume.kind, limit) {
            self.tell(Obstacle::Name(src.to_path_buf(), bad));
        }
        if pair.dst.volume.folds_case != Known::Yes {
            return;
        }
        // A volume that folds case usually treats the Unicode forms of one character as equal too; elsewhere this
        // does no harm.
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
    fn needed(&self, stat: &Stat, is_free: bool, pair: &Pair) -> u64 {
        let (src, dst) = (pair.src.volume, pair.dst.volume);
        if dst.clone == Known::Yes && src.id == dst.id {
            let system = (self.platform.os(), self.platform.kernel());
            let file = FileFacts::plain(stat.size, stat.allocated_bytes);
            let facts = Facts {
                dst_is_free: is_free,
                // Earlier measurements are left out: every method needs the same space.
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

/// Whether no tree is inside another: all are different names in one directory.
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
