//! The lane `features`: each Cargo feature alone, none, and all; and what the library needs without any.

use std::collections::BTreeSet;

use serde_json::Value;

use super::lanes::{finish, metadata};
use super::libtest::Counts;
use super::summary::Ending;
use crate::error::{Context, Error, Result};
use crate::{command, workspace};

/// The most crates that the library may consist of without features.
const MOST_CRATES: usize = 15;

/// Crates that call a C compiler, or another tool of C's.
const NEED_C: [&str; 4] = ["cc", "cmake", "bindgen", "pkg-config"];

pub(super) fn run(tests: &mut Counts) -> Result<Ending> {
    for (package, features) in features_of(&metadata()?) {
        let alone = features.iter().map(|it| format!("--features={it}"));
        let none = std::iter::once(String::new());
        for selection in none.chain(alone).chain(["--all-features".to_owned()]) {
            let mut clippy = command::cargo(workspace::root());
            clippy.args(["clippy", "--package", &package, "--no-default-features"]);
            clippy.args(Some(selection).filter(|it| !it.is_empty()));
            let ending = finish(clippy.args(["--", "-D", "warnings"]), |_| {})?;
            if ending != Ending::Ok {
                return Ok(ending);
            }
            tests.passed += 1;
        }
    }
    let tree = tree()?;
    let crates = crates_of(&tree);
    println!("copyist without features: {} crates", crates.len());
    let needs_c: Vec<_> = NEED_C.iter().filter(|it| crates.contains(**it)).collect();
    if crates.len() > MOST_CRATES || !needs_c.is_empty() {
        return Ok(Ending::Failed(format!(
            "copyist without features: {} crates, C by {needs_c:?}",
            crates.len()
        )));
    }
    tests.passed += 1;
    Ok(Ending::Ok)
}

/// The packages that have features, with their names.
fn features_of(metadata: &Value) -> Vec<(String, Vec<String>)> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let features = packages.filter_map(|package| {
        let names = package["features"].as_object()?.keys();
        let names: Vec<_> = names.filter(|it| *it != "default").cloned().collect();
        Some((package["name"].as_str()?.to_owned(), names))
    });
    features.filter(|(_, names)| !names.is_empty()).collect()
}

/// What `cargo tree` prints of all that the library is built with.
fn tree() -> Result<String> {
    let mut cargo = command::cargo(workspace::root());
    cargo.args(["tree", "--package", "copyist", "--no-default-features"]);
    cargo.args(["--edges", "normal,build", "--prefix", "none"]);
    let output = cargo.output().doing("run `cargo tree`")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("`cargo tree` failed: {}", said.trim())));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn crates_of(tree: &str) -> BTreeSet<&str> {
    let lines = tree.lines();
    lines.filter_map(|line| line.split(' ').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_and_crates_are_found_in_cargo_s_output() {
        let metadata = serde_json::json!({ "packages": [
            { "name": "a", "features": { "default": [], "x": [], "y": ["x"] } },
            { "name": "b", "features": {} },
        ] });
        let names = vec!["x".to_owned(), "y".to_owned()];
        assert_eq!(features_of(&metadata), [("a".to_owned(), names)]);
        let tree = "a v0.1.0 (/x)\nlibc v0.2\ncc v1.0\nlibc v0.2 (*)\n";
        assert_eq!(crates_of(tree), BTreeSet::from(["a", "cc", "libc"]));
    }
}
