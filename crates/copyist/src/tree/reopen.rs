//! Opens directories again that were closed for lack of descriptors.

use super::dir::{Dir, DirPair, Ids};
use super::worker::Worker;
use crate::system::{At, Batch, Open, Platform, Sys};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::options::Follow;
use crate::words::stat::FileId;
use std::ffi::OsStr;
use std::sync::Arc;

impl<P: Platform> Worker<'_, '_, P> {
    /// Whether the code says that there are no descriptors left, and some could be freed: then the call should be
    /// repeated. `dir` is the directory of the walk.
    pub(super) fn has_freed_descriptors(&self, dir: &Dir<P>, code: Code) -> bool {
        rules::is_out_of_descriptors(self.session.platform.os(), code) && {
            self.session.descriptors.are_fewer();
            self.close_idle(dir) > 0
        }
    }

    /// Opens a name, and repeats that if descriptors had run out.
    pub(super) fn open_on_way(&self, dir: &Dir<P>, at: At<'_, P>, how: Open) -> Sys<P::Handle> {
        match self.session.platform.open(at, how) {
            Err(code) if self.has_freed_descriptors(dir, code) => {
                self.session.platform.open(at, how)
            }
            opened => opened,
        }
    }

    /// Closes half of the open directories above, the furthest first, as far as no worker uses them; returns how many.
    /// Half of them, so that this is not repeated at each level.
    pub(super) fn close_idle(&self, dir: &Dir<P>) -> usize {
        let open: Vec<&Dir<P>> = dir.up().filter(|it| it.halves().is_some()).collect();
        let wanted = open.len().div_ceil(2);
        let mut closed = 0;
        for dir in open.into_iter().rev() {
            closed += usize::from(self.close_if_idle(dir));
            if closed == wanted {
                break;
            }
        }
        closed
    }

    /// Closes a directory that was opened again, if it is needed later but not now.
    pub(super) fn close_again(&self, dir: &Dir<P>) {
        let was_closed = dir.lock().ids.is_some();
        if was_closed && self.session.descriptors.is_short() {
            self.close_if_idle(dir);
        }
    }

    fn close_if_idle(&self, dir: &Dir<P>) -> bool {
        let mut state = dir.lock();
        let Some(halves) = state.open.clone() else {
            return false;
        };
        // Two references: that of the state and this one. (The current directory stays open.) References are handed
        // out under the lock, so no other worker can take one now.
        if dir.parent.is_none() || Arc::strong_count(&halves) > 2 {
            return false;
        }
        let id = |handle| Some(self.session.platform.stat_open(handle).ok()?.id);
        if state.ids.is_none() {
            let (Some(src), Some(dst)) = (id(&halves.src), id(&halves.dst)) else {
                return false; // it could not be identified when it is opened again
            };
            state.ids = Some(Ids { src, dst });
        }
        let is_read = !dir.is_parent && !dir.src_is_path_only;
        if is_read && state.unread.is_none() {
            // After it is opened again, it is read from the start.
            state.unread = Some(self.names_left(dir, &halves));
        }
        state.open = None;
        self.session.descriptors.closed();
        true
    }

    fn names_left(&self, dir: &Dir<P>, halves: &DirPair<P>) -> Batch {
        let (mut buffer, mut batch, mut all) = (Vec::new(), Batch::default(), Batch::default());
        loop {
            let platform = self.session.platform;
            match platform.read_dir(&halves.src, &mut buffer, &mut batch) {
                Ok(()) if batch.is_empty() => return all,
                Ok(()) => all.append(&batch),
                Err(code) => {
                    self.fail_reading(dir, code);
                    return all;
                }
            }
        }
    }

    /// The handles of a directory, which is opened again if it was closed. `None` if that fails, which is reported
    /// once.
    pub(super) fn halves(&self, dir: &Dir<P>) -> Option<Arc<DirPair<P>>> {
        if let Some(halves) = dir.halves() {
            return Some(halves);
        }
        if dir.lock().is_lost {
            return None;
        }
        match self.open_by_name(dir) {
            Ok(halves) => Some(halves),
            Err(error) => {
                let was_told = std::mem::replace(&mut dir.lock().is_lost, true);
                if !was_told {
                    self.session.fail(error);
                }
                None
            }
        }
    }

    /// Opens the parent of a directory that is about to be completed, by "..": it is needed next. If that fails, it is
    /// opened by its name when it is needed.
    pub(super) fn open_above(&self, dir: &Dir<P>) {
        if let Some(parent) = &dir.parent
            && parent.halves().is_none()
            && let Some(halves) = dir.halves()
            && let up = OsStr::new("..")
            && let Ok(above) = self.open_halves(parent, &halves, (up, up))
        {
            self.keep(parent, above);
        }
    }

    /// Closes a directory that is complete.
    pub(super) fn close_for_good(&self, dir: &Dir<P>) {
        let open = dir.lock().open.take();
        let Some(halves) = open else { return };
        self.session.descriptors.closed();
        if let Some(DirPair { src, dst }) = Arc::into_inner(halves) {
            self.session.platform.close_quietly(src);
            self.session.platform.close_quietly(dst);
        }
    }

    /// Opens the directories on the way down from the nearest open one.
    fn open_by_name(&self, dir: &Dir<P>) -> Result<Arc<DirPair<P>>, Error> {
        let mut closed = Vec::new();
        let mut above = None;
        for dir in dir.up() {
            above = dir.halves();
            if above.is_some() {
                break;
            }
            closed.push(dir);
        }
        let Some(mut halves) = above else {
            return Err(self.moved(dir)); // the current directory is never closed
        };
        while let Some(next) = closed.pop() {
            let names = (&*next.tree_path.src_name, &*next.tree_path.dst_name);
            halves = Arc::new(self.open_halves(next, &halves, names)?);
        }
        Ok(self.keep(dir, halves))
    }

    fn keep(&self, dir: &Dir<P>, halves: impl Into<Arc<DirPair<P>>>) -> Arc<DirPair<P>> {
        let mut state = dir.lock();
        if let Some(theirs) = &state.open {
            return Arc::clone(theirs); // another worker was faster
        }
        let halves = halves.into();
        state.open = Some(Arc::clone(&halves));
        self.session.descriptors.opened();
        halves
    }

    /// Opens both sides of a directory that was closed, by their names in `from`.
    fn open_halves(
        &self,
        dir: &Dir<P>,
        from: &DirPair<P>,
        (src_name, dst_name): (&OsStr, &OsStr),
    ) -> Result<DirPair<P>, Error> {
        let Some(ids) = dir.lock().ids else {
            return Err(self.moved(dir)); // known since it was closed
        };
        let follow = self.may_follow(dir);
        let how = |is_place| match is_place {
            true => Open::Path { follow },
            false => Open::Directory { follow },
        };
        let open = |at, is_place, id| self.open_known(dir, at, how(is_place), id);
        let src = At {
            dir: &from.src,
            name: src_name,
        };
        let dst = At {
            dir: &from.dst,
            name: dst_name,
        };
        Ok(DirPair {
            src: open(src, dir.src_is_path_only, ids.src)?,
            dst: open(dst, dir.dst_is_place, ids.dst)?,
        })
    }

    fn open_known(
        &self,
        dir: &Dir<P>,
        at: At<'_, P>,
        how: Open,
        id: FileId,
    ) -> Result<P::Handle, Error> {
        let platform = self.session.platform;
        let failed = |code| self.explain(dir, Operation::OpenDirectory, Cause::System(code));
        let handle = self.open_on_way(dir, at, how).map_err(failed)?;
        if platform.stat_open(&handle).map_err(failed)?.id == id {
            Ok(handle)
        } else {
            Err(self.moved(dir))
        }
    }

    /// Whether its name may be a symbolic link: an operand, or with links followed.
    fn may_follow(&self, dir: &Dir<P>) -> bool {
        let options = self.session.options;
        let is_named = dir.is_parent
            || dir
                .parent
                .as_ref()
                .is_none_or(|parent| parent.is_parent || parent.parent.is_none());
        is_named || options.follow == Follow::Always || options.keep_directory_symlink
    }

    fn moved(&self, dir: &Dir<P>) -> Error {
        self.explain(dir, Operation::Plan, Cause::Refused(Refusal::Moved))
    }

    fn explain(&self, dir: &Dir<P>, operation: Operation, cause: Cause) -> Error {
        let (src, dst) = (dir.tree_path.src(), dir.tree_path.dst());
        Error::new(self.session.platform.os(), operation, cause).with_paths(Some(src), Some(dst))
    }
}
