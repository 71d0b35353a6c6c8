//! `--resume`: the path of the journal, and the destination of the interrupted copy.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use copyist::Operand;
use copyist::journal::is_journal_of;
use copyist_sys::name_prefix;

use crate::copy::operands;
use crate::settings::{Settings, Stop};
use crate::words::quoting::Quoter;

const SUFFIX: &str = ".copyist-journal";

/// The longest name that filesystems allow, in bytes (NAME_MAX).
const NAME_BYTES: usize = 255;

/// The operands, with the journal set in the options if there is one.
///
/// `cp -r a b` creates `b`; a second call would copy to `b/a`. If the journal is of the copy to `b`, that
/// copy is continued.
pub(crate) fn resolve(settings: &mut Settings, quoter: Quoter) -> Result<Vec<Operand>, Stop> {
    if !settings.resume {
        return operands::resolve(settings, quoter);
    }
    if settings.target_directory.is_none() && settings.operands.len() == 2 {
        let mut before = settings.clone();
        before.no_target_directory = true;
        if let Ok(operands) = operands::resolve(&mut before, quoter) {
            let journal = journal_of(&before, &operands);
            if is_journal_of(&journal, &operands, &before.options) {
                before.options.journal = Some(journal);
                *settings = before;
                return Ok(operands);
            }
        }
    }
    let operands = operands::resolve(settings, quoter)?;
    settings.options.journal = Some(journal_of(settings, &operands));
    Ok(operands)
}

/// The journal's path: as named, or beside the (first) destination.
fn journal_of(settings: &Settings, operands: &[Operand]) -> PathBuf {
    if let Some(journal) = &settings.journal {
        return PathBuf::from(journal);
    }
    let dst = operands.first().map_or(Path::new(""), |it| &it.dst);
    let mut name = OsString::from(".");
    if let Some(base) = dst.file_name() {
        name.push(name_prefix(base, NAME_BYTES - 1 - SUFFIX.len()));
    }
    name.push(SUFFIX);
    dst.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_journal_is_beside_the_destination() {
        let journal = |dst: &str| {
            let operand = Operand::new("src", dst);
            journal_of(&Settings::default(), &[operand])
        };
        assert_eq!(journal("a/b"), Path::new("a/.b.copyist-journal"));
        assert_eq!(journal("b/"), Path::new(".b.copyist-journal"));
        let long = "x".repeat(255);
        let name = journal(&long).into_os_string();
        assert_eq!(name.len(), 255);
    }
}
