//! Standard output as a destination: only data goes there, and words to standard error.

#![cfg(unix)]

mod cli;

use std::fs;

use cli::{Ran, Scratch};

/// More than a pipe takes at a time, and without a line break at its end.
fn data() -> String {
    "0123456789abcdef".repeat(10_000)
}

/// Runs a script; `$CP` is the binary by the name `cp`, `$COPYIST` by its own.
fn script(scratch: &Scratch, script: &str) -> Ran {
    let binary = env!("CARGO_BIN_EXE_copyist");
    let cp = scratch.path("cp");
    if !cp.exists() {
        std::os::unix::fs::symlink(binary, &cp).expect("a link");
    }
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", script])
        .current_dir(scratch.path(""))
        .env("LC_ALL", "C")
        .env("CP", cp)
        .env("COPYIST", binary);
    cli::run(&mut command, "")
}

#[test]
fn words_do_not_land_in_a_pipe_that_is_the_destination() {
    let scratch = Scratch::new();
    scratch.write("f", data());
    for (command, word) in [
        ("$COPYIST copy f /dev/stdout", "Copied 1 file"),
        ("$CP -v f /dev/stdout", "'f' -> '/dev/stdout'"),
        ("$CP -v f /dev/fd/1", "'f' -> '/dev/fd/1'"),
        ("$CP --debug f /dev/stdout", "copy offload"),
        ("$CP --report=- f /dev/stdout", "\"summary\""),
        ("$CP --manifest=- f /dev/stdout", "  "),
        ("$CP --report=/dev/stdout f /dev/stdout", "\"summary\""),
        ("$CP --manifest=/dev/fd/1 f /dev/stdout", "  "),
        (
            "$CP --progress=always -v f /dev/stdout",
            "'f' -> '/dev/stdout'",
        ),
    ] {
        let ran = script(&scratch, &format!("{command} | cat > out"));
        assert!(scratch.read("out") == data(), "{command}: {}", ran.err);
        assert!(ran.err.contains(word), "{command}: {}", ran.err);
    }
}

#[test]
fn words_do_not_land_in_a_file_that_is_the_destination() {
    let scratch = Scratch::new();
    scratch.write("f", data());
    scratch.write("src/log", data());
    for (command, out) in [
        ("$CP -v f o >> o", "o"),
        ("ln -sf o l; $CP -v f l >> o", "o"),
        ("mkdir -p d; $CP -v f d >> d/f", "d/f"),
        ("mkdir -p dst; $CP -rvT src dst >> dst/log", "dst/log"),
        ("mkfifo p; cat p > got & $CP -v f p > p; wait", "got"),
        ("$COPYIST copy --atomic=no f o2 >> o2", "o2"),
    ] {
        let ran = script(&scratch, command);
        assert_eq!(ran.code, Some(0), "{command}: {}", ran.err);
        assert!(scratch.read(out) == data(), "{command}: {}", ran.err);
        assert!(!ran.err.is_empty(), "{command}");
    }
}

#[test]
fn where_both_streams_are_the_destination_nothing_is_said() {
    let scratch = Scratch::new();
    scratch.write("f", data());
    for command in [
        "$COPYIST copy f /dev/stdout",
        "$CP -v --progress=always f /dev/stdout",
        "$CP -v --progress=always f /dev/stderr",
    ] {
        script(&scratch, &format!("{command} 2>&1 | cat > out")).is(0, "", "");
        assert!(scratch.read("out") == data(), "{command}");
    }
    for option in ["--report=-", "--manifest=-"] {
        let ran = script(
            &scratch,
            &format!("($CP {option} f /dev/stdout; echo $? > code) 2>&1 | cat > out"),
        );
        assert_eq!(scratch.read("code"), "1\n", "{option}: {}", ran.err);
        assert!(scratch.read("out").contains("can't be written"), "{option}");
    }
}

#[test]
fn a_report_is_not_written_into_a_destination() {
    let scratch = Scratch::new();
    scratch.write("f", data());
    for (what, name) in [("report", "g"), ("manifest", "./g")] {
        scratch.write("g", "old");
        let option = &format!("--{what}={name}");
        let expected = format!("cp: cannot create {what} '{name}': it is a destination\n");
        scratch.cp(&[option, "f", "g"]).is(1, "", &expected);
        assert_eq!(scratch.read("g"), "old");
    }
    scratch
        .cp(&["--report=/dev/null", "f", "/dev/null"])
        .is(0, "", "");
}

#[test]
fn words_stay_on_standard_output_where_it_is_no_destination() {
    let scratch = Scratch::new();
    scratch.write("f", data());
    script(&scratch, "$CP -v f g").is(0, "'f' -> 'g'\n", "");
    script(&scratch, "$CP -v f /dev/null > /dev/null").is(0, "", "");
    fs::create_dir(scratch.path("dst")).expect("a directory");
    scratch.write("tree/a", "a");
    script(&scratch, "$CP -rvT tree dst > dst/log").is(0, "", "");
    assert_eq!(scratch.read("dst/log"), "'tree/a' -> 'dst/a'\n");
    let planned = script(&scratch, "$COPYIST copy --explain f /dev/stdout");
    assert!(planned.out.contains("read-write"), "{}", planned.out);
}

/// `cp -a` copies the links that lead there, which mean nothing to others.
#[test]
fn copy_reads_the_open_files_that_it_is_given() {
    if !cli::has_proc() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("f", data());
    for line in [
        "cat f | $COPYIST copy -q /dev/stdin o",
        "$COPYIST copy -q /dev/stdin o <f",
        "cat f | $COPYIST copy -q /dev/fd/3 o 3<&0",
        "cat f | $COPYIST copy -q -L /dev/stdin o",
        "cat f | $COPYIST copy -q -H /dev/stdin o",
        "cat f | $COPYIST copy -q --verify /proc/self/fd/0 o",
        "cp f g; exec 3<g; rm g; $COPYIST copy -q /dev/fd/3 o",
        "ln -s /dev/stdin l; cat f | $COPYIST copy -q l o",
    ] {
        script(&scratch, line).is(0, "", "");
        let copy = scratch.path("o").symlink_metadata().expect("a copy");
        assert!(copy.is_file(), "{line}");
        assert_eq!(scratch.read("o"), data(), "{line}");
        fs::remove_file(scratch.path("o")).expect("a file");
    }
    for line in [
        "$COPYIST copy -q -P /dev/stdin o <f",
        "$COPYIST copy -q -d /dev/stdin o <f",
        "$COPYIST copy -q /dev/stdin o <.",
        "$CP -a /dev/stdin o <f",
    ] {
        script(&scratch, line).is(0, "", "");
        assert!(scratch.path("o").is_symlink(), "{line}");
        fs::remove_file(scratch.path("o")).expect("a link");
    }
}

/// What is closed can't be read or written, by whatever name.
#[test]
fn a_closed_stream_is_no_source_and_no_destination() {
    if !cli::has_proc() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("f", data());
    fs::create_dir(scratch.path("d")).expect("a directory");
    let bad = "Bad file descriptor\n";
    let no_device = "No such device or address\n";
    for (line, why) in [
        ("$COPYIST copy --exclude-from=- f o <&-", bad),
        ("$COPYIST copy --ignore-file=- f o <&-", bad),
        ("$COPYIST verify --manifest=- d <&-", bad),
        ("$CP /dev/stdin o <&-", no_device),
        ("$COPYIST copy -q /dev/stdin o <&-", no_device),
        ("$CP f /dev/stdout >&-", no_device),
        ("$COPYIST copy -q f /dev/fd/1 >&-", no_device),
        ("$CP f /dev/fd/0 <&-", no_device),
    ] {
        let ran = script(&scratch, line);
        assert!(ran.code.is_some_and(|code| code > 0), "{line}: {ran:?}");
        assert!(ran.err.ends_with(why), "{line}: {ran:?}");
        assert!(!scratch.path("o").exists(), "{line}");
    }
    let ran = script(&scratch, "$CP f /dev/stderr 2>&-");
    assert_eq!(ran.code, Some(1), "{ran:?}");
    // Nobody needs them.
    script(&scratch, "$CP f o <&- >&- 2>&-").is(0, "", "");
    assert_eq!(scratch.read("o"), data());
}
