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

/// The result of an entry.
pub(super) enum Outcome {
    /// It is done.
    Done,
    /// It is a directory, which is to be entered.
    Directory,
}

/// One thread of the walk.
pub(super) struct Worker<'s, 'e, P: Platform> {
    pub(super) session: &'s Session<'s, P>,
    pub(super) scope: &'s Scope<'s, 'e>,
    pub(super) total: &'s Mutex<Summary>,
    pub(super) summary: Summary,
    pub(super) buffers: Buffers,
    /// Batches whose names are done, to be filled again.
    pub(super) batches: Vec<Batch>,
    /// The names after the entry that is being copied, unless they were left to other workers.
    pub(super) rest: Option<Rest<P>>,
    pub(super) tally: Tally,
    /// The directory of the last link target: successive links often have targets in one directory.
    pub(super) linked_dir: Option<LinkedDir<P>>,
}

/// A destination directory that was opened again because a link target is in it.
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
