//! SIGINT and SIGTERM end a copy in an orderly way.

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
    // Nobody ever writes to the FIFO: waiting for it can't be cancelled.
    let mut child = scratch
        .command()
        .arg0("cp")
        .args(["fifo", "b"])
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    thread::sleep(Duration::from_millis(200));
    send("-INT", &child);
    thread::sleep(Duration::from_millis(100));
    if child.try_wait().expect("waited for").is_none() {
        send("-INT", &child);
    }
    assert_eq!(exit_code(&mut child), Some(130));
}
