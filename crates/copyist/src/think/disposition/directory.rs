//! The disposition of a directory, which is created or entered.

use super::{Disposition, Known, Looked, Need, Role, Skip, backed_up, refuse, sameness, was_made};
use crate::think::policy::Policy;
use crate::think::same_file::Sameness;
use crate::words::error::{Operation, Refusal};
use crate::words::options::{Backup, Make};
use crate::words::stat::{FileKind, Stat};

pub(super) fn decide(known: &Known, policy: &Policy) -> Result<Disposition, Need> {
    let walk = &known.walk;
    let is_walked = known.role != Role::Parent && !walk.is_unreadable;
    if is_walked && walk.is_destination {
        return refuse(Refusal::IntoItself);
    }
    let there = match there(known, policy)? {
        Ok(there) => there,
        Err(disposition) => return Ok(disposition),
    };
    if is_walked && walk.is_entered {
        return refuse(Refusal::Loop);
    }
    if known.role == Role::Operand
        && let Some(disposition) = of_operand(known, policy, is_walked)?
    {
        return Ok(disposition);
    }
    match there {
        There::Nothing => Ok(Disposition::Create),
        There::Directory { follow } => Ok(Disposition::Enter { follow }),
        There::Other => backed_up(known, policy, None),
    }
}

/// The warnings about a directory that is an operand, before it is copied.
fn of_operand(
    known: &Known,
    policy: &Policy,
    is_walked: bool,
) -> Result<Option<Disposition>, Need> {
    if is_walked && known.given.ok_or(Need::Given)? {
        return Ok(Some(Disposition::Skip(Skip::GivenTwice)));
    }
    let is_same = matches!(known.dst, Some(Looked::Found(dst)) if dst.is_same_file(&known.src));
    if is_same && !(is_walked && policy.is_never()) {
        // With `-l`, the hard links exist already.
        let is_done = is_walked && policy.make == Make::HardLink;
        return Ok(Some(match is_done {
            true => Disposition::Skip(Skip::AlreadyThere),
            false => Disposition::Refuse(Refusal::SameFile),
        }));
    }
    if is_walked && walk_is_above(known)? {
        return Ok(Some(Disposition::Refuse(Refusal::IntoItself)));
    }
    Ok(None)
}

fn walk_is_above(known: &Known) -> Result<bool, Need> {
    known.walk.is_above.ok_or(Need::IsAbove)
}

/// What has the name of a directory to be created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum There {
    Nothing,
    Directory {
        follow: bool,
    },
    /// Something else, which is to become a backup.
    Other,
}

/// What exists already, or why no directory can be created. Something else than a directory can be moved to a backup.
fn there(known: &Known, policy: &Policy) -> Result<Result<There, Disposition>, Need> {
    let is_parent = known.role == Role::Parent;
    if known.dir_is_empty {
        return Ok(Ok(There::Nothing));
    }
    let found = match known.dst.ok_or(Need::Destination)? {
        Looked::Found(found) => found,
        Looked::Nothing => return Ok(Ok(There::Nothing)),
        // Its creation will report why.
        Looked::Loop(_) | Looked::Failed(_) if is_parent => return Ok(Ok(There::Nothing)),
        Looked::Loop(code) | Looked::Failed(code) => {
            return Ok(Err(Disposition::Fail(Operation::StatDestination, code)));
        }
    };
    // A symbolic link to a directory is accepted as the directory.
    let follows = policy.keep_directory_symlink || is_parent;
    let is_dir = |stat: Stat| stat.kind == FileKind::Directory;
    let leads_to_dir = found.kind == FileKind::Symlink
        && follows
        && matches!(known.behind.ok_or(Need::BehindLink)?, Looked::Found(it) if is_dir(it));
    if is_dir(found) || leads_to_dir {
        let follow = follows || known.walk.names_a_dir;
        return Ok(Ok(There::Directory { follow }));
    }
    let is_link = found.kind == FileKind::Symlink;
    let leads_to_source = is_link
        && !is_parent
        && !policy.is_never()
        && sameness(known, policy, &found, &found)? == Sameness::Same;
    let refusal = if leads_to_source {
        Refusal::SameFile
    } else if is_parent {
        Refusal::ParentNotDirectory
    } else if policy.backup == Backup::None {
        Refusal::DirectoryOverFile
    } else if was_made(known, &found)? {
        Refusal::JustCreated
    } else {
        return Ok(Ok(There::Other));
    };
    Ok(Err(Disposition::Refuse(refusal)))
}
