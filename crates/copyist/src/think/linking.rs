//! How a name becomes a link to an earlier copy of its source. Pure.
//!
//! As with [`decide`](super::disposition::decide), the function returns what must be queried or tried first, and is
//! called again with the result.

use crate::words::code::Code;
use crate::words::error::Operation;
use crate::words::facts::NoLink;
use crate::words::options::Atomic;

/// What has the name that is to become a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Nothing,
    /// Something that is replaced, of any kind.
    Replaced,
    /// A file that could be written into.
    Written,
}

/// A failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Failed {
    pub(crate) operation: Operation,
    pub(crate) code: Code,
    /// The reason, if the destination's filesystem can't make the link.
    pub(crate) no_link: Option<NoLink>,
    /// What has the name can't be replaced in one step.
    pub(crate) is_irreplaceable: bool,
}

/// What is known; `None` was not queried or tried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) taken: Taken,
    pub(crate) atomic: Atomic,
    /// It is a name of the copy already.
    pub(crate) is_linked: Option<bool>,
    /// Another name of the copy could later not be removed from this directory, or replaced: the error that renaming
    /// it would return.
    pub(crate) kept: Option<Option<Failed>>,
    /// The last try, and its result.
    pub(crate) tried: Option<(Try, Result<(), Failed>)>,
}

/// A way to make the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Try {
    /// Under its own name.
    Make,
    /// Under a temporary name, which is renamed.
    RenameOver,
    /// What has the name is removed, then the link is made.
    RemoveThenMake,
}

/// The next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    LookWhetherLinked,
    LookWhetherKept,
    Try(Try),
    /// Nothing is to be done.
    Leave,
    /// The link is made.
    Done,
    /// It is copied; nothing was done.
    Copy(NoLink),
    Fail(Failed),
}

/// Returns the next step.
pub(crate) fn next(known: &Known) -> Step {
    match known.tried {
        None => first(known),
        Some((_, Ok(()))) => Step::Done,
        Some((Try::RenameOver, Err(failed))) => after_rename(known, failed),
        Some((_, Err(failed))) => instead(known, failed),
    }
}

fn first(known: &Known) -> Step {
    if known.taken == Taken::Nothing {
        return Step::Try(Try::Make);
    }
    if known.taken == Taken::Written {
        match known.is_linked {
            None => return Step::LookWhetherLinked,
            Some(true) => return Step::Leave,
            Some(false) => {}
        }
    }
    match known.kept {
        None => Step::LookWhetherKept,
        Some(None) => Step::Try(Try::RenameOver),
        // A file that could be written into is not removed before a link was made in its directory.
        Some(Some(failed)) if known.taken == Taken::Written => instead(known, failed),
        Some(Some(failed)) => {
            let operation = Operation::Replace;
            after_rename(
                known,
                Failed {
                    operation,
                    ..failed
                },
            )
        }
    }
}

/// What can't be replaced in one step is removed first, unless the options require one step.
fn after_rename(known: &Known, failed: Failed) -> Step {
    match failed.operation {
        Operation::Replace if may_take_two(known, failed) => Step::Try(Try::RemoveThenMake),
        _ => instead(known, failed),
    }
}

const fn may_take_two(known: &Known, failed: Failed) -> bool {
    failed.is_irreplaceable && !matches!(known.atomic, Atomic::Required)
}

/// What to do where no link can be made.
fn instead(known: &Known, failed: Failed) -> Step {
    match failed.no_link {
        Some(why) if failed.operation == Operation::CreateHardLink => Step::Copy(why),
        // `copy` then writes into the file; `cp` fails, like GNU cp.
        _ if known.taken == Taken::Written
            && known.atomic == Atomic::BestEffort
            && failed.is_irreplaceable =>
        {
            Step::Copy(NoLink::NotReplaceable)
        }
        _ => Step::Fail(failed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATOMICS: [Atomic; 3] = [Atomic::No, Atomic::BestEffort, Atomic::Required];
    const TAKEN: [Taken; 3] = [Taken::Nothing, Taken::Replaced, Taken::Written];

    fn failures() -> Vec<Failed> {
        let mut all = Vec::new();
        for operation in [
            Operation::CreateHardLink,
            Operation::Replace,
            Operation::Remove,
        ] {
            for no_link in [None, Some(NoLink::TooMany)] {
                for is_irreplaceable in [false, true] {
                    all.push(Failed {
                        operation,
                        code: Code(1),
                        no_link,
                        is_irreplaceable,
                    });
                }
            }
        }
        all
    }

    /// Plays with each try failing as `fails` says; returns the tries, and the end.
    fn play(
        mut known: Known,
        linked: bool,
        kept: Option<Failed>,
        fails: Failed,
    ) -> (Vec<Try>, Step) {
        let mut tries = Vec::new();
        loop {
            match next(&known) {
                Step::LookWhetherLinked => known.is_linked = Some(linked),
                Step::LookWhetherKept => known.kept = Some(kept),
                Step::Try(how) => {
                    tries.push(how);
                    known.tried = Some((how, Err(fails)));
                }
                end => return (tries, end),
            }
        }
    }

    #[test]
    fn nothing_is_removed_where_it_may_be_written_into_or_one_step_is_demanded() {
        for (taken, atomic) in TAKEN
            .iter()
            .flat_map(|it| ATOMICS.map(|atomic| (*it, atomic)))
        {
            for fails in failures() {
                for linked in [false, true] {
                    for kept in [None, Some(fails)] {
                        let known = Known {
                            taken,
                            atomic,
                            is_linked: None,
                            kept: None,
                            tried: None,
                        };
                        check(known, linked, kept, fails);
                    }
                }
            }
        }
    }

    fn check(known: Known, linked: bool, kept: Option<Failed>, fails: Failed) {
        let (tries, end) = play(known, linked, kept, fails);
        let why = || format!("{tries:?} {end:?} {known:?} {linked} {kept:?} {fails:?}");
        let removes = tries.contains(&Try::RemoveThenMake);
        let is_replaced = known.taken != Taken::Nothing;
        let (last, atomic) = (kept.is_some(), known.atomic);
        assert!(
            !removes || is_replaced && atomic != Atomic::Required,
            "{}",
            why()
        );
        assert!(!removes || fails.is_irreplaceable, "{}", why());
        let is_written = known.taken == Taken::Written;
        assert!(!(removes && is_written && last), "kept: {}", why());
        assert_eq!(end == Step::Leave, is_written && linked, "{}", why());
        assert_eq!(tries.contains(&Try::Make), !is_replaced, "{}", why());
        if let Step::Copy(NoLink::NotReplaceable) = end {
            assert!(is_written && atomic == Atomic::BestEffort, "{}", why());
        }
        assert!(end != Step::Done, "{}", why());
    }
}
