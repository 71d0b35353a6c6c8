//! `--sandbox`: what is not source or destination can't be touched.

#![cfg(target_os = "linux")]

mod cli;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};

use cli::Scratch;

/// Whether the kernel has Landlock, and may use it; else says that the test is not run.
fn has_sandbox(scratch: &Scratch) -> bool {
    scratch.write("probe", "");
    let ran = scratch.cp(&["--sandbox", "probe", "probed"]);
    let lacks = ran.err.contains("cannot enter a sandbox");
    if lacks {
        println!("not run: {}", ran.err.trim());
    }
    !lacks
}

#[test]
fn a_tree_is_copied_as_without_it() {
    let scratch = Scratch::new();
    if !has_sandbox(&scratch) {
        return;
    }
    scratch.write("tree/a", "a");
    scratch.write("tree/sub/b", "b");
    fs::hard_link(scratch.path("tree/a"), scratch.path("tree/sub/again")).expect("a link");
    symlink("a", scratch.path("tree/link")).expect("a link");
    for (options, target) in [
        (&["-a"][..], "new"),
        (&["-a", "--backup=numbered"], "new"),
        (&["-av", "--jobs=1", "--remove-destination"], "new"),
    ] {
        let mut arguments = vec!["--sandbox=always"];
        arguments.extend(options);
        arguments.extend(["-T", "tree", target]);
        let ran = scratch.cp(&arguments);
        assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{options:?}");
        assert_eq!(scratch.read("new/sub/b"), "b");
        let inode = |name| fs::metadata(scratch.path(name)).expect(name).ino();
        assert_eq!(inode("new/a"), inode("new/sub/again"), "{options:?}");
    }
    // Several into a directory that is there, and with the directories that lead to them.
    fs::create_dir(scratch.path("into")).expect("a directory");
    scratch
        .cp(&["--sandbox", "-r", "tree/a", "tree/sub", "into"])
        .is(0, "", "");
    assert_eq!(scratch.read("into/sub/b"), "b");
    scratch
        .cp(&["--sandbox", "--parents", "tree/sub/b", "into"])
        .is(0, "", "");
    assert_eq!(scratch.read("into/tree/sub/b"), "b");
}

/// A link that is followed shows what the kernel keeps it from: without the sandbox this works.
#[test]
fn nothing_else_can_be_read_or_written() {
    let scratch = Scratch::new();
    if !has_sandbox(&scratch) {
        return;
    }
    scratch.write("secret/file", "secret");
    scratch.write("tree/a", "new");
    symlink("../secret/file", scratch.path("tree/link")).expect("a link");
    let told = "cp: cannot open 'tree/link' for reading: Permission denied\n";
    scratch.cp(&["--sandbox", "-rL", "tree", "copies/new"]).is(
        1,
        "",
        "cp: cannot create directory 'copies/new': No such file or directory\n",
    );
    fs::create_dir(scratch.path("copies")).expect("a directory");
    scratch
        .cp(&["--sandbox", "-rL", "tree", "copies/new"])
        .is(1, "", told);
    assert!(!scratch.path("copies/new/link").exists());
    // Written through a link that leads out of the destination.
    symlink("../secret/file", scratch.path("copies/a")).expect("a link");
    let ran = scratch.cp(&["--sandbox", "-rT", "tree", "copies"]);
    assert_eq!(ran.code, Some(1));
    let told = "cp: cannot create regular file 'copies/a': Permission denied\n";
    assert!(ran.err.contains(told), "{}", ran.err);
    assert_eq!(scratch.read("secret/file"), "secret");
    scratch.cp(&["-rT", "tree", "copies"]).is(0, "", "");
    assert_eq!(scratch.read("secret/file"), "new");
}

#[test]
fn hard_links_to_the_source_are_no_sandbox() {
    let scratch = Scratch::new();
    let told = "cp: --sandbox is mutually exclusive with --link\n\
                Try 'cp --help' for more information.\n";
    scratch.cp(&["--sandbox", "-l", "a", "b"]).is(1, "", told);
}
