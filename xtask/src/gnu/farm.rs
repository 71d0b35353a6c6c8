//! A directory that looks to a test like a build tree of coreutils: its programs, with another cp.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use super::build::Coreutils;
use super::suite::{GROUP, NOBODY};
use crate::error::{Context, Result};

/// With this line a test checks whether the filesystem can find holes. That is a property of the filesystem, so GNU's
/// cp is used for it: otherwise a cp that can't find holes would skip the tests of it.
const ASKS_CP: &str = "if ! cp --debug --reflink=never";
const ASKS_GNU: &str = "if ! gnu-cp --debug --reflink=never";

/// Makes it at `at`, for a user without rights if need be.
pub(super) fn make(at: &Path, coreutils: &Coreutils, cp: &Path, for_user: bool) -> Result<()> {
    let (src, tmp) = (at.join("src"), at.join("tmp"));
    fs::create_dir_all(&src).at("create", &src)?;
    make_public(&tmp)?;
    let link = |from: PathBuf, to: PathBuf| symlink(&from, &to).at("create", &to);
    link(coreutils.source.join("tests"), at.join("tests"))?;
    link(coreutils.build.join("lib"), at.join("lib"))?;
    for program in programs(coreutils)? {
        if program != "cp" {
            link(
                coreutils.build.join("src").join(&program),
                src.join(&program),
            )?;
        }
    }
    link(coreutils.cp(), src.join("gnu-cp"))?;
    let ours = src.join("cp");
    fs::copy(cp, &ours).at("copy", cp)?;
    let config = coreutils.source.join("init.cfg");
    let text = fs::read_to_string(&config).at("read", &config)?;
    let config = at.join("init.cfg");
    fs::write(&config, text.replace(ASKS_CP, ASKS_GNU)).at("write", &config)?;
    if for_user {
        chown(at, Some(NOBODY), Some(GROUP)).at("change the owner of", at)?;
    }
    Ok(())
}

/// The names of what was built to be run.
pub(super) fn programs(coreutils: &Coreutils) -> Result<Vec<String>> {
    let src = coreutils.build.join("src");
    let mut names = Vec::new();
    for entry in fs::read_dir(&src).at("list", &src)? {
        let entry = entry.at("list", &src)?;
        let metadata = entry.metadata().at("look at", &entry.path())?;
        let runs = metadata.is_file() && metadata.permissions().mode() & 0o100 != 0;
        if runs && entry.path().extension() != Some(OsStr::new("so")) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// A directory where everyone may write.
pub(super) fn make_public(at: &Path) -> Result<()> {
    fs::create_dir_all(at).at("create", at)?;
    let everyone = fs::Permissions::from_mode(0o1777);
    fs::set_permissions(at, everyone).at("change the mode of", at)
}
