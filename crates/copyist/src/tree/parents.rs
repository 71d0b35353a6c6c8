//! `--parents`: copies an operand with the directories that lead to it.
//!
//! Their names are used as given, including `.` and `..`: as in GNU cp, `a/b/../c` is copied to `DIR/a/b/../c`, and
//! `DIR/a/b` is created for it.

use std::ffi::{OsStr, OsString};
use std::path::{Component, Path};
use std::sync::Arc;

use super::dir::{Dir, Entry, Role};
use super::paths::{ends_in_separator, is_separator};
use super::worker::Worker;
use crate::system::{At, Platform};
use crate::think::rules;
use crate::words::error::{Cause, Error, Operation};
use crate::words::operand::Operand;
use crate::words::stat::FileKind;

impl<P: Platform> Worker<'_, '_, P> {
    /// Creates the directories that lead to the source below `base` too, each with its attributes.
    pub(super) fn operand_with_parents(&mut self, operand: &Operand, base: &Path) {
        let (root, parts) = parts(&operand.src);
        let Some((last, above)) = parts.split_last() else {
            return self.operand_as_named(operand);
        };
        if self.leads_there(base, above) {
            return self.operand_as_named(operand);
        }
        let mut dir = Arc::clone(&self.session.current);
        let mut open = Arc::clone(&self.session.here);
        let mut held = Vec::new();
        let (mut src_name, mut dst_name) = (root, base.as_os_str().to_os_string());
        let mut is_new = false;
        for part in above {
            src_name = Path::new(&src_name).join(part).into_os_string();
            dst_name = Path::new(&dst_name).join(part).into_os_string();
            if *part == "." {
                is_new = false;
                continue;
            }
            let entry = Entry {
                dir: &dir,
                open: &open,
                src_name: &src_name,
                dst_name: &dst_name,
                role: Role::Parent,
            };
            match self.open_parent(entry) {
                Ok((parent, halves)) => {
                    is_new = parent.made.is_new;
                    held.push(Arc::clone(&parent));
                    (dir, open) = (parent, halves);
                    src_name.clear();
                    dst_name.clear();
                }
                Err(error) => {
                    self.session.fail(error);
                    return self.release_parents(held);
                }
            }
        }
        src_name = Path::new(&src_name).join(last).into_os_string();
        dst_name = Path::new(&dst_name).join(last).into_os_string();
        if ends_in_separator(operand.src.as_os_str()) {
            // "file/" is not the name of a file.
            src_name.push("/");
        }
        let entry = Entry {
            dir: &dir,
            open: &open,
            src_name: &src_name,
            dst_name: &dst_name,
            role: Role::Operand,
        };
        match self.check_last(&entry, last, is_new) {
            Ok(()) => self.operand_entry(entry),
            Err(error) => self.session.fail(error),
        }
        self.release_parents(held);
    }

    /// GNU cp considers everything below a directory that it has just created as new, and creates it: also `.` and
    /// `..`, which exist.
    fn check_last(&self, entry: &Entry<'_, P>, last: &OsStr, is_new: bool) -> Result<(), Error> {
        let is_there = last == "." || last == "..";
        if is_new && is_there && self.session.options.recursive {
            let code = rules::taken(self.session.platform.os());
            let cause = Cause::System(code);
            return Err(self.session.error(entry, Operation::CreateDirectory, cause));
        }
        Ok(())
    }

    fn release_parents(&mut self, mut held: Vec<Arc<Dir<P>>>) {
        while let Some(parent) = held.pop() {
            self.release(parent);
        }
    }

    /// Whether the destination's directory exists: then nothing on the way to it is changed.
    fn leads_there(&self, base: &Path, above: &[&OsStr]) -> bool {
        let mut parent = base.to_path_buf();
        parent.extend(above);
        let at = At {
            dir: &self.session.here.dst,
            name: parent.as_os_str(),
        };
        let found = self.session.platform.stat(at, true);
        found.is_ok_and(|it| it.kind == FileKind::Directory)
    }
}

/// The root of a path, if it has one, and the names that follow, including each `.`, which `Path::components` omits.
fn parts(path: &Path) -> (OsString, Vec<&OsStr>) {
    let is_root = |part: &Component<'_>| matches!(part, Component::Prefix(_) | Component::RootDir);
    let root: Vec<_> = path.components().take_while(is_root).collect();
    let mut names = path
        .components()
        .filter(|part| !is_root(part) && *part != Component::CurDir);
    let prefix = match root.first() {
        Some(Component::Prefix(prefix)) => prefix.as_os_str().len(),
        _ => 0,
    };
    let bytes = &path.as_os_str().as_encoded_bytes()[prefix..];
    let parts = bytes.split(|byte| is_separator(*byte));
    let parts = parts
        .filter(|part| !part.is_empty())
        .filter_map(|part| match part {
            b"." => Some(OsStr::new(".")),
            _ => names.next().map(|name| name.as_os_str()),
        })
        .collect();
    let root = root.iter().collect::<std::path::PathBuf>();
    (root.into_os_string(), parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_path_is_kept() {
        let split = |path: &str| {
            let (root, parts) = parts(Path::new(path));
            let parts: Vec<_> = parts.iter().map(|it| it.to_string_lossy()).collect();
            (!root.is_empty(), parts.join("|"))
        };
        assert_eq!(split("a/b"), (false, "a|b".into()));
        assert_eq!(split("./a/./b/.."), (false, ".|a|.|b|..".into()));
        assert_eq!(split("a//b/./"), (false, "a|b|.".into()));
        assert_eq!(split("/a/../b"), (true, "a|..|b".into()));
        assert_eq!(split("."), (false, ".".into()));
        assert_eq!(split("/"), (true, "".into()));
        assert_eq!(split(".../.x"), (false, "...|.x".into()));
    }
}
