//! Which method `auto` would use: the planner's result for the facts that the trials found.

use super::{Answer, Choice};
use crate::run::thread_budget::ThreadBudget;
use crate::system::Platform;
use crate::think::plan;
use crate::words::facts::{Facts, FileFacts, Known, VolumeFacts};
use crate::words::method::{Method, MethodSet};
use crate::words::options::Options;

/// The file sizes for which the planner is run, bytes.
pub(super) const SMALL: u64 = 4 << 10;
pub(super) const LARGE: u64 = 1 << 30;

/// The plan between two volumes for a file of `size` bytes, of which so many are allocated.
pub(super) fn choose<P: Platform>(
    platform: &P,
    (src, dst): (VolumeFacts, VolumeFacts),
    methods: &[(Method, Answer)],
    (size, allocated_bytes): (u64, u64),
) -> Option<Choice> {
    let refused: MethodSet = methods
        .iter()
        .filter(|(_, answer)| answer.known == Known::No)
        .map(|(method, _)| *method)
        .collect();
    let system = (platform.os(), platform.kernel());
    let file = FileFacts::plain(size, allocated_bytes);
    let facts = Facts {
        threads: ThreadBudget::new(None).take(size, 0).threads(),
        memory_bytes: platform.available_memory(),
        refused,
        ..Facts::new(system, file, (src, dst))
    };
    let plan = plan::plan(&facts, &Options::default());
    let method = *plan.methods.first()?;
    let answer = methods.iter().find(|(it, _)| *it == method);
    Some(Choice {
        method,
        threads: if method == Method::ReadWrite {
            plan.threads
        } else {
            1
        },
        is_certain: answer.is_some_and(|(_, answer)| answer.known == Known::Yes),
    })
}
