//! Reads the sources and checks what no compiler does: sizes, and who may use what.

mod rules;
mod scan;

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

/// Everything untidy in the Rust files of the workspace at `root`.
pub(crate) fn findings(root: &Path) -> Result<Vec<Finding>> {
    let mut found = Vec::new();
    for path in rust_files(root)? {
        let text = fs::read_to_string(&path).at("read", &path)?;
        let relative = path.strip_prefix(root).unwrap_or(&path);
        rules::check(relative, &text, &mut found);
    }
    Ok(found)
}

/// All `.rs` files in the crates, sorted, so that the output is stable.
fn rust_files(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut directories = vec![root.join("crates"), root.join("xtask")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).at("list", &directory)? {
            let path = entry.at("list", &directory)?.path();
            if path.is_dir() && !path.ends_with("target") {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests;
