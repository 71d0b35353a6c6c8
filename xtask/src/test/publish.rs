//! The lane `publish`: `cargo publish` up to the upload, and the documentation as docs.rs builds it.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::lanes::{finish, metadata};
use super::libtest::Counts;
use super::summary::Ending;
use crate::error::{Context, Result};
use crate::{command, install, workspace};

pub(super) fn set_up() -> Result<()> {
    let documented = documented(&metadata()?);
    let mut targets = documented.keys();
    targets.try_for_each(|target| install::rust_target(target))
}

pub(super) fn run(tests: &mut Counts) -> Result<Ending> {
    if let Err(why) = set_up() {
        return Ok(Ending::NotRun(why.to_string()));
    }
    let metadata = metadata()?;
    for (target, packages) in documented(&metadata) {
        let mut doc = command::cargo(workspace::root());
        doc.args(["doc", "--no-deps", "--all-features", "--target", &target]);
        for package in packages {
            doc.args(["--package", &package]);
        }
        let ending = finish(doc.env("RUSTDOCFLAGS", "-D warnings"), |_| {})?;
        if ending != Ending::Ok {
            return Ok(ending);
        }
        tests.passed += 1;
    }
    forget_unpacked(&metadata)?;
    let dir = workspace::target().join("publish");
    let mut clean = command::cargo(workspace::root());
    clean
        .args(["clean", "--workspace", "--target-dir"])
        .arg(&dir);
    let cleaned = finish(&mut clean, |_| {})?;
    if cleaned != Ending::Ok {
        return Ok(cleaned);
    }
    let mut publish = command::cargo(workspace::root());
    publish.args([
        "publish",
        "--workspace",
        "--dry-run",
        "--allow-dirty",
        "--target-dir",
    ]);
    finish(publish.arg(&dir), |_| {})
}

/// Removes what cargo has unpacked of our packages in an earlier run: it takes them for the same as long as they have
/// the same version, and would build the others with them.
fn forget_unpacked(metadata: &Value) -> Result<()> {
    let home = std::env::home_dir().unwrap_or_default().join(".cargo");
    let home = std::env::var_os("CARGO_HOME").map_or(home, PathBuf::from);
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let names: Vec<_> = packages
        .filter_map(|it| {
            Some(format!(
                "{}-{}",
                it["name"].as_str()?,
                it["version"].as_str()?
            ))
        })
        .collect();
    // One directory for each registry; there may be none yet.
    let registries = fs::read_dir(home.join("registry/src"))
        .into_iter()
        .flatten();
    for registry in registries.flatten() {
        for unpacked in names.iter().map(|name| registry.path().join(name)) {
            if unpacked.exists() {
                fs::remove_dir_all(&unpacked).at("remove the directory", &unpacked)?;
            }
        }
    }
    Ok(())
}

/// The targets that docs.rs builds for, with the packages.
fn documented(metadata: &Value) -> BTreeMap<String, Vec<String>> {
    let mut documented: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        let targets = package["metadata"]["docs"]["rs"]["targets"].as_array();
        for target in targets.into_iter().flatten() {
            if let (Some(target), Some(name)) = (target.as_str(), package["name"].as_str()) {
                let packages = documented.entry(target.to_owned()).or_default();
                packages.push(name.to_owned());
            }
        }
    }
    documented
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documented_targets_are_found_in_metadata() {
        let rs = serde_json::json!({ "targets": ["t", "u"] });
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "metadata": { "docs": { "rs": rs } } },
            { "name": "b", "metadata": null },
        ] });
        let a = || vec!["a".to_owned()];
        let expected = BTreeMap::from([("t".to_owned(), a()), ("u".to_owned(), a())]);
        assert_eq!(documented(&metadata), expected);
    }
}
