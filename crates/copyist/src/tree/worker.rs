//! A thread of a run.

use super::concurrency::Tally;
use super::dir::TreePath;
use super::job::Rest;
use super::session::Session;
use crate::run::buffers::Buffers;
use crate::system::{Batch, Platform};
use crate::words::report::Summary;
use std::sync::{Arc, Mutex};
use std::thread::Scope;

/// What became of an entry.
pub(super) enum Outcome {
    /// It is done with.
    Done,
    /// It is a directory, to be entered.
    Directory,
}

/// One thread's share of the walk.
pub(super) struct Worker<'s, 'e, P: Platform> {
    pub(super) session: &'s Session<'s, P>,
    pub(super) scope: &'s Scope<'s, 'e>,
    pub(super) total: &'s Mutex<Summary>,
    pub(super) summary: Summary,
    pub(super) buffers: Buffers,
    /// Batches that were read and can be filled again.
    pub(super) batches: Vec<Batch>,
    /// What follows the entry that is being copied, unless it was left to others.
    pub(super) rest: Option<Rest<P>>,
    pub(super) tally: Tally,
    /// Where the last copy is that a link was made to: links follow each other.
    pub(super) linked_dir: Option<LinkedDir<P>>,
}

/// A directory of the destination that was opened again for links to copies in it.
pub(super) struct LinkedDir<P: Platform> {
    pub(super) tree_path: Arc<TreePath>,
    pub(super) handle: P::Handle,
}

impl<'s, 'e, P: Platform> Worker<'s, 'e, P> {
    pub(super) fn new(
        session: &'s Session<'s, P>,
        scope: &'s Scope<'s, 'e>,
        total: &'s Mutex<Summary>,
    ) -> Worker<'s, 'e, P> {
        Worker {
            session,
            scope,
            total,
            summary: Summary::default(),
            buffers: session.learnt.take_buffers(),
            batches: Vec::new(),
            rest: None,
            tally: Tally::default(),
            linked_dir: None,
        }
    }
}
