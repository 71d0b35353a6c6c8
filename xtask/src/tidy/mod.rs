//! Reads the sources and checks what no compiler does: sizes, who may use what, imports, tables in the pages.

mod rooms;
mod rules;
mod scan;
mod tables;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::error::{Context, Result};
use crate::workspace;

/// One thing that is not as it should be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Relative to the root of the repository.
    pub(crate) path: PathBuf,
    /// Counted from 1.
    pub(crate) line: usize,
    pub(crate) what: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path.display(), self.line, self.what)
    }
}

/// Runs `xtask tidy`: prints the findings, and fails if there are any.
pub(crate) fn run() -> Result<ExitCode> {
    let findings = findings(workspace::root())?;
    for finding in &findings {
        println!("{finding}");
    }
    Ok(if findings.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Everything untidy in the Rust and Markdown files of the workspace at `root`.
pub(crate) fn findings(root: &Path) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    let sources = files(&[root.join("crates"), root.join("xtask")], "rs")?;
    let pages = files(&[root.to_owned()], "md")?;
    for (paths, check) in [(sources, rules::check as Check), (pages, tables::check)] {
        for path in paths {
            let text = fs::read_to_string(&path).at("read", &path)?;
            check(path.strip_prefix(root).unwrap_or(&path), &text, &mut found);
        }
    }
    rooms::check(root, &mut found)?;
    Ok(found)
}

type Check = fn(&Path, &str, &mut Vec<Finding>);

/// All files of a kind in these directories, sorted, so that the output is stable.
fn files(directories: &[PathBuf], kind: &str) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = directories.to_vec();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).at("list", &directory)? {
            let path = entry.at("list", &directory)?.path();
            let is_ours = !path.ends_with("target") && !path.ends_with(".git");
            if path.is_dir() && !path.is_symlink() && is_ours {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == kind) {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
