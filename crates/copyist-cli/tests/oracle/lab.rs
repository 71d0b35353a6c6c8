//! The filesystems of `cargo xtask lab`, as the tests find them under $COPYIST_LAB.

use std::path::PathBuf;

/// True where a test that cannot run is a failure.
fn must_run() -> bool {
    std::env::var("CI").is_ok_and(|value| value == "true")
}

/// Says that a test did not run, and why; a failure in CI.
pub(crate) fn not_run(why: &str) {
    println!("not run: {why}");
    assert!(!must_run(), "not run, under CI=true: {why}");
}

/// The directory of a filesystem of the lab; `None`, with a line that says why, when it is not to be tested.
pub(crate) fn place(name: &str) -> Option<PathBuf> {
    let Some(lab) = std::env::var_os("COPYIST_LAB") else {
        not_run("COPYIST_LAB is not set; use cargo xtask test");
        return None;
    };
    if std::env::var("COPYIST_ORACLE_FS").is_ok_and(|only| only != name) {
        println!("left out: {name}, by COPYIST_ORACLE_FS");
        return None;
    }
    let dir = PathBuf::from(lab).join(name);
    if dir.is_dir() {
        return Some(dir);
    }
    not_run(&format!(
        "{} is not a directory; use cargo xtask test",
        dir.display()
    ));
    None
}
