//! Programs that stand in for functions of the C library (fakeroot, fakechroot, sandboxes) see what is
//! copied, though copyist makes some calls without that library where nobody does.

#![cfg(all(target_os = "linux", target_env = "gnu"))]
#![forbid(unsafe_code)]

mod cli;

use std::os::unix::process::CommandExt;
use std::process::Command;

use cli::Scratch;

/// Tells what is opened.
const STAND_IN: &str = r#"
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int openat64(int dir, const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    dprintf(2, "opens %s\n", name);
    return syscall(SYS_openat, dir, name, flags, mode);
}

int openat(int dir, const char *name, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    int mode = va_arg(rest, int);
    va_end(rest);
    return openat64(dir, name, flags, mode);
}
"#;

/// What `cp` says on its standard error.
fn told(command: &mut Command) -> String {
    let output = command.output().expect("the program");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    told
}

#[test]
fn who_stands_in_for_the_c_library_sees_every_file() {
    let scratch = Scratch::new();
    let source = scratch.write("it.c", STAND_IN);
    let library = scratch.path("it.so");
    // The compiler that Rust links with on this system.
    let mut cc = Command::new("cc");
    cc.args(["-shared", "-fPIC", "-o"])
        .args([&library, &source]);
    told(&mut cc);
    scratch.write("src/one", "one");
    scratch.write("src/two", "two");
    let cp = |to| {
        let mut command = scratch.command();
        command.arg0("cp").args(["-r", "src", to]);
        command
    };
    let seen = told(cp("seen").env("LD_PRELOAD", &library));
    for name in ["one", "two"] {
        let line = format!("opens {name}");
        let count = seen.lines().filter(|it| *it == line).count();
        assert_eq!(count, 2, "{name} is opened and made; seen: {seen}");
        assert_eq!(scratch.read(&format!("seen/{name}")), name);
    }
    assert_eq!(told(&mut cp("unseen")), "");
}
