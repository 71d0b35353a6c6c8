//! A process that can touch nothing but what it is to copy.

use std::path::Path;

use crate::copier::Operand;
use crate::error::{Cause, Error, Operation, Result};
use crate::options::{Follow, Options};
use crate::platform::native;

/// What a sandbox leaves.
#[derive(Debug, Default)]
pub(crate) struct Places<'a> {
    /// These files, and what is below these directories, can be read.
    pub(crate) read: Vec<&'a Path>,
    /// Everything can be done below these directories, but run programs.
    pub(crate) write: Vec<&'a Path>,
}

/// Gives up, for good, what a copy of these operands does not need: from here on the calling thread,
/// and those that it starts, can read the sources and change the destinations, and open nothing
/// else. A destination is the directory itself, if it is there, or the one that it is to be made in.
/// `also_write` are directories that are needed besides.
///
/// It is for programs that copy what others have prepared: whatever a flaw of copyist, or of the
/// system's libraries, might let a hostile tree do, the kernel won't. Threads that run already are
/// not limited, so it comes first.
///
/// A symbolic link in a source that is followed (`Follow::Always`) leads no further than the sources.
/// On Linux before 5.19 hard links between directories can't be made from inside.
///
/// # Errors
///
/// Where the system has no such thing: Linux has it since 5.13 (Landlock), unless it was switched off
/// at boot. A program may then decide to go on without.
pub fn enter_sandbox(options: &Options, operands: &[Operand], also_write: &[&Path]) -> Result<()> {
    let places = places(options, operands, also_write);
    native::enter_sandbox(&places).map_err(|(path, code)| {
        let os = native::os();
        let path = path.map(Path::to_path_buf);
        Error::new(os, Operation::EnterSandbox, Cause::System(code)).with_paths(path, None)
    })
}

fn places<'a>(options: &Options, operands: &'a [Operand], also_write: &[&'a Path]) -> Places<'a> {
    let mut places = Places::default();
    for operand in operands {
        // A link that is copied as such is not opened, and what it leads to is not to be.
        let slash = operand.src.as_os_str().as_encoded_bytes().ends_with(b"/");
        if options.follow != Follow::Never || slash || !operand.src.is_symlink() {
            places.read.push(&operand.src);
        }
        let dst = operand.parents_below.as_ref().unwrap_or(&operand.dst);
        let is_there = operand.dst.is_dir() && !operand.dst.is_symlink();
        places.write.push(match dst.parent() {
            _ if is_there || operand.parents_below.is_some() => dst,
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) => Path::new("."),
            None => dst,
        });
    }
    places.write.extend(also_write);
    for list in [&mut places.read, &mut places.write] {
        list.sort_unstable();
        list.dedup();
    }
    places
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
