//! What is at the destination before the copy: older and newer files, files of another type, links, backups.

use fastrand::Rng;

use super::acl;
use super::options::Options;
use super::plan::{Plan, Time, What};
use super::random::{DEEP_NAME, NOBODY, decorate, random_file, random_time};

/// Puts counterparts of a source tree at the destination.
pub(crate) struct Mirror<'a> {
    pub(crate) rng: &'a mut Rng,
    pub(crate) plan: &'a mut Plan,
    pub(crate) options: &'a Options,
    pub(crate) unprivileged: bool,
    /// Holds what links of the destination lead to.
    pub(crate) aside: usize,
}

impl Mirror<'_> {
    /// Gives some of the entries of the directory `src` a counterpart in the directory `dst`.
    ///
    /// Where the outcome would depend on the order in which a directory is read, there is none: GNU cp's
    /// order is no promise, and a parallel copy has none.
    pub(crate) fn children(&mut self, src: usize, dst: usize) {
        for child in self.plan.children(src) {
            let is_deep = self.plan.nodes[child].name == DEEP_NAME;
            if !is_deep && self.rng.u8(..5) < 3 {
                self.counterpart(child, dst);
            }
        }
    }

    /// Makes a counterpart of `src` in the directory `dst`, under the same name.
    pub(crate) fn counterpart(&mut self, src: usize, dst: usize) {
        let node = self.plan.nodes[src].clone();
        let is_linked = self.plan.is_hard_linked(src);
        let follows = self.options.follows_all && self.options.keeps_links;
        if follows || (is_linked && (self.options.minds_existing || self.options.no_content)) {
            return;
        }
        if is_linked && self.options.keeps_links {
            // Which of the names is written, and which become links to it, depends on the order: the old
            // file may have nothing that a copy leaves as it is.
            if self.options.archives {
                self.read_only_file(&node.name, dst, node.modified);
            }
            return;
        }
        let is_special = !matches!(
            node.what,
            What::Dir | What::File { .. } | What::Symlink(_) | What::HardLink(_)
        );
        match (&node.what, self.rng.u8(..12)) {
            (What::Dir, 0) => self.file(&node.name, dst, node.modified),
            (What::Dir, 1) if !is_linked => self.link_to_dir(&node.name, dst),
            (What::Dir, _) => {
                let made = self.dir(&node.name, dst);
                self.children(src, made);
            }
            (_, 0) => drop(self.dir(&node.name, dst)),
            (_, 1) if !is_linked => self.link_to_file(&node.name, dst),
            (_, 2) if !is_linked => self.dangling_link(&node.name, dst),
            (_, 3) if !is_linked => self.link_to_dir(&node.name, dst),
            (_, 4) if !is_linked => self.linked_file(&node.name, dst),
            (_, 5) if is_special && self.options.recursive && !self.options.reads_pipes => {
                self.add(&node.name, dst, What::Fifo)
            }
            (_, 6) if !is_linked => self.add(&node.name, dst, What::Char(1, 3)),
            (_, 7) => self.read_only_file(&node.name, dst, node.modified),
            _ => self.file(&node.name, dst, node.modified),
        }
        self.backups(&node.name, dst);
    }

    fn push(&mut self, name: &[u8], dst: usize, what: What) -> usize {
        let index = self.plan.push(Some(dst), name, what);
        decorate(self.rng, self.plan, index, self.unprivileged);
        if self.options.keeps_links && !self.options.archives {
            // Several names of one new file would inherit from the directory of the first.
            let node = &mut self.plan.nodes[index];
            node.mode &= !0o2000;
            node.xattrs.retain(|(name, _)| *name != acl::DEFAULT);
        }
        index
    }

    fn add(&mut self, name: &[u8], dst: usize, what: What) {
        self.push(name, dst, what);
    }

    fn dir(&mut self, name: &[u8], dst: usize) -> usize {
        self.push(name, dst, What::Dir)
    }

    /// A file older than, newer than, or as old as the source.
    fn file(&mut self, name: &[u8], dst: usize, than: Time) {
        let what = random_file(self.rng);
        let index = self.push(name, dst, what);
        self.plan.nodes[index].modified = match self.rng.u8(..6) {
            0 => Time {
                sec: than.sec - 1,
                ..than
            },
            1 => Time {
                sec: than.sec + 1,
                ..than
            },
            2 => than,
            3 => Time {
                nsec: than.nsec / 1000 * 1000,
                ..than
            },
            4 => Time { nsec: 0, ..than },
            _ => random_time(self.rng),
        };
    }

    fn read_only_file(&mut self, name: &[u8], dst: usize, than: Time) {
        self.file(name, dst, than);
        if let Some(node) = self.plan.nodes.last_mut() {
            node.mode = 0o444;
            node.xattrs.clear();
        }
    }

    fn symlink(&mut self, name: &[u8], dst: usize, target: &[u8]) {
        self.add(name, dst, What::Symlink(target.to_vec()));
    }

    /// A link whose target does not exist, and is no other link's: POSIXLY_CORRECT makes cp create it.
    fn dangling_link(&mut self, name: &[u8], dst: usize) {
        let target = format!("dangling{}", self.plan.nodes.len());
        self.symlink(name, dst, target.as_bytes());
    }

    /// The way from the directory `dst` to a node.
    fn way(&self, dst: usize, to: usize) -> Vec<u8> {
        let mut way = b"../".repeat(self.plan.depth(dst) + 1);
        way.extend(self.plan.path(to));
        way
    }

    fn aside_name(&self) -> Vec<u8> {
        format!("aside{}", self.plan.nodes.len()).into_bytes()
    }

    fn link_to_file(&mut self, name: &[u8], dst: usize) {
        let (aside, aside_name) = (self.aside, self.aside_name());
        let what = random_file(self.rng);
        let to = self.push(&aside_name, aside, what);
        let target = self.way(dst, to);
        self.symlink(name, dst, &target);
    }

    fn link_to_dir(&mut self, name: &[u8], dst: usize) {
        let (aside, aside_name) = (self.aside, self.aside_name());
        let to = self.dir(&aside_name, aside);
        let target = self.way(dst, to);
        self.symlink(name, dst, &target);
    }

    /// A file that has another name outside.
    fn linked_file(&mut self, name: &[u8], dst: usize) {
        let (aside, aside_name) = (self.aside, self.aside_name());
        let what = random_file(self.rng);
        let first = self.push(&aside_name, aside, what);
        self.add(name, dst, What::HardLink(first));
    }

    /// Backups that an earlier copy may have left.
    fn backups(&mut self, name: &[u8], dst: usize) {
        if !self.options.minds_existing || name.len() > 240 || self.rng.u8(..4) != 0 {
            return;
        }
        for suffix in ["~", ".~1~", ".~7~", ".~09~", ".bak"] {
            if self.rng.u8(..3) == 0 {
                let name = [name, suffix.as_bytes()].concat();
                let what = random_file(self.rng);
                self.add(&name, dst, what);
            }
        }
    }

    /// Makes a directory of the situation itself usable by whoever copies.
    pub(crate) fn hand_over(&mut self, dir: usize) {
        if self.unprivileged {
            self.plan.nodes[dir].owner = (NOBODY, NOBODY);
        }
    }
}
