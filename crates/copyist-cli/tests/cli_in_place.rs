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
        // Not by this process: a child of another test could inherit the descriptor that writes it, and the
        // program could not be started.
        assert_eq!(shell(&scratch, "cp $copyist program").code, Some(0));
        let script = format!("./program {command} src /proc/self/exe");
        let ran = shell(&scratch, &script);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.ends_with("Text file busy\n"), "{ran:?}");
        assert!(shell(&scratch, "./program --version").code == Some(0));
    }
}

/// Whether the tests may mount in a private namespace; otherwise prints that the test is not run.
fn has_mounts(scratch: &Scratch) -> bool {
    let has = shell(scratch, "unshare -rm mount --bind . . 2> /dev/null").code == Some(0);
    if !has {
        println!("not run: no mount namespaces here");
    }
    has
}

/// Runs a script in a mount namespace, with `new` in `src` and a file with `old` mounted on `dst`.
fn mounted(scratch: &Scratch, script: &str) -> Ran {
    scratch.write("src", "new\n");
    scratch.write("behind", "old\n");
    scratch.write("dst", "");
    let script = format!("mount --bind behind dst && {{ {script}; }}");
    let script = script.replace('\'', "'\\''");
    shell(scratch, &format!("unshare -rm bash -c '{script}'"))
}

/// EBUSY in the words of the C library: musl has other ones.
fn busy() -> String {
    let text = std::io::Error::from(rustix::io::Errno::BUSY).to_string();
    let words = text.split(" (os error").next();
    words.unwrap_or(&text).to_owned()
}

#[test]
fn copy_writes_into_a_mounted_file_and_says_so_once() {
    let scratch = Scratch::new();
    if !has_mounts(&scratch) {
        return;
    }
    let warning = format!(
        "copyist copy: warning: 'dst' was written in place, since it can't be replaced in one \
         step: {} (and so may be others)\n",
        busy()
    );
    mounted(&scratch, "$copyist copy -q src dst").is(0, "", &warning);
    assert_eq!(scratch.read("behind"), "new\n");
    assert_eq!(shell(&scratch, "ls -A").out, "behind\ndst\nsrc\n");

    let scratch = Scratch::new();
    let ran = mounted(
        &scratch,
        "echo piped | $copyist cp --atomic=auto /dev/stdin dst",
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(scratch.read("behind"), "piped\n");
}

#[test]
fn atomic_spelled_out_fails_and_says_what_does_not() {
    let scratch = Scratch::new();
    if !has_mounts(&scratch) {
        return;
    }
    let message = format!(
        "copyist cp: cannot replace 'dst' in one step: {}; --atomic=no writes into it\n",
        busy()
    );
    mounted(&scratch, "$copyist cp --atomic src dst").is(1, "", &message);
    assert_eq!(scratch.read("behind"), "old\n");
    assert_eq!(shell(&scratch, "ls -A").out, "behind\ndst\nsrc\n");
    mounted(&scratch, "$copyist cp --atomic=no src dst").is(0, "", "");
    assert_eq!(scratch.read("behind"), "new\n");
}

/// A user may write to a file of another one, and not to its directory.
#[test]
fn copy_writes_into_another_user_s_file_that_it_can_not_replace() {
    if !rustix::process::geteuid().is_root() {
        println!("not run: only root makes files of other users");
        return;
    }
    for mode in ["755", "1777"] {
        let scratch = Scratch::new();
        let script = format!(
            r#"umask 022; chmod 755 .; cp $copyist prog; copyist=./prog; echo new > src; mkdir dir; echo old > dir/x; chmod 666 dir/x; chmod {mode} dir
            as="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all"
            $as $copyist copy -q src dir/x 2>err; echo $?; wc -l <err; cat dir/x
            $as $copyist cp --atomic src dir/x 2>/dev/null; echo $?; ls -A dir"#
        );
        shell(&scratch, &script).is(0, "0\n1\nnew\n1\nx\n", "");
    }
}
