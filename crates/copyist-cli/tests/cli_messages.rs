//! What `cp` says while it copies, in the words of GNU cp 9.10, and its exit codes.

#![cfg(unix)]

mod cli;

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use cli::Scratch;

#[test]
fn verbose_lines_name_each_entry() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.write("tree/sub/it's", "x");
    scratch.write("b", "old");
    scratch.cp(&["-v", "a", "new"]).is(0, "'a' -> 'new'\n", "");
    let expected = "'a' -> 'b' (backup: 'b~')\n";
    scratch.cp(&["-vb", "a", "b"]).is(0, expected, "");
    assert_eq!(scratch.read("b~"), "old");
    let expected = "'tree' -> 'copy'\n'tree/sub' -> 'copy/sub'\n\
                    \"tree/sub/it's\" -> \"copy/sub/it's\"\n";
    scratch.cp(&["-rv", "tree", "copy"]).is(0, expected, "");
    let expected = "removed 'b'\n'a' -> 'b'\n";
    scratch
        .cp(&["-v", "--remove-destination", "a", "b"])
        .is(0, expected, "");
}

#[test]
fn failures_have_gnus_words() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.write("b", "b");
    scratch.write("dir/b/x", "");
    scratch.write("n\nl", "");
    symlink("nowhere", scratch.path("dangling")).expect("a link");
    let missing = "No such file or directory";
    let table: &[(&[&str], &str)] = &[
        (&["no", "x"], &format!("cannot stat 'no': {missing}")),
        (
            &["a", "no/x"],
            &format!("cannot create regular file 'no/x': {missing}"),
        ),
        (
            &["a", "new/"],
            "cannot create regular file 'new/': Not a directory",
        ),
        (&["a", "a"], "'a' and 'a' are the same file"),
        (
            &["n\nl", "n\nl"],
            "'n'$'\\n''l' and 'n'$'\\n''l' are the same file",
        ),
        (&["dir", "x"], "-r not specified; omitting directory 'dir'"),
        (
            &["-r", "dir", "a"],
            "cannot overwrite non-directory 'a' with directory 'dir'",
        ),
        (
            &["b", "dir"],
            "cannot overwrite directory 'dir/b' with non-directory 'b'",
        ),
        (
            &["a", "dangling"],
            "not writing through dangling symlink 'dangling'",
        ),
        (&["--update=none-fail", "a", "b"], "not replacing 'b'"),
        (
            &["-s", "a", "b"],
            "cannot create symbolic link 'b' to 'a': File exists",
        ),
        (
            &["-l", "a", "b"],
            "cannot create hard link 'b' to 'a': File exists",
        ),
        (
            &["-s", "a", "dir/x2"],
            "dir/x2: can make relative symbolic links only in current directory",
        ),
    ];
    for (arguments, message) in table {
        scratch.cp(arguments).is(1, "", &format!("cp: {message}\n"));
    }
    let into = scratch.cp(&["-r", "dir", "dir"]);
    let message = "cp: cannot copy a directory, 'dir', into itself, 'dir/dir'\n";
    assert_eq!((into.code, into.err.as_str()), (Some(1), message));
}

#[test]
fn one_failure_does_not_stop_the_rest() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.write("dir/x", "");
    let message = "cp: cannot stat 'no': No such file or directory\n";
    scratch.cp(&["no", "a", "dir"]).is(1, "", message);
    assert_eq!(scratch.read("dir/a"), "a");
}

#[test]
fn questions_are_asked_and_answered() {
    let scratch = Scratch::new();
    scratch.write("a", "new");
    scratch.write("b", "old");
    let question = "cp: overwrite 'b'? ";
    for no in ["n\n", "", "\n", "no way\n", "maybe y\n"] {
        scratch
            .cp_answering(&["-i", "a", "b"], no)
            .is(1, "", question);
    }
    assert_eq!(scratch.read("b"), "old");
    let skipped = "skipped 'b'\n";
    scratch
        .cp_answering(&["-i", "--debug", "a", "b"], "n\n")
        .is(1, skipped, question);
    scratch
        .cp_answering(&["-iv", "a", "b"], "Yes\n")
        .is(0, "'a' -> 'b'\n", question);
    assert_eq!(scratch.read("b"), "new");
    scratch.write("dir/a", "");
    scratch.write("dir/b", "");
    let both = "cp: overwrite 'dir/a'? cp: overwrite 'dir/b'? ";
    scratch
        .cp_answering(&["-i", "a", "b", "dir"], "n\ny\n")
        .is(1, "", both);
    assert_eq!(
        (scratch.read("dir/a"), scratch.read("dir/b")),
        (String::new(), "new".into())
    );
}

#[test]
fn existing_files_are_skipped_silently() {
    let scratch = Scratch::new();
    scratch.write("a", "new");
    scratch.write("b", "old");
    scratch.cp(&["-n", "a", "b"]).is(0, "", "");
    scratch.cp(&["-nv", "a", "b"]).is(0, "", "");
    scratch
        .cp(&["-n", "--debug", "a", "b"])
        .is(0, "skipped 'b'\n", "");
    assert_eq!(scratch.read("b"), "old");
}

#[test]
fn the_debug_line_is_true() {
    let scratch = Scratch::new();
    scratch.write("a", vec![1; 1 << 20]);
    let run = |arguments: &[&str]| scratch.cp(arguments).out;
    assert_eq!(
        run(&["--debug", "--method=read-write", "a", "b"]),
        "'a' -> 'b'\ncopy offload: avoided, reflink: unknown, sparse detection: no\n"
    );
    assert_eq!(
        run(&["--debug", "--attributes-only", "a", "b"]),
        "'a' -> 'b'\n"
    );
    assert_eq!(run(&["--debug", "-l", "a", "c"]), "'a' -> 'c'\n");
}

#[test]
fn a_source_given_twice_is_copied_once() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.write("tree/x", "x");
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let message = "cp: warning: source file 'a' specified more than once\n";
    scratch.cp(&["a", "a", "dir"]).is(0, "", message);
    let message = "cp: warning: source directory 'tree' specified more than once\n";
    scratch
        .cp(&["-r", "tree", "tree", "dir"])
        .is(0, "", message);
}

#[test]
fn parents_are_named_without_quotes() {
    let scratch = Scratch::new();
    scratch.write("p/q/f", "x");
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let expected = "p -> dir/p\np/q -> dir/p/q\n'p/q/f' -> 'dir/p/q/f'\n";
    scratch
        .cp(&["-v", "--parents", "p/q/f", "dir"])
        .is(0, expected, "");
    let message = "cp: failed to get attributes of 'no': No such file or directory\n";
    scratch.cp(&["--parents", "no/f", "dir"]).is(1, "", message);
}

/// As GNU cp compares them: by the names that the caller gave.
#[test]
fn one_file_by_two_names_below_its_parents_is_backed_up() {
    let scratch = Scratch::new();
    scratch.write("s/sub/f", "f");
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let told = "s -> dir/s\n\
                s/sub -> dir/s/sub\n\
                's/sub/f' -> 'dir/s/sub/f'\n\
                's/./sub/f' -> 'dir/s/./sub/f' (backup: 'dir/s/./sub/f~')\n";
    let arguments = [
        "-v",
        "--backup=simple",
        "--parents",
        "s/sub/f",
        "s/./sub/f",
        "dir/",
    ];
    scratch.cp(&arguments).is(0, told, "");
    assert_eq!(scratch.read("dir/s/sub/f~"), "f");
    // One name twice is one file twice.
    let arguments = ["--backup=simple", "--parents", "s/sub/f", "s/sub/f", "dir"];
    let told = "cp: will not overwrite just-created 'dir/s/sub/f' with 's/sub/f'\n";
    scratch.cp(&arguments).is(1, "", told);
}

#[test]
fn a_file_onto_itself_makes_a_backup_with_force() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.cp(&["-fbv", "a", "a"]).is(0, "'a' -> 'a~'\n", "");
    scratch
        .cp(&["-fv", "--backup=t", "a", "a"])
        .is(0, "'a' -> 'a.~1~'\n", "");
    scratch
        .cp(&["-fbv", "a", "a"])
        .is(0, "'a' -> 'a.~2~'\n", "");
    assert_eq!(scratch.read("a.~2~"), "a");
}

#[test]
fn a_directory_named_by_a_dot_is_copied_into_the_target() {
    let scratch = Scratch::new();
    scratch.write("src/sub/f", "x");
    fs::create_dir(scratch.path("dst")).expect("a directory");
    let expected = "'src/./sub' -> 'dst/./sub'\n'src/./sub/f' -> 'dst/./sub/f'\n";
    scratch.cp(&["-rv", "src/.", "dst"]).is(0, expected, "");
    let dots = scratch.cp(&["-r", "src/sub/..", "dst"]);
    assert_eq!(dots.code, Some(0), "{dots:?}");
    assert!(!scratch.path("dst/src").exists() && scratch.path("dst/sub/f").exists());
}

#[test]
fn names_that_are_not_utf8_are_copied_and_quoted() {
    use std::os::unix::ffi::OsStrExt as _;
    let scratch = Scratch::new();
    let name = std::ffi::OsStr::from_bytes(b"\xff\n");
    if !cli::makes_file(&scratch.0.join(name)) {
        return;
    }
    fs::set_permissions(scratch.0.join(name), fs::Permissions::from_mode(0o640)).expect("a mode");
    let mut command = scratch.command();
    let ran = cli::run(
        command
            .args(["cp", "-v", "--target-directory"])
            .arg(".")
            .arg(name),
        "",
    );
    let quoted = "''$'\\377\\n'";
    let beside = "'./'$'\\377\\n'";
    let expected = format!("copyist cp: {quoted} and {beside} are the same file\n");
    ran.is(1, "", &expected);
}

#[test]
fn both_outputs_keep_their_order_in_one_file() {
    let scratch = Scratch::new();
    scratch.write("a", "");
    scratch.write("b", "");
    fs::create_dir(scratch.path("dir")).expect("a directory");
    let both = fs::File::create(scratch.path("log")).expect("a file");
    let again = both.try_clone().expect("a file");
    let mut command = scratch.command();
    command.args(["cp", "-v", "a", "no", "b", "dir"]);
    let status = command.stdout(both).stderr(again).status().expect("run");
    assert_eq!(status.code(), Some(1));
    let expected = "'a' -> 'dir/a'\n\
                    copyist cp: cannot stat 'no': No such file or directory\n\
                    'b' -> 'dir/b'\n";
    assert_eq!(scratch.read("log"), expected);
}

/// As GNU cp 9.10: the source would be destroyed if its name is used for the backup, not if its file has
/// another name.
#[test]
fn a_backup_takes_a_name_and_not_a_file() {
    let made = || {
        let scratch = Scratch::new();
        scratch.write("a", "new");
        scratch.write("a~", "old");
        fs::create_dir(scratch.path("sub")).expect("a directory");
        for name in ["other", "sub/a~"] {
            fs::hard_link(scratch.path("a~"), scratch.path(name)).expect("a link");
        }
        symlink("a~", scratch.path("link")).expect("a link");
        scratch
    };
    for options in [&["-b"][..], &["-b", "--atomic"], &["--backup=existing"]] {
        let scratch = made();
        let cp = |src: &str| scratch.cp(&[options, &[src, "a"]].concat());
        for src in ["a~", "./a~", "sub/a~", "link"] {
            let message = format!("cp: backing up 'a' might destroy source;  '{src}' not copied\n");
            cp(src).is(1, "", &message);
        }
        assert_eq!(
            (scratch.read("a"), scratch.read("a~")),
            ("new".into(), "old".into())
        );
        cp("other").is(0, "", "");
        assert_eq!(
            (scratch.read("a"), scratch.read("a~")),
            ("old".into(), "new".into())
        );
        assert_eq!(scratch.read("other"), "old");
    }
}

/// With `--parents` each part of a name counts, also `.` and `..`: lines, trees and errors are those of GNU
/// cp 9.10.
#[test]
fn parents_are_made_part_by_part() {
    let copied = |name: &str| {
        let scratch = Scratch::new();
        scratch.write("src/sub/deep/h", "h");
        scratch.write("src/f", "f");
        fs::create_dir(scratch.path("d")).expect("a directory");
        (scratch.cp(&["-rv", "--parents", name, "d"]), scratch)
    };
    let ran = |name: &str| copied(name).0;
    let above = "src -> d/src\nsrc/sub -> d/src/sub\n";
    for (name, lines) in [
        ("src/..", "src -> d/src\n"),
        ("src/.", "src -> d/src\n"),
        ("src/sub/..", above),
    ] {
        let message = format!("cp: cannot create directory 'd/{name}': File exists\n");
        ran(name).is(1, lines, &message);
    }
    // Neither existing directories nor those above the source matter.
    let (_, scratch) = copied("src/sub/..");
    let again = scratch.cp(&["-r", "--parents", "src/sub/..", "d"]);
    again.is(0, "", "");
    assert_eq!(
        (scratch.read("d/src/f"), scratch.read("d/src/sub/deep/h")),
        ("f".into(), "h".into())
    );
    for name in [
        "src/sub/../sub",
        "src/sub/deep/../../sub",
        "src/sub/./../sub",
    ] {
        let (ran, scratch) = copied(name);
        assert_eq!(
            (ran.code, ran.err.as_str()),
            (Some(0), ""),
            "{name}: {ran:?}"
        );
        assert_eq!(scratch.read("d/src/sub/deep/h"), "h");
        assert!(!scratch.path("d/src/f").exists());
        let line = format!("'{name}/deep/h' -> 'd/{name}/deep/h'\n");
        assert!(ran.out.ends_with(&line), "{name}: {ran:?}");
    }
    let lines = "src -> d/src\nsrc/./sub -> d/src/./sub\nsrc/./sub/./deep -> d/src/./sub/./deep\n\
                 'src/./sub/./deep/h' -> 'd/src/./sub/./deep/h'\n";
    ran("src/./sub/./deep/h").is(0, lines, "");
    ran("src/f/.").is(
        1,
        "src -> d/src\n",
        "cp: failed to get attributes of 'src/f': Not a directory\n",
    );
}
