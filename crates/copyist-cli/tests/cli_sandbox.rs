//! `--sandbox`: what is neither source nor destination can't be accessed.

#![cfg(target_os = "linux")]

mod cli;

use std::fs;
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::process::Command;

use cli::{Ran, Scratch, has_proc, run};

/// Whether the kernel has Landlock, and may use it; otherwise prints that the test is not run.
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

/// A shell's command in the directory; `$CP` is `cp`.
fn shell(scratch: &Scratch, line: &str) -> Ran {
    let mut shell = Command::new("sh");
    let cp = format!("{} cp", env!("CARGO_BIN_EXE_copyist"));
    shell.args(["-c", line]).env("CP", cp);
    run(shell.current_dir(scratch.path("")).env("LC_ALL", "C"), "")
}

/// The directory that the link is in is another one.
#[test]
fn a_destination_may_be_a_link_that_leads_elsewhere() {
    let scratch = Scratch::new();
    if !has_sandbox(&scratch) {
        return;
    }
    fs::create_dir(scratch.path("into")).expect("a directory");
    let dangling = "POSIXLY_CORRECT=1 $CP --sandbox a into/link";
    for (target, line) in [
        ("file", "$CP --sandbox a into/link"),
        ("file", "$CP --sandbox --atomic a into/link"),
        ("link", "$CP --sandbox a into/link"),
        ("new", dangling),
    ] {
        scratch.write("a", "new");
        let file = scratch.write("there/file", "old");
        let _ = fs::remove_file(scratch.path("there/new"));
        let _ = fs::remove_file(scratch.path("there/link"));
        let _ = fs::remove_file(scratch.path("into/link"));
        symlink(file, scratch.path("there/link")).expect("a link");
        let target = format!("../there/{target}");
        symlink(&target, scratch.path("into/link")).expect("a link");
        shell(&scratch, line).is(0, "", "");
        assert_eq!(scratch.read("into/link"), "new", "{line}: {target}");
        assert!(scratch.path("into/link").is_symlink(), "{line}: {target}");
    }
    // To a directory, and with the directories that lead there.
    scratch.write("tree/b", "b");
    symlink("../there", scratch.path("into/tree")).expect("a link");
    shell(&scratch, "$CP --sandbox --parents tree/b into").is(0, "", "");
    assert_eq!(scratch.read("there/b"), "b");
    fs::remove_file(scratch.path("there/b")).expect("a file");
    let line = "$CP --sandbox -rT --keep-directory-symlink tree into/tree";
    shell(&scratch, line).is(0, "", "");
    assert_eq!(scratch.read("there/b"), "b");
    // The journal's directory is not part of the copy.
    fs::create_dir(scratch.path("journals")).expect("a directory");
    let line = "$CP --sandbox --journal=journals/j a into/a";
    shell(&scratch, line).is(0, "", "");
    assert_eq!(scratch.read("into/a"), "new");
}

/// The links of procfs lead to open files, of which a pipe is nowhere in the tree.
#[test]
fn an_open_file_may_be_source_and_destination() {
    let scratch = Scratch::new();
    if !has_sandbox(&scratch) || !has_proc() {
        return;
    }
    scratch.write("a", "new");
    for dst in ["/dev/fd/3", "/proc/self/fd/3"] {
        shell(&scratch, &format!("$CP --sandbox a {dst} 3>o")).is(0, "", "");
        assert_eq!(scratch.read("o"), "new", "{dst}");
        shell(&scratch, &format!("$CP --sandbox a {dst} 3>&1 | cat")).is(0, "new", "");
    }
    for line in [
        "$CP --sandbox /dev/fd/3 o 3<a",
        "cat a | $CP --sandbox /dev/stdin o",
    ] {
        let _ = fs::remove_file(scratch.path("o"));
        shell(&scratch, line).is(0, "", "");
        assert_eq!(scratch.read("o"), "new", "{line}");
    }
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
