//! The walk: what each worker does with a job.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Scope;

use super::dir::{Dir, DirPair, Entry, Role};
use super::job::{Job, Rest, SharedBatch};
use super::schedule::Push;
use super::session::Session;
use super::worker::{Outcome, Worker};
use crate::run::thread_budget;
use crate::system::{Batch, Platform, Sys};
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation};
use crate::words::operand::Operand;
use crate::words::report::Summary;
use crate::words::stat::{FileId, FileKind};

/// The stack of a worker, bytes. The walk does not recurse, so it needs little, however deep a tree is.
const WORKER_STACK_BYTES: usize = 256 << 10;

/// A directory whose first batch has at most this many names is probably read to its end: to read on costs less than
/// to leave the rest to another worker.
const FEW_NAMES: usize = 128;

/// The number of names that are sorted by inode number, where a directory lists them by a hash: of 20,000 cold files of
/// 4 KiB in one directory, the reads of a batch of 800 jump over 100 KiB of the disk, those of 4,096 over 20 KiB.
const SORTED_NAMES: usize = 4096;

impl<'s, 'e, P: Platform> Worker<'s, 'e, P> {
    /// Runs a worker from its first job to its last. If it panics, the other workers end too, and none waits for it.
    pub(super) fn run_all(
        session: &'s Session<'s, P>,
        scope: &'s Scope<'s, 'e>,
        total: &'s Mutex<Summary>,
    ) {
        let ended = session.guard.catch(false, || {
            Worker::new(session, scope, total).work();
            true
        });
        if !ended {
            session.schedule.abandon();
            session.links.abandon();
        }
    }

    /// Runs jobs until none are left.
    pub(super) fn work(mut self) {
        while let Some(job) = self.session.schedule.pop() {
            if self.session.schedule.wants_help() {
                self.start_another();
            }
            self.run(job);
        }
        self.total
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(&self.summary);
        self.session.learnt.return_buffers(self.buffers);
    }

    fn run(&mut self, job: Job<P>) {
        match job {
            Job::Operand(_) if self.session.context.cancel.is_cancelled() => {}
            Job::Operand(operand) => self.operand(&operand),
            Job::Read(dir) => {
                self.read(&dir);
                self.release(dir);
            }
            Job::Rest(Rest { dir, batch, names }) => {
                self.copy_batch(&dir, batch, names);
                self.release(dir);
            }
        }
    }

    fn start_another(&self) {
        let (session, scope, total) = (self.session, self.scope, self.total);
        // If the umask can only be read by setting it, no other worker may create a file at that moment.
        session.platform.umask();
        // Without another thread the walk is slower, and just as correct. A worker that was counted and never started
        // would be waited for.
        let builder = std::thread::Builder::new().stack_size(WORKER_STACK_BYTES);
        let work = move || Worker::run_all(session, scope, total);
        if thread_budget::start(builder, scope, session.platform, work).is_err() {
            session.schedule.worker_failed();
        }
    }

    pub(super) fn push(&self, job: Job<P>) {
        if self.session.schedule.push(job) == Push::SpawnWorker {
            self.start_another();
        }
    }

    fn operand(&mut self, operand: &Operand) {
        if let Some(base) = &operand.parents_below {
            return self.operand_with_parents(operand, base);
        }
        self.operand_as_named(operand);
    }

    pub(super) fn operand_as_named(&mut self, operand: &Operand) {
        let dir = Arc::clone(&self.session.current);
        self.operand_entry(Entry {
            dir: &dir,
            open: &self.session.here,
            src_name: operand.src.as_os_str(),
            dst_name: operand.dst.as_os_str(),
            role: Role::Operand,
        });
    }

    pub(super) fn operand_entry(&mut self, entry: Entry<'_, P>) {
        if !self.is_wanted(&entry, None) {
            return;
        }
        if let Outcome::Directory = self.entry_by_name(entry) {
            self.enter(entry);
        }
    }

    /// Whether the filters select an entry. An entry that can't be examined is reported later.
    fn is_wanted(&self, entry: &Entry<'_, P>, kind: Option<FileKind>) -> bool {
        !self.session.options.filtered || self.passes_filters(entry, kind)
    }

    #[inline(never)]
    fn passes_filters(&self, entry: &Entry<'_, P>, kind: Option<FileKind>) -> bool {
        let session = self.session;
        let look = || {
            let stat = session.platform.stat(entry.src_at(), self.follows(entry));
            stat.map_or(FileKind::Unknown, |stat| stat.kind)
        };
        let kind = kind.unwrap_or_else(look);
        session.context.observer.wants(entry, kind)
    }

    fn read(&mut self, dir: &Arc<Dir<P>>) {
        if self.session.context.cancel.is_cancelled() {
            return;
        }
        if dir.is_read_through() {
            return;
        }
        let Some(open) = self.halves(dir) else { return };
        let mut batch = self.batches.pop().unwrap_or_default();
        if let Err(code) = self.next_names(dir, &open, &mut batch) {
            return self.fail_reading(dir, code);
        }
        if batch.is_empty() {
            self.batches.push(batch);
            return;
        }
        let sorts = dir
            .pair
            .as_ref()
            .is_some_and(|it| it.src.kind.lists_by_hash());
        let is_ordered = self.session.options.ordered;
        let names = match (is_ordered, sorts) {
            (true, _) => usize::MAX,
            (false, true) => SORTED_NAMES,
            (false, false) => FEW_NAMES,
        };
        let is_all = self.read_on(dir, &open, &mut batch, names);
        drop(open);
        if is_ordered || sorts {
            let mut sorted = self.batches.pop().unwrap_or_default();
            batch.sort_by_inode(&mut sorted);
            self.batches.push(std::mem::replace(&mut batch, sorted));
        }
        self.copy_batch(dir, Arc::new(SharedBatch::new(batch, !is_all)), 0..0);
    }

    /// Adds the names that follow, as long as the batch has at most so many; returns whether none follow.
    fn read_on(
        &mut self,
        dir: &Dir<P>,
        open: &DirPair<P>,
        batch: &mut Batch,
        names: usize,
    ) -> bool {
        let mut next = self.batches.pop().unwrap_or_default();
        let mut is_at_end = false;
        while !is_at_end && batch.len() <= names {
            is_at_end = match self.next_names(dir, open, &mut next) {
                Ok(()) => next.is_empty(),
                Err(code) => {
                    self.fail_reading(dir, code);
                    next.clear();
                    true
                }
            };
            batch.append(&next);
        }
        self.batches.push(next);
        is_at_end
    }

    /// The next names of a directory, beginning with those that were read before it was closed.
    fn next_names(&mut self, dir: &Dir<P>, open: &DirPair<P>, batch: &mut Batch) -> Sys<()> {
        if let Some(unread) = &mut dir.lock().unread {
            *batch = std::mem::take(unread);
            return Ok(());
        }
        let buffer = &mut self.buffers.read_dir;
        self.session.platform.read_dir(&open.src, buffer, batch)
    }

    pub(super) fn fail_reading(&self, dir: &Dir<P>, code: Code) {
        let os = self.session.platform.os();
        let error = Error::new(os, Operation::ReadDirectory, Cause::System(code));
        let (src, dst) = (dir.tree_path.src(), dir.tree_path.dst());
        self.session.fail(error.with_paths(Some(src), Some(dst)));
    }

    /// Copies the names of a batch up to the first directory. That directory is walked next; the rest of the batch
    /// becomes a job.
    fn copy_batch(&mut self, dir: &Arc<Dir<P>>, batch: Arc<SharedBatch>, names: Range<usize>) {
        let Some(open) = self.halves(dir) else {
            return self.recycle(batch);
        };
        self.rest = Some(Rest {
            dir: Arc::clone(dir),
            batch: Arc::clone(&batch),
            names,
        });
        while let Some(n) = self.next_of_rest() {
            let (name, kind) = batch.batch.get(n);
            let entry = Entry {
                dir,
                open: &open,
                src_name: name,
                dst_name: name,
                role: Role::Found,
            };
            if !self.is_wanted(&entry, kind) {
                continue;
            }
            let before = self.summary.bytes;
            let outcome = match (kind, dir.recipe()) {
                (Some(FileKind::Directory), _) => Outcome::Directory,
                (Some(FileKind::Regular), Some(recipe)) => {
                    if recipe.creates() && self.has_met(dir, batch.batch.inode(n)) {
                        self.link_met(entry)
                    } else {
                        self.by_recipe(entry, recipe)
                    }
                }
                _ => self.entry_by_name(entry),
            };
            if let Outcome::Directory = outcome {
                let name = name.to_os_string();
                self.leave_rest();
                self.recycle(batch);
                self.enter(Entry {
                    dir,
                    open: &open,
                    src_name: &name,
                    dst_name: &name,
                    role: Role::Found,
                });
                return;
            }
            self.did(dir, self.summary.bytes - before);
        }
        self.rest = None;
        self.recycle(batch);
    }

    /// Whether another name of a file was met, by the inode number of the directory entry. (For a mount point that is
    /// the number of another file: the caller must check it.)
    fn has_met(&self, dir: &Dir<P>, inode: Option<u64>) -> bool {
        let (Some(inode), Some(stat)) = (inode, &dir.src_stat) else {
            return false;
        };
        let volume = stat.id.volume;
        self.session.links.has_met(FileId {
            volume,
            inode: inode.into(),
        })
    }

    /// The next name to copy. Shares those after it with an idle worker.
    fn next_of_rest(&mut self) -> Option<usize> {
        let Session {
            schedule, context, ..
        } = self.session;
        if context.cancel.is_cancelled() {
            return None;
        }
        if schedule.over_limit() {
            self.leave_rest();
        }
        let rest = self.rest.as_mut()?;
        if rest.names.is_empty() {
            rest.names = rest.batch.take();
            if rest.batch.must_read_on() {
                let dir = Arc::clone(&rest.dir);
                dir.hold();
                self.push(Job::Read(dir));
            }
        }
        let rest = self.rest.as_mut()?;
        let n = rest.names.next()?;
        if schedule.wants_work() {
            self.share_rest();
        }
        Some(n)
    }

    /// Shares the batch with another worker; if all its names are taken, half of those that this one has.
    #[cold]
    fn share_rest(&mut self) {
        let Some(rest) = &mut self.rest else { return };
        let Range { start, end } = rest.names;
        let names = if rest.batch.has_more() {
            end..end
        } else {
            let middle = start + (end - start) / 2;
            rest.names.end = middle;
            middle..end
        };
        let shared = Rest {
            dir: Arc::clone(&rest.dir),
            batch: Arc::clone(&rest.batch),
            names,
        };
        self.leave(shared);
    }

    /// Makes a job of the names after the entry that is being copied.
    pub(super) fn leave_rest(&mut self) {
        if let Some(rest) = self.rest.take() {
            self.leave(rest);
        }
    }

    fn leave(&mut self, rest: Rest<P>) {
        if !rest.names.is_empty() || rest.batch.has_more() {
            rest.dir.hold();
            self.push(Job::Rest(rest));
        }
    }

    /// Keeps a batch whose names are done, to be filled again.
    fn recycle(&mut self, batch: Arc<SharedBatch>) {
        self.batches
            .extend(Arc::into_inner(batch).map(|it| it.batch));
    }

    /// Counts an entry that is done, and adapts the number of workers.
    fn did(&mut self, dir: &Dir<P>, bytes: u64) {
        let Session {
            concurrency,
            schedule,
            ..
        } = self.session;
        if !concurrency.is_due(&mut self.tally, bytes) {
            return;
        }
        if let Some(pair) = &dir.pair
            && let Some(most) =
                concurrency.look((pair.src.id, pair.dst.id), self.session.platform.used())
        {
            schedule.set_most(most);
            if schedule.wants_help() {
                self.start_another();
            }
        }
    }

    /// Releases a directory. The last release sets its attributes, and releases its parent.
    pub(super) fn release(&mut self, dir: Arc<Dir<P>>) {
        let mut dir = dir;
        while dir.release() {
            self.open_above(&dir);
            self.finish_directory(&dir);
            self.close_for_good(&dir);
            match &dir.parent {
                Some(parent) => dir = Arc::clone(parent),
                None => return,
            }
        }
        self.close_again(&dir);
    }
}
