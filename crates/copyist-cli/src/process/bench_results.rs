//! The file that `bench --save` writes and every copy reads: what was measured between volumes.
//! `docs/bench.md` describes it.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::path::PathBuf;

use copyist::Method;
use copyist::measure::BenchResult;
use serde::{Deserialize, Serialize};

use crate::words::errors::io_text;
use crate::words::quoting::Quoter;
use crate::words::text_file::without_bom;

/// The version of the format; a file of another version is not read.
const VERSION: u32 = 1;

/// The whole file.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct File {
    version: u32,
    pub(crate) pairs: Vec<Pair>,
}

/// What was measured between two volumes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pair {
    pub(crate) src: String,
    pub(crate) dst: String,
    pub(crate) system: String,
    pub(crate) file_bytes: u64,
    /// The fastest first.
    pub(crate) methods: Vec<Measured>,
}

/// One method's median.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) method: String,
    pub(crate) ns: u64,
}

/// Where the file is: in the user's configuration directory. `None` for a user without a home.
pub(crate) fn path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name| variable(name).filter(|value| !value.is_empty());
    let dir = if std::env::consts::OS == "windows" {
        PathBuf::from(named("APPDATA")?)
    } else {
        // A relative one is to be ignored: XDG Base Directory Specification.
        let configured = named("XDG_CONFIG_HOME").map(PathBuf::from);
        let configured = configured.filter(|path| path.is_absolute());
        configured.or_else(|| Some(PathBuf::from(named("HOME")?).join(".config")))?
    };
    Some(dir.join("copyist").join("learnt.json"))
}

/// [`path`], in this process.
pub(crate) fn current_path() -> Option<PathBuf> {
    path(|name| std::env::var_os(name))
}

/// Reads the file. A missing file is not an error.
pub(crate) fn load() -> io::Result<File> {
    let Some(path) = current_path() else {
        return Ok(File::default());
    };
    let text = match fs::read(path) {
        // Also if part of the path is not a directory, or the home directory is another user's (sudo -u).
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::PermissionDenied
            ) =>
        {
            return Ok(File::default());
        }
        text => text?,
    };
    let file: File = serde_json::from_slice(without_bom(&text))?;
    if file.version != VERSION {
        let why = format!("it has version {}, not {VERSION}", file.version);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(file)
}

impl File {
    /// As the library takes it.
    pub(crate) fn learnt(&self) -> Vec<BenchResult> {
        let pairs = self.pairs.iter().map(|pair| {
            let (src, dst, system) = (&pair.src, &pair.dst, &pair.system);
            BenchResult::new(src, dst, system, pair.file_bytes, pair.order())
        });
        pairs.collect()
    }

    /// Replaces the measurement between these volumes.
    pub(crate) fn put(&mut self, pair: Pair) {
        self.pairs
            .retain(|old| (&old.src, &old.dst) != (&pair.src, &pair.dst));
        self.pairs.push(pair);
        self.version = VERSION;
    }

    /// Writes the file atomically. Returns its path.
    pub(crate) fn save(&self) -> io::Result<PathBuf> {
        let path = current_path()
            .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no home directory"))?;
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        let new = path.with_extension(format!("new-{}", std::process::id()));
        let written = fs::File::create(&new)
            .and_then(|mut file| file.write_all(&text).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&new, &path));
        if written.is_err() {
            // The first error is the one that is returned.
            let _ = fs::remove_file(&new);
        }
        written.map(|()| path)
    }
}

impl Pair {
    /// The methods that this version has, the fastest first.
    pub(crate) fn order(&self) -> Vec<Method> {
        let known = self.methods.iter();
        known.filter_map(|it| it.method.parse().ok()).collect()
    }
}

/// The warning if the file can't be read.
pub(crate) fn unreadable(error: &io::Error) -> String {
    let path = current_path().unwrap_or_default();
    let path = Quoter::from_environment().always(path);
    format!("warning: ignoring {path}: {}", io_text(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(src: &str, ns: u64) -> Pair {
        Pair {
            src: src.into(),
            dst: "d".into(),
            system: "s".into(),
            file_bytes: 1,
            methods: vec![Measured {
                method: "direct".into(),
                ns,
            }],
        }
    }

    #[test]
    fn the_last_measurement_counts() {
        let mut file = File::default();
        for pair in [pair("a", 1), pair("b", 2), pair("a", 3)] {
            file.put(pair);
        }
        assert_eq!(file.pairs, [pair("b", 2), pair("a", 3)]);
        assert_eq!(file.learnt()[1].order, [Method::Direct]);
        let text = serde_json::to_string(&file).expect("JSON");
        assert_eq!(serde_json::from_str::<File>(&text).expect("a file"), file);
    }

    #[test]
    fn it_is_in_the_configuration_directory() {
        let path = |variables: &[(&str, &str)]| {
            path(|name| {
                let found = variables.iter().find(|(it, _)| *it == name);
                found.map(|(_, value)| value.into())
            })
        };
        assert_eq!(path(&[]), None);
        let table: &[(&[(&str, &str)], &str)] = if std::env::consts::OS == "windows" {
            &[(
                &[("HOME", "/h"), ("APPDATA", r"C:\a")],
                r"C:\a\copyist\learnt.json",
            )]
        } else {
            &[
                (&[("HOME", "/h")], "/h/.config/copyist/learnt.json"),
                (
                    &[("HOME", "/h"), ("XDG_CONFIG_HOME", "/x")],
                    "/x/copyist/learnt.json",
                ),
                (
                    &[("HOME", "/h"), ("XDG_CONFIG_HOME", "x")],
                    "/h/.config/copyist/learnt.json",
                ),
            ]
        };
        for (variables, expected) in table {
            assert_eq!(path(variables), Some(expected.into()), "{variables:?}");
        }
    }
}
