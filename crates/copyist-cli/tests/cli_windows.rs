//! The command on Windows: paths with backslashes, names beyond ASCII, messages, exit codes, Ctrl-C.

#![cfg(windows)]

use std::fs;
use std::os::windows::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// A directory that is removed at the end of the test.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let name = format!("copyist-cli-{}-{name}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a directory");
        Scratch(path)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_copyist"));
        command.current_dir(&self.0).args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("started")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).replace("\r\n", "\n")
}

#[test]
fn files_and_trees_are_copied() {
    let scratch = Scratch::new("copied");
    fs::create_dir_all(scratch.0.join(r"src\inner")).expect("directories");
    fs::write(scratch.0.join(r"src\inner\file"), b"data").expect("a file");
    fs::write(scratch.0.join("one"), b"one").expect("a file");
    fs::create_dir(scratch.0.join("into")).expect("a directory");
    for (arguments, made) in [
        (&["cp", "one", "two"][..], "two"),
        (&["cp", "one", r"into\"], r"into\one"),
        (&["cp", "one", r".\into\three"], r"into\three"),
        (&["cp", "-a", "src", "dst"], r"dst\inner\file"),
        (&["cp", "-r", r"src\", "into"], r"into\src\inner\file"),
        (&["copy", "-q", "src", "copied"], r"copied\inner\file"),
    ] {
        let output = scratch.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        assert!(scratch.0.join(made).exists(), "{arguments:?}: {output:?}");
    }
}

#[test]
fn names_beyond_ascii_are_told_in_utf_8() {
    let scratch = Scratch::new("names");
    fs::write(scratch.0.join("caf\u{e9} \u{65e5}\u{672c}"), b"x").expect("a file");
    let mut command = scratch.command(&["cp", "-v", "caf\u{e9} \u{65e5}\u{672c}", "\u{1f980}"]);
    for variable in ["LC_ALL", "LC_CTYPE", "LANG"] {
        command.env_remove(variable);
    }
    let output = command.output().expect("started");
    assert_eq!(
        text(&output.stdout),
        "'caf\u{e9} \u{65e5}\u{672c}' -> '\u{1f980}'\n",
        "{output:?}"
    );
    assert!(scratch.0.join("\u{1f980}").exists());
}

#[test]
fn failures_name_the_path_and_the_reason() {
    let scratch = Scratch::new("failures");
    fs::write(scratch.0.join("one"), b"one").expect("a file");
    let missing = scratch.run(&["cp", "missing", "two"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(
        text(&missing.stderr).starts_with("copyist cp: cannot stat 'missing': "),
        "{missing:?}"
    );
    let same = scratch.run(&["cp", "one", "ONE"]);
    assert_eq!(same.status.code(), Some(1));
    assert!(text(&same.stderr).contains("are the same file"), "{same:?}");
    let usage = scratch.run(&["cp", "one"]);
    assert_eq!(usage.status.code(), Some(1));
}

/// CTRL_BREAK reaches a group of processes; Ctrl-C would reach everybody on the console.
#[test]
fn ctrl_break_ends_a_copy_in_an_orderly_way() {
    const NEW_PROCESS_GROUP: u32 = 0x200;
    if copyist_sys::windows::is_wine() {
        println!(
            "beyond Wine: ctrl_break_ends_a_copy_in_an_orderly_way: without a console nothing arrives"
        );
        return;
    }
    let scratch = Scratch::new("break");
    fs::write(scratch.0.join("one"), b"one").expect("a file");
    fs::write(scratch.0.join("two"), b"two").expect("a file");
    let mut child = scratch
        .command(&["cp", "-i", "one", "two"])
        .creation_flags(NEW_PROCESS_GROUP)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut stderr = child.stderr.take().expect("piped");
    // It asks, and waits for an answer that doesn't come.
    let mut question = [0; 5];
    std::io::Read::read_exact(&mut stderr, &mut question).expect("a question");
    copyist_sys::windows::send_break(child.id()).expect("sent");
    let status = child.wait().expect("ended");
    assert_eq!(status.code(), Some(128 + 2));
    assert_eq!(
        fs::read(scratch.0.join("two")).expect("the old file"),
        b"two"
    );
}
