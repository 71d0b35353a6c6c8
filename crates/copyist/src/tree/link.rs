//! Links in place of copies: to an earlier copy, or (`-l`, `-s`) to the source.

use crate::system::filesystem;
use std::cmp::Ordering;
use std::path::{Component, Path};
use std::sync::Arc;

use super::dir::{Dir, DirPair, Entry, TreePath};
use super::existing::{Onto, SourceStat};
use super::links::Copied;
use super::worker::{LinkedDir, Worker};
use crate::file::temp_file::Temporary;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Open, Platform};
use crate::think::disposition::Product;
use crate::think::linking::{self, Known, Step, Taken, Try};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::facts::NoLink;
use crate::words::observer::{Event, Made, PathSource};
use crate::words::stat::{FileKind, KeptNames, Stat};

impl<P: Platform> Worker<'_, '_, P> {
    /// Links the destination to the copy of another name of its source. If the filesystem can't, nothing was done:
    /// returns the destination's state, and why.
    pub(super) fn link_to_copy(
        &mut self,
        entry: &Entry<'_, P>,
        copied: &Copied,
        onto: Onto,
    ) -> Result<Option<(Onto, NoLink)>, Error> {
        let session = self.session;
        let (taken, backup) = match &onto {
            Onto::Free { backup } => (Taken::Nothing, backup.clone()),
            Onto::Over { backup } => (Taken::Replaced, backup.clone()),
            Onto::Into(_) => (Taken::Written, None),
        };
        let mut known = Known {
            taken,
            atomic: session.options.atomic,
            is_linked: None,
            kept: None,
            tried: None,
        };
        let result = loop {
            match linking::next(&known) {
                Step::LookWhetherLinked => known.is_linked = Some(self.is_linked(entry, copied)),
                Step::LookWhetherKept => known.kept = Some(self.would_be_kept(entry, copied)),
                Step::Try(how) => known.tried = Some((how, self.try_link(entry, copied, how))),
                Step::Leave => return Ok(None),
                Step::Copy(why) => return Ok(Some((onto, why))),
                Step::Done => break Ok(()),
                Step::Fail(failed) => break Err(self.link_error(entry, copied, failed)),
            }
        };
        self.begin(entry, backup.as_ref(), FileKind::Regular);
        if let (Err(_), Some(backup)) = (&result, &backup) {
            if taken == Taken::Replaced {
                self.forget_backup(entry, backup);
            } else {
                self.move_back(entry, backup);
            }
        }
        result?;
        session.flush_name(entry)?;
        self.linked(entry);
        Ok(None)
    }

    fn make_link(
        &mut self,
        entry: &Entry<'_, P>,
        copied: &Copied,
        at: At<'_, P>,
    ) -> Result<(), Code> {
        self.with_dir(entry, &copied.tree_path, |worker, dir| {
            let to = At {
                dir,
                name: &copied.dst_name,
            };
            let link = Node::HardLink { to, follow: false };
            worker.make_node(at, link)
        })
    }

    fn try_link(
        &mut self,
        entry: &Entry<'_, P>,
        copied: &Copied,
        how: Try,
    ) -> Result<(), linking::Failed> {
        if how == Try::RenameOver {
            return self.rename_link_over(entry, copied);
        }
        if how == Try::RemoveThenMake {
            self.take_away(entry)
                .map_err(|code| self.link_failed(entry, Operation::Remove, code))?;
        }
        self.make_link(entry, copied, entry.dst_at())
            .map_err(|code| self.link_failed(entry, Operation::CreateHardLink, code))
    }

    fn rename_link_over(
        &mut self,
        entry: &Entry<'_, P>,
        copied: &Copied,
    ) -> Result<(), linking::Failed> {
        let platform = self.session.platform;
        let temporary = Temporary::new().beside(entry.dst_name);
        let at = At {
            dir: &entry.open.dst,
            name: &temporary,
        };
        self.make_link(entry, copied, at)
            .map_err(|code| self.link_failed(entry, Operation::CreateHardLink, code))?;
        let renamed = platform.rename(at, entry.dst_at());
        // A rename of one name of a file to another name of it does nothing, and leaves both.
        let _ = platform.remove(at, false);
        renamed.map_err(|code| self.link_failed(entry, Operation::Replace, code))?;
        let removed = Event::Removed { paths: entry };
        self.session.context.observer.event(removed);
        Ok(())
    }

    #[cold]
    fn link_failed(
        &self,
        entry: &Entry<'_, P>,
        operation: Operation,
        code: Code,
    ) -> linking::Failed {
        let is_of_link = operation == Operation::CreateHardLink;
        linking::Failed {
            operation,
            code,
            no_link: is_of_link.then(|| self.no_link(entry, code)).flatten(),
            is_irreplaceable: rules::is_irreplaceable(self.session.platform.os(), code),
        }
    }

    fn link_error(&self, entry: &Entry<'_, P>, copied: &Copied, failed: linking::Failed) -> Error {
        let cause = Cause::System(failed.code);
        let error = self.session.error(entry, failed.operation, cause);
        if failed.operation != Operation::CreateHardLink {
            return error;
        }
        let to = copied.tree_path.dst().join(&copied.dst_name);
        error.with_paths(Some(to), Some(entry.dst()))
    }

    /// The error that would result if another name of the copy in this directory could later not be removed or
    /// replaced (an append-only or immutable file or directory).
    fn would_be_kept(&mut self, entry: &Entry<'_, P>, copied: &Copied) -> Option<linking::Failed> {
        let platform = self.session.platform;
        let kept_names = platform.kept_names(parent_dir(entry.dst_at()));
        let is_kept = kept_names != KeptNames::None
            && self
                .stat_copied(entry, copied)
                .is_ok_and(|file| kept_names.has(&file));
        let code = rules::kept_name(platform.os());
        is_kept.then(|| self.link_failed(entry, Operation::CreateHardLink, code))
    }

    /// The reason why the destination's filesystem can't make a link; `None` if the error has another reason.
    pub(super) fn no_link(&self, entry: &Entry<'_, P>, code: Code) -> Option<NoLink> {
        let platform = self.session.platform;
        let kind = filesystem::kind_of_parent(platform, entry.dst_at());
        rules::no_link(platform.os(), code, kind)
    }

    pub(super) fn tell_no_link(&self, entry: &Entry<'_, P>, what: Made, why: NoLink) {
        let event = Event::NoLink {
            paths: entry,
            what,
            why,
        };
        self.session.context.observer.event(event);
    }

    fn is_linked(&mut self, entry: &Entry<'_, P>, copied: &Copied) -> bool {
        let platform = self.session.platform;
        let theirs = self.stat_copied(entry, copied);
        let ours = platform.stat(entry.dst_at(), false);
        // On a server that gives all files one number, each file has one link.
        matches!((theirs, ours), (Ok(theirs), Ok(ours)) if theirs.links != 1 && theirs.is_same_file(&ours))
    }

    fn stat_copied(&mut self, entry: &Entry<'_, P>, copied: &Copied) -> Result<Stat, Code> {
        self.with_dir(entry, &copied.tree_path, |worker, dir| {
            let at = At {
                dir,
                name: &copied.dst_name,
            };
            worker.session.platform.stat(at, false)
        })
    }

    /// Calls `act` with the destination directory that `tree_path` leads to, which may have been closed. One that had to
    /// be opened again stays open until another has to be.
    fn with_dir<T>(
        &mut self,
        entry: &Entry<'_, P>,
        tree_path: &Arc<TreePath>,
        act: impl FnOnce(&Self, &P::Handle) -> Result<T, Code>,
    ) -> Result<T, Code> {
        let is_it = |last: &LinkedDir<P>| Arc::ptr_eq(&last.tree_path, tree_path);
        if let Some(last) = self.linked_dir.as_ref().filter(|last| is_it(last)) {
            return act(self, &last.handle);
        }
        let (open, mut names) = self.way_to(entry.dir, tree_path);
        let mut opened = None;
        while let Some(next) = names.pop() {
            let at = At {
                dir: opened.as_ref().unwrap_or(&open.dst),
                name: &next.dst_name,
            };
            let follow = next.depth == 1; // the operand's own path, which may be a link
            opened = Some(self.open_on_way(entry.dir, at, Open::Path { follow })?);
        }
        let Some(handle) = opened else {
            return act(self, &open.dst);
        };
        let done = act(self, &handle);
        let tree_path = Arc::clone(tree_path);
        self.linked_dir = Some(LinkedDir { tree_path, handle });
        done
    }

    /// The nearest open directory on the way from `from` to `tree_path`, and the names from there, the last one first.
    fn way_to<'a>(
        &self,
        from: &'a Dir<P>,
        tree_path: &'a TreePath,
    ) -> (Arc<DirPair<P>>, Vec<&'a TreePath>) {
        let (mut above, mut tree_path, mut names) = (from, tree_path, Vec::new());
        // Both chains go up to where they meet: at the latest in the current directory, which is always open.
        loop {
            match tree_path.depth.cmp(&above.tree_path.depth) {
                Ordering::Greater => {
                    let Some(higher) = &tree_path.parent else {
                        break;
                    };
                    names.push(tree_path);
                    tree_path = higher;
                }
                Ordering::Less => {
                    let Some(dir) = &above.parent else { break };
                    above = dir;
                }
                Ordering::Equal => {
                    if std::ptr::eq(&raw const *above.tree_path, tree_path)
                        && let Some(open) = above.halves()
                    {
                        return (open, names);
                    }
                    let (Some(higher), Some(dir)) = (&tree_path.parent, &above.parent) else {
                        break;
                    };
                    names.push(tree_path);
                    (tree_path, above) = (higher, dir);
                }
            }
        }
        (Arc::clone(&self.session.here), names)
    }

    fn linked(&mut self, entry: &Entry<'_, P>) {
        self.summary.links += 1;
        let event = Event::Entry {
            paths: entry,
            what: Made::HardLink,
        };
        self.session.context.observer.event(event);
    }

    /// `-l`: makes another name of the source itself.
    pub(super) fn link_to_source(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
    ) -> Result<(), Error> {
        self.make_or_replace(
            entry,
            Operation::CreateHardLink,
            Product::HardLinkTo,
            |at| {
                let link = Node::HardLink {
                    to: entry.src_at(),
                    follow: src.follow,
                };
                self.make_node(at, link)
            },
        )?;
        self.session.flush_name(entry)?;
        self.linked(entry);
        Ok(())
    }

    /// `-s`: makes a symbolic link to the source, by the path that the caller gave.
    pub(super) fn symlink_to_source(
        &mut self,
        entry: &Entry<'_, P>,
        src: &SourceStat,
    ) -> Result<(), Error> {
        let session = self.session;
        let target = entry.src();
        if !target.is_absolute() && !self.is_made_in_current_dir(entry) {
            return Err(session.refuse(entry, Refusal::RelativeSymlink));
        }
        self.make_or_replace(entry, Operation::CreateSymlink, Product::SymlinkTo, |at| {
            let link = Node::Symlink {
                target: target.as_os_str(),
                to_dir: src.stat.kind == FileKind::Directory,
            };
            self.make_node(at, link)
        })?;
        self.keep_link_attributes(entry, &src.stat);
        session.flush_name(entry)?;
        self.summary.symlinks += 1;
        let event = Event::Entry {
            paths: entry,
            what: Made::Symlink,
        };
        session.context.observer.event(event);
        Ok(())
    }

    /// A relative target is valid only in the directory that it is relative to.
    fn is_made_in_current_dir(&self, entry: &Entry<'_, P>) -> bool {
        let dst = entry.dst();
        let parent = dst.parent().unwrap_or(Path::new(""));
        if parent.components().all(|part| part == Component::CurDir) {
            return true;
        }
        let platform = self.session.platform;
        let current = platform.stat_open(&self.session.here.dst);
        let at = At {
            dir: &self.session.here.dst,
            name: parent.as_os_str(),
        };
        matches!((current, platform.stat(at, true)), (Ok(a), Ok(b)) if a.is_same_file(&b))
    }
}
