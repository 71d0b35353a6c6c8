//! What GNU cp left, less what ours deals with otherwise on purpose in single attributes.

use rustix::fs::FileType;

use super::acl;
use super::case::Case;
use super::judge::{CLONE_FAILED, Played, contains};
use super::run::oracle_is_old;
use super::snapshot::Snapshot;

/// What GNU cp left, but for what ours deals with otherwise on purpose:
///
/// - Data written to a device that was there (`cp -p file /dev/null`) is no reason to give the
///   device the file's permissions, times and access control list; GNU cp does.
/// - GNU cp 9.1 never takes the sticky bit from an existing directory, nor set-id bits from what exists
///   (it sets the mode as an access control list, which has none); 9.10 and ours do. For the
///   same reason 9.1 leaves set-id and sticky bits on special files whose owner it couldn't keep.
/// - GNU cp 9.1 leaves the empty file that it could not clone into; ours removes what it made.
/// - GNU cp 9.10 leaves the access control list of an existing destination, and one that a new one
///   got from its directory, where the source has none, though the mode is to be preserved: users
///   who have no access to the source keep it. 9.1 and ours remove it.
/// - Whether `--no-preserve=mode` leaves a new directory's sticky bit depends on more, with GNU cp.
/// - GNU cp leaves a directory that it could not read open to its owner.
/// - A user's extended attributes are kept where the umask takes even the owner's permission to
///   write: GNU cp fails to set them.
/// - GNU cp forgets the extended attributes and access control list of a directory that it came to
///   through a symbolic link (`-L`): it asks the link for them.
/// - The copy of a pipe's content gets the times that the pipe had before it was read, or after.
pub(crate) fn as_meant(case: &Case, gnu: &Played, ours: &Played) -> Played {
    if !ours.is_ours {
        return gnu.clone();
    }
    let is_device = |kind| matches!(kind, FileType::CharacterDevice | FileType::BlockDevice);
    let mut after = gnu.after.clone();
    if case.options.keeps_mode && !oracle_is_old() {
        forget_lists(&mut after, &ours.after);
    }
    if case.unprivileged && case.umask == "0777" {
        add_user_attributes(&mut after, &ours.after);
    }
    if case.options.follows_all {
        add_attributes_of_directories(&mut after, &ours.after);
    }
    if case.fills_pipes() {
        forget_times_of_pipes(case, &mut after, &ours.after);
    }
    if contains(&gnu.outcome.stderr, CLONE_FAILED) {
        after.entries.retain(|path, entry| {
            let is_empty_file = entry.kind == FileType::RegularFile && entry.size == 0;
            !is_empty_file || ours.after.entries.contains_key(path)
        });
    }
    for (path, before) in &ours.before.entries {
        let (Some(entry), Some(other)) =
            (after.entries.get_mut(path), ours.after.entries.get(path))
        else {
            continue;
        };
        let stayed = entry.device == before.device && entry.kind == before.kind;
        let untouched = (other.mode, other.modified) == (before.mode, before.modified);
        if is_device(before.kind) && stayed {
            entry.accessed = other.accessed;
        }
        if is_device(before.kind) && stayed && untouched {
            let (links, attributes) = (entry.links.take(), before.clone());
            *entry = super::snapshot::Entry {
                links,
                ..attributes
            };
        }
        let special = if oracle_is_old() { 0o7000 } else { 0o1000 };
        let stayed = before.mode & entry.mode & special;
        if other.kind == before.kind && other.mode == entry.mode & !stayed {
            entry.mode = other.mode;
        }
    }
    for (path, entry) in &mut after.entries {
        let special = !matches!(entry.kind, FileType::RegularFile | FileType::Symlink);
        let Some(other) = ours.after.entries.get(path) else {
            continue;
        };
        let opened_up = other.mode | 0o700 == entry.mode && entry.kind == FileType::Directory;
        if opened_up && contains(&gnu.outcome.stderr, b"cannot access") {
            entry.mode = other.mode;
        }
        let is_new = !ours.before.entries.contains_key(path);
        let is_dir = entry.kind == FileType::Directory;
        if is_dir && is_new && other.mode == entry.mode | 0o1000 {
            entry.mode = other.mode;
        }
        if special && is_new && entry.owner.0 != 0 && other.mode == entry.mode & 0o777 {
            entry.mode = other.mode;
        }
    }
    gnu.with(after)
}

/// Access control lists that ours does not have.
fn forget_lists(gnu: &mut Snapshot, ours: &Snapshot) {
    for (path, entry) in &mut gnu.entries {
        let Some(other) = ours.entries.get(path) else {
            continue;
        };
        let is_list =
            |name: &[u8]| name == acl::ACCESS.as_bytes() || name == acl::DEFAULT.as_bytes();
        let stays = |name: &Vec<u8>| !is_list(name) || other.xattrs.contains_key(name);
        entry.xattrs.retain(|name, _| stays(name));
    }
}

/// User attributes that ours has on new files.
fn add_user_attributes(gnu: &mut Snapshot, ours: &Snapshot) {
    for (path, entry) in &mut gnu.entries {
        let Some(other) = ours.entries.get(path) else {
            continue;
        };
        let is_new = entry.xattrs.keys().all(|name| !name.starts_with(b"user."));
        if entry.kind == FileType::RegularFile && is_new {
            let users = other
                .xattrs
                .iter()
                .filter(|(name, _)| name.starts_with(b"user."));
            entry
                .xattrs
                .extend(users.map(|(name, value)| (name.clone(), value.clone())));
        }
    }
}

/// Extended attributes that ours has on directories which have none with GNU cp.
fn add_attributes_of_directories(gnu: &mut Snapshot, ours: &Snapshot) {
    for (path, entry) in &mut gnu.entries {
        let Some(other) = ours.entries.get(path) else {
            continue;
        };
        if entry.kind == FileType::Directory && entry.xattrs.is_empty() {
            entry.xattrs.clone_from(&other.xattrs);
        }
    }
}

fn forget_times_of_pipes(case: &Case, gnu: &mut Snapshot, ours: &Snapshot) {
    let base = |path: &[u8]| path.rsplit(|byte| *byte == b'/').next().map(<[u8]>::to_vec);
    for (path, entry) in &mut gnu.entries {
        let Some(other) = ours.entries.get(path) else {
            continue;
        };
        let is_regular = entry.kind == FileType::RegularFile;
        if is_regular && case.pipes.iter().any(|pipe| base(pipe) == base(path)) {
            (entry.modified, entry.accessed) = (other.modified, other.accessed);
        }
    }
}
