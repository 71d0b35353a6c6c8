//! Copies where there is no /proc, as in many chroots: the results are the same.

#![cfg(target_os = "linux")]

mod cli;

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;
use std::{fs, io};

use cli::Scratch;

/// A command in a mount namespace of its own, where an empty filesystem hides /proc.
fn without_proc(scratch: &Scratch, arguments: &[&str]) -> Command {
    let program = scratch.command();
    let mut command = Command::new("unshare");
    command
        .args(["--map-root-user", "--mount", "sh", "-c"])
        .arg("mount -t tmpfs none /proc && test ! -e /proc/self && exec \"$@\"")
        .arg("sh")
        .arg(program.get_program())
        .args(arguments)
        .current_dir(program.get_current_dir().expect("a directory"))
        .env("LC_ALL", "C");
    command
}

fn run(mut command: Command) -> io::Result<(Option<i32>, String)> {
    let ran = command.output()?;
    let err = String::from_utf8_lossy(&ran.stderr).into_owned();
    Ok((ran.status.code(), err))
}

/// Whether /proc can be hidden here; otherwise prints why not.
fn can_hide_proc(scratch: &Scratch) -> bool {
    let can_hide = run(without_proc(scratch, &["--version"]));
    let can = matches!(can_hide, Ok((Some(0), _)));
    if !can {
        println!("not run: /proc can't be hidden here: {can_hide:?}");
    }
    can
}

#[test]
fn what_looks_and_measures_works() {
    let scratch = Scratch::new();
    if !can_hide_proc(&scratch) {
        return;
    }
    let bench = [
        "bench",
        "--size=64KiB",
        "--runs=1",
        "--methods=read-write",
        ".",
    ];
    for arguments in [&["probe", "."][..], &bench] {
        let ran = run(without_proc(&scratch, arguments)).expect("it runs");
        assert_eq!(ran.0, Some(0), "{arguments:?}: {}", ran.1);
        let left = fs::read_dir(scratch.path("."))
            .expect("a directory")
            .count();
        assert_eq!(left, 0, "{arguments:?}");
    }
}

#[test]
fn links_and_special_files_keep_their_attributes() {
    let scratch = Scratch::new();
    if !can_hide_proc(&scratch) {
        return;
    }
    scratch.write("s/f", "data");
    symlink("f", scratch.path("s/link")).expect("a link");
    let made = Command::new("mkfifo").arg(scratch.path("s/fifo")).status();
    assert!(made.expect("mkfifo").success());
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(scratch.path("s/fifo"), mode).expect("a mode");
    let _socket =
        std::os::unix::net::UnixListener::bind(scratch.path("s/socket")).expect("a socket");
    fs::set_permissions(scratch.path("s/socket"), fs::Permissions::from_mode(0o751))
        .expect("a mode");

    for arguments in [
        &["cp", "-a", "s", "d"][..],
        &["cp", "-a", "s/.", "d"],
        &["copy", "s", "e"],
        &["cp", "-a", "--atomic", "s", "g"],
    ] {
        let ran = run(without_proc(&scratch, arguments)).expect("it runs");
        assert_eq!(ran, (Some(0), String::new()), "{arguments:?}");
    }
    for copy in ["d", "e", "g"] {
        let stat = |name: &str| {
            fs::symlink_metadata(scratch.path(&format!("{copy}/{name}"))).expect("there")
        };
        let (link, fifo, socket) = (stat("link"), stat("fifo"), stat("socket"));
        assert!(link.is_symlink() && fifo.file_type().is_fifo());
        assert_eq!(fifo.mode() & 0o7777, 0o640, "{copy}");
        assert_eq!(socket.mode() & 0o7777, 0o751, "{copy}");
        let of_source = fs::symlink_metadata(scratch.path("s/link")).expect("there");
        assert_eq!(link.mtime_nsec(), of_source.mtime_nsec(), "{copy}");
    }
}
