//! What a tree will be, before any of it exists: a list of nodes, parents before children.
//!
//! A plan is plain data made from a random seed, so that the same seed makes the same tree for GNU cp and
//! for the cp under test, and so that command lines can be chosen by what the tree will hold.

/// A file time: seconds since 1970 (negative before) and nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time {
    /// Seconds since 1970-01-01T00:00:00Z.
    pub(crate) sec: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub(crate) nsec: u32,
}

/// A piece of a file that is written; what no piece covers is a hole.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Where it begins, in bytes.
    pub(crate) offset: u64,
    /// How long it is, in bytes.
    pub(crate) len: usize,
    /// `None` writes zeros (data that `--sparse=always` may turn into a hole), else seeded noise.
    pub(crate) noise: Option<u64>,
}

/// What a node is.
#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A directory.
    Dir,
    /// A regular file of `size` bytes.
    File {
        /// Its length in bytes.
        size: u64,
        /// What is written in it.
        pieces: Vec<Piece>,
    },
    /// A symbolic link with this target.
    Symlink(Vec<u8>),
    /// A named pipe.
    Fifo,
    /// A socket without a listener.
    Socket,
    /// A character device: major, minor.
    Char(u32, u32),
    /// A block device: major, minor.
    Block(u32, u32),
    /// One more name for the node with this index.
    HardLink(usize),
}

/// One entry of a planned tree, with every attribute it is to get.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// The directory that holds it; `None` is the root of the situation.
    pub(crate) parent: Option<usize>,
    /// Its name, any bytes but `/` and NUL.
    pub(crate) name: Vec<u8>,
    /// Its type and content.
    pub(crate) what: What,
    /// Permission bits, with setuid, setgid and sticky.
    pub(crate) mode: u32,
    /// User and group.
    pub(crate) owner: (u32, u32),
    /// Last modification.
    pub(crate) modified: Time,
    /// Last access.
    pub(crate) accessed: Time,
    /// Extended attributes, ACLs among them.
    pub(crate) xattrs: Vec<(&'static str, Vec<u8>)>,
}

/// A planned tree.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// Its nodes, parents before children.
    pub(crate) nodes: Vec<Node>,
}

impl Plan {
    /// Adds a node with ordinary attributes and returns its index.
    pub(crate) fn push(&mut self, parent: Option<usize>, name: &[u8], what: What) -> usize {
        let mode = match what {
            What::Dir => 0o755,
            _ => 0o644,
        };
        self.nodes.push(Node {
            parent,
            name: name.to_vec(),
            what,
            mode,
            owner: (0, 0),
            modified: Time {
                sec: 1_234_567_890,
                nsec: 0,
            },
            accessed: Time {
                sec: 1_234_567_891,
                nsec: 0,
            },
            xattrs: Vec::new(),
        });
        self.nodes.len() - 1
    }

    /// The path of a node from the root of the situation.
    pub(crate) fn path(&self, index: usize) -> Vec<u8> {
        let mut names = vec![self.nodes[index].name.as_slice()];
        let mut at = self.nodes[index].parent;
        while let Some(parent) = at {
            names.push(&self.nodes[parent].name);
            at = self.nodes[parent].parent;
        }
        names.reverse();
        names.join(&b'/')
    }

    /// How many directories are above a node.
    pub(crate) fn depth(&self, index: usize) -> usize {
        std::iter::successors(self.nodes[index].parent, |&at| self.nodes[at].parent).count()
    }

    /// The nodes directly in a directory.
    pub(crate) fn children(&self, dir: usize) -> Vec<usize> {
        let all = 0..self.nodes.len();
        all.filter(|&index| self.nodes[index].parent == Some(dir))
            .collect()
    }

    /// True when `index` is `top` or lies below it.
    pub(crate) fn is_within(&self, index: usize, top: usize) -> bool {
        let chain = std::iter::successors(Some(index), |&at| self.nodes[at].parent);
        chain.into_iter().any(|at| at == top)
    }

    /// Every node below `top`, `top` left out.
    pub(crate) fn below(&self, top: usize) -> Vec<usize> {
        let all = top + 1..self.nodes.len();
        all.filter(|&index| self.is_within(index, top)).collect()
    }

    /// True when the node has, or is, a second name of a file.
    pub(crate) fn is_hard_linked(&self, index: usize) -> bool {
        let target = |node: &Node| match node.what {
            What::HardLink(first) => Some(first),
            _ => None,
        };
        target(&self.nodes[index]).is_some()
            || self.nodes.iter().any(|node| target(node) == Some(index))
    }
}
