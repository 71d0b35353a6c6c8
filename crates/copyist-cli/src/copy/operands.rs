//! From the names on the command line to pairs of source and destination.
//!
//! ```text
//! -T                      SOURCE -> DEST
//! -t DIRECTORY            each SOURCE -> DIRECTORY/name
//! last is a directory     each SOURCE -> LAST/name
//! else, two names         SOURCE -> DEST
//! else                    refused
//! ```

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};

use copyist::Operand;
use copyist::options::Backup;

use crate::settings::{Settings, Stop};
use crate::words::errors::io_text;
use crate::words::names::{base_name, concat, without_trailing_slashes};
use crate::words::quoting::Quoter;

/// The operands. May change the settings: with `-f -b` a file that is copied onto itself is copied to
/// the name of its backup instead, without a backup of that.
pub(crate) fn resolve(settings: &mut Settings, quoter: Quoter) -> Result<Vec<Operand>, Stop> {
    let mut names = std::mem::take(&mut settings.operands);
    match (names.as_slice(), &settings.target_directory) {
        ([], _) => return usage("missing file operand".to_owned()),
        ([only], None) => {
            let only = quoter.always(only);
            return usage(format!("missing destination file operand after {only}"));
        }
        _ => {}
    }
    if settings.no_target_directory {
        if settings.target_directory.is_some() {
            let message = "cannot combine --target-directory (-t) and --no-target-directory (-T)";
            return Err(Stop::Fatal(message.to_owned()));
        }
        if let Some(extra) = names.get(2) {
            return usage(format!("extra operand {}", quoter.always(extra)));
        }
        return to_file(settings, &names);
    }
    if let Some(directory) = settings.target_directory.take() {
        if let Err(why) = check_directory(&directory) {
            let directory = quoter.always(&directory);
            return Err(Stop::Fatal(format!("target directory {directory}: {why}")));
        }
        settings.into = Some(directory.clone());
        return Ok(into_directory(settings, &directory, &names));
    }
    let Some(last) = names.last().cloned() else {
        return usage("missing file operand".to_owned());
    };
    match check_directory(&last) {
        Ok(()) => {
            names.pop();
            settings.into = Some(last.clone());
            Ok(into_directory(settings, &last, &names))
        }
        Err(why) if names.len() > 2 => {
            let last = quoter.always(&last);
            Err(Stop::Fatal(format!("target {last}: {why}")))
        }
        Err(_) => to_file(settings, &names),
    }
}

fn usage<T>(message: String) -> Result<T, Stop> {
    Err(Stop::Usage(message))
}

/// The error is the text of the reason.
fn check_directory(name: &OsStr) -> Result<(), String> {
    match std::fs::metadata(name) {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err("Not a directory".to_owned()),
        Err(error) => Err(io_text(&error)),
    }
}

fn into_directory(settings: &Settings, directory: &OsStr, names: &[OsString]) -> Vec<Operand> {
    let operand = |name: &OsString| {
        let src = if settings.strip_trailing_slashes {
            without_trailing_slashes(name)
        } else {
            name.clone()
        };
        let (dst, parents_below) = if settings.parents {
            let dst = concat(directory, &without_trailing_slashes(&src));
            (dst, Some(without_trailing_slashes(directory).into()))
        } else {
            let base = match base_name(&src) {
                // `cp -R source/.. directory` copies into the directory, not beside it.
                base if base == ".." => OsStr::new("."),
                base => base,
            };
            (concat(directory, base), None)
        };
        let mut operand = Operand::new(src, dst);
        operand.parents_below = parents_below;
        operand
    };
    names.iter().map(operand).collect()
}

fn to_file(settings: &mut Settings, names: &[OsString]) -> Result<Vec<Operand>, Stop> {
    let [src, dst] = names else {
        return usage("missing file operand".to_owned());
    };
    if settings.parents {
        return usage("with --parents, the destination must be a directory".to_owned());
    }
    let mut dst = PathBuf::from(dst);
    let options = &mut settings.options;
    let onto_itself = settings.force && options.backup != Backup::None && *src == *dst;
    if onto_itself && std::fs::metadata(&dst).is_ok_and(|metadata| metadata.is_file()) {
        dst = backup_name(&dst, options.backup, &options.backup_suffix)
            .map_err(|error| Stop::Fatal(format!("cannot backup: {}", io_text(&error))))?;
        options.backup = Backup::None;
    }
    Ok(vec![Operand::new(src, dst)])
}

/// Where the old version of `name` would be kept.
fn backup_name(name: &Path, backup: Backup, suffix: &OsStr) -> io::Result<PathBuf> {
    let newest = match backup {
        Backup::Simple | Backup::None => 0,
        Backup::Existing | Backup::Numbered => newest_backup(name)?,
    };
    let mut backed = name.as_os_str().to_owned();
    if newest > 0 || backup == Backup::Numbered {
        backed.push(format!(".~{}~", newest + 1));
    } else {
        backed.push(suffix);
    }
    Ok(backed.into())
}

/// The highest N of the backups `name.~N~`; 0 if there is none.
fn newest_backup(name: &Path) -> io::Result<u64> {
    let directory = match name.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let mut prefix = name.file_name().unwrap_or_default().to_owned();
    prefix.push(".~");
    let mut newest = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?.file_name();
        let number = entry
            .as_encoded_bytes()
            .strip_prefix(prefix.as_encoded_bytes())
            .and_then(|rest| rest.strip_suffix(b"~"))
            .filter(|digits| digits.first().is_some_and(|first| *first != b'0'))
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| digits.parse::<u64>().ok());
        newest = newest.max(number.unwrap_or(0));
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::fs;
    use std::path::{Path, PathBuf};

    use copyist::Options;
    use copyist::options::Backup;

    use super::{backup_name, resolve};
    use crate::settings::{Settings, Stop};
    use crate::words::quoting::Quoter;

    /// A directory of this test's own, removed at its end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let name = format!("copyist-operands-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir_all(path.join("dir")).expect("a directory");
            fs::write(path.join("file"), b"x").expect("a file");
            Scratch(path)
        }

        fn name(&self, name: &str) -> String {
            format!("{}/{name}", self.0.display())
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn settings(names: &[&str]) -> Settings {
        Settings {
            operands: names.iter().map(OsString::from).collect(),
            ..Settings::default()
        }
    }

    fn run(settings: &mut Settings) -> Result<Vec<String>, Stop> {
        let operands = resolve(settings, Quoter::new(false))?;
        Ok(operands
            .iter()
            .map(|operand| format!("{} -> {}", operand.src.display(), operand.dst.display()))
            .collect())
    }

    #[test]
    fn sources_go_into_a_directory() {
        let scratch = Scratch::new("into");
        let dir = scratch.name("dir");
        let mut given = settings(&["a", "b/c/", "d/.", "e/..", "..", "/", &dir]);
        let expected = [
            "a -> D/a",
            "b/c/ -> D/c",
            "d/. -> D/.",
            "e/.. -> D/.",
            ".. -> D/.",
            "/ -> D/",
        ];
        let expected = expected.map(|line| line.replace('D', &dir));
        assert_eq!(run(&mut given), Ok(expected.to_vec()));

        let mut given = settings(&["a/b/", "/c/../d"]);
        given.target_directory = Some(format!("{dir}//").into());
        given.parents = true;
        given.strip_trailing_slashes = true;
        let expected = vec![
            format!("a/b -> {dir}/a/b"),
            format!("/c/../d -> {dir}/c/../d"),
        ];
        assert_eq!(run(&mut given), Ok(expected));
    }

    #[test]
    fn a_source_goes_to_a_file() {
        let scratch = Scratch::new("file");
        let (dir, file, new) = (
            scratch.name("dir"),
            scratch.name("file"),
            scratch.name("new"),
        );
        assert_eq!(
            run(&mut settings(&["a", &file])),
            Ok(vec![format!("a -> {file}")])
        );
        assert_eq!(
            run(&mut settings(&["a", &new])),
            Ok(vec![format!("a -> {new}")])
        );
        let mut given = settings(&["a", &dir]);
        given.no_target_directory = true;
        assert_eq!(run(&mut given), Ok(vec![format!("a -> {dir}")]));
    }

    #[test]
    fn wrong_names_are_refused_in_gnus_words() {
        if std::env::consts::OS == "windows" {
            println!(
                "beyond Wine: wrong_names_are_refused_in_gnus_words: the numbers and words are those of Unix"
            );
            return;
        }
        let scratch = Scratch::new("wrong");
        let (dir, file, new) = (
            scratch.name("dir"),
            scratch.name("file"),
            scratch.name("new"),
        );
        let usage = |message: &str| Err(Stop::Usage(message.to_owned()));
        let fatal = |message: String| Err(Stop::Fatal(message));
        assert_eq!(run(&mut settings(&[])), usage("missing file operand"));
        let missing = "missing destination file operand after 'a'";
        assert_eq!(run(&mut settings(&["a"])), usage(missing));
        let why = "No such file or directory";
        let given = run(&mut settings(&["a", "b", &new]));
        assert_eq!(given, fatal(format!("target '{new}': {why}")));
        let given = run(&mut settings(&["a", "b", &file]));
        assert_eq!(given, fatal(format!("target '{file}': Not a directory")));

        let mut given = settings(&["a"]);
        given.target_directory = Some(file.clone().into());
        let message = format!("target directory '{file}': Not a directory");
        assert_eq!(run(&mut given), fatal(message));
        let mut given = settings(&["a", "b", "c"]);
        given.no_target_directory = true;
        assert_eq!(run(&mut given), usage("extra operand 'c'"));
        given = settings(&["a"]);
        given.no_target_directory = true;
        given.target_directory = Some(dir.into());
        let message = "cannot combine --target-directory (-t) and --no-target-directory (-T)";
        assert_eq!(run(&mut given), fatal(message.to_owned()));
        let mut given = settings(&["a", &file]);
        given.parents = true;
        let message = "with --parents, the destination must be a directory";
        assert_eq!(run(&mut given), usage(message));
    }

    #[test]
    fn a_file_onto_itself_goes_to_its_backups_name() {
        let scratch = Scratch::new("itself");
        let file = scratch.name("file");
        let mut given = settings(&[&file, &file]);
        given.force = true;
        given.options = Options::default();
        given.options.backup = Backup::Existing;
        assert_eq!(run(&mut given), Ok(vec![format!("{file} -> {file}~")]));
        assert_eq!(given.options.backup, Backup::None);

        for name in [
            "file.~2~",
            "file.~10~",
            "file.~07~",
            "file.~x~",
            "files.~99~",
        ] {
            fs::write(scratch.0.join(name), b"").expect("a file");
        }
        let name = |backup| backup_name(Path::new(&file), backup, "~".as_ref()).expect("a name");
        assert_eq!(name(Backup::Existing), Path::new(&format!("{file}.~11~")));
        assert_eq!(name(Backup::Numbered), Path::new(&format!("{file}.~11~")));
        assert_eq!(name(Backup::Simple), Path::new(&format!("{file}~")));
    }
}
