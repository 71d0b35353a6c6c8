//! Compares attributes.

use crate::system::filesystem;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::Path;

use super::{Compare, Difference, Dirs, Session};
use crate::file::attributes::{is_never_copied, listed_names, says_no_more_than_mode};
use crate::system::{At, Platform, Target};
use crate::think::times;
use crate::words::error::Operation;
use crate::words::facts::FsKind;
use crate::words::stat::{FileKind, Stat};
use crate::words::xattr_names::is_of_filesystem;

impl<P: Platform> Session<'_, P> {
    pub(super) fn other(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        names: (&OsStr, &OsStr),
        stats: &(Stat, Stat),
    ) {
        let (src, dst) = stats;
        if src.kind == FileKind::Symlink {
            let target = |dir, name| self.platform.read_link(At { dir, name });
            match (target(&dir.src, names.0), target(&dir.dst, names.1)) {
                (Err(code), _) => self.fail(path, Operation::ReadLink, code),
                (_, Err(code)) => self.fail(path, Operation::Verify, code),
                (Ok(src), Ok(dst)) if src != dst => self.tell(path, &Difference::Target),
                _ => {}
            }
        } else if src.device != dst.device {
            self.tell(path, &Difference::Device);
        }
    }

    pub(super) fn attributes_by_name(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        names: (&OsStr, &OsStr),
        stats: &(Stat, Stat),
    ) {
        let at = |dir, name| Target::Named(At { dir, name });
        let targets = (at(&dir.src, names.0), at(&dir.dst, names.1));
        self.attributes(dir, path, names.1, stats, targets);
    }

    /// `name` is that of the destination.
    pub(super) fn attributes(
        &self,
        dir: &Dirs<P>,
        path: &Path,
        name: &OsStr,
        (src, dst): &(Stat, Stat),
        targets: (Target<'_, P>, Target<'_, P>),
    ) {
        let Compare {
            mode,
            owner,
            times,
            xattrs,
            ..
        } = *self.compare;
        // A symbolic link's permission bits have no meaning.
        if mode && src.mode != dst.mode && src.kind != FileKind::Symlink {
            self.tell(path, &Difference::Mode(src.mode, dst.mode));
        }
        if owner && (src.uid, src.gid) != (dst.uid, dst.gid) {
            let (from, to) = ((src.uid, src.gid), (dst.uid, dst.gid));
            self.tell(path, &Difference::Owner(from, to));
        }
        let at = At {
            dir: &dir.dst,
            name,
        };
        if times && src.modified != dst.modified && !self.is_as_kept(at, src, dst) {
            let (from, to) = (src.modified, dst.modified);
            let (from, to) = ((from.seconds, from.nanos), (to.seconds, to.nanos));
            self.tell(path, &Difference::Modified(from, to));
        }
        if xattrs {
            self.xattrs(path, targets);
        }
    }

    /// Whether the destination's filesystem can't store the source's time more precisely. A comparison changes
    /// nothing, so nothing is tried: for a FUSE filesystem, whose precision is unknown, equal whole seconds suffice.
    fn is_as_kept(&self, at: At<'_, P>, src: &Stat, dst: &Stat) -> bool {
        let kind = filesystem::kind_at(self.platform, at, dst.id.volume);
        times::is_modified_as(src.modified, dst, kind)
            || kind == FsKind::Fuse && times::is_in_seconds(src.modified, dst.modified)
    }

    fn xattrs(&self, path: &Path, targets: (Target<'_, P>, Target<'_, P>)) {
        let (src, dst) = (self.xattr_names(targets.0), self.xattr_names(targets.1));
        for name in src.union(&dst) {
            if is_never_copied(name) {
                continue;
            }
            // An attribute that is not listed counts as absent: a filesystem may refuse to read it.
            let value = |names: &BTreeSet<Vec<u8>>, target| {
                let mut value = Vec::new();
                let is_there =
                    names.contains(name) && self.platform.xattr(target, name, &mut value)?;
                Ok(is_there.then_some(value))
            };
            let values = [value(&src, targets.0), value(&dst, targets.1)];
            match values {
                [Err(code), _] | [_, Err(code)] => self.fail(path, Operation::ReadXattrs, code),
                [Ok(src), Ok(dst)] if differ(name, src.as_deref(), dst.as_deref()) => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    self.tell(path, &Difference::Xattr(name));
                }
                _ => {}
            }
        }
    }

    /// Empty where there are no extended attributes.
    fn xattr_names(&self, target: Target<'_, P>) -> BTreeSet<Vec<u8>> {
        let mut names = Vec::new();
        if self.platform.xattr_names(target, &mut names).is_err() {
            return BTreeSet::new();
        }
        listed_names(&names).map(<[u8]>::to_vec).collect()
    }
}

/// Whether an attribute differs. An ACL of a type that only one side's filesystem has is not a difference if it is
/// equivalent to the permission bits, which are compared as such.
fn differ(name: &[u8], src: Option<&[u8]>, dst: Option<&[u8]>) -> bool {
    match (src, dst) {
        (Some(list), None) | (None, Some(list)) if is_of_filesystem(name) => {
            !says_no_more_than_mode(name, list)
        }
        _ => src != dst,
    }
}
