//! `copyist copy`: what it does beyond `cp`, and what it says.

#![cfg(unix)]

mod cli;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use cli::Scratch;

/// A tree with a file of each kind that needs no rights.
fn tree(scratch: &Scratch) {
    scratch.write("src/one", "one");
    scratch.write("src/sub/two", "two and more");
    let mode = fs::Permissions::from_mode(0o641);
    fs::set_permissions(scratch.path("src/one"), mode).expect("a mode");
    std::os::unix::fs::symlink("one", scratch.path("src/link")).expect("a link");
    fs::hard_link(scratch.path("src/one"), scratch.path("src/same")).expect("a link");
}

#[test]
fn it_copies_trees_with_everything_and_says_so() {
    let scratch = Scratch::new();
    tree(&scratch);
    let ran = scratch.copyist(&["copy", "src", "dst"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    let begin = "Copied 2 files, 2 directories, 1 hard link and 1 symbolic link (15 B) in ";
    assert!(ran.out.starts_with(begin), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");

    assert_eq!(scratch.read("dst/sub/two"), "two and more");
    let (src, dst) = (scratch.path("src/one"), scratch.path("dst/one"));
    let (src, dst) = (
        fs::metadata(src).expect("there"),
        fs::metadata(dst).expect("there"),
    );
    assert_eq!(dst.mode(), src.mode());
    assert_eq!(dst.modified().ok(), src.modified().ok());
    assert_eq!(dst.nlink(), 2);
    let link = fs::read_link(scratch.path("dst/link")).expect("a link");
    assert_eq!(link.as_os_str(), "one");

    let quiet = scratch.copyist(&["copy", "-q", "src/one", "again"]);
    quiet.is(0, "", "");
}

#[test]
fn failures_are_counted_in_the_last_line() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    fs::create_dir(scratch.path("d")).expect("a directory");
    let ran = scratch.copyist(&["copy", "a", "gone", "d"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(
        ran.err,
        "copyist copy: cannot stat 'gone': No such file or directory\n"
    );
    assert!(ran.out.starts_with("Copied 1 file (1 B) in "), "{ran:?}");
    assert!(ran.out.ends_with("; 1 FAILED\n"), "{ran:?}");
}

#[test]
fn json_is_all_that_is_written_to_standard_output() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    let ran = scratch.copyist(&["copy", "--json", "a", "b"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let types: Vec<String> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .map(|line| line["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(types, ["file", "summary"]);
}
