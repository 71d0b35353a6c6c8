//! The capabilities of a single volume.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{
    Answer, FileLimit, How, Place, Scratch, TRIAL_BYTES, VolumeProbe, check_names, scratch_name,
    try_direct_write,
};
use crate::file::temp_file::remove_closed;
use crate::run::measured;
use crate::system::{At, Batch, DirectAlignment, Open, Platform, Seek, Sys, Target, start_dir};
use crate::think::rules;
use crate::words::code::Code;
use crate::words::facts::{FsKind, Known};
use crate::words::xattr_names::access_acl;

pub(super) fn volume<P: Platform>(platform: &P, path: &Path, place: &Place<P>) -> VolumeProbe {
    let scratch = Scratch::make(platform, place);
    let scratch: Result<&P::Handle, Code> = match &scratch {
        Ok(file) => Ok(file),
        Err(code) => Err(*code),
    };
    let mounted = platform.describe(&place.dir).ok();
    let ask = |question: &dyn Fn(&P::Handle) -> Sys<()>, table: Known| match &scratch {
        Ok(file) => Answer::tried(question(file)),
        Err(code) => Answer {
            code: Some(*code),
            ..Answer::known(table, How::Table)
        },
    };
    let type_name = mounted.as_ref().and_then(|it| it.type_name.clone());
    let table = Table::of(place.facts.kind, type_name.as_deref());
    let holes = ask(&|file| try_holes(platform, file), table.holes);
    let names = Names { platform, place };
    VolumeProbe {
        path: path.to_path_buf(),
        kind: place.facts.kind,
        type_name,
        device: mounted.as_ref().and_then(|it| it.device.clone()),
        mounted_at: mounted.as_ref().and_then(|it| it.point.clone()),
        key: mounted.as_ref().map(measured::key),
        is_read_only: mounted.as_ref().map(|it| it.is_read_only),
        block_bytes: place.facts.block_bytes,
        free_bytes: mounted.as_ref().and_then(|it| it.space.free_bytes),
        total_bytes: mounted.as_ref().and_then(|it| it.space.total_bytes),
        name_bytes: mounted.as_ref().and_then(|it| it.name_bytes),
        file_limit: file_limit(platform, place.facts.kind, scratch, &holes),
        folds_case: names.fold_case(path),
        holes: Answer {
            why: lie_about_holes(&holes),
            ..holes
        },
        preallocation: ask(
            &|file| platform.allocate(file, 0, TRIAL_BYTES as u64),
            table.preallocation,
        ),
        xattrs: xattrs(platform, place, scratch.ok()),
        acls: acls(platform, place),
        direct: ask(&|file| try_direct_write(platform, file), Known::Unknown),
        direct_alignment: scratch
            .ok()
            .and_then(|file| platform.direct_on(file).ok())
            .map(|DirectAlignment { memory, offset }| (memory, offset)),
    }
}

/// What is known of a filesystem without a trial.
struct Table {
    holes: Known,
    preallocation: Known,
}

impl Table {
    fn of(kind: FsKind, type_name: Option<&str>) -> Table {
        let (holes, preallocation) = match kind {
            FsKind::Btrfs | FsKind::Xfs | FsKind::Tmpfs | FsKind::F2fs | FsKind::Bcachefs => {
                (Known::Yes, Known::Yes)
            }
            // ext2 and ext3 have no extents, which fallocate needs.
            FsKind::Ext if type_name == Some("ext4") => (Known::Yes, Known::Yes),
            FsKind::Ext => (Known::Yes, Known::Unknown),
            FsKind::Apfs => (Known::Yes, Known::Yes),
            FsKind::Fat | FsKind::ExFat => (Known::No, Known::Unknown),
            FsKind::HfsPlus => (Known::No, Known::Yes),
            _ => (Known::Unknown, Known::Unknown),
        };
        Table {
            holes,
            preallocation,
        }
    }
}

/// Creates a file that begins with a hole, and looks for its data.
fn try_holes<P: Platform>(platform: &P, file: &P::Handle) -> Sys<()> {
    let data_at = TRIAL_BYTES as u64;
    platform.write(file, Some(data_at), b"data")?;
    match platform.seek(file, 0, Seek::Data)? {
        Some(found) if found > 0 && found <= data_at => Ok(()),
        // All of it is reported as data, which is correct for a filesystem without holes.
        Some(_) => Err(Code::NO_PROGRESS),
        None => Err(LIE),
    }
}

/// Stands for a map that skips data.
const LIE: Code = Code::CANCELLED;

fn lie_about_holes(holes: &Answer) -> Option<&'static str> {
    match holes.code {
        Some(LIE) => Some("its map of holes says that there is no data where there is"),
        Some(Code::NO_PROGRESS) => Some("it says that all is data"),
        _ => None,
    }
}

/// User attributes: set if a file can be created, otherwise queried, which shows the same.
fn xattrs<P: Platform>(platform: &P, place: &Place<P>, scratch: Option<&P::Handle>) -> Answer {
    // On Linux, the names of user attributes begin with this; elsewhere any name will do.
    let name = b"user.copyist.probe";
    match scratch {
        Some(file) => Answer::tried(platform.set_xattr(Target::Open(file), name, b"1")),
        None => asked(platform, place, name),
    }
}

/// No ACL is set as a trial; a query shows the same.
fn acls<P: Platform>(platform: &P, place: &Place<P>) -> Answer {
    asked(platform, place, access_acl(platform.os()))
}

fn asked<P: Platform>(platform: &P, place: &Place<P>, name: &[u8]) -> Answer {
    let mut value = Vec::new();
    let found = platform.xattr(Target::Open(&place.dir), name, &mut value);
    let known = match found {
        Ok(_) => Known::Yes,
        Err(code) if rules::is_unsupported(platform.os(), code) => Known::No,
        Err(_) => Known::Unknown,
    };
    Answer {
        code: found.err(),
        ..Answer::known(known, How::Reported)
    }
}

/// The largest size that a file may have. On filesystems with holes the trial costs nothing, and the system's refusal
/// is exact.
fn file_limit<P: Platform>(
    platform: &P,
    kind: FsKind,
    scratch: Sys<&P::Handle>,
    holes: &Answer,
) -> Option<FileLimit> {
    let known = match kind {
        FsKind::Fat => Some((4 << 30) - 1),
        _ => None,
    };
    if let Some(bytes) = known {
        let how = How::Table;
        return Some(FileLimit { bytes, how });
    }
    let file = scratch.ok()?;
    if holes.known != Known::Yes {
        return None;
    }
    // A process may have a limit of its own, and exceeding it can end the process (SIGXFSZ).
    let most = platform.file_size_limit().min(i64::MAX.cast_unsigned());
    let bytes = largest(most, |bytes| platform.set_len(file, bytes).is_ok());
    platform.set_len(file, 0).ok()?;
    let how = How::Tried;
    Some(FileLimit { bytes, how })
}

/// The largest number up to `most` that is accepted, if all below an accepted one are accepted too.
fn largest(most: u64, takes: impl Fn(u64) -> bool) -> u64 {
    if takes(most) {
        return most; // most filesystems have no limit of their own
    }
    let (mut taken, mut refused) = (0, most);
    while refused - taken > 1 {
        let middle = taken + (refused - taken) / 2;
        if takes(middle) {
            taken = middle;
        } else {
            refused = middle;
        }
    }
    taken
}

/// Trials with names.
struct Names<'a, P: Platform> {
    platform: &'a P,
    place: &'a Place<P>,
}

impl<P: Platform> Names<'_, P> {
    /// Whether names that differ in case are equal here.
    fn fold_case(&self, path: &Path) -> Answer {
        let facts = &self.place.facts;
        if facts.folds_case != Known::Unknown {
            return Answer::known(facts.folds_case, How::Reported);
        }
        if facts.kind == FsKind::Btrfs {
            return Answer::known(Known::No, How::Table);
        }
        // ext4, F2FS and tmpfs decide for each directory, by a flag.
        if matches!(facts.kind, FsKind::Ext | FsKind::F2fs | FsKind::Tmpfs)
            && let Ok(flags) = self.platform.flags(&self.place.dir)
        {
            const CASEFOLD: u32 = 0x4000_0000;
            let known = if flags & CASEFOLD != 0 {
                Known::Yes
            } else {
                Known::No
            };
            return Answer::known(known, How::Reported);
        }
        let found = self
            .by_what_is_there()
            .or_else(|| self.by_its_own_name(path))
            .or_else(|| self.by_a_new_name());
        match found {
            Some(known) => Answer::known(known, How::Tried),
            None => Answer::known(Known::Unknown, How::Table),
        }
    }

    /// Looks up an existing entry in another case.
    fn by_what_is_there(&self) -> Option<Known> {
        let dir = self
            .platform
            .open(
                At {
                    dir: &self.place.dir,
                    name: OsStr::new("."),
                },
                Open::Directory { follow: false },
            )
            .ok()?;
        let (mut buffer, mut batch) = (Vec::new(), Batch::default());
        self.platform.read_dir(&dir, &mut buffer, &mut batch).ok()?;
        batch
            .iter()
            .find_map(|(name, _)| self.by_name(&self.place.dir, name))
    }

    /// The same with the directory itself, if its name is on the same volume.
    fn by_its_own_name(&self, path: &Path) -> Option<Known> {
        let whole = std::fs::canonicalize(path).ok()?;
        let (parent, name) = (whole.parent()?, whole.file_name()?);
        let current = start_dir(self.platform, [parent]).ok()?;
        let at = At {
            dir: &current,
            name: parent.as_os_str(),
        };
        let parent = self
            .platform
            .open(at, Open::Directory { follow: true })
            .ok()?;
        let is_here = self.platform.volume(&parent).ok()?.id == self.place.facts.id;
        is_here.then(|| self.by_name(&parent, name)).flatten()
    }

    fn by_name(&self, dir: &P::Handle, name: &OsStr) -> Option<Known> {
        let other = other_case(name)?;
        let stat = |name: &OsStr| self.platform.stat(At { dir, name }, false);
        let here = stat(name).ok()?;
        match stat(&other) {
            Ok(there) if there.is_same_file(&here) => Some(Known::Yes),
            // Another file. (A second name of the same file would count as equal.)
            Ok(_) => Some(Known::No),
            Err(code) if rules::is_not_found(self.platform.os(), code) => Some(Known::No),
            Err(_) => None,
        }
    }

    /// In an empty directory, a file has to be created for a moment. It is removed under its name in the other case:
    /// if that works, case is folded.
    fn by_a_new_name(&self) -> Option<Known> {
        if self.place.cancel.is_cancelled() {
            return None;
        }
        check_names(self.platform, self.place).ok()?;
        let name = scratch_name("case");
        let other = other_case(&name)?;
        let at = |name| At {
            dir: &self.place.dir,
            name,
        };
        let file = self
            .platform
            .open(at(&name), Open::Create { mode: 0o600 })
            .ok()?;
        let closed = self.platform.close(file);
        let folded = remove_closed(self.platform, at(&other));
        if folded.is_err() {
            remove_closed(self.platform, at(&name)).ok()?;
        }
        closed.ok()?;
        Some(if folded.is_ok() {
            Known::Yes
        } else {
            Known::No
        })
    }
}

/// The name with its ASCII letters in the other case; `None` if it has no letters.
fn other_case(name: &OsStr) -> Option<OsString> {
    let name = name.to_str()?;
    let swap = |c: char| {
        if c.is_ascii_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    let other: String = name.chars().map(swap).collect();
    (other != name).then(|| other.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_found_exactly() {
        for limit in [0, 1, 4095, (1 << 44) - 4096, u64::MAX >> 1] {
            assert_eq!(largest(u64::MAX >> 1, |bytes| bytes <= limit), limit);
        }
    }

    #[test]
    fn the_other_case_is_another_name() {
        assert_eq!(other_case(OsStr::new("aB1")), Some("Ab1".into()));
        assert_eq!(other_case(OsStr::new("1-2")), None);
    }
}
