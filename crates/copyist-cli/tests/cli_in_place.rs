//! Destinations that are written into, by `copy` and `cp --atomic` too: open files without a name of
//! their own, and files whose name can't be given to another.

#![cfg(target_os = "linux")]

mod cli;

use std::process::Command;

use cli::{Ran, Scratch, has_proc, run};

/// Runs a shell script in which `$copyist` is the binary.
fn shell(scratch: &Scratch, script: &str) -> Ran {
    let mut shell = Command::new("bash");
    shell
        .current_dir(&scratch.0)
        .env("copyist", env!("CARGO_BIN_EXE_copyist"))
        .env("LC_ALL", "C")
        .args(["-c", script]);
    run(&mut shell, "")
}

const COMMANDS: [&str; 5] = [
    "cp",
    "cp --atomic",
    "cp -aT --atomic",
    "copy -q",
    "copy -q --verify --fsync=file",
];

#[test]
fn a_deleted_file_is_written_into_by_its_descriptor() {
    if !has_proc() {
        return;
    }
    for command in COMMANDS {
        let scratch = Scratch::new();
        scratch.write("src", "new\n");
        let script = format!(
            r#"exec 3<>del; echo "much longer" >&3; rm del
            $copyist {command} src /proc/self/fd/3 && cat /proc/self/fd/3 && ls"#
        );
        shell(&scratch, &script).is(0, "new\nsrc\n", "");
    }
}

/// As GNU cp 9.10: the file behind the descriptor is emptied and written into, by another open file.
#[test]
fn standard_output_is_written_into_and_not_replaced() {
    if !has_proc() {
        return;
    }
    for command in COMMANDS {
        let scratch = Scratch::new();
        scratch.write("src", "new\n");
        // As /dev/stdout is, which tests leave alone.
        std::os::unix::fs::symlink("/proc/self/fd/1", scratch.path("stdout")).expect("a link");
        let script = format!(
            r#"echo was > o; ln o other
            {{ echo a; $copyist {command} src stdout; echo b; }} >> o; ls; cat other"#
        );
        shell(&scratch, &script).is(0, "o\nother\nsrc\nstdout\nnew\nb\n", "");
        let script = format!(r#"$copyist {command} src stdout | cat"#);
        shell(&scratch, &script).is(0, "new\n", "");
    }
}

#[test]
fn an_open_file_has_no_name_that_could_be_kept_or_removed() {
    if !has_proc() {
        return;
    }
    for command in ["cp", "cp --atomic", "copy -q"] {
        for option in ["--backup", "--remove-destination"] {
            let scratch = Scratch::new();
            scratch.write("src", "new\n");
            scratch.write("f", "old\n");
            let script = format!("exec 3<>f; $copyist {command} {option} src /proc/self/fd/3");
            let ran = shell(&scratch, &script);
            assert_eq!(ran.code, Some(1), "{command} {option}: {ran:?}");
            assert!(ran.err.contains("'/proc/self/fd/3'"), "{option}: {ran:?}");
            assert_eq!(scratch.read("f"), "old\n");
            assert_eq!(shell(&scratch, "ls").out, "f\nsrc\n");
        }
    }
}

#[test]
fn a_running_program_is_not_replaced() {
    if !has_proc() {
        return;
    }
    for command in ["cp --atomic", "copy -q"] {
        let scratch = Scratch::new();
        scratch.write("src", "new\n");
        std::fs::copy(env!("CARGO_BIN_EXE_copyist"), scratch.path("program")).expect("copied");
        let script = format!("./program {command} src /proc/self/exe");
        let ran = shell(&scratch, &script);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.ends_with("Text file busy\n"), "{ran:?}");
        assert!(shell(&scratch, "./program --version").code == Some(0));
    }
}
