//! Names of backups: `name~`, `name.~1~`.

use std::ffi::{OsStr, OsString};

use copyist_sys::name_prefix;

use crate::system::{Batch, Platform, Sys};
use crate::words::options::{Backup, Options};

/// The backup's name for the old version of `name`. `dir` is its directory, if that can be read.
pub(crate) fn name<P: Platform>(
    platform: &P,
    dir: Sys<&P::Handle>,
    name: &OsStr,
    options: &Options,
) -> Sys<OsString> {
    let highest = match (options.backup, dir) {
        // As in GNU cp, only these names may become too long.
        (Backup::None | Backup::Simple, _) => {
            let mut simple = name.to_os_string();
            simple.push(&options.backup_suffix);
            return Ok(simple);
        }
        (Backup::Existing | Backup::Numbered, dir) => highest(platform, dir?, name)?,
    };
    if options.backup == Backup::Existing && highest == 0 {
        return Ok(with_suffix(name, &options.backup_suffix));
    }
    Ok(with_suffix(name, format!(".~{}~", highest + 1).as_ref()))
}

/// As in GNU cp, a name that becomes too long is shortened, and has a single backup.
fn with_suffix(name: &OsStr, suffix: &OsStr) -> OsString {
    let mut backup = name.to_os_string();
    if name.len() + suffix.len() <= NAME_BYTES {
        backup.push(suffix);
        return backup;
    }
    backup = name_prefix(name, name.len().min(NAME_BYTES - 1)).to_os_string();
    backup.push("~");
    backup
}

/// The maximum length of a backup's name, bytes: one less than NAME_MAX.
const NAME_BYTES: usize = 254;

/// The highest number among the backups of `name`; 0 if it has none.
fn highest<P: Platform>(platform: &P, dir: &P::Handle, name: &OsStr) -> Sys<u64> {
    let (mut buffer, mut batch) = (Vec::new(), Batch::default());
    let mut highest = 0;
    loop {
        platform.read_dir(dir, &mut buffer, &mut batch)?;
        if batch.is_empty() {
            return Ok(highest);
        }
        let numbers = batch.iter().filter_map(|(entry, _)| number(entry, name));
        highest = numbers.fold(highest, u64::max);
    }
}

/// The N of `name.~N~`.
fn number(backup: &OsStr, name: &OsStr) -> Option<u64> {
    let rest = backup
        .as_encoded_bytes()
        .strip_prefix(name.as_encoded_bytes())?;
    let digits = rest.strip_prefix(b".~")?.strip_suffix(b"~")?;
    if !digits.iter().all(u8::is_ascii_digit) || digits.first() == Some(&b'0') {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_backups_are_read() {
        let number = |backup| number(OsStr::new(backup), OsStr::new("a.b"));
        assert_eq!(number("a.b.~7~"), Some(7));
        assert_eq!(number("a.b.~18446744073709551616~"), None);
        for none in [
            "a.b", "a.b~", "a.b.~~", "a.b.~07~", "a.b.~1", "x.~1~", "a.b.~1x~",
        ] {
            assert_eq!(number(none), None, "{none}");
        }
    }
}
