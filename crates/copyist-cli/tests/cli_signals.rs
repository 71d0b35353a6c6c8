//! SIGINT and SIGTERM end a copy without incomplete files.

#![cfg(unix)]

mod cli;

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cli::Scratch;

fn send(signal: &str, child: &Child) {
    let sent = Command::new("kill")
        .args([signal, &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
}

/// The exit code of a process that must end soon.
#[track_caller]
fn exit_code(child: &mut Child) -> Option<i32> {
    let began = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("waited for") {
            return status.code();
        }
        if began.elapsed() > Duration::from_secs(20) {
            child.kill().expect("killed");
            panic!("it does not end");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

#[track_caller]
fn wait_for(what: impl Fn() -> bool) {
    let began = Instant::now();
    while !what() {
        assert!(
            began.elapsed() < Duration::from_secs(20),
            "it never happens"
        );
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn an_interrupted_copy_leaves_nothing_half_made() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143)] {
        let scratch = Scratch::new();
        // A source without an end.
        let mut child = scratch
            .command()
            .arg0("cp")
            .args(["--report=r", "/dev/zero", "b"])
            .stderr(Stdio::null())
            .spawn()
            .expect("started");
        wait_for(|| fs::metadata(scratch.path("b")).is_ok_and(|b| b.len() > 0));
        send(signal, &child);
        assert_eq!(exit_code(&mut child), Some(code));
        assert!(!scratch.path("b").exists(), "a half copy is left");
        let report = scratch.read("r");
        let last = report.lines().last().expect("lines");
        assert!(last.contains("\"summary\""), "{last}");
        assert!(!last.contains("\"errors\":0"), "{last}");
    }
}

#[test]
fn a_question_can_be_interrupted() {
    let scratch = Scratch::new();
    scratch.write("a", "a");
    scratch.write("b", "b");
    let mut child = scratch
        .command()
        .arg0("cp")
        .args(["-i", "a", "b"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    let mut question = [0; 19];
    let stderr = child.stderr.as_mut().expect("piped");
    std::io::Read::read_exact(stderr, &mut question).expect("a question");
    assert_eq!(&question, b"cp: overwrite 'b'? ");
    send("-INT", &child);
    assert_eq!(exit_code(&mut child), Some(130));
    assert_eq!(scratch.read("b"), "b");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let scratch = Scratch::new();
    assert!(
        Command::new("mkfifo")
            .arg(scratch.path("fifo"))
            .status()
            .expect("mkfifo")
            .success()
    );
    // Nothing writes to the FIFO, and waiting for it can't be cancelled.
    let mut child = scratch
        .command()
        .arg0("cp")
        .args(["fifo", "b"])
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    thread::sleep(Duration::from_millis(200));
    // Signals soon after the first count as the first.
    while child.try_wait().expect("waited for").is_none() {
        send("-INT", &child);
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(exit_code(&mut child), Some(130));
}

/// Runs `cp` on a source and then on one without an end, and interrupts it there.
fn interrupted(scratch: &Scratch, arguments: &[&str]) -> (Option<i32>, String) {
    scratch.write("a", "a");
    fs::create_dir_all(scratch.path("d")).expect("a directory");
    let mut child = scratch
        .command()
        .arg0("cp")
        .args(arguments)
        .args(["--jobs=1", "a", "/dev/zero", "d"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    wait_for(|| fs::metadata(scratch.path("d/zero")).is_ok_and(|zero| zero.len() > 0));
    send("-INT", &child);
    let code = exit_code(&mut child);
    let output = child.wait_with_output().expect("waited for");
    (code, String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn what_was_done_before_a_signal_is_said() {
    let scratch = Scratch::new();
    let (code, told) = interrupted(&scratch, &[]);
    assert_eq!(code, Some(130));
    assert!(told.starts_with("cp: Stopped: copied 1 file ("), "{told}");
    assert_eq!(scratch.read("d/a"), "a");
    assert!(!scratch.path("d/zero").exists(), "a half copy is left");
}

/// The terminal is left unchanged, whenever the copy ends: the cursor is visible, and no mode is set.
#[test]
fn a_terminal_is_left_as_it_was() {
    let scratch = Scratch::new();
    let program = env!("CARGO_BIN_EXE_copyist");
    // One signal, and two at once.
    for signals in ["kill -INT $!", "kill -INT $!; kill -INT $!"] {
        let script = format!(
            "{program} cp --progress /dev/zero z & \
             while ! [ -s z ]; do sleep 0.01; done; sleep 0.3; {signals}; wait $!; echo code $?; \
             stty -a | grep -o -e '-\\?echo ' -e '-\\?icanon'; rm -f z"
        );
        let mut terminal = Command::new("script");
        terminal
            .args(["-qec", &script, "typescript"])
            .current_dir(&scratch.0)
            .stdin(Stdio::null());
        let output = match terminal.output() {
            Ok(output) => output,
            Err(error) => return println!("not run: no script(1): {error}"),
        };
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(shown.contains("code 130"), "{signals}: {shown}");
        assert!(shown.contains("\necho"), "{signals}: {shown}");
        assert!(shown.contains("\nicanon"), "{signals}: {shown}");
        // ESC [ ? 25 l hides the cursor, ESC [ ? 1049 h takes another screen.
        assert!(!shown.contains("\u{1b}[?"), "{signals}: {shown}");
    }
}

/// The reader of the messages may close the pipe: that is an error, and the copy is completed.
#[test]
fn a_reader_that_goes_away_stops_nothing() {
    let scratch = Scratch::new();
    for n in 0..200 {
        scratch.write(&format!("tree/{n}"), "x");
    }
    let mut child = scratch
        .command()
        .arg0("cp")
        .args(["-rv", "tree", "copy"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    drop(child.stdout.take());
    let code = exit_code(&mut child);
    let output = child.wait_with_output().expect("waited for");
    assert_eq!(code, Some(1));
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told, "cp: write error: Broken pipe\n");
    let copied = fs::read_dir(scratch.path("copy")).expect("a copy").count();
    assert_eq!(copied, 200);
}
