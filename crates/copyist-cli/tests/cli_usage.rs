//! Command lines that copy nothing: help, version and what is refused, in the words of GNU cp 9.10.

#![cfg(unix)]

mod cli;

use std::fs::OpenOptions;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use cli::Scratch;

#[test]
fn what_can_not_be_read_is_refused() {
    let scratch = Scratch::new();
    let hint = "Try 'cp --help' for more information.\n";
    let table: &[(&[&str], &str)] = &[
        (&[], "missing file operand"),
        (&["a"], "missing destination file operand after 'a'"),
        (&["-T", "a", "b", "c"], "extra operand 'c'"),
        (&["-k"], "invalid option -- 'k'"),
        (&["-t"], "option requires an argument -- 't'"),
        (&["--nope=1"], "unrecognized option '--nope=1'"),
        (
            &["--archive=1"],
            "option '--archive' doesn't allow an argument",
        ),
        (&["--sparse"], "option '--sparse' requires an argument"),
        (
            &["--re"],
            "option '--re' is ambiguous; possibilities: \
             '--recursive' '--remove-destination' '--reflink'",
        ),
        (
            &["-ls", "a", "b"],
            "cannot make both hard and symbolic links",
        ),
        (
            &["-bn", "a", "b"],
            "--backup is mutually exclusive with -n or --update=none-fail",
        ),
        (
            &["--reflink", "--sparse=never", "a", "b"],
            "--reflink can be used only with --sparse=auto",
        ),
        (
            &["--parents", "a", "b"],
            "with --parents, the destination must be a directory",
        ),
        (
            &["--sparse=x"],
            "invalid argument 'x' for '--sparse'\n\
             Valid arguments are:\n  - 'never'\n  - 'auto'\n  - 'always'",
        ),
        (
            &["--method=clone,teleport", "a", "b"],
            "invalid argument 'teleport' for '--method'\nValid arguments are:\n  - 'clone'\n  \
             - 'copy-range'\n  - 'sendfile'\n  - 'direct'\n  - 'read-write'",
        ),
    ];
    for (arguments, message) in table {
        let expected = format!("cp: {message}\n{hint}");
        scratch.cp(arguments).is(1, "", &expected);
    }
}

#[test]
fn wrong_targets_are_refused() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    let table: &[(&[&str], &str)] = &[
        (&["-t", "x", "-ty"], "multiple target directories specified"),
        (
            &["-T", "-t.", "a"],
            "cannot combine --target-directory (-t) and --no-target-directory (-T)",
        ),
        (&["a", "b", "c"], "target 'c': No such file or directory"),
        (&["a", "b", "a"], "target 'a': Not a directory"),
        (&["-t", "a", "a"], "target directory 'a': Not a directory"),
        (
            &["--preserve=context", "a", "b"],
            "cannot preserve security context without an SELinux-enabled kernel",
        ),
    ];
    for (arguments, message) in table {
        scratch.cp(arguments).is(1, "", &format!("cp: {message}\n"));
    }
}

#[test]
fn messages_name_the_program_as_gnus_do() {
    let scratch = Scratch::new();
    let run =
        |name: &str, arguments: &[&str]| cli::run(scratch.command().arg0(name).args(arguments), "");
    let hint = "Try './bin/cp --help' for more information.\n";
    let expected = format!("./bin/cp: invalid option -- 'k'\n{hint}");
    run("./bin/cp", &["-k"]).is(1, "", &expected);
    let expected = format!("cp: missing file operand\n{hint}");
    run("./bin/cp", &[]).is(1, "", &expected);
    let expected = "copyist cp: missing file operand\n\
                    Try 'copyist cp --help' for more information.\n";
    scratch.copyist(&["cp"]).is(1, "", expected);
    let hint = "Try 'copyist --help' for more information.\n";
    let expected = format!("copyist: unknown command 'fly'\n{hint}");
    scratch.copyist(&["fly"]).is(1, "", &expected);
    let expected =
        format!("copyist: unknown command 'verfiy'\ncopyist: did you mean 'verify'?\n{hint}");
    scratch.copyist(&["verfiy"]).is(1, "", &expected);
}

#[test]
fn a_mistyped_option_is_answered_with_the_nearest() {
    let scratch = Scratch::new();
    let table = [
        (
            "copy",
            "--exlude=x",
            "unrecognized option '--exlude=x'",
            Some("--exclude"),
        ),
        // Two letters of five are too many.
        ("copy", "--xyzzy", "unrecognized option '--xyzzy'", None),
        // GNU cp suggests nothing.
        ("cp", "--archvie", "unrecognized option '--archvie'", None),
        (
            "verify",
            "--quite",
            "unexpected argument '--quite' found",
            Some("--quiet"),
        ),
    ];
    for (command, option, message, meant) in table {
        let name = format!("copyist {command}");
        let meant = meant.map_or_else(String::new, |it| format!("{name}: did you mean '{it}'?\n"));
        let hint = format!("Try '{name} --help' for more information.\n");
        let expected = format!("{name}: {message}\n{meant}{hint}");
        let code = if command == "verify" { 2 } else { 1 };
        scratch.copyist(&[command, option]).is(code, "", &expected);
    }
    let ran = scratch.copyist(&["probe", "--jsno", "."]);
    assert!(
        ran.err.contains("a similar argument exists: '--json'"),
        "{ran:?}"
    );
}

#[test]
fn the_help_describes_each_command() {
    let help = Scratch::new().copyist(&["--help"]).out;
    let described = |command: &str, text: &str| {
        let line = help
            .lines()
            .find(|it| it.trim_start().starts_with(&format!("{command} ")));
        line.is_some_and(|line| line.ends_with(text))
    };
    assert!(
        described("verify", "  Compare a copy with its source or a manifest"),
        "{help}"
    );
    assert!(described("probe", "supports"), "{help}");
    assert!(!help.contains('`'), "{help}");
}

#[test]
fn words_are_quoted_as_the_locale_does() {
    let scratch = Scratch::new();
    let mut command = scratch.command();
    command
        .arg0("cp")
        .env("LC_ALL", "C.UTF-8")
        .arg("--sparse=x");
    let ran = cli::run(&mut command, "");
    assert!(
        ran.err
            .starts_with("cp: invalid argument \u{2018}x\u{2019} for \u{2018}--sparse\u{2019}\n"),
        "{ran:?}"
    );
}

#[test]
fn help_and_version_go_to_standard_output() {
    let scratch = Scratch::new();
    let version = env!("CARGO_PKG_VERSION");
    scratch
        .cp(&["--version"])
        .is(0, &format!("cp (copyist) {version}\n"), "");
    scratch
        .copyist(&["--version"])
        .is(0, &format!("copyist {version}\n"), "");
    for help in [scratch.cp(&["--he"]), scratch.copyist(&["--help"])] {
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""));
        assert!(help.out.contains("Usage: "), "{}", help.out);
    }
}

#[test]
fn output_that_can_not_be_written_is_an_error() {
    if !cli::has_full_device() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("a", "a");
    for arguments in [&["--help"][..], &["--version"], &["-v", "a", "b"]] {
        let full = OpenOptions::new()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full");
        let output = scratch
            .command()
            .arg0("cp")
            .args(arguments)
            .stdout(full)
            .output()
            .expect("run");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            err, "cp: write error: No space left on device\n",
            "{arguments:?}"
        );
        assert_eq!(output.status.code(), Some(1));
    }
    assert_eq!(scratch.read("b"), "a", "the copy is made all the same");
}

#[test]
fn a_closed_pipe_is_an_ordinary_error() {
    let scratch = Scratch::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = scratch
        .command()
        .arg0("cp")
        .arg("--help")
        .stdin(Stdio::null())
        .stdout(writer)
        .output()
        .expect("run");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(err, "cp: write error: Broken pipe\n");
    assert_eq!(output.status.code(), Some(1));
}

/// No copied file gets the number of a standard descriptor that was closed: messages would be written
/// into it.
#[test]
fn closed_standard_descriptors_are_taken() {
    if !cli::has_proc() {
        return;
    }
    let scratch = Scratch::new();
    let shell = "exec \"$0\" cp -P /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 . <&- >&- 2>&-";
    let status = Command::new("sh")
        .args(["-c", shell, env!("CARGO_BIN_EXE_copyist")])
        .current_dir(scratch.path(""))
        .status()
        .expect("run");
    assert_eq!(status.code(), Some(0));
    for number in ["0", "1", "2"] {
        let opened = std::fs::read_link(scratch.path(number)).expect("a copied link");
        let name = opened.to_string_lossy();
        assert!(name.starts_with("socket:["), "{number}: {name}");
    }
}

/// Text for a closed standard output is an error, although the descriptor is open again when it is written.
#[test]
fn text_for_a_closed_standard_output_is_an_error() {
    if !cli::has_proc() {
        return;
    }
    let scratch = Scratch::new();
    scratch.write("a", "a");
    let output = Command::new("sh")
        .args(["-c", "exec \"$0\" cp -v a b >&-"])
        .arg(env!("CARGO_BIN_EXE_copyist"))
        .current_dir(scratch.path(""))
        .output()
        .expect("run");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(err, "copyist cp: write error: Bad file descriptor\n");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(scratch.read("b"), "a", "the copy is made all the same");
}
