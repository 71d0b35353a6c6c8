//! Imports go only downwards: rooms are in an order, and files that import each other in a loop are one
//! file in several pieces.
//!
//! - `read`: the modules and imports of a crate's sources; `resolve`: the file that defines a name
//! - `circles`: files that import each other in a loop
//!
//! What is compiled only for tests is not read.

mod circles;
mod read;
mod resolve;

use std::collections::BTreeMap;
use std::path::Path;

use super::Finding;
use crate::error::Result;
use read::Sources;

/// The order of one crate's rooms.
struct Crate {
    /// From the root of the repository.
    src: &'static str,
    /// Directories of `src`, from bottom to top; above them are the files of `src` itself. Without any,
    /// only circles are findings.
    rooms: &'static [&'static str],
    circles: Circles,
}

/// Which circles are findings.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Circles {
    All,
    /// Not those that only a module's own submodules make, which import from its file while it imports from
    /// theirs: `linux/volume.rs` a constant of `linux/mod.rs`.
    Siblings,
    /// None yet.
    Allowed,
}

const CRATES: [Crate; 4] = [
    Crate {
        src: "crates/copyist-sys/src",
        rooms: &[],
        circles: Circles::Siblings,
    },
    Crate {
        src: "crates/copyist-start/src",
        rooms: &[],
        circles: Circles::All,
    },
    Crate {
        src: "crates/copyist/src",
        rooms: &["words", "think", "system", "run", "file", "tree", "api"],
        // Eleven are left, two of them of siblings: in `tree` and `system/native/windows`.
        circles: Circles::Siblings,
    },
    Crate {
        src: "crates/copyist-cli/src",
        rooms: &[
            "words", "process", "args", "settings", "output", "copy", "tools",
        ],
        circles: Circles::All,
    },
];

/// One file takes something from another.
struct Tie {
    /// In the file that takes it.
    line: usize,
    /// What is taken, from the root of the crate: `crate::method::Method`.
    what: String,
}

/// From the file that imports to the file that defines.
type Ties = BTreeMap<(usize, usize), Vec<Tie>>;

/// Checks the crates of the workspace at `root`.
pub(super) fn check(root: &Path, found: &mut Vec<Finding>) -> Result<()> {
    for one in &CRATES {
        check_crate(root, one, found)?;
    }
    Ok(())
}

fn check_crate(root: &Path, one: &Crate, found: &mut Vec<Finding>) -> Result<()> {
    let Crate {
        src,
        rooms,
        circles,
    } = *one;
    for name in ["lib.rs", "main.rs"] {
        let path = Path::new(src).join(name);
        if !root.join(&path).is_file() {
            continue;
        }
        let sources = Sources::read(root, &path, found)?;
        let ties = resolve::ties(&sources);
        let known = found.len();
        if !rooms.is_empty() {
            upward(&sources, &ties, Path::new(src), rooms, found);
        }
        if circles != Circles::Allowed {
            circles::find(&sources, &ties, (Path::new(src), circles), found);
        }
        found[known..].sort_by(|one, two| (&one.path, one.line).cmp(&(&two.path, two.line)));
    }
    Ok(())
}

/// Finds the imports from a room above.
fn upward(sources: &Sources, ties: &Ties, src: &Path, rooms: &[&str], found: &mut Vec<Finding>) {
    let order = rooms.join(" < ");
    let floors: Vec<_> = sources
        .files
        .iter()
        .map(|file| floor(file.path.strip_prefix(src).unwrap_or(&file.path), rooms))
        .collect();
    for (file, floor) in sources.files.iter().zip(&floors) {
        if floor.is_none() {
            found.push(Finding {
                path: file.path.clone(),
                line: 1,
                what: format!("in none of the rooms (order: {order})"),
            });
        }
    }
    for ((from, to), tied) in ties {
        let (Some(here), Some(there)) = (floors[*from], floors[*to]) else {
            continue;
        };
        // The files of the root are above all rooms and may import everything.
        let Some(room) = rooms.get(here).filter(|_| there > here) else {
            continue;
        };
        found.extend(tied.iter().map(|tie| Finding {
            path: sources.files[*from].path.clone(),
            line: tie.line,
            what: format!(
                "imports {}, which is above {room} (order: {order})",
                tie.what
            ),
        }));
    }
}

/// How far up a file is, by its path in `src`: the place of its room in the list, or above all. None if
/// it is in a directory that is not in the list.
fn floor(path: &Path, rooms: &[&str]) -> Option<usize> {
    let mut parts = path.iter();
    let first = Path::new(parts.next()?);
    // `tree.rs` can stand for `tree/mod.rs`.
    let stem = first.file_stem()?;
    let room = rooms.iter().position(|room| stem == *room);
    let is_in_src = parts.next().is_none();
    room.or(is_in_src.then_some(rooms.len()))
}

#[cfg(test)]
mod tests;
