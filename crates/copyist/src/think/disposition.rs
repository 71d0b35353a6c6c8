//! The disposition of a destination: kept, refused, created, replaced or written into. Pure.
//!
//! [`decide`] gets what is known of a source and a destination. If it needs to know more, it returns the one fact that
//! must be queried ([`Need`]), and is called again with the result. So the order of the queries is tested here too,
//! and nothing is queried that does not matter.

mod directory;

use crate::think::policy::Policy;
use crate::think::same_file::{self, Relation, Sameness};
use crate::think::times;
use crate::words::code::Code;
use crate::words::error::{Operation, Refusal};
use crate::words::facts::FsKind;
use crate::words::options::{Backup, Force, Make, Update};
use crate::words::stat::{FileId, FileKind, KeptNames, Stat};

/// How the run came to an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is an operand.
    Operand,
    /// It is on the way to an operand (`--parents`).
    Parent,
    /// It was found in a directory.
    Found,
}

/// The result of a stat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Looked {
    Found(Stat),
    Nothing,
    /// A symbolic link that leads to itself.
    Loop(Code),
    Failed(Code),
}

/// The name that a backup of the destination would get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BackupName {
    /// It is a numbered one that exists: the code with which the system would refuse it.
    pub(crate) taken: Option<Code>,
    /// The file that it leads to.
    pub(crate) old: Option<Stat>,
    /// Its last component is that of the source.
    pub(crate) is_source_name: bool,
}

/// What is known; `None` was not queried.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    /// The source, or the target of a symbolic link that is followed.
    pub(crate) src: Stat,
    /// Symbolic links are followed in the source.
    pub(crate) follows: bool,
    pub(crate) role: Role,
    /// This run has created the destination's directory, so no name in it exists.
    pub(crate) dir_is_empty: bool,
    /// The process has the rights of a superuser.
    pub(crate) is_privileged: bool,
    /// The source was an operand before.
    pub(crate) given: Option<bool>,
    /// An earlier run of this copy has completed it.
    pub(crate) finished: Option<bool>,
    /// The source's own name.
    pub(crate) src_link: Option<Stat>,
    /// The target of a source that is a symbolic link.
    pub(crate) src_end: Option<Option<Stat>>,
    /// The source is a symbolic link to an open file whose content is to be copied.
    pub(crate) reads_open_file: Option<bool>,
    /// What has the destination's name.
    pub(crate) dst: Option<Looked>,
    /// The target of a destination that is a symbolic link.
    pub(crate) behind: Option<Looked>,
    /// A destination that is a symbolic link leads to an open file, which may have no name.
    pub(crate) leads_to_open_file: Option<bool>,
    /// Source and destination are the same name in the same directory.
    pub(crate) same_entry: Option<bool>,
    /// This run has created the symbolic link at the destination.
    pub(crate) link_was_made: Option<bool>,
    /// This run has created what would be replaced.
    pub(crate) dst_was_made: Option<bool>,
    /// The kind of filesystem that the destination is on.
    pub(crate) fs: Option<FsKind>,
    /// The unit in which that stores times, if it is coarser than nanoseconds.
    pub(crate) time_unit: Option<Option<u64>>,
    /// The destination may be written to.
    pub(crate) writable: Option<bool>,
    /// The user's answer.
    pub(crate) answer: Option<bool>,
    /// The observer was told that the destination will be replaced.
    pub(crate) is_told: bool,
    /// Names in the destination's directory that can't be removed.
    pub(crate) kept_names: Option<KeptNames>,
    pub(crate) backup: Option<BackupName>,
    /// The destination could not be given a second name.
    pub(crate) no_second_name: bool,
    pub(crate) walk: Walk,
}

/// What else is known of a directory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Walk {
    /// It can't be read, and is created with what stat reports.
    pub(crate) is_unreadable: bool,
    /// This run copies into it.
    pub(crate) is_destination: bool,
    /// The walk is inside it.
    pub(crate) is_entered: bool,
    /// The destination's name says that it is a directory (`dir/`, `dir/.`).
    pub(crate) names_a_dir: bool,
    /// The destination is inside it.
    pub(crate) is_above: Option<bool>,
}

impl Known {
    /// What is known when only the source was examined.
    pub(crate) fn new(src: Stat, follows: bool, role: Role) -> Known {
        Known {
            src,
            follows,
            role,
            dir_is_empty: false,
            is_privileged: false,
            given: None,
            finished: None,
            src_link: None,
            src_end: None,
            reads_open_file: None,
            dst: None,
            behind: None,
            leads_to_open_file: None,
            same_entry: None,
            link_was_made: None,
            dst_was_made: None,
            fs: None,
            time_unit: None,
            writable: None,
            answer: None,
            is_told: false,
            kept_names: None,
            backup: None,
            no_second_name: false,
            walk: Walk::default(),
        }
    }

    fn source_link(&self) -> Result<Stat, Need> {
        match self.follows {
            true => self.src_link.ok_or(Need::SourceLink),
            false => Ok(self.src),
        }
    }
}

/// What must be queried, asked or reported before the decision: each is a field of [`Known`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    Given,
    Finished,
    SourceLink,
    SourceEnd,
    ReadsOpenFile,
    Destination,
    BehindLink,
    LeadsToOpenFile,
    SameEntry,
    LinkWasMade(FileId),
    DestinationWasMade(FileId),
    FsKind {
        volume: u64,
    },
    TimeUnit {
        volume: u64,
    },
    Writable,
    /// Ask the user.
    Answer {
        /// The mode of a file that may not be written to.
        unwritable_mode: Option<u32>,
        /// It would be removed.
        removes: bool,
    },
    /// Tell the observer that the destination will be replaced.
    Tell,
    KeptNames,
    BackupName,
    IsAbove,
}

/// What has the destination's name already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    /// Nothing.
    Nothing,
    /// A file, to be written into.
    File,
    /// A symbolic link to this file, which is to be written into.
    LinkToFile(FileId),
    /// A FIFO or device, which keeps no data, or a symbolic link to one.
    Stream { follow: bool },
}

/// The disposition of a destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Disposition {
    /// It is kept.
    Skip(Skip),
    /// The copy is refused: an error of the caller.
    Refuse(Refusal),
    /// The system does not let it be examined, or replaced.
    Fail(Operation, Code),
    /// It does not exist, and is created.
    Create,
    /// It is replaced by something new.
    Replace(Replace),
    /// It is written into. With `-f`, one that can't be opened is removed.
    WriteInto(Existing),
    /// It is a directory, like the source.
    Enter { follow: bool },
}

/// The reason why a destination is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skip {
    /// The source was an operand before, and was copied then.
    GivenTwice,
    /// An earlier run of this copy has completed it.
    Finished,
    /// It is the link that is to be made.
    AlreadyThere,
    /// Nothing that exists is replaced.
    Exists,
    /// It is not older than the source.
    NotOlder,
}

impl Skip {
    /// Whether it counts as skipped.
    pub(crate) const fn is_counted(self) -> bool {
        !matches!(self, Skip::GivenTwice)
    }

    /// Whether the observer is told. (A repeated operand has a warning of its own.)
    pub(crate) const fn is_told(self) -> bool {
        !matches!(self, Skip::GivenTwice | Skip::AlreadyThere)
    }

    /// Whether the destination counts as the source's copy, to which other names of the source are linked.
    pub(crate) const fn is_copy(self) -> bool {
        matches!(self, Skip::Finished | Skip::NotOlder)
    }
}

/// How a destination is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Replace {
    /// It is removed, then the new one is made.
    Remove,
    /// It is renamed to its backup, then the new one is made.
    MoveToBackup,
    /// The new one is made beside it, and renamed over it.
    Atomically,
    /// The same, after it was linked to its backup's name.
    LinkToBackup,
    /// A link to the source (`-l`, `-s`) is made beside it, and renamed over it.
    ByLink,
}

/// What is made of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Product {
    /// A file with its content.
    Content,
    /// A symbolic link like it.
    Symlink,
    /// Another FIFO, socket or device.
    Special,
    /// Another name of it (`-l`).
    HardLinkTo,
    /// A symbolic link to it (`-s`).
    SymlinkTo,
}

impl Product {
    /// Whether it replaces what has its name.
    pub(crate) const fn replaces_taken(self, policy: &Policy) -> bool {
        let forces = matches!(policy.force, Force::IfNeeded);
        match self {
            // The user has agreed.
            Product::HardLinkTo => forces || policy.interactive,
            Product::Symlink | Product::SymlinkTo => forces,
            Product::Content | Product::Special => false,
        }
    }
}

/// What is made of a source that is not a directory.
pub(crate) fn product(known: &Known, policy: &Policy) -> Result<Product, Need> {
    Ok(match policy.make {
        Make::HardLink => Product::HardLinkTo,
        Make::Symlink => Product::SymlinkTo,
        Make::Copy if reads_content(known, policy)? => Product::Content,
        Make::Copy if known.src.kind == FileKind::Symlink => Product::Symlink,
        Make::Copy => Product::Special,
    })
}

/// Whether a directory is entered, which needs `-r`.
pub(crate) const fn enters(policy: &Policy) -> Result<(), Refusal> {
    match policy.recursive {
        true => Ok(()),
        false => Err(Refusal::OmittingDirectory),
    }
}

/// Whether the source is read, and not recreated as a special file.
fn reads_content(known: &Known, policy: &Policy) -> Result<bool, Need> {
    match known.src.kind {
        FileKind::Regular => Ok(true),
        FileKind::Directory | FileKind::Symlink => Ok(false),
        _ if !policy.recursive || policy.copy_contents => Ok(true),
        _ => known.reads_open_file.ok_or(Need::ReadsOpenFile),
    }
}

/// Decides the disposition of a destination, or returns what must be known for that.
pub(crate) fn decide(known: &Known, policy: &Policy) -> Result<Disposition, Need> {
    match known.src.kind {
        FileKind::Directory => directory::decide(known, policy),
        _ => of_file(known, policy),
    }
}

const fn refuse(refusal: Refusal) -> Result<Disposition, Need> {
    Ok(Disposition::Refuse(refusal))
}

const fn fail(operation: Operation, code: Code) -> Result<Disposition, Need> {
    Ok(Disposition::Fail(operation, code))
}

fn of_file(known: &Known, policy: &Policy) -> Result<Disposition, Need> {
    if known.role == Role::Operand && known.given.ok_or(Need::Given)? {
        return Ok(Disposition::Skip(Skip::GivenTwice));
    }
    if known.finished.ok_or(Need::Finished)? {
        return Ok(Disposition::Skip(Skip::Finished));
    }
    if known.dir_is_empty {
        return Ok(Disposition::Create);
    }
    let link = match known.dst.ok_or(Need::Destination)? {
        Looked::Found(link) => link,
        Looked::Nothing => return Ok(Disposition::Create),
        Looked::Loop(code) | Looked::Failed(code) => return fail(Operation::StatDestination, code),
    };
    let followed = link.kind == FileKind::Symlink && !replaces_link(known, policy)?;
    if !followed {
        return of_existing(known, policy, &link, &link);
    }
    let was_made = known.link_was_made.ok_or(Need::LinkWasMade(link.id))?;
    let dst = match known.behind.ok_or(Need::BehindLink)? {
        Looked::Found(dst) => dst,
        // Nothing more can be known of it. It can't be opened either, and will be removed.
        Looked::Loop(_) if policy.force == Force::IfNeeded => {
            return told(known).map(|()| Disposition::WriteInto(Existing::File));
        }
        Looked::Loop(code) | Looked::Failed(code) => return fail(Operation::StatDestination, code),
        Looked::Nothing if was_made => return refuse(Refusal::ThroughJustCreatedSymlink),
        Looked::Nothing if policy.write_through_dangling && is_foreign(known, &link, None) => {
            return refuse(Refusal::ForeignSymlink);
        }
        // The creation of the file will show what is wrong.
        Looked::Nothing => return Ok(Disposition::Create),
    };
    of_existing(known, policy, &link, &dst)
}

/// Whether a symbolic link at the destination is itself replaced, rather than written through.
fn replaces_link(known: &Known, policy: &Policy) -> Result<bool, Need> {
    Ok(!reads_content(known, policy)?
        || policy.make != Make::Copy
        || policy.backup != Backup::None
        || policy.force == Force::RemoveFirst)
}

/// `link` has the destination's name, and is or leads to `dst`.
fn of_existing(
    known: &Known,
    policy: &Policy,
    link: &Stat,
    dst: &Stat,
) -> Result<Disposition, Need> {
    // A destination that is never replaced need not be distinct.
    let sameness = match policy.is_never() {
        true => Sameness::Distinct,
        false => sameness(known, policy, link, dst)?,
    };
    if sameness == Sameness::Same {
        return refuse(Refusal::SameFile);
    }
    // As in GNU cp, the user is asked even where nothing is to be done.
    if let Some(left) = left(known, policy, dst)? {
        return Ok(left);
    }
    if sameness == Sameness::Done {
        return Ok(Disposition::Skip(Skip::AlreadyThere));
    }
    if known.link_was_made == Some(true) {
        return refuse(Refusal::ThroughJustCreatedSymlink);
    }
    if dst.kind == FileKind::Directory {
        // With backups, GNU cp leaves it to the system to refuse a directory.
        return match policy.backup {
            Backup::None => refuse(Refusal::FileOverDirectory),
            _ => Ok(Disposition::WriteInto(Existing::File)),
        };
    }
    let may_be_twice = policy.backup == Backup::Numbered;
    if !may_be_twice && was_made(known, dst)? {
        return refuse(Refusal::JustCreated);
    }
    told(known)?;
    replaced(known, policy, link, dst)
}

const fn told(known: &Known) -> Result<(), Need> {
    match known.is_told {
        true => Ok(()),
        false => Err(Need::Tell),
    }
}

fn was_made(known: &Known, dst: &Stat) -> Result<bool, Need> {
    known.dst_was_made.ok_or(Need::DestinationWasMade(dst.id))
}

fn sameness(known: &Known, policy: &Policy, link: &Stat, dst: &Stat) -> Result<Sameness, Need> {
    let same_file = known.src.is_same_file(dst);
    if known.follows && !same_file {
        return Ok(Sameness::Distinct); // whatever else is known
    }
    let src_link = known.source_link()?;
    let is_link = |stat: &Stat| stat.kind == FileKind::Symlink;
    let src_end = match is_link(&src_link) && !known.follows {
        true => known.src_end.ok_or(Need::SourceEnd)?,
        false => Some(known.src),
    };
    let dst_end = match is_link(link) {
        true => known.behind.ok_or(Need::BehindLink)?,
        false => Looked::Found(*link),
    };
    let same_target = matches!(
        (src_end, dst_end),
        (Some(src), Looked::Found(dst)) if src.is_same_file(&dst)
    );
    let same_inode = src_link.is_same_file(link);
    let relation = Relation {
        follows: known.follows,
        same_file,
        same_inode,
        same_entry: same_inode && known.same_entry.ok_or(Need::SameEntry)?,
        same_target,
        src_is_link: is_link(&src_link),
        dst_is_link: is_link(link),
        dst_names: link.links,
    };
    Ok(same_file::judge(relation, policy))
}

/// Whether the options, or the user, keep the existing destination.
fn left(known: &Known, policy: &Policy, dst: &Stat) -> Result<Option<Disposition>, Need> {
    let left = match policy.update {
        Update::Older if is_not_older(known, policy, dst)? => Disposition::Skip(Skip::NotOlder),
        Update::None => Disposition::Skip(Skip::Exists),
        Update::NoneFail => Disposition::Refuse(Refusal::NotReplacing),
        Update::All | Update::Older if policy.interactive && !is_allowed(known, policy, dst)? => {
            Disposition::Refuse(Refusal::Declined)
        }
        Update::All | Update::Older => return Ok(None),
    };
    Ok(Some(left))
}

fn is_allowed(known: &Known, policy: &Policy, dst: &Stat) -> Result<bool, Need> {
    let is_writable = dst.kind == FileKind::Symlink || known.writable.ok_or(Need::Writable)?;
    known.answer.ok_or(Need::Answer {
        unwritable_mode: (!is_writable).then_some(dst.mode),
        removes: policy.force != Force::No,
    })
}

/// Whether a destination has its source's time already, in the unit of its volume. Only if times are kept: otherwise a
/// copy has the time of its creation.
fn is_not_older(known: &Known, policy: &Policy, dst: &Stat) -> Result<bool, Need> {
    let (wanted, volume) = (known.src.modified, dst.id.volume);
    if dst.modified >= wanted {
        return Ok(true);
    }
    if !policy.keeps_times || !times::may_be(wanted, dst.modified) {
        return Ok(false);
    }
    let fs = known.fs.ok_or(Need::FsKind { volume })?;
    if times::is_modified_as(wanted, dst, fs) {
        return Ok(true);
    }
    // No unit explains the difference: it is older.
    if wanted.seconds - dst.modified.seconds > 2 {
        return Ok(false);
    }
    let unit = known.time_unit.ok_or(Need::TimeUnit { volume })?;
    Ok(unit.is_some_and(|unit| times::is_rounded(wanted, dst.modified, unit)))
}

/// How a destination that may be replaced is replaced, or written into.
fn replaced(known: &Known, policy: &Policy, link: &Stat, dst: &Stat) -> Result<Disposition, Need> {
    let product = product(known, policy)?;
    let publishes = policy.is_atomic
        && !policy.attributes_only
        && !policy.write_through_dangling
        && product == Product::Content;
    if policy.backup != Backup::None {
        return backed_up(known, policy, publishes.then_some(link));
    }
    let is_link = link.kind == FileKind::Symlink;
    // A link can't be made under a name that exists, and a FIFO can't be written into; writing into a file of several
    // names would change all of them.
    let is_other_kind = !known.follows && known.src.kind != FileKind::Regular;
    let is_made_again =
        !policy.attributes_only && (is_other_kind || has_other_names(known, policy, is_link, dst)?);
    if policy.force == Force::RemoveFirst || is_made_again {
        return Ok(Disposition::Replace(match publishes {
            true => Replace::Atomically,
            false => Replace::Remove,
        }));
    }
    if policy.make != Make::Copy && product.replaces_taken(policy) {
        return Ok(Disposition::Replace(Replace::ByLink));
    }
    if is_link && is_foreign(known, link, Some(dst)) {
        return refuse(Refusal::ForeignSymlink);
    }
    Ok(Disposition::WriteInto(match dst.kind {
        FileKind::Regular if is_link => Existing::LinkToFile(dst.id),
        FileKind::Regular | FileKind::Directory | FileKind::Symlink => Existing::File,
        _ if known.role == Role::Found => return refuse(Refusal::NotRegularFile),
        _ => Existing::Stream { follow: is_link },
    }))
}

/// Whether a file has names that can't be given to the copy. For a symbolic link to an open file, the names of that
/// file don't matter.
fn has_other_names(
    known: &Known,
    policy: &Policy,
    is_link: bool,
    dst: &Stat,
) -> Result<bool, Need> {
    if !policy.keeps_links || dst.links <= 1 {
        return Ok(false);
    }
    let is_open = is_link && known.leads_to_open_file.ok_or(Need::LeadsToOpenFile)?;
    Ok(!is_open)
}

/// The old version is renamed to its backup. `published`: how a file that is written beside it replaces it.
fn backed_up(
    known: &Known,
    policy: &Policy,
    published: Option<&Stat>,
) -> Result<Disposition, Need> {
    let mut how = Replace::MoveToBackup;
    if let Some(old) = published
        && !known.no_second_name
        && !known.kept_names.ok_or(Need::KeptNames)?.has(old)
    {
        how = Replace::LinkToBackup;
    }
    let backup = known.backup.ok_or(Need::BackupName)?;
    match backup.taken {
        // Only a shortened name can exist already. Earlier versions are not replaced.
        Some(code) => fail(Operation::MakeBackup, code),
        None if is_source(known, policy, &backup)? => refuse(Refusal::BackupDestroysSource),
        None => Ok(Disposition::Replace(how)),
    }
}

/// Whether the backup's name refers to the source's file, and is how the source is reached. Another hard link to that
/// file remains when the name is replaced.
fn is_source(known: &Known, policy: &Policy, backup: &BackupName) -> Result<bool, Need> {
    match backup.old {
        Some(old) if policy.backup != Backup::Numbered && old.is_same_file(&known.src) => {
            Ok(backup.is_source_name
                || old.links <= 1
                || known.source_link()?.kind == FileKind::Symlink)
        }
        _ => Ok(false),
    }
}

/// Whether a symbolic link in a tree was made by a user who could not write to its target: a superuser must not do
/// that for him. Otherwise a copy into a directory of another user could overwrite any file that user chooses.
fn is_foreign(known: &Known, link: &Stat, target: Option<&Stat>) -> bool {
    let is_owners = target.is_some_and(|target| target.uid == link.uid);
    known.is_privileged && known.role == Role::Found && link.uid != 0 && !is_owners
}

#[cfg(test)]
#[path = "disposition_tests.rs"]
mod tests;
