//! The directories of a walk: their names, which are kept, and their handles, which may be closed for a time.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::file::attributes::CreatedState;
use crate::run::volumes::VolumePair;
use crate::system::{At, Batch, Platform, Target};
pub(crate) use crate::think::disposition::Role;
use crate::think::recipe::Recipe;
use crate::words::method::Method;
use crate::words::observer::PathSource;
use crate::words::stat::{FileId, Stat};

/// The path of a directory of the walk: a chain of names, which takes no copy for each directory.
#[derive(Debug, Default)]
pub(crate) struct TreePath {
    pub(crate) parent: Option<Arc<TreePath>>,
    pub(crate) src_name: OsString,
    pub(crate) dst_name: OsString,
    /// The number of directories above it.
    pub(crate) depth: usize,
}

impl TreePath {
    /// The path of an entry of a directory.
    pub(crate) fn below(parent: &Arc<TreePath>, src_name: &OsStr, dst_name: &OsStr) -> TreePath {
        TreePath {
            parent: Some(Arc::clone(parent)),
            src_name: src_name.to_os_string(),
            dst_name: dst_name.to_os_string(),
            depth: parent.depth + 1,
        }
    }

    /// The source's path, relative as the caller gave it.
    pub(crate) fn src(&self) -> PathBuf {
        self.join(|tree_path| &tree_path.src_name)
    }

    /// The destination's path.
    pub(crate) fn dst(&self) -> PathBuf {
        self.join(|tree_path| &tree_path.dst_name)
    }

    fn join(&self, name: impl Fn(&TreePath) -> &OsString) -> PathBuf {
        let mut names: Vec<&OsString> = self.up().map(name).collect();
        names.reverse();
        names.into_iter().filter(|name| !name.is_empty()).collect()
    }

    /// This directory's and those above it.
    pub(crate) fn up(&self) -> impl Iterator<Item = &TreePath> {
        std::iter::successors(Some(self), |tree_path| tree_path.parent.as_deref())
    }
}

/// Drops a chain without recursion: it is as long as the tree is deep, and a worker's stack is small.
impl Drop for TreePath {
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(mut tree_path) = next.and_then(Arc::into_inner) {
            next = tree_path.parent.take();
        }
    }
}

/// The open source and destination of a directory.
pub(crate) struct DirPair<P: Platform> {
    pub(crate) src: P::Handle,
    pub(crate) dst: P::Handle,
}

/// The file numbers of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ids {
    pub(crate) src: FileId,
    pub(crate) dst: FileId,
}

/// The handles of a directory, which may be closed for lack of descriptors and opened again.
pub(crate) struct State<P: Platform> {
    pub(crate) open: Option<Arc<DirPair<P>>>,
    /// The file numbers that must be found when it is opened again.
    pub(crate) ids: Option<Ids>,
    /// The names that had not been read when it was closed.
    pub(crate) unread: Option<Batch>,
    /// It can't be opened again, which has been reported.
    pub(crate) is_lost: bool,
}

/// A directory that is being copied. Both its handles are open unless descriptors are short (`descriptors.rs`).
pub(crate) struct Dir<P: Platform> {
    pub(crate) tree_path: Arc<TreePath>,
    pub(crate) parent: Option<Arc<Dir<P>>>,
    state: Mutex<State<P>>,
    /// `src` was opened as a path only (O_PATH): its attributes are read by name.
    pub(crate) src_is_path_only: bool,
    /// `dst` was opened as a path only (O_PATH): its attributes are set by name.
    pub(crate) dst_is_place: bool,
    pub(crate) src_stat: Option<Stat>,
    /// The volume of the operand (`--one-file-system`).
    pub(crate) root_volume: u64,
    pub(crate) pair: Option<Arc<VolumePair>>,
    pub(crate) made: CreatedState,
    /// How the plain files in it are copied.
    recipe: Option<Recipe>,
    /// A file was not as the recipe expects: see [`Dir::drop_recipe`].
    recipe_dropped: AtomicBool,
    /// New files in it may inherit an access control list.
    pub(crate) gives_acl: bool,
    /// It is on the way to an operand (`--parents`).
    pub(crate) is_parent: bool,
    /// The number of jobs that need it.
    pending: AtomicUsize,
}

impl<P: Platform> Dir<P> {
    /// The directory that operands' names are relative to.
    pub(crate) fn current(here: Arc<DirPair<P>>) -> Dir<P> {
        Dir {
            tree_path: Arc::default(),
            parent: None,
            state: State::open(here),
            src_is_path_only: true,
            dst_is_place: true,
            src_stat: None,
            root_volume: 0,
            pair: None,
            recipe: None,
            recipe_dropped: AtomicBool::new(false),
            made: CreatedState::before(),
            gives_acl: true,
            is_parent: false,
            pending: AtomicUsize::new(1),
        }
    }

    /// A directory below `parent`, which is kept until this one is done.
    pub(crate) fn child(
        parent: &Arc<Dir<P>>,
        tree_path: Arc<TreePath>,
        open: OpenDir<P>,
    ) -> (Dir<P>, Arc<DirPair<P>>) {
        parent.hold();
        let halves = Arc::new(DirPair {
            src: open.src,
            dst: open.dst.handle,
        });
        let dir = Dir {
            tree_path,
            parent: Some(Arc::clone(parent)),
            src_is_path_only: false,
            dst_is_place: open.dst.is_place,
            state: State::open(Arc::clone(&halves)),
            root_volume: parent
                .src_stat
                .map_or(open.src_stat.id.volume, |_| parent.root_volume),
            src_stat: Some(open.src_stat),
            pair: Some(open.pair),
            recipe: open.recipe,
            recipe_dropped: AtomicBool::new(false),
            made: open.made,
            gives_acl: open.gives_acl,
            is_parent: open.is_parent,
            pending: AtomicUsize::new(1),
        };
        (dir, halves)
    }

    pub(crate) fn with_src_place(self, src_is_path_only: bool) -> Dir<P> {
        Dir {
            src_is_path_only,
            ..self
        }
    }

    // No panic can leave the state inconsistent: each critical section completes its changes.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<P>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all its names had been read when it was closed.
    pub(crate) fn is_read_through(&self) -> bool {
        self.lock().unread.as_ref().is_some_and(Batch::is_empty)
    }

    /// Its handles, unless it is closed. It is not closed while they are used.
    pub(crate) fn halves(&self) -> Option<Arc<DirPair<P>>> {
        self.lock().open.clone()
    }

    /// Counts another job that needs this directory.
    pub(crate) fn hold(&self) {
        self.pending.fetch_add(1, Ordering::Relaxed);
    }

    /// Discounts a job; `true` if it was the last.
    pub(crate) fn release(&self) -> bool {
        self.pending.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// How the plain files in it are copied, unless each must be examined first.
    pub(crate) fn recipe(&self) -> Option<&Recipe> {
        match self.recipe_dropped.load(Ordering::Relaxed) {
            true => Some(&Recipe::Open),
            false => self.recipe.as_ref(),
        }
    }

    /// From now on files are opened for the general path: undoing each would take twice the time.
    pub(crate) fn drop_recipe(&self) {
        self.recipe_dropped.store(true, Ordering::Relaxed);
    }

    /// Whether a method was not refused for the files of this volume.
    pub(crate) fn has_method(&self, method: Method, src_volume: u64) -> bool {
        let pair = self.pair.as_deref();
        pair.is_some_and(|it| it.src.id == src_volume && !it.refused().contains(method))
    }

    /// This directory and those above it.
    pub(crate) fn up(&self) -> impl Iterator<Item = &Dir<P>> {
        std::iter::successors(Some(self), |dir| dir.parent.as_deref())
    }

    /// Whether the walk is inside the source directory `src`. A directory on the way to an operand is not walked.
    pub(crate) fn is_within(&self, src: &Stat) -> bool {
        self.up()
            .filter(|dir| !dir.is_parent)
            .any(|dir| dir.src_stat.is_some_and(|stat| stat.is_same_file(src)))
    }
}

impl<P: Platform> State<P> {
    fn open(halves: Arc<DirPair<P>>) -> Mutex<State<P>> {
        Mutex::new(State {
            open: Some(halves),
            ids: None,
            unread: None,
            is_lost: false,
        })
    }
}

/// The facts about a directory after both handles are open.
pub(crate) struct OpenDir<P: Platform> {
    pub(crate) src: P::Handle,
    pub(crate) dst: OpenDst<P>,
    pub(crate) src_stat: Stat,
    pub(crate) pair: Arc<VolumePair>,
    pub(crate) recipe: Option<Recipe>,
    pub(crate) made: CreatedState,
    pub(crate) gives_acl: bool,
    pub(crate) is_parent: bool,
}

/// The open destination.
pub(crate) struct OpenDst<P: Platform> {
    pub(crate) handle: P::Handle,
    pub(crate) is_place: bool,
}

impl<P: Platform> OpenDst<P> {
    /// The target by which its attributes are set; `at` is its name.
    pub(crate) fn target<'a>(&'a self, at: At<'a, P>) -> Target<'a, P> {
        if self.is_place {
            Target::Named(at)
        } else {
            Target::Open(&self.handle)
        }
    }
}

/// A name in a directory of the walk.
pub(crate) struct Entry<'a, P: Platform> {
    pub(crate) dir: &'a Arc<Dir<P>>,
    /// The handles of `dir`.
    pub(crate) open: &'a DirPair<P>,
    pub(crate) src_name: &'a OsStr,
    pub(crate) dst_name: &'a OsStr,
    pub(crate) role: Role,
}

impl<P: Platform> Entry<'_, P> {
    pub(crate) fn is_operand(&self) -> bool {
        self.role == Role::Operand
    }

    pub(crate) fn src_at(&self) -> At<'_, P> {
        At {
            dir: &self.open.src,
            name: self.src_name,
        }
    }

    pub(crate) fn dst_at(&self) -> At<'_, P> {
        At {
            dir: &self.open.dst,
            name: self.dst_name,
        }
    }
}

impl<P: Platform> Clone for Entry<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P: Platform> Copy for Entry<'_, P> {}

impl<P: Platform> PathSource for Entry<'_, P> {
    fn src(&self) -> PathBuf {
        self.dir.tree_path.src().join(self.src_name)
    }

    fn dst(&self) -> PathBuf {
        self.dir.tree_path.dst().join(self.dst_name)
    }
}
