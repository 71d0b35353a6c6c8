//! `copyist copy`: what it does beyond `cp`, and what it prints.

#![cfg(unix)]

mod cli;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use cli::Scratch;

/// A tree with a file of each kind that needs no privileges.
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

#[test]
fn filters_leave_out_what_they_match() {
    let scratch = Scratch::new();
    for name in ["a.c", "a.o", "build/x", "sub/b.o", "sub/keep.o", "sub/t"] {
        scratch.write(&format!("src/{name}"), name);
    }
    scratch.write("ignore", "*.o\n!keep.o\nbuild/\n");
    scratch.write("from", "# objects\n*.o\n\n");
    let copied = |filters: &[&str]| {
        let mut arguments = vec!["copy"];
        arguments.extend(filters);
        arguments.extend(["src", "dst"]);
        let ran = scratch.copyist(&arguments);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        let mut names = Vec::new();
        for dir in ["", "build/", "sub/"] {
            let Ok(entries) = fs::read_dir(scratch.path(&format!("dst/{dir}"))) else {
                continue;
            };
            let entries = entries.map(|it| it.expect("an entry").file_name());
            names.extend(entries.map(|it| format!("{dir}{}", it.display())));
        }
        names.sort();
        let said = ran.out.rsplit("; ").next().unwrap_or_default().to_owned();
        fs::remove_dir_all(scratch.path("dst")).expect("removed");
        (names.join(" "), said)
    };
    let (names, said) = copied(&["--exclude=*.o", "--exclude", "build/"]);
    assert_eq!(
        (names.as_str(), said.as_str()),
        ("a.c sub sub/t", "4 left out\n")
    );
    assert_eq!(
        copied(&["--ignore-file=ignore"]).0,
        "a.c sub sub/keep.o sub/t"
    );
    assert_eq!(
        copied(&["--exclude-from=from"]).0,
        "a.c build build/x sub sub/t"
    );
    let kept = copied(&["--exclude=*.o", "--include=keep.o", "--exclude=/build"]);
    assert_eq!(kept.0, "a.c sub sub/keep.o sub/t");
    assert_eq!(copied(&["--include=*.c"]).0, "a.c build sub");
}

#[test]
fn a_dry_run_changes_nothing_and_says_what_would_be_done() {
    let scratch = Scratch::new();
    tree(&scratch);
    let ran = scratch.copyist(&["copy", "--dry-run", "src", "dst"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(!scratch.path("dst").exists());
    for line in [
        "'src' -> 'dst'",
        "'src/sub/two' -> 'dst/sub/two'",
        "'src/link' -> 'dst/link'",
    ] {
        assert!(ran.out.lines().any(|it| it == line), "{line}: {ran:?}");
    }
    let last = "Would copy 2 files, 2 directories, 1 hard link and 1 symbolic link (15 B)";
    assert_eq!(ran.out.lines().last(), Some(last));

    scratch.write("old", "old");
    let before = fs::metadata(scratch.path("old")).expect("there");
    let ran = scratch.copyist(&["copy", "--dry-run", "src/one", "old"]);
    let said = "'src/one' -> 'old'\nWould copy 1 file (3 B); would replace 'old'\n";
    ran.is(0, said, "");
    assert_eq!(scratch.read("old"), "old");
    let after = fs::metadata(scratch.path("old")).expect("there");
    assert_eq!(
        (before.mtime(), before.mtime_nsec()),
        (after.mtime(), after.mtime_nsec())
    );
    assert_eq!(before.ctime_nsec(), after.ctime_nsec());
}

#[test]
fn what_is_replaced_is_said() {
    let scratch = Scratch::new();
    scratch.write("src/a", "new");
    scratch.write("src/b", "new");
    scratch.write("dst/a", "old");
    let ran = scratch.copyist(&["copy", "-T", "src", "dst"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.out.ends_with("; replaced 'dst/a'\n"), "{ran:?}");
    let ran = scratch.copyist(&["copy", "--json", "-T", "src", "dst"]);
    let replaced = ran
        .out
        .lines()
        .filter(|it| it.contains("\"replaces\""))
        .count();
    assert_eq!(replaced, 2, "{ran:?}");
}

/// A device in a tree is not written to.
#[test]
fn what_could_not_be_replaced_is_not_said_to_be() {
    let scratch = Scratch::new();
    scratch.write("src/a", "new");
    scratch.write("src/b", "new");
    scratch.write("dst/b", "old");
    std::os::unix::fs::symlink("/dev/null", scratch.path("dst/a")).expect("a link");
    let ran = scratch.copyist(&["copy", "-L", "--atomic=no", "-T", "src", "dst"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("; replaced 'dst/b'; 1 FAILED"), "{ran:?}");
}

#[test]
fn explain_says_what_would_be_tried_and_why_not() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    for face in ["cp", "copy"] {
        let ran = scratch.copyist(&[face, "--explain", "--reflink=never", "a", "b"]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{ran:?}");
        assert!(ran.out.starts_with("'a' -> 'b' (1 B)\n  from "), "{ran:?}");
        for line in [
            "  not clone: it may share data, which was forbidden",
            "  not copy-range: it may share data, which was forbidden",
            "  try read-write",
        ] {
            assert!(ran.out.lines().any(|it| it == line), "{line}: {ran:?}");
        }
        assert!(!scratch.path("b").exists());
    }
    let ran = scratch.copyist(&["copy", "--explain", "--json", "a", "b"]);
    let line = ran.out.lines().next().expect("a line");
    let line: serde_json::Value = serde_json::from_str(line).expect("JSON");
    assert_eq!(line["planned"]["bytes"], 1);
    assert!(
        line["planned"]["methods"]
            .as_array()
            .is_some_and(|it| !it.is_empty())
    );
}
