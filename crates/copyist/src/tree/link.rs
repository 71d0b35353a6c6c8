//! Links made instead of a copy: to an earlier copy, or (`-l`, `-s`) to the source.

use crate::system::filesystem;
use std::cmp::Ordering;
use std::path::{Component, Path};
use std::sync::Arc;

use super::dir::{Dir, DirPair, Entry, TreePath};
use super::existing::{Onto, SourceStat};
use super::links::Copied;
use super::walk::Worker;
use crate::file::temp_file::Temporary;
use crate::system::parent::parent_dir;
use crate::system::{At, Node, Open, Platform};
use crate::think::disposition::Product;
use crate::think::rules;
use crate::words::code::Code;
use crate::words::error::{Cause, Error, Operation, Refusal};
use crate::words::facts::NoLink;
use crate::words::observer::{Event, Made, PathSource};
use crate::words::options::Atomic;
use crate::words::stat::{FileKind, KeptNames, Stat};

impl<P: Platform> Worker<'_, '_, P> {
    /// Gives the copy of a file the name that its source has here. Where the filesystem can't, nothing has been
    /// done: the answer is then what to do with the destination, and why.
    pub(super) fn link_to_copy(
        &mut self,
        entry: &Entry<'_, P>,
        copied: &Copied,
        onto: Onto,
    ) -> Result<Option<(Onto, NoLink)>, Error> {
        let session = self.session;
        let (backup, replaces) = match &onto {
            Onto::Free { backup } => (backup.clone(), false),
            Onto::Over { backup } => (backup.clone(), true),
            Onto::Into(_) if self.is_linked(entry, copied) => return Ok(None),
            Onto::Into(_) => (None, true),
        };
        let made = if replaces {
            self.replace_by_link(entry, copied, &onto)
        } else {
            let made = self.make_link(entry, copied, entry.dst_at());
            made.map_err(|code| (Operation::CreateHardLink, code))
        };
        if let Err((operation, code)) = made
            && operation == Operation::CreateHardLink
            && let Some(why) = self.no_link(entry, code)
        {
            return Ok(Some((onto, why)));
        }
        // `copy` writes into the file then; `cp` fails, as GNU's does.
        if let Err((_, code)) = made
            && matches!(onto, Onto::Into(_))
            && session.options.atomic == Atomic::BestEffort
            && self.is_refused(code)
        {
            return Ok(Some((onto, NoLink::NotReplaceable)));
        }
        self.begin(entry, backup.as_ref(), FileKind::Regular);
        let result = made.map_err(|(operation, code)| {
            let error = session.error(entry, operation, Cause::System(code));
            if operation != Operation::CreateHardLink {
                return error;
            }
            let to = copied.tree_path.dst().join(&copied.dst_name);
            error.with_paths(Some(to), Some(entry.dst()))
        });
        if let (Err(_), Some(backup)) = (&result, &backup) {
            if replaces {
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

    fn make_link(&self, entry: &Entry<'_, P>, copied: &Copied, at: At<'_, P>) -> Result<(), Code> {
        self.with_dir(entry, &copied.tree_path, |dir| {
            let to = At {
                dir,
                name: &copied.dst_name,
            };
            let link = Node::HardLink { to, follow: false };
            self.make_node(at, link)
        })
    }

    /// Replaces what is there by a link, in one step. Where that is refused, it is removed first, unless the options
    /// demand one step. A file that could be written into is removed only after a link was made in its directory.
    fn replace_by_link(
        &self,
        entry: &Entry<'_, P>,
        copied: &Copied,
        onto: &Onto,
    ) -> Result<(), (Operation, Code)> {
        let platform = self.session.platform;
        let of_link = |code| (Operation::CreateHardLink, code);
        let refused = if self.would_be_kept(entry, copied) {
            let code = rules::kept_name(platform.os());
            if let Onto::Into(_) = onto {
                return Err(of_link(code));
            }
            code
        } else {
            let temporary = Temporary::new().beside(entry.dst_name);
            let at = At {
                dir: &entry.open.dst,
                name: &temporary,
            };
            self.make_link(entry, copied, at).map_err(of_link)?;
            let renamed = platform.rename(at, entry.dst_at());
            // Two names of one file are left both by a rename.
            let _ = platform.remove(at, false);
            match renamed {
                Ok(()) => {
                    let removed = Event::Removed { paths: entry };
                    self.session.context.observer.event(removed);
                    return Ok(());
                }
                Err(code) => code,
            }
        };
        if !self.is_refused(refused) {
            return Err((Operation::Replace, refused));
        }
        self.take_away(entry)
            .map_err(|code| (Operation::Remove, code))?;
        self.make_link(entry, copied, entry.dst_at())
            .map_err(of_link)
    }

    /// Whether a second name of the copy could not be taken away again, or given to another file, in this directory.
    fn would_be_kept(&self, entry: &Entry<'_, P>, copied: &Copied) -> bool {
        let platform = self.session.platform;
        match platform.kept_names(parent_dir(entry.dst_at())) {
            KeptNames::None => false,
            kept => {
                let file = self.stat_copied(entry, copied);
                file.is_ok_and(|file| kept.has(&file))
            }
        }
    }

    /// Whether what has a name could not be replaced in one step, and may be in two, or be written into.
    fn is_refused(&self, code: Code) -> bool {
        self.session.options.atomic != Atomic::Required
            && rules::is_irreplaceable(self.session.platform.os(), code)
    }

    /// Whether the destination's filesystem is why a link could not be made.
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

    fn is_linked(&self, entry: &Entry<'_, P>, copied: &Copied) -> bool {
        let platform = self.session.platform;
        let theirs = self.stat_copied(entry, copied);
        let ours = platform.stat(entry.dst_at(), false);
        // A server that gives every file one number gives each of them one link.
        matches!((theirs, ours), (Ok(theirs), Ok(ours)) if theirs.links != 1 && theirs.is_same_file(&ours))
    }

    fn stat_copied(&self, entry: &Entry<'_, P>, copied: &Copied) -> Result<Stat, Code> {
        self.with_dir(entry, &copied.tree_path, |dir| {
            let at = At {
                dir,
                name: &copied.dst_name,
            };
            self.session.platform.stat(at, false)
        })
    }

    /// Calls `act` with the destination directory that `tree_path` leads to, which may have been closed.
    fn with_dir<T>(
        &self,
        entry: &Entry<'_, P>,
        tree_path: &Arc<TreePath>,
        act: impl FnOnce(&P::Handle) -> Result<T, Code>,
    ) -> Result<T, Code> {
        let (open, mut names) = self.way_to(entry.dir, tree_path);
        let mut opened = None;
        while let Some(next) = names.pop() {
            let at = At {
                dir: opened.as_ref().unwrap_or(&open.dst),
                name: &next.dst_name,
            };
            let follow = next.depth == 1; // the operand's own path, which the caller named
            opened = Some(self.open_on_way(entry.dir, at, Open::Path { follow })?);
        }
        act(opened.as_ref().unwrap_or(&open.dst))
    }

    /// The nearest open directory on the way from `from` to `tree_path`, and the names to go through
    /// from there, the last one first.
    fn way_to<'a>(
        &self,
        from: &'a Dir<P>,
        tree_path: &'a TreePath,
    ) -> (Arc<DirPair<P>>, Vec<&'a TreePath>) {
        let (mut above, mut tree_path, mut names) = (from, tree_path, Vec::new());
        // Both go up to where they meet, at the latest where operands are named, which is open.
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

    /// `-l`: another name for the source itself.
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

    /// `-s`: a symbolic link to the source, by the name that the caller gave.
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

    /// A relative target means the same from the destination only in the directory that it is
    /// relative to.
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
