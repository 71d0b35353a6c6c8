//! A process that can access only what it is to copy.

use crate::system::sandbox::Places;
use std::path::{Path, PathBuf};

use crate::file::follow::reads_open_file;
use crate::file::follow::resolve;
use crate::system::native;
use crate::system::native::Native;
use crate::system::{At, start_dir};
use crate::words::error::{Cause, Error, Operation, Result};
use crate::words::operand::Operand;
use crate::words::options::{Backup, Follow, Force, Options};

/// Gives up, permanently, the rights that a copy of these operands does not need: from here on the calling thread,
/// and those that it starts, can read the sources and change the destinations, and can't open anything else. Writable
/// are: a destination that is an existing directory, or the directory in which it will be created; the target of a
/// destination that is a symbolic link and is written through; the journal's directory; and the directories of
/// `also_write`.
///
/// It is for programs that copy trees from untrusted sources: whatever a flaw of copyist, or of the system's
/// libraries, would let such a tree do, the kernel prevents. Threads that are already running are not restricted, so
/// call it first.
///
/// A symbolic link in a source that is followed (`Follow::Always`) can be read only if it leads into the sources. On
/// Linux before 5.19, hard links between directories can't be created in the sandbox.
///
/// # Errors
///
/// If the system has no sandbox: Linux has one since 5.13 (Landlock), unless it was disabled at boot. A program may
/// decide to continue without it.
pub fn enter_sandbox(options: &Options, operands: &[Operand], also_write: &[&Path]) -> Result<()> {
    let places = places(options, operands, also_write);
    native::enter_sandbox(&places).map_err(|(path, code)| {
        let os = native::os();
        let path = path.map(Path::to_path_buf);
        Error::new(os, Operation::EnterSandbox, Cause::System(code)).with_paths(path, None)
    })
}

fn places(options: &Options, operands: &[Operand], also_write: &[&Path]) -> Places {
    let mut places = Places::default();
    for operand in operands {
        // A link that is copied as a link is not opened, and its target must not become accessible.
        let slash = operand.src.as_os_str().as_encoded_bytes().ends_with(b"/");
        let is_link = options.follow == Follow::Never && !slash && operand.src.is_symlink();
        if !is_link || is_open_file(options, &operand.src) {
            places.read.push(operand.src.clone());
        }
        let write = &mut places.write;
        let dst = &operand.dst;
        if let Some(base) = &operand.parents_below {
            write.push(base.clone());
            let made = dst
                .ancestors()
                .skip(1)
                .take_while(|it| it.starts_with(base));
            write.extend(made.filter(|it| it.is_symlink()).map(Path::to_path_buf));
        } else if dst.is_dir() && !dst.is_symlink() {
            write.push(dst.clone());
        } else {
            write.push(parent(dst));
        }
        let is_kept = options.force != Force::RemoveFirst && options.backup == Backup::None;
        if is_kept && dst.is_symlink() {
            write.push(led_to(dst));
        }
    }
    #[cfg(feature = "journal")]
    places.write.extend(options.journal.as_deref().map(parent));
    places
        .write
        .extend(also_write.iter().map(|it| it.to_path_buf()));
    for list in [&mut places.read, &mut places.write] {
        list.sort_unstable();
        list.dedup();
    }
    places
}

/// The directory that contains this path.
fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        Some(_) => PathBuf::from("."),
        None => path.to_path_buf(),
    }
}

/// Whether this source is a symbolic link to an open file that is to be read.
fn is_open_file(options: &Options, link: &Path) -> bool {
    let platform = Native::new();
    let name = link.as_os_str();
    start_dir(&platform, [link])
        .is_ok_and(|dir| reads_open_file(&platform, options, At { dir: &dir, name }))
}

/// What writing through this symbolic link changes: the directory that it leads to, or that of the file; or the file
/// alone if the link leads to an open file (`/dev/stdout`).
fn led_to(link: &Path) -> PathBuf {
    let platform = Native::new();
    let target = start_dir(&platform, [link]).ok().and_then(|dir| {
        let at = At {
            dir: &dir,
            name: link.as_os_str(),
        };
        resolve(&platform, at).ok().flatten()
    });
    match target.map(PathBuf::from) {
        Some(target) if !target.is_dir() => parent(&target),
        Some(target) => target,
        None => link.to_path_buf(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_is_the_directory_that_it_is_made_in() {
        let operands = ["new", "some/new", "/new", "/"].map(|dst| Operand {
            src: "src".into(),
            dst: dst.into(),
            parents_below: None,
        });
        let options = Options::default();
        let places = places(&options, &operands, &[Path::new("journal")]);
        assert_eq!(places.read, [Path::new("src")]);
        let write = ["/", ".", "journal", "some"].map(Path::new);
        assert_eq!(places.write, write);
    }
}
